"""Cells of signals x vehicles: value, stamp and group of each, and what is desired. Pure.

               leaf    elm          row of the picture: a signal, column: a vehicle
    Speed      41.5    NaN
    IsOpen      0.0    1.0          values: float64, NaN for none
    Latitude    NaN   48.1          stamps: int64 ns UTC, NEVER for none
                                    groups: which clock a value came by: one code a signal
                                    where all are alike, else uint8 a cell
                                    newest: int64, groups x vehicles, the newest row of each clock

One signal of all cars lies together, so that a question to the fleet reads little. A text is its
code in the signal's `Words`; of an array the matrix holds the length, of an integer beyond 2^53 a
neighbour, and the value itself lies beside. A cell with a stamp and no value is one that the car
called "not available".

    cells = Cells()
    row, [column] = cells.row("leaf"), cells.columns(["Vehicle.Speed"])
    cells.put(row, column, 41.5, ts=ts, group=Group.DRIVE)
    cells.value(row, column)            # 41.5
"""

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.twin.words import Words
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Value

NEVER = int(np.iinfo(np.int64).min)
EXACT = 2**53  # beyond it a float64 skips integers
GROUPS = tuple(Group)
GROUP_INDEX = {group: index for index, group in enumerate(GROUPS)}
MIXED, EMPTY = 254, 255
"""Of a signal whose cells came by more than one group, and of one without cells."""
LAST = len(GROUPS) - 1
FIRST_ROWS, FIRST_COLUMNS = 16, 64
WORDS_KEPT = 1_024
_Dtype = TypeVar("_Dtype", bound=np.generic)


class Cells:
    """The matrices; they grow by doubling, rows and columns are never given up."""

    def __init__(self) -> None:
        self.vehicles: list[str] = []
        self.signals: list[Signal] = []
        self.words: list[Words] = []
        self.groups_of: list[int] = []
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self.beside: list[dict[int, Value]] = []
        self._desired: dict[int, dict[int, Value]] = {}
        self._by_id: tuple[list[str], NDArray[np.intp]] = [], np.empty(0, np.intp)
        shape = (FIRST_COLUMNS, FIRST_ROWS)
        self._values = np.full(shape, np.nan)
        self._stamps = np.full(shape, NEVER, np.int64)
        self._groups = np.zeros(shape, np.uint8)
        self._newest = np.full((len(GROUPS), FIRST_ROWS), NEVER, np.int64)

    @property
    def shape(self) -> tuple[int, int]:
        """(signals, vehicles)."""
        return len(self.signals), len(self.vehicles)

    @property
    def values(self) -> NDArray[np.float64]:
        """(signals, vehicles); a view, good until the next vehicle or signal."""
        return self._values[: len(self.signals), : len(self.vehicles)]

    @property
    def stamps(self) -> NDArray[np.int64]:
        """(signals, vehicles), ns UTC; a view as `values` is."""
        return self._stamps[: len(self.signals), : len(self.vehicles)]

    @property
    def groups(self) -> NDArray[np.uint8]:
        """(signals, vehicles), indices into `GROUPS`, of those that are `MIXED`; a view too."""
        return self._groups[: len(self.signals), : len(self.vehicles)]

    @property
    def newest(self) -> NDArray[np.int64]:
        """(groups, vehicles), ns UTC of the newest row of each group; a view as `values` is."""
        return self._newest[:, : len(self.vehicles)]

    # ── places ───────────────────────────────────────────────────────────────────────────────────

    def find(self, vehicle_id: str) -> int | None:
        """The row of a vehicle that has one."""
        return self._rows.get(vehicle_id)

    def find_column(self, path: str) -> int | None:
        """The column of a signal that has one."""
        return self._columns.get(path)

    def row(self, vehicle_id: str) -> int:
        """The row of a vehicle, made where it is new."""
        [row] = self.rows([vehicle_id])
        return row

    def rows(self, vehicles: Sequence[str]) -> list[int]:
        """The row of each vehicle, made where it is new."""
        known = self._rows
        try:
            return [known[name] for name in vehicles]
        except KeyError:
            for name in vehicles:
                if name not in known:
                    known[name] = len(self.vehicles)
                    self.vehicles.append(name)
            self._grow()
            return [known[name] for name in vehicles]

    def by_id(self) -> tuple[list[str], NDArray[np.intp]]:
        """The vehicles by id, and the row of each."""
        if len(self._by_id[0]) != len(self.vehicles):
            names = sorted(self.vehicles)
            self._by_id = names, np.array([self._rows[name] for name in names], np.intp)
        return self._by_id

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

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def note_rows(self, rows: NDArray[np.intp], group: Group, ts: NDArray[np.int64]) -> None:
        """Each of these vehicles, none named twice, has told a row of a group."""
        newest = self._newest[GROUP_INDEX[group]]
        newest[rows] = np.maximum(newest[rows], ts)

    def merge(
        self,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        numbers: NDArray[np.float64],
        stamps: NDArray[np.int64],
        is_told: NDArray[np.bool_],
        *,
        group: Group,
    ) -> NDArray[np.bool_]:
        """Set the cells that are told and not older than what is held.

        Args:
            rows, columns: (m,) and (c,), none named twice.
            numbers, stamps, is_told: (c, m); what goes into the matrix.

        Returns:
            (c, m): which were set. What lies beside is the caller's to set: `lay_beside`.
        """
        code = GROUP_INDEX[group]
        for column in columns.tolist():
            self._came_by(column, code)
        if len(rows) == 1:  # as it is with few cars: all columns in one step
            one = numbers[:, 0], stamps[:, 0], is_told[:, 0]
            return self._merge_one(int(rows[0]), columns, *one, code)[:, np.newaxis]
        is_newer = np.empty(numbers.shape, np.bool_)
        for place, column in enumerate(columns.tolist()):
            cells = self._values[column], self._stamps[column]
            newer = stamps[place] >= cells[1].take(rows)
            newer &= is_told[place]
            is_newer[place] = newer
            where, told = rows, (numbers[place], stamps[place])
            if not newer.all():
                where, told = rows[newer], (told[0][newer], told[1][newer])
            cells[0][where], cells[1][where] = told
            if self.groups_of[column] == MIXED:
                self._groups[column][where] = code
        return is_newer

    def _merge_one(
        self,
        row: int,
        columns: NDArray[np.intp],
        numbers: NDArray[np.float64],
        stamps: NDArray[np.int64],
        is_told: NDArray[np.bool_],
        code: int,
    ) -> NDArray[np.bool_]:
        is_newer: NDArray[np.bool_] = is_told & (stamps >= self._stamps[columns, row])
        where = columns[is_newer]
        self._values[where, row] = numbers[is_newer]
        self._stamps[where, row] = stamps[is_newer]
        for column in where.tolist():
            if self.groups_of[column] == MIXED:
                self._groups[column, row] = code
        return is_newer

    def put(self, row: int, column: int, value: Value | None, *, ts: int, group: Group) -> None:
        """Set one cell unless a newer one is held; None for "not available"."""
        place = np.array([row]), np.array([column])
        number, stamp = np.array([[self.number(column, value)]]), np.array([[ts]])
        is_newer = self.merge(*place, number, stamp, np.array([[True]]), group=group)
        if is_newer.item():
            self.lay_beside(column, [row], [value])

    def number(self, column: int, value: Value | None) -> float:
        """What of a value goes into the matrix: NaN where there is none."""
        if value is None:
            return np.nan
        if isinstance(value, str):
            [code] = self.words[column].codes([value])
            return float(code)
        return float(len(value) if isinstance(value, tuple) else value)

    def lay_beside(self, column: int, rows: Iterable[int], values: Iterable[Value | None]) -> None:
        """Keep of the values just set in a column what the matrix cannot hold."""
        beside = self.beside[column]
        for row, value in zip(rows, values, strict=True):
            if isinstance(value, tuple) or (isinstance(value, int) and abs(value) > EXACT):
                beside[row] = value
            else:
                beside.pop(row, None)

    def forget_words(self, column: int) -> None:
        """Let go of the words that no car holds any more, once they are many."""
        words = self.words[column]
        if len(words) < WORDS_KEPT + 2 * len(self.vehicles):
            return
        numbers = self._values[column]
        is_held = ~np.isnan(numbers)
        held, places = np.unique(numbers[is_held].astype(np.intp), return_inverse=True)
        self.words[column] = words.only(held.tolist())
        numbers[is_held] = places

    # ── what is held ─────────────────────────────────────────────────────────────────────────────

    def value(self, row: int, column: int) -> Value | None:
        """The value of a cell in its signal's own type; None for none."""
        [value] = self.values_of(column, np.array([row]))
        return value

    def values_of(self, column: int, rows: NDArray[np.intp]) -> list[Value | None]:
        """The values of some cells of a column, in its signal's own type; None for none."""
        numbers = self._values[column].take(rows)
        datatype, beside = self.signals[column].datatype, self.beside[column]
        if beside or datatype.is_array:
            held = zip(rows.tolist(), numbers.tolist(), strict=True)
            plain = self._plain
            return [beside[row] if row in beside else plain(column, one) for row, one in held]
        is_none = np.isnan(numbers)
        found: list[Value | None]
        if datatype.is_float:
            found = numbers.tolist()
        elif datatype.is_text:
            words = self.words[column]
            found = [None if math.isnan(one) else words[int(one)] for one in numbers.tolist()]
        else:
            kind = np.bool_ if datatype is Datatype.BOOLEAN else np.int64
            found = np.where(is_none, 0, numbers).astype(kind).tolist()
        for place in np.flatnonzero(is_none).tolist():
            found[place] = None
        return found

    def group_codes(self, column: int) -> int | NDArray[np.uint8]:
        """By which group the cells of a column came: one index of `GROUPS` for all, or for each."""
        code = self.groups_of[column]
        return self._groups[column, : len(self.vehicles)] if code == MIXED else min(code, LAST)

    def group_code(self, row: int, column: int) -> int:
        """By which group one cell came, an index of `GROUPS`."""
        code = self.groups_of[column]
        return int(self._groups[column, row]) if code == MIXED else min(code, LAST)

    def told(self, row: int) -> list[int]:
        """The columns of a row that hold a stamp or a desired value."""
        has = self._stamps[: len(self.signals), row] != NEVER
        found: list[int] = np.flatnonzero(has).tolist()
        return sorted({*found, *self._desired.get(row, ())})

    # ── what is desired ──────────────────────────────────────────────────────────────────────────

    def want(self, row: int, column: int, value: Value | None) -> None:
        """Set the desired value of a cell; None for none."""
        wanted = self._desired.setdefault(row, {})
        if value is not None:
            wanted[column] = value
        else:
            wanted.pop(column, None)

    def wanted(self, row: int, column: int) -> Value | None:
        """The desired value of a cell; None for none."""
        return self._desired.get(row, {}).get(column)

    def _plain(self, column: int, number: float) -> Value | None:
        signal = self.signals[column]
        if math.isnan(number):
            return None
        if signal.datatype.is_float:
            return number
        if signal.datatype.is_text:
            return self.words[column][int(number)]
        return bool(number) if signal.datatype is Datatype.BOOLEAN else int(number)

    def _column(self, path: str) -> int:
        column = self._columns.get(path)
        if column is None:
            signal = catalogue()[path]
            column = self._columns[path] = len(self.signals)
            self.signals.append(signal)
            self.words.append(Words())
            self.groups_of.append(EMPTY)
            self.beside.append({})
            self._grow()
        return column

    def _came_by(self, column: int, code: int) -> None:
        """Note the group of what is set next; where groups mix, each cell keeps its own."""
        known = self.groups_of[column]
        if known == EMPTY:
            self.groups_of[column] = code
        elif known not in (code, MIXED):
            self._groups[column] = known
            self.groups_of[column] = MIXED

    def _grow(self) -> None:
        columns, rows = self._values.shape
        shape = _doubled(columns, len(self.signals)), _doubled(rows, len(self.vehicles))
        if shape == (columns, rows):
            return
        self._values = _grown(self._values, shape, np.nan)
        self._stamps = _grown(self._stamps, shape, NEVER)
        self._groups = _grown(self._groups, shape, 0)
        self._newest = _grown(self._newest, (len(GROUPS), shape[1]), NEVER)


def _doubled(size: int, needed: int) -> int:
    while size < needed:
        size *= 2
    return size


def _grown(old: NDArray[_Dtype], shape: tuple[int, int], empty: float) -> NDArray[_Dtype]:
    new = np.full(shape, empty, old.dtype)
    new[: old.shape[0], : old.shape[1]] = old
    return new
