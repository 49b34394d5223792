"""What the virtual car hears: command frames, checked before anything is done.

    frame ─► known id ─► long enough ─► checksum ─► counter ─► the fields that ask for something
                             └──────────────┴──────────┴─► refused, counted by reason

The counter must have gone on: a frame with the count that was heard less than a second ago is the
same one again.

    hearing = Hearing(profile.database)
    hearing.requests(frames, now_ns=now_ns)     # [("DoorCommand.TrunkLock", 1.0)]
    hearing.refused                             # Counter({"checksum": 1})
"""

from collections import Counter

import numpy as np

from contactor.can.database import Database
from contactor.can.decode import decode_columns
from contactor.can.encode import MessageEncoder
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.virtual import body, override
from contactor.car.virtual.faults import FAULTS, MESSAGE
from contactor.clock import NS_PER_S

SAME_AGAIN_NS = NS_PER_S
FIELDS = (
    *body.FIELDS,
    *(f"{MESSAGE}.{name}" for name in FAULTS),
    *(override.PLUG, override.STATION_POWER),
)
"""What can be asked, as "Message.Signal" of the command frames."""


class Hearing:
    """Owns which count of each command was heard last, and how many frames were refused."""

    def __init__(self, database: Database) -> None:
        names = {field.partition(".")[0] for field in FIELDS}
        encoders = [
            MessageEncoder(message) for message in database.messages if message.name in names
        ]
        self._encoders = {one.message.can_id: one for one in encoders}
        self._plan = compile_plan(Database(tuple(one.message for one in encoders)))
        self._ids = np.array(sorted(self._encoders), np.uint32)
        self._heard: dict[str, tuple[int, int]] = {}
        self.refused: Counter[str] = Counter()

    def is_meant(self, frames: FrameTable) -> bool:
        """Whether any of the frames is a command, sound or not."""
        return bool(np.isin(frames.can_id, self._ids).any())

    def requests(self, frames: FrameTable, *, now_ns: int) -> list[tuple[str, float]]:
        """What is asked, as "Message.Signal" and its physical value, in order."""
        is_command = np.isin(frames.can_id, self._ids) & ~(frames.is_remote | frames.is_error)
        is_command &= ~frames.is_extended
        asked: list[tuple[str, float]] = []
        for row in np.flatnonzero(is_command).tolist():
            asked += self._request(frames.take(np.array([row])), now_ns)
        return asked

    def _request(self, frame: FrameTable, now_ns: int) -> list[tuple[str, float]]:
        encoder = self._encoders[int(frame.can_id[0])]
        name, length = encoder.message.name, encoder.message.length
        if int(frame.length[0]) != length:
            self.refused["length"] += 1
            return []
        if not encoder.is_sound(frame.data[:, :length]).all():
            self.refused["checksum"] += 1
            return []
        columns = {column.name: column for column in decode_columns(frame, self._plan)}
        if encoder.counter is not None:
            count = int(columns[f"{name}.{encoder.counter}"].raw[0])
            last, last_ns = self._heard.get(name, (-1, 0))
            if count == last and now_ns - last_ns < SAME_AGAIN_NS:
                self.refused["counter"] += 1
                return []
            self._heard[name] = (count, now_ns)
        ones = {signal.name: (1 << signal.length) - 1 for signal in encoder.signals}
        return [
            (column.name, float(column.values[0]))
            for column in columns.values()
            if column.name in FIELDS and int(column.raw[0]) != ones[column.signal]
        ]
