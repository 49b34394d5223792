"""Rows that wait for the time: made while the clock was never set, dated once it was. Pure.

    undated = UndatedRows()
    undated.hold(Lane.LIVE, rows)
    undated.release(shift_ns)           # [(Lane.LIVE, rows with true stamps), ...], in order

They wait in memory, bounded: the oldest are let go first, and counted.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from contactor.car.agent.outbox import Lane
from contactor.signals.record import Rows

MAX_CELLS = 2_000_000
"""Some 40 MB; hours of a live car."""


class UndatedRows:
    """Owns the rows that wait; `dropped` counts those that were let go."""

    def __init__(self, *, max_cells: int = MAX_CELLS) -> None:
        self.dropped = 0
        self._max_cells = max_cells
        self._held: deque[tuple[Lane, Rows]] = deque()
        self._cells = 0

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self._held)

    def hold(self, lane: Lane, rows: Sequence[Rows]) -> None:
        """Keep rows, in the order in which they were made."""
        for one in rows:
            self._held.append((lane, one))
            self._cells += _cells_of(one)
        while self._cells > self._max_cells:
            _, oldest = self._held.popleft()
            self._cells -= _cells_of(oldest)
            self.dropped += len(oldest)

    def release(self, shift_ns: int) -> list[tuple[Lane, Rows]]:
        """All that waited, with stamps moved by `shift_ns`."""
        dated = [(lane, replace(rows, ts=rows.ts + shift_ns)) for lane, rows in self._held]
        self._held.clear()
        self._cells = 0
        return dated


def _cells_of(rows: Rows) -> int:
    lists = sum(
        sum(len(cell) for cell in column.values)
        for column in rows.columns
        if column.datatype.is_array
    )
    return len(rows) * (1 + len(rows.columns)) + lists
