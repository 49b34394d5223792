"""The time of the events of a Vector ASC log.

    date Sat Sep 30 15:06:13.191 2017             the start of the measurement
    base hex  timestamps absolute                 stamps count from a start
    Begin Triggerblock Sat Sep 30 15:06:13.191 2017
       0.000000 Start of measurement

`timestamps relative`: each stamp counts from the event before it, frame or not, across blocks.
`absolute`: stamps count from the start of the measurement, or, as python-can and others write them,
from the start of the block; a block whose first stamp is nearer to the time between both dates
than to zero counts from the measurement's start. Dates have no zone: they are taken as UTC. A log
whose dates cannot be read for certain has none.
Source: Vector, "CAN, log & trigger: ASCII logging file format"; python-can 4.6, `ASCWriter`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from contactor.can.readers.clocks import StepSum
from contactor.can.readers.lines import Mask, Positions
from contactor.can.readers.numbers import MAX_TS_NS
from contactor.clock import NS_PER_DAY

LONGEST_STEP_NS = 1000 * NS_PER_DAY  # between two events; more is a broken line


@dataclass(frozen=True, slots=True)
class DateLine:
    """A line that states a date: which row of the block, when (None: unreadable), and of what."""

    row: int
    ts: int | None
    is_block: bool


class AscClock:
    """Turns stamps into times; remembers dates, and the sum of relative stamps."""

    def __init__(self, *, is_dated: bool, is_relative: bool) -> None:
        self.is_dated = is_dated
        self._is_relative = is_relative
        self._start: int | None = None
        self._block: int | None = None
        self._base = 0
        self._steps = StepSum()

    def times(
        self, stamps_ns: Positions, has_stamp: Mask, dates: Iterable[DateLine]
    ) -> tuple[Positions, Mask]:
        """The time of each line, and whether it is in range.

        Args:
            stamps_ns: the stamps of the lines as written.
            has_stamp: where there is one.
            dates: the lines with dates, in order.
        """
        bases = self._bases(stamps_ns, has_stamp, dates)
        if not self._is_relative:
            ts = stamps_ns + bases
            return ts, ts <= MAX_TS_NS
        is_step = (stamps_ns >= 0) & (stamps_ns <= LONGEST_STEP_NS)
        ts = self._steps.times(np.where(has_stamp & is_step, stamps_ns, 0)) + bases
        return ts, is_step & (ts <= MAX_TS_NS)

    def _bases(self, stamps_ns: Positions, has_stamp: Mask, dates: Iterable[DateLine]) -> Positions:
        """What each line's stamp counts from."""
        bases = np.zeros(len(stamps_ns), np.int64)
        if not self.is_dated:
            return bases
        row = 0
        for date in dates:
            bases[row : date.row] = self._base_of(stamps_ns[row : date.row], has_stamp[row:])
            row = date.row
            self._take(date)
        bases[row:] = self._base_of(stamps_ns[row:], has_stamp[row:])
        return bases

    def _take(self, date: DateLine) -> None:
        if date.ts is None:
            return
        if not date.is_block:
            self._start, self._block = date.ts, None
            self._base = date.ts
        elif self._start is None:
            self._base = date.ts
            self._start = date.ts if self._is_relative else None
        elif not self._is_relative:
            self._block = date.ts

    def _base_of(self, stamps_ns: Positions, has_stamp: Mask) -> int:
        """The base of lines without a date among them; its first stamp settles what it is."""
        if self._block is None or self._start is None:
            return self._base
        has_stamp = has_stamp[: len(stamps_ns)]
        first = int(has_stamp.argmax()) if len(has_stamp) else 0
        if len(has_stamp) and has_stamp[first]:
            stamp = int(stamps_ns[first])
            counts_from_start = abs(stamp - (self._block - self._start)) < abs(stamp)
            self._base = self._start if counts_from_start else self._block
            self._block = None
        return self._base
