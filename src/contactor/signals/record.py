"""What travels and is stored: `Datapoint`, and the column-wise `Record` of one uplink message.

Each cell of a column is in one of three states. Null means unknown, never "unchanged".

    state        cell             meaning
    UNKNOWN      null             no reading young enough
    VALID        a value          the last reading, or the mean of the readings
    UNAVAILABLE  null, listed     the car itself said "not available"

    column = Column.of("Vehicle.Speed", [41.5, None, 43.0])
    Rows(Group.DRIVE, ts, (column,))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | tuple[Scalar, ...]


class State(IntEnum):
    """What is known of one cell."""

    UNKNOWN = 0
    VALID = 1
    UNAVAILABLE = 2


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One value of one signal at one instant (`ts`: int64 ns UTC); `None`: unavailable."""

    path: str
    value: Value | None
    ts: int


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The cells of one signal over n rows.

    Fields:
        path: the catalogue's path.
        datatype: its data type as sent; checked against the catalogue where it is received.
        values: (n,), the data type's dtype; object for text (str) and arrays (tuple of scalars).
            Cells that are not VALID hold the type's zero: 0, "" or ().
        state: uint8 (n,), a `State` each.
    """

    path: str
    datatype: Datatype
    values: NDArray[np.generic]
    state: NDArray[np.uint8]

    @classmethod
    def of(
        cls, path: str, values: Sequence[Value | None], datatype: Datatype | None = None
    ) -> Self:
        """A column from plain values, `None` for unknown, of the catalogue's type by default."""
        known = datatype or catalogue()[path].datatype
        zero = zero_of(known)
        cells = object_array([zero if value is None else value for value in values])
        state = [State.UNKNOWN if value is None else State.VALID for value in values]
        column = cells if known.is_array or known.is_text else cells.astype(known.dtype)
        return cls(path, known, column, np.array(state, np.uint8))

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Column":
        """The cells at `rows` (indices, a mask or a slice), in that order."""
        return Column(self.path, self.datatype, self.values[rows], self.state[rows])

    def to_list(self) -> list[Value | None]:
        """Plain values, `None` where the cell is not VALID."""
        cells: list[Value] = self.values.tolist()
        return [
            cell if state == State.VALID else None
            for cell, state in zip(cells, self.state.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n rows of one group: `ts` int64 (n,) ns UTC, never decreasing, and a column per signal."""

    group: Group
    ts: NDArray[np.int64]
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return int(self.ts.shape[0])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Rows":
        """The given rows, in that order."""
        return Rows(self.group, self.ts[rows], tuple(column.take(rows) for column in self.columns))


class RecordIdentity(NamedTuple):
    """What makes a record one and the same however often it is sent."""

    vehicle_id: str
    stream: int
    sequence: int


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One uplink message: a short batch of rows of one or more groups.

    `stream` is an unsigned 64-bit number, `sequence` counts 1, 2, 3 in it without holes.
    """

    vehicle_id: str
    stream: int
    sequence: int
    groups: tuple[Rows, ...]

    @property
    def identity(self) -> RecordIdentity:
        return RecordIdentity(self.vehicle_id, self.stream, self.sequence)

    @property
    def last(self) -> int:
        """The last sequence that this message accounts for: its own."""
        return self.sequence

    @property
    def row_count(self) -> int:
        return sum(len(rows) for rows in self.groups)


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands for the records `sequence`..`last` that the outbox had to drop, and what they held."""

    vehicle_id: str
    stream: int
    sequence: int
    last: int
    reason: str
    row_count: int
    first_ts: int
    last_ts: int

    @property
    def identity(self) -> RecordIdentity:
        return RecordIdentity(self.vehicle_id, self.stream, self.sequence)


def zero_of(datatype: Datatype) -> Value:
    """What a cell without a value holds: 0, "" or ()."""
    if datatype.is_array:
        return ()
    if datatype.is_text:
        return ""
    return False if datatype is Datatype.BOOLEAN else 0


def object_array(cells: Sequence[object]) -> NDArray[np.object_]:
    """A one-dimensional object array, also where the cells are sequences of equal length."""
    array = np.empty(len(cells), np.object_)
    for row, cell in enumerate(cells):
        array[row] = cell
    return array


def no_rows(group: Group) -> Rows:
    """No rows of `group`."""
    return Rows(group, np.empty(0, np.int64), ())


def join_rows(group: Group, parts: Sequence[Rows]) -> Rows:
    """The rows of `parts`, which have the same columns, in time order."""
    filled = [rows for rows in parts if len(rows)]
    if not filled:
        return no_rows(group)
    columns = tuple(
        Column(
            column.path,
            column.datatype,
            np.concatenate([rows.columns[place].values for rows in filled]),
            np.concatenate([rows.columns[place].state for rows in filled]),
        )
        for place, column in enumerate(filled[0].columns)
    )
    joined = Rows(group, np.concatenate([rows.ts for rows in filled]), columns)
    if np.all(joined.ts[1:] >= joined.ts[:-1]):
        return joined
    return joined.take(np.argsort(joined.ts, kind="stable"))
