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

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S

Stamps = NDArray[np.int64]
Values = NDArray[np.float64]
Columns: TypeAlias = list[NDArray[Any]]

# Two to a pixel of a wide picture.
MOST_POINTS = 4096
FIRST_BUCKET_NS = 1_000_000
# So many readings are taken at once: more would leave a core's cache, fewer are not worth a call.
PART = 2048
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
        self._columns: list[list[NDArray[Any]]] = [[] for _ in range(8)]
        self._points = 0
        self._waiting: list[tuple[Stamps, Values]] = []
        self._waiting_readings = 0
        self._run, self._last_ts = 0, -(2**62)
        self._last_values = np.zeros(0)

    def add(self, ts: Stamps, values: Values) -> None:
        """Take n readings, none of them NaN; copies, since a view would keep its whole chunk."""
        self.readings += len(ts)
        for row in range(0, len(ts), PART):
            part = slice(row, row + PART)
            self._waiting.append((ts[part].copy(), values[part].copy()))
            self._waiting_readings += len(self._waiting[-1][0])
            if self._waiting_readings >= PART:
                self._take_waiting()

    def _take_waiting(self) -> None:
        """Work out what is told of readings, many at once."""
        if not self._waiting:
            return
        ts, values = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self._waiting_readings = [], 0
        parts = [ts, values, values, values, values, self._runs_of(ts), *self._held(values)]
        if self._bucket_ns:
            parts = _condensed(_in_order(parts), self._bucket_ns)
        self._points += len(parts[0])
        for column, part in zip(self._columns, parts, strict=True):
            column.append(part)
        if self._points > MOST_POINTS + PART:
            self._shrink()

    def _runs_of(self, ts: Stamps) -> Stamps:
        """The run of each of the next readings."""
        runs = np.full(len(ts), self._run)
        is_restart = np.diff(ts, prepend=self._last_ts) < -RESTART_NS
        if is_restart.any():
            runs += np.cumsum(is_restart)
        self._run, self._last_ts = int(runs[-1]), int(ts[-1])
        return runs

    def _held(self, values: Values) -> tuple[Values, Values]:
        """By the last of each three readings in a row, the greatest and the least of them."""
        known = np.concatenate([self._last_values, values])
        self._last_values = known[-2:].copy()
        greatest, least = np.full(len(values), np.inf), np.full(len(values), -np.inf)
        whole = max(len(known) - 2, 0)
        for ends, of in ((greatest, np.maximum), (least, np.minimum)):
            of(known[:whole], known[1 : 1 + whole], out=ends[len(values) - whole :])
            of(ends[len(values) - whole :], known[2:], out=ends[len(values) - whole :])
        return greatest, least

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
        self._take_waiting()
        return self._run >= MOST_RUNS

    def _values(self, place: int) -> Values:
        return np.asarray(self._sorted()[place], np.float64)

    def _sorted(self) -> Columns:
        """The columns, each in one piece and in the order of time within each run."""
        self._take_waiting()
        if not self._points:
            return [np.zeros(0)] * len(self._columns)
        columns = [np.concatenate(parts) for parts in self._columns]
        if self.has_too_many_runs:
            columns[5] = np.zeros(self._points, np.int64)
        columns = _in_order(columns)
        self._columns = [[column] for column in columns]
        return columns

    def _shrink(self) -> None:
        columns = self._sorted()
        self._bucket_ns = self._bucket_ns or FIRST_BUCKET_NS
        columns = _condensed(columns, self._bucket_ns)
        while len(columns[0]) > MOST_POINTS:
            self._bucket_ns *= 2
            columns = _condensed(columns, self._bucket_ns)
        self._columns = [[column] for column in columns]
        self._points = len(columns[0])


def _in_order(columns: Columns) -> Columns:
    """The points by time within each run."""
    ts, run = np.asarray(columns[0], np.int64), np.asarray(columns[5], np.int64)
    if not ((np.diff(ts) < 0) & (np.diff(run) == 0)).any():
        return columns
    order = np.lexsort((ts, run))
    return [column[order] for column in columns]


def _condensed(columns: Columns, bucket_ns: int) -> Columns:
    """One point of all that fall into a bucket of time, within a run."""
    ts, first, last, least, greatest, run, held_least, held_greatest = columns
    buckets = np.asarray(ts, np.int64) // bucket_ns
    begins = np.ones(len(ts), np.bool_)
    begins[1:] = (buckets[1:] != buckets[:-1]) | (run[1:] != run[:-1])
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(ts)) - 1
    return [
        ts[starts],
        first[starts],
        last[ends],
        np.minimum.reduceat(np.asarray(least, np.float64), starts),
        np.maximum.reduceat(np.asarray(greatest, np.float64), starts),
        run[starts],
        np.minimum.reduceat(np.asarray(held_least, np.float64), starts),
        np.maximum.reduceat(np.asarray(held_greatest, np.float64), starts),
    ]
