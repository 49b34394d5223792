"""One signal over time in bounded memory, such that no peak is lost.

Readings are kept as they are until they are too many. Then those that fall into one bucket of time
become one point with their first, last, least and greatest value, and buckets double as often as it
takes. Where the clock restarts a new run of readings begins; no point has readings of two runs.

    trace = Trace(unit="A")
    trace.add(ts, values)
    trace.ts, trace.run, trace.least, trace.greatest

What holds is told from what flickers by the least and the greatest value that three readings in a
row reach: of 1 1 1 5 5 5 9 they are 1 and 5.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S

Stamps = NDArray[np.int64]
Values = NDArray[np.float64]

# Two to a pixel of a wide picture.
MOST_POINTS = 4096
FIRST_BUCKET_NS = 1_000_000
# A clock that goes back so far restarts; frames that change places on their way are less apart.
RESTART_NS = NS_PER_S
# Of more, no picture can tell one from another.
MOST_RUNS = 64


class Trace:
    """The readings of one signal.

    Attributes:
        unit: as in the database.
        texts: what values mean, of those that were read and have a text.
        readings: how many went in.
        ts: of each point's first reading; in the order of time within a run, run after run.
        first, last, least, greatest: of each point.
        run: of each point, 0, 1, ... from one restart of the clock to the next; 0 of all where
            there are more than `MOST_RUNS`.
        held_least, held_greatest: of each point, what three readings in a row are at most, and at
            least; infinite where no three end there.
    """

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.texts: dict[float, str] = {}
        self.readings = 0
        self._bucket_ns = 0
        self._columns: list[list[NDArray[np.generic]]] = [[] for _ in range(8)]
        self._points = 0
        self._run, self._last_ts = 0, -(2**62)
        self._last_values = np.zeros(0)

    def add(self, ts: Stamps, values: Values) -> None:
        """Take n readings, none of them NaN; copies, since a view would keep its whole chunk."""
        if not len(ts):
            return
        ts, values = ts.copy(), values.copy()
        self.readings += len(ts)
        self._points += len(ts)
        parts = (ts, values, values, values, values, self._runs_of(ts), *self._held(values))
        for column, part in zip(self._columns, parts, strict=True):
            column.append(part)
        if self._points > 2 * MOST_POINTS:
            self._shrink()

    def _runs_of(self, ts: Stamps) -> Stamps:
        """The run of each of the next readings."""
        steps = np.diff(ts, prepend=self._last_ts)
        runs = self._run + np.cumsum(steps < -RESTART_NS)
        self._run, self._last_ts = int(runs[-1]), int(ts[-1])
        return runs

    def _held(self, values: Values) -> tuple[Values, Values]:
        """By the last of each three readings in a row, the greatest and the least of them."""
        known = np.concatenate([self._last_values, values])
        self._last_values = known[-2:].copy()
        greatest, least = np.full(len(known), np.inf), np.full(len(known), -np.inf)
        before, middle, after = known[:-2], known[1:-1], known[2:]
        greatest[2:] = np.maximum(np.maximum(before, middle), after)
        least[2:] = np.minimum(np.minimum(before, middle), after)
        return greatest[-len(values) :], least[-len(values) :]

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

    @property
    def run(self) -> Stamps:
        return np.asarray(self._sorted()[5], np.int64)

    @property
    def held_least(self) -> Values:
        return self._values(6)

    @property
    def held_greatest(self) -> Values:
        return self._values(7)

    @property
    def has_too_many_runs(self) -> bool:
        """Whether the clock restarts so often that all readings are in the order of time."""
        return self._run >= MOST_RUNS

    def _values(self, place: int) -> Values:
        return np.asarray(self._sorted()[place], np.float64)

    def _sorted(self) -> list[NDArray[np.generic]]:
        """The columns, each in one piece and in the order of time within each run."""
        if not self._points:
            return [np.zeros(0)] * len(self._columns)
        columns = [np.concatenate(parts) for parts in self._columns]
        if self.has_too_many_runs:
            columns[5] = np.zeros(self._points, np.int64)
        ts, run = np.asarray(columns[0], np.int64), np.asarray(columns[5], np.int64)
        if ((np.diff(ts) < 0) & (np.diff(run) == 0)).any():
            order = np.lexsort((ts, run))
            columns = [column[order] for column in columns]
        self._columns = [[column] for column in columns]
        return columns

    def _shrink(self) -> None:
        ts, first, last, least, greatest, run, held_least, held_greatest = self._sorted()
        stamps = np.asarray(ts, np.int64)
        begins_run = np.diff(np.asarray(run, np.int64), prepend=-1) != 0
        self._bucket_ns = self._bucket_ns or FIRST_BUCKET_NS
        while True:
            begins = np.diff(stamps // self._bucket_ns, prepend=-(2**62)) != 0
            starts = np.flatnonzero(begins | begins_run)
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
            [run[starts]],
            [np.minimum.reduceat(np.asarray(held_least, np.float64), starts)],
            [np.maximum.reduceat(np.asarray(held_greatest, np.float64), starts)],
        ]
        self._points = len(starts)
