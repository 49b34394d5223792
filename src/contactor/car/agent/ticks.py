"""One signal on the ticks of its group: the last reading, or the mean, and when it grows stale.

ticks = SignalTicks("Vehicle.Speed", stale_ns=10 * NS_PER_S, is_mean=True)
column, differs = ticks.run(np.array([1, 2, 3]) * NS_PER_S, series)
"""

import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.series import Series
from contactor.signals.catalogue import catalogue
from contactor.signals.record import Column, State, object_array, zero_of

_LONG_AGO = -(2**62)


class SignalTicks:
    """Owns what is known of one signal between two calls: its last reading and its last cell."""

    def __init__(self, path: str, *, stale_ns: int, is_mean: bool) -> None:
        self.path = path
        self._datatype = catalogue()[path].datatype
        self._stale_ns = stale_ns
        self._is_mean = is_mean
        self._read_ts = _LONG_AGO
        self._reading = self._column(1)
        self.last_cell = self._column(1)

    def run(self, ticks: NDArray[np.int64], due: Series | None) -> tuple[Column, NDArray[np.bool_]]:
        """The cell at each tick, and whether it differs from the cell before it.

        Args:
            ticks: int64 (m,) ns, ascending, m > 0.
            due: the readings up to the last tick; one before the first tick counts for it.

        Returns:
            The column (m,) and bool (m,).
        """
        column = self._held(ticks, due)
        if self._is_mean and due is not None:
            self._put_means(ticks, due, column)
        before_values = np.concatenate([self.last_cell.values, column.values[:-1]])
        before_state = np.concatenate([self.last_cell.state, column.state[:-1]])
        differs = (before_state != column.state) | (before_values != column.values).astype(np.bool_)
        self.last_cell = column.take(slice(-1, None))
        return column, differs

    def _held(self, ticks: NDArray[np.int64], due: Series | None) -> Column:
        """The last reading at each tick, UNKNOWN where it is stale."""
        ts = np.array([self._read_ts], np.int64)
        values, state = self._reading.values, self._reading.state
        if due is not None:
            ts = np.concatenate([ts, due.ts])
            values = np.concatenate([values, due.values.astype(values.dtype, copy=False)])
            state = np.concatenate([state, due.state])
        last = np.searchsorted(ts[1:], ticks, side="right")
        column = Column(self.path, self._datatype, values[last], state[last].copy())
        stale = ticks - ts[last] > self._stale_ns
        self._clear(column, stale)
        self._read_ts = int(ts[-1])
        self._reading = Column(self.path, self._datatype, values[-1:], state[-1:])
        return column

    def _put_means(self, ticks: NDArray[np.int64], due: Series, column: Column) -> None:
        """Replace the cells of ticks that had valid readings by the mean of those."""
        valid = due.state == State.VALID
        place = np.searchsorted(ticks, due.ts[valid], side="left")
        numbers = due.values[valid].astype(np.float64)
        count = np.bincount(place, minlength=len(ticks))[: len(ticks)]
        total = np.bincount(place, numbers, minlength=len(ticks))[: len(ticks)]
        read = count > 0
        column.values[read] = (total[read] / count[read]).astype(column.values.dtype)
        column.state[read] = State.VALID

    def _clear(self, column: Column, rows: NDArray[np.bool_]) -> None:
        """Make the cells at `rows` UNKNOWN."""
        column.state[rows] = State.UNKNOWN
        blank = column.state != State.VALID
        if blank.any():
            column.values[blank] = self._column(int(blank.sum())).values

    def _column(self, rows: int) -> Column:
        """`rows` unknown cells."""
        zero = zero_of(self._datatype)
        is_object = self._datatype.is_array or self._datatype.is_text
        values: NDArray[np.generic]
        if is_object:
            values = object_array([zero] * rows)
        else:
            values = np.zeros(rows, self._datatype.dtype)
        return Column(self.path, self._datatype, values, np.zeros(rows, np.uint8))
