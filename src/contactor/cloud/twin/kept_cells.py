"""Reported cells as they are kept and restored; what is desired is not among them.

state = state_of(cells)
restore_cells(again, state)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.twin.cells import Cells
from contactor.cloud.twin.words import Words
from contactor.signals.record import Value


@dataclass(frozen=True, slots=True, eq=False)
class CellsState:
    """All reported cells at one instant, to be kept and restored; what is desired is not in it.

    Fields:
        words: of each signal.
        groups_of: of each signal, an index of `GROUPS`, `MIXED` or `EMPTY`.
        beside: (signal, vehicle, value) of each value that the matrix cannot hold.
    """

    vehicles: tuple[str, ...]
    paths: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    groups_of: tuple[int, ...]
    beside: tuple[tuple[int, int, Value], ...]
    values: NDArray[np.float64]
    stamps: NDArray[np.int64]
    groups: NDArray[np.uint8]
    newest: NDArray[np.int64]


def state_of(cells: Cells) -> CellsState:
    """A copy of what is reported."""
    beside = (
        (column, row, value)
        for column, held in enumerate(cells.beside)
        for row, value in held.items()
    )
    return CellsState(
        vehicles=tuple(cells.vehicles),
        paths=tuple(signal.path for signal in cells.signals),
        words=tuple(words.as_tuple() for words in cells.words),
        groups_of=tuple(cells.groups_of),
        beside=tuple(beside),
        values=cells.values.copy(),
        stamps=cells.stamps.copy(),
        groups=cells.groups.copy(),
        newest=cells.newest.copy(),
    )


def restore_cells(cells: Cells, state: CellsState) -> None:
    """Take up what was kept, before anything else is reported.

    Raises:
        UnknownSignal: a path is not in the catalogue.
    """
    rows = np.array(cells.rows(state.vehicles), np.intp)
    columns = np.array(cells.columns(state.paths), np.intp)
    for place, column in enumerate(columns.tolist()):
        cells.words[column] = Words(state.words[place])
        cells.groups_of[column] = state.groups_of[place]
    for place, row, value in state.beside:
        cells.beside[columns[place]][int(rows[row])] = value
    where = np.ix_(columns, rows)
    cells.values[where], cells.stamps[where] = state.values, state.stamps
    cells.groups[where] = state.groups
    cells.newest[:, rows] = state.newest
