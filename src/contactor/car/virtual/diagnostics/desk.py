"""The diagnostic socket of the virtual car: requests among frames, answers as frames.

desk = DiagnosticDesk(seed=1)
for request in desk.requests(frames, now_ns=now_ns):    # (id, payload)
    desk.answer(*request, facts)
desk.frames(until_ns)                                   # FrameTable, by time
"""

from collections import Counter

import numpy as np

from contactor.can.frames import FrameTable
from contactor.car.virtual.diagnostics.ecus import REQUEST_IDS, ControlUnits
from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.car.virtual.diagnostics.isotp import FRAME_BYTES, Transport

_IDS = np.array(REQUEST_IDS, np.uint32)


class DiagnosticDesk:
    """Owns the control units and the transfers with them.

    Args:
        seed: of the seeds of security access.
    """

    def __init__(self, *, seed: int) -> None:
        self.units = ControlUnits(seed=seed)
        self._transport = Transport()

    @property
    def dropped(self) -> Counter[str]:
        """Frames and transfers that came to nothing, by cause."""
        return self._transport.dropped

    @property
    def is_busy(self) -> bool:
        """Whether there is something to send, or waited for."""
        return self._transport.is_busy

    def is_meant(self, frames: FrameTable) -> bool:
        """Whether any of the frames is for a control unit."""
        return bool(np.isin(frames.can_id, _IDS).any())

    def requests(self, frames: FrameTable, *, now_ns: int) -> list[tuple[int, bytes]]:
        """The requests that these frames end, as id and payload, in order."""
        if not len(frames):
            return []
        is_ours = np.isin(frames.can_id, _IDS) & ~(frames.is_extended | frames.is_error)
        found: list[tuple[int, bytes]] = []
        for row in np.flatnonzero(is_ours).tolist():
            frame = frames[row]
            if frame.is_remote or frame.is_fd or len(frame.data) > FRAME_BYTES:
                self.dropped["kind"] += 1
                continue
            payload = self._transport.hear(frame.can_id, frame.data, now_ns=now_ns)
            if payload is not None:
                found.append((frame.can_id, payload))
        return found

    def answer(self, can_id: int, request: bytes, facts: CarFacts) -> None:
        """Have a request answered; the frames are due from now on."""
        for answer_id, payload in self.units.answers(can_id, request, facts):
            self._transport.answer(answer_id, payload, now_ns=facts.now_ns)

    def frames(self, until_ns: int) -> FrameTable:
        """What the control units send until then."""
        due = self._transport.due(until_ns)
        if not due:
            return FrameTable.empty()
        ts, can_id, data = zip(*due, strict=True)
        return FrameTable.of(ts=ts, can_id=can_id, data=data)


def by_time(first: FrameTable, second: FrameTable) -> FrameTable:
    """The frames of both, by time."""
    if not len(first) or not len(second):
        return first if len(first) else second
    both = FrameTable.concat((first, second))
    return both.take(np.argsort(both.ts, kind="stable"))
