"""Counters and checksums of recorded frames, checked as the database says that they are made.

    counter    5  6  7  9 10 10 11        9: a jump, one frame lost      second 10: repeated

A frame that jumped, that repeats the count before it, whose checksum is wrong, or that is too short
to be checked, is bad. Counts are followed by bus and id, in the order of the recording, and from
call to call: the frames of a long recording may come in pieces.

    checker = Checker(plan)
    facts = checker.check(frames, group_frames(frames, plan))
    facts[0].label, facts[0].lost, facts[0].wrong        # ("BatteryState", 1, 0)
    facts[0].rows[facts[0].is_bad]                       # rows of `frames`
    checker.totals()                                     # the same counts over all calls
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from contactor.can.checksum import Checksum, checksum_of, counts_of
from contactor.can.decode import raw_of
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroup, FrameGroups
from contactor.can.plan import DecodePlan, MessagePlan, Protection
from contactor.errors import InvalidValue

BUS_SHIFT = 32
MAX_COUNTER_BITS = 32

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CheckFacts:
    """What the counter and the checksum of one message say.

    Fields:
        label: the message, as `FrameGroups` calls it.
        counter, checksum: the names of the signals that are checked, None where there is none.
        frames: all of them.
        jumps: frames whose count is not the next one, nor the same.
        lost: how many frames the jumps leave out; of more than one round the rest.
        repeated: frames with the count of the one before.
        wrong: frames whose checksum is not that of their bytes.
        short: frames too short to have either.
        unchecked: what cannot be checked, and why.
        rows: int64 (frames,), rows of the table.
        is_bad: bool (frames,), which of them jumped, repeated, were wrong or short.
    """

    label: str
    counter: str | None
    checksum: str | None
    frames: int = 0
    jumps: int = 0
    lost: int = 0
    repeated: int = 0
    wrong: int = 0
    short: int = 0
    unchecked: tuple[str, ...] = ()
    rows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    is_bad: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def bad(self) -> int:
        """How many frames are bad."""
        return int(np.count_nonzero(self.is_bad))


class Checker:
    """Owns where each counter stood last, and the counts so far.

    Args:
        plan: whose messages; those without counter and checksum are left alone.
    """

    def __init__(self, plan: DecodePlan) -> None:
        self._checks: dict[int, _MessageCheck] = {}
        for place, message in enumerate(plan.messages):
            if message.protection is not None:
                self._checks[place] = _MessageCheck(message, message.protection)
        self._last: dict[str, dict[int, int]] = {}
        self._totals: dict[str, CheckFacts] = {}

    def check(
        self, frames: FrameTable, groups: FrameGroups, seams: Sequence[int] = ()
    ) -> list[CheckFacts]:
        """Check the frames of a table, which follow those of the call before.

        Args:
            seams: rows, ascending, with each of which a recording begins that has nothing to do
                with what came before: no count goes on there.

        Returns:
            The facts of each message that has something to check, in the order of the plan.
        """
        before = self._last
        if seams:
            self._last = {}
        return [
            self._check(frames, group, before, np.array(seams, np.int64))
            for group in groups.groups
            if group.place in self._checks
        ]

    def totals(self) -> list[CheckFacts]:
        """The counts of all calls together, by message, without rows."""
        return list(self._totals.values())

    def _check(
        self,
        frames: FrameTable,
        group: FrameGroup,
        before: dict[str, dict[int, int]],
        seams: Rows,
    ) -> CheckFacts:
        check = self._checks[group.place]
        last = self._last.setdefault(group.label, {})
        counts = _Counts(before.get(group.label, {}), last, seams)
        facts = check.facts(frames, group.label, group.rows.astype(np.int64, copy=False), counts)
        known = self._totals.get(group.label)
        total = replace(facts, rows=facts.rows[:0], is_bad=facts.is_bad[:0])
        self._totals[group.label] = total if known is None else _added(known, total)
        return facts


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Where the counter of a message stands, by sender.

    Fields:
        before: where it stood before these frames.
        last: where it stands after them; the same as `before` where there is no seam.
        seams: as of `Checker.check`.
    """

    before: dict[int, int]
    last: dict[int, int]
    seams: Rows

    def steps(self, sender: int, rows: Rows, counts: Rows) -> Rows:
        """The step to each count, (n,); one that follows nothing follows the count before its own.

        Args:
            rows, counts: (n,), the sender's frames; one at least.
        """
        first = self.before.get(sender, int(counts[0]) - 1)
        steps = np.diff(counts, prepend=first)
        begins = np.searchsorted(rows, self.seams)
        steps[begins[begins < len(rows)]] = 1
        if not len(self.seams) or rows[-1] >= self.seams[-1]:
            self.last[sender] = int(counts[-1])
        return steps


class _MessageCheck:
    """How the frames of one message are checked."""

    def __init__(self, message: MessagePlan, protection: Protection) -> None:
        self._length = protection.length
        self._unchecked: list[str] = []
        self._counter, self._counts = protection.counter, 0
        if self._counter is not None and self._counter.length > MAX_COUNTER_BITS:
            self._unchecked.append(f"{self._counter.name} counts with more than 32 bits")
            self._counter = None
        if self._counter is not None and protection.counter_role is not None:
            self._counts = counts_of(protection.counter_role, self._counter.length) or 0
        self._checksum: Checksum | None = None
        self._name: str | None = None
        if protection.is_multiplexed:
            self._unchecked.append("it is multiplexed")
        if protection.checksum is not None:
            try:
                self._checksum = checksum_of(message.can_id, protection, protection.checksum)
                self._name = protection.checksum.name
            except InvalidValue as error:
                self._unchecked.append(str(error))

    def facts(self, frames: FrameTable, label: str, rows: Rows, counts: _Counts) -> CheckFacts:
        needed = self._counter.bytes_needed if self._counter else 0
        needed = max(needed, self._length if self._checksum else 0)
        is_short = np.minimum(frames.length[rows], frames.data.shape[1]) < needed
        whole = rows[~is_short]
        is_bad = is_short.copy()
        is_jump = is_repeated = is_wrong = np.zeros(len(whole), np.bool_)
        lost = 0
        if self._counter is not None:
            is_jump, is_repeated, lost = self._follow(frames, whole, counts)
        if self._checksum is not None:
            payloads = frames.data[whole, : self._length]
            is_wrong = self._checksum.of(payloads) != self._checksum.read(payloads)
        is_bad[~is_short] = is_jump | is_repeated | is_wrong
        return CheckFacts(
            label=label,
            counter=self._counter.name if self._counter else None,
            checksum=self._name,
            frames=len(rows),
            jumps=int(is_jump.sum()),
            lost=lost,
            repeated=int(is_repeated.sum()),
            wrong=int(is_wrong.sum()),
            short=int(is_short.sum()),
            unchecked=tuple(self._unchecked),
            rows=rows,
            is_bad=is_bad,
        )

    def _follow(self, frames: FrameTable, rows: Rows, known: _Counts) -> tuple[Mask, Mask, int]:
        """Which frames jumped, which repeated, and how many are lost; what is known goes on."""
        assert self._counter is not None
        counts = raw_of(frames, self._counter, rows).astype(np.int64)
        senders = frames.bus[rows].astype(np.int64) << BUS_SHIFT | frames.can_id[rows]
        is_jump, is_repeated = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
        lost = 0
        for sender in np.unique(senders).tolist():
            at = np.flatnonzero(senders == sender)
            is_possible = counts[at] < self._counts
            is_jump[at[~is_possible]] = True
            at = at[is_possible]
            if not len(at):
                continue
            steps = known.steps(sender, rows[at], counts[at]) % self._counts
            is_repeated[at] = steps == 0
            is_jump[at] |= steps > 1
            lost += int((steps[steps > 1] - 1).sum())
        return is_jump, is_repeated, lost


def _added(one: CheckFacts, other: CheckFacts) -> CheckFacts:
    return replace(
        one,
        frames=one.frames + other.frames,
        jumps=one.jumps + other.jumps,
        lost=one.lost + other.lost,
        repeated=one.repeated + other.repeated,
        wrong=one.wrong + other.wrong,
        short=one.short + other.short,
    )
