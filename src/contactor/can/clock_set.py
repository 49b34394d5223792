"""Where the clock of a log was set on its way: loggers write before they know the time.

    (0.000000) can0 1DB#FFE0               before the clock was set: some other clock, or none
    (0.000000) can0 1DC#0F
    (1700000000.000100) can0 1DB#FFE0      from here on instants

That is provable where the first stamps are none that a date can have (from 2001 on), and the last
are: a clock once set stays set. Between the two clocks nothing is known, so the stamps before stay
as they are, are counted, and enter no duration. One ruined stamp makes no date.

    first_instant(frames.ts)             # 1700000000000100000
    span = TimeSpan()
    span.add(frames.ts)
    span.last_ts - span.first_ts         # of the stamps after the clock was set
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FIRST_DATE_NS

Stamps = NDArray[np.int64]


def first_instant(ts: Stamps) -> int | None:
    """The first stamp that has a date, where most from there on have, and the last one has."""
    if not len(ts) or ts[-1] < FIRST_DATE_NS:
        return None
    is_instant = ts >= FIRST_DATE_NS
    row = int(is_instant.argmax())
    is_set = 2 * int(is_instant[row:].sum()) > len(ts) - row
    return int(ts[row]) if is_set else None


def find_first_instant(look: Callable[[int], Stamps], *, end: int) -> int | None:
    """The first stamp with a date in a log that ends with dates, by halves; None of any other.

    Args:
        look: the stamps of some lines from a place in the file on.
        end: the place of the last lines.
    """
    ts = look(end)
    found = first_instant(ts)
    low, high = 0, end
    while found is not None and ts[0] >= FIRST_DATE_NS and high - low > 1:
        middle = (low + high) // 2
        seen = look(middle)
        instant = first_instant(seen)
        if instant is None:
            low = middle
        else:
            high, ts, found = middle, seen, instant
    return found


def off_clock(ts: Stamps, *, is_dated: bool, origin_ns: int) -> int:
    """How many stamps are of another clock than the log's: without a date, or with one.

    Args:
        origin_ns: what was taken off the stamps.
    """
    bound_ns = FIRST_DATE_NS - origin_ns
    if not len(ts) or (ts.min() >= bound_ns if is_dated else ts.max() < bound_ns):
        return 0
    return int(((ts >= bound_ns) != is_dated).sum())


class TimeSpan:
    """The least and the greatest stamp; where any has a date, of those that have."""

    __slots__ = ("first_ts", "last_ts")

    def __init__(self) -> None:
        self.first_ts: int | None = None
        self.last_ts: int | None = None

    def add(self, ts: Stamps) -> None:
        """Take the next stamps, in any order."""
        if not len(ts):
            return
        first, last = int(ts.min()), int(ts.max())
        if first < FIRST_DATE_NS <= last:
            first = int(ts[ts >= FIRST_DATE_NS].min())
        if self.first_ts is None or self.last_ts is None or self.last_ts < FIRST_DATE_NS <= last:
            self.first_ts, self.last_ts = first, last
        elif last >= FIRST_DATE_NS or self.last_ts < FIRST_DATE_NS:
            self.first_ts, self.last_ts = min(self.first_ts, first), max(self.last_ts, last)

    @property
    def lasted_ns(self) -> int | None:
        """From the first to the last; None of none."""
        if self.first_ts is None or self.last_ts is None:
            return None
        return self.last_ts - self.first_ts
