"""Sets of sequence numbers as sorted, disjoint, inclusive ranges. Pure.

ranges = RangeSet([(1, 4), (7, 9)])
ranges.without(3, 8)        # [(5, 6)]: what of 3..8 is not in the set
ranges.add(5, 6)            # now [(1, 9)]
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

Range = tuple[int, int]


class RangeSet:
    """A mutable set of integers kept as ranges; neighbours are joined."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __len__(self) -> int:
        return len(self._firsts)

    def as_tuple(self) -> tuple[Range, ...]:
        """The ranges in ascending order."""
        return tuple(zip(self._firsts, self._lasts, strict=True))

    def add(self, first: int, last: int) -> None:
        """Take in first..last."""
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def without(self, first: int, last: int) -> list[Range]:
        """The parts of first..last that are not in the set."""
        parts, start = [], first
        for place in range(bisect_left(self._lasts, first), bisect_right(self._firsts, last)):
            if start < self._firsts[place]:
                parts.append((start, self._firsts[place] - 1))
            start = self._lasts[place] + 1
        if start <= last:
            parts.append((start, last))
        return parts

    def drop_upto(self, bound: int) -> None:
        """Forget everything at or below `bound`; whole ranges only."""
        keep = bisect_right(self._lasts, bound)
        del self._firsts[:keep], self._lasts[:keep]
