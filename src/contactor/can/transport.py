"""What several frames carry together: diagnostic answers, and messages longer than a frame.

    decoder = TransportDecoder(plan, signal_sets)
    for frames in chunks:
        columns = decoder.feed(frames)          # rows of `frames`
    decoder.facts()                             # {"transfers": 412, "lost": {...}, ...}

A reading belongs to the frame with which its answer ended.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypedDict

import numpy as np

from contactor.can.columns import SignalColumn, merged
from contactor.can.diagnostics import DiagnosticDecoder, Refused
from contactor.can.frames import MAX_STANDARD_ID, FrameTable, id_name
from contactor.can.groups import FrameGroups
from contactor.can.isotp import Addressing, IsoTpReassembler, Transfers
from contactor.can.plan import DecodePlan
from contactor.can.signal_set import SignalSet
from contactor.can.transported import (
    decode_transfers_with_plan,
    transported_ids,
    transported_places,
)


class RefusedFacts(TypedDict):
    """Negative answers of one control unit to one service, for one reason."""

    id: str
    service: str
    reason: str
    count: int


class TransportFacts(TypedDict):
    """The transfers of a recording.

    `broken` counts by cause what was no whole transfer: lost frames, wrong sequence and so on.
    """

    transfers: int
    broken: dict[str, int]
    flow_controls: int
    answers_unknown: int
    answers_refused: list[RefusedFacts]


class TransportDecoder:
    """Owns what is open between chunks.

    Args:
        plan: its messages that lie in reassembled payloads are decoded; None for none.
        signal_sets: how diagnostic answers are read.
        signals: names of the readings wanted of them, as `compile_plan` has them; None for all.
    """

    def __init__(
        self,
        plan: DecodePlan | None,
        signal_sets: Sequence[SignalSet],
        *,
        signals: AbstractSet[str] | None = None,
    ) -> None:
        self._plan = plan
        self._signals = signals
        answer_ids = {
            can_id
            for signal_set in signal_sets
            for addressing in Addressing
            for can_id in signal_set.answer_ids(addressing)
        }
        self._answer_ids = np.array(sorted(answer_ids), np.uint32)
        ids = transported_ids(plan) if plan else frozenset()
        self._reassembler = IsoTpReassembler(ids=ids) if ids else None
        self._decoders = [DiagnosticDecoder(signal_set) for signal_set in signal_sets]
        self._transfers, self._flow_controls, self._unknown = 0, 0, 0
        self._broken: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str, str]] = Counter()

    def feed(self, frames: FrameTable, *, is_last: bool = False) -> list[SignalColumn]:
        """The readings of what ends in these frames.

        Args:
            frames: what was recorded next.
            is_last: nothing follows, so that what is open now has no end.
        """
        columns: list[SignalColumn] = []
        if self._reassembler is not None and self._plan is not None:
            transfers = self._reassembler.feed(frames, is_last=is_last).inside()
            self._count(transfers)
            columns += decode_transfers_with_plan(transfers, self._plan)
        for decoder in self._decoders:
            answers = decoder.feed(frames, is_last=is_last)
            for transfers in answers.transfers:
                self._count(transfers)
            self._unknown += answers.unknown
            self._count_refused(answers.refused)
            columns += [column for column in answers.columns if self._is_wanted(column)]
        return merged(columns)

    @property
    def answer_ids(self) -> list[int]:
        """The ids that signal sets know answers from, ascending; above 0x7FF they have 29 bits."""
        return [int(can_id) for can_id in self._answer_ids]

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to decode."""
        return self._reassembler is not None or bool(self._decoders)

    def claimed(self, frames: FrameTable, groups: FrameGroups) -> int:
        """How many frames without a message have an id that a signal set knows."""
        if not len(self._answer_ids):
            return 0
        ids = frames.can_id[groups.unknown_rows]
        is_ours = np.isin(ids, self._answer_ids)
        is_ours &= frames.is_extended[groups.unknown_rows] == (ids > MAX_STANDARD_ID)
        return int(is_ours.sum())

    def _is_wanted(self, column: SignalColumn) -> bool:
        if self._signals is None:
            return True
        return not self._signals.isdisjoint((column.name, column.message, column.signal))

    def facts(self) -> TransportFacts:
        """What was counted so far."""
        return TransportFacts(
            transfers=self._transfers,
            broken=dict(self._broken),
            flow_controls=self._flow_controls,
            answers_unknown=self._unknown,
            answers_refused=[
                RefusedFacts(id=can_id, service=service, reason=reason, count=count)
                for (can_id, service, reason), count in self._refused.items()
            ],
        )

    def _count(self, transfers: Transfers) -> None:
        self._transfers += int(transfers.is_complete.sum())
        self._flow_controls += transfers.flow_controls
        for fault, count in transfers.faults.items():
            if count:
                self._broken[fault.value] += count

    def _count_refused(self, refused: Iterable[Refused]) -> None:
        for kind in refused:
            if not kind.is_pending:
                name = id_name(kind.can_id, is_extended=kind.can_id > MAX_STANDARD_ID)
                key = (name, f"0x{kind.service:02x}", kind.reason)
                self._refused[key] += kind.count


def names_of(signal_set: SignalSet) -> Iterator[str]:
    """All names by which readings of a set can be asked for."""
    for command in signal_set.commands:
        yield command.label
        for signal in command.signals:
            yield from (signal.name, f"{command.label}.{signal.name}")


def frame_plan(plan: DecodePlan) -> DecodePlan:
    """The plan for single frames: messages that lie in reassembled payloads have no signals there.

    Their frames are known all the same.
    """
    places = transported_places(plan)
    if not places:
        return plan
    messages = (
        replace(message, signals=()) if place in places else message
        for place, message in enumerate(plan.messages)
    )
    return replace(plan, messages=tuple(messages))
