"""One signal over time in bounded memory, such that no peak is lost.

Readings are kept as they are until they are too many. Then those that fall into one bucket of time
become one point with their first, last, least and greatest value, and buckets double as often as it
takes.

    trace = Trace(unit="A")
    trace.add(ts, values)
    trace.ts, trace.least, trace.greatest
"""

import numpy as np
from numpy.typing import NDArray

Stamps = NDArray[np.int64]
Values = NDArray[np.float64]

# Two to a pixel of a wide picture.
MOST_POINTS = 4096
FIRST_BUCKET_NS = 1_000_000


class Trace:
    """The readings of one signal.

    Attributes:
        unit: as in the database.
        texts: what values mean, of those that were read and have a text.
        readings: how many went in.
        ts: of each point's first reading, in the order of time.
        first, last, least, greatest: of each point.
    """

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.texts: dict[float, str] = {}
        self.readings = 0
        self._bucket_ns = 0
        self._columns: list[list[NDArray[np.generic]]] = [[], [], [], [], []]
        self._points = 0

    def add(self, ts: Stamps, values: Values) -> None:
        """Take n readings, none of them NaN; copies, since a view would keep its whole chunk."""
        if not len(ts):
            return
        ts, values = ts.copy(), values.copy()
        self.readings += len(ts)
        self._points += len(ts)
        for column, part in zip(self._columns, (ts, values, values, values, values), strict=True):
            column.append(part)
        if self._points > 2 * MOST_POINTS:
            self._shrink()

    @property
    def ts(self) -> Stamps:
        return np.asarray(self._sorted()[0], np.int64)

    @property
    def first(self) -> Values:
        return self._values(1)

    @property
    def last(self) -> Values:
        return self._values(2)

    @property
    def least(self) -> Values:
        return self._values(3)

    @property
    def greatest(self) -> Values:
        return self._values(4)

    def _values(self, place: int) -> Values:
        return np.asarray(self._sorted()[place], np.float64)

    def _sorted(self) -> list[NDArray[np.generic]]:
        """The columns, each in one piece and in the order of time."""
        if not self._points:
            return [np.zeros(0)] * 5
        columns = [np.concatenate(parts) for parts in self._columns]
        if (np.diff(np.asarray(columns[0], np.int64)) < 0).any():
            order = np.argsort(columns[0], kind="stable")
            columns = [column[order] for column in columns]
        self._columns = [[column] for column in columns]
        return columns

    def _shrink(self) -> None:
        ts, first, last, least, greatest = self._sorted()
        stamps = np.asarray(ts, np.int64)
        self._bucket_ns = self._bucket_ns or FIRST_BUCKET_NS
        while True:
            starts = np.flatnonzero(np.diff(stamps // self._bucket_ns, prepend=-(2**62)))
            if len(starts) <= MOST_POINTS:
                break
            self._bucket_ns *= 2
        ends = np.append(starts[1:], len(stamps)) - 1
        self._columns = [
            [stamps[starts]],
            [first[starts]],
            [last[ends]],
            [np.minimum.reduceat(np.asarray(least, np.float64), starts)],
            [np.maximum.reduceat(np.asarray(greatest, np.float64), starts)],
        ]
        self._points = len(starts)
