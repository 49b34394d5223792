"""Cells of vehicles x signals: value, stamp, group and desired value of each. Pure.

              Speed   IsOpen   Latitude          row: a vehicle, column: a signal
    leaf       41.5      0.0      48.1           values, desired: float64, NaN for none
    elm         NaN      1.0       NaN           stamps: int64 ns UTC, NEVER for none
                                                 groups: uint8, which clock a value came by
                                                 newest: int64, the newest row of each clock

What a float64 cannot hold exactly (text, arrays, integers beyond 2^53) lies beside the matrix, one
mapping a vehicle. A cell with a stamp and no value is one that the car called "not available".

    cells = Cells()
    row, columns = cells.row("leaf"), cells.columns(["Vehicle.Speed"])
    cells.put(row, columns, [41.5], stamps, group=Group.DRIVE)
    cells.value(row, columns[0])            # 41.5
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Value

NEVER = int(np.iinfo(np.int64).min)
EXACT = 2**53  # beyond it a float64 skips integers
GROUPS = tuple(Group)
GROUP_INDEX = {group: index for index, group in enumerate(GROUPS)}
_Dtype = TypeVar("_Dtype", bound=np.generic)
FIRST_ROWS, FIRST_COLUMNS = 16, 64


class Cells:
    """The matrices; they grow by doubling, rows and columns are never given up."""

    def __init__(self) -> None:
        self.vehicles: list[str] = []
        self.signals: list[Signal] = []
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self._beside: list[dict[int, Value]] = []
        self._desired_beside: list[dict[int, Value]] = []
        shape = (FIRST_ROWS, FIRST_COLUMNS)
        self._values = np.full(shape, np.nan)
        self._desired = np.full(shape, np.nan)
        self._stamps = np.full(shape, NEVER, np.int64)
        self._groups = np.zeros(shape, np.uint8)
        self._newest = np.full((FIRST_ROWS, len(GROUPS)), NEVER, np.int64)

    @property
    def stamps(self) -> NDArray[np.int64]:
        """(vehicles, signals), ns UTC; a view, good until the next vehicle or signal."""
        return self._stamps[: len(self.vehicles), : len(self.signals)]

    @property
    def groups(self) -> NDArray[np.uint8]:
        """(vehicles, signals), indices into `GROUPS`; a view as `stamps` is."""
        return self._groups[: len(self.vehicles), : len(self.signals)]

    @property
    def newest(self) -> NDArray[np.int64]:
        """(vehicles, groups), ns UTC of the newest row of each group; a view as `stamps` is."""
        return self._newest[: len(self.vehicles)]

    def note_row(self, row: int, group: Group, ts: int) -> None:
        """A vehicle has told a row of a group, whatever is in it."""
        column = GROUP_INDEX[group]
        self._newest[row, column] = max(int(self._newest[row, column]), ts)

    def find(self, vehicle_id: str) -> int | None:
        """The row of a vehicle that has one."""
        return self._rows.get(vehicle_id)

    def row(self, vehicle_id: str) -> int:
        """The row of a vehicle, made where it is new."""
        row = self._rows.get(vehicle_id)
        if row is None:
            row = self._rows[vehicle_id] = len(self.vehicles)
            self.vehicles.append(vehicle_id)
            self._beside.append({})
            self._desired_beside.append({})
            self._grow()
        return row

    def columns(self, paths: Sequence[str]) -> list[int]:
        """The columns of signals of the catalogue, made where they are new.

        Raises:
            UnknownSignal: a path is not in the catalogue.
        """
        known = self._columns
        try:
            return [known[path] for path in paths]
        except KeyError:
            return [self._column(path) for path in paths]

    def put(
        self,
        row: int,
        columns: Sequence[int],
        values: Sequence[Value | None],
        stamps: NDArray[np.int64],
        *,
        group: Group,
    ) -> None:
        """Set cells of one row; None for "not available"."""
        beside = self._beside[row]
        numbers = [_number(value) for value in values]
        for column, value, number in zip(columns, values, numbers, strict=True):
            if not math.isnan(number):
                if beside:
                    beside.pop(column, None)
            elif value is None:
                beside.pop(column, None)
            else:
                beside[column] = value
        self._values[row, columns] = numbers
        self._stamps[row, columns] = stamps
        self._groups[row, columns] = GROUP_INDEX[group]

    def value(self, row: int, column: int) -> Value | None:
        """The value of a cell in its signal's own type; None for none."""
        found = self._beside[row].get(column)
        return _plain(self.signals[column], self._values[row, column]) if found is None else found

    def want(self, row: int, column: int, value: Value | None) -> None:
        """Set the desired value of a cell; None for none."""
        self._desired_beside[row].pop(column, None)
        self._desired[row, column] = number = _number(value)
        if value is not None and math.isnan(number):
            self._desired_beside[row][column] = value

    def wanted(self, row: int, column: int) -> Value | None:
        """The desired value of a cell; None for none."""
        found = self._desired_beside[row].get(column)
        return _plain(self.signals[column], self._desired[row, column]) if found is None else found

    def told(self, row: int) -> list[int]:
        """The columns of a row that hold a stamp or a desired value."""
        width = len(self.signals)
        has = (self._stamps[row, :width] != NEVER) | ~np.isnan(self._desired[row, :width])
        found: list[int] = np.flatnonzero(has).tolist()
        return sorted({*found, *self._desired_beside[row]})

    def _column(self, path: str) -> int:
        column = self._columns.get(path)
        if column is None:
            signal = catalogue()[path]
            column = self._columns[path] = len(self.signals)
            self.signals.append(signal)
            self._grow()
        return column

    def _grow(self) -> None:
        rows, columns = self._values.shape
        shape = (
            rows * 2 if len(self.vehicles) > rows else rows,
            columns * 2 if len(self.signals) > columns else columns,
        )
        if shape == (rows, columns):
            return
        self._values = _grown(self._values, shape, np.nan)
        self._desired = _grown(self._desired, shape, np.nan)
        self._stamps = _grown(self._stamps, shape, NEVER)
        self._groups = _grown(self._groups, shape, 0)
        self._newest = _grown(self._newest, (shape[0], len(GROUPS)), NEVER)


def _grown(old: NDArray[_Dtype], shape: tuple[int, int], empty: float) -> NDArray[_Dtype]:
    new = np.full(shape, empty, old.dtype)
    new[: old.shape[0], : old.shape[1]] = old
    return new


def _number(value: Value | None) -> float:
    """What of a value goes into the matrix: NaN where it lies beside, or there is none."""
    if isinstance(value, float):
        return value
    if isinstance(value, int) and -EXACT <= value <= EXACT:  # booleans too
        return float(value)
    return math.nan


def _plain(signal: Signal, number: float) -> Value | None:
    if math.isnan(number):
        return None
    if signal.datatype.is_float:
        return float(number)
    return bool(number) if signal.datatype is Datatype.BOOLEAN else int(number)
