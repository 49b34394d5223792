"""One line of a map: from decoded numbers of the car to values of one signal of the catalogue.

    number          raw ─DBC─► physical ─scale, offset, invert─► unit ─► catalogue's unit ─► type
    text, boolean   raw ─values─► word, or not available where the raw value is not listed
                    raw ─► false if 0, else true (boolean without `values`)

What the car marks "not available" is UNAVAILABLE; what lies outside `valid`, the catalogue's range
or the data type is UNKNOWN and counted. Integers are rounded half to even. No NaN comes out.

    read_entry(entry, [column])     # Reading("Vehicle.Speed", rows, values, state, refused=0)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.signals.catalogue import Signal
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Scalar, State, Value, zero_of
from contactor.signals.validation import refused_elements
from contactor.units import convert

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """All readings of one signal in a frame table.

    Fields:
        path: the catalogue's path.
        rows: int64 (k,), the frames that gave them, ascending.
        values: (k,), the signal's dtype; object for text. The type's zero where not VALID.
        state: uint8 (k,), a `State` each.
        refused: how many were refused as impossible; they are UNKNOWN.
    """

    path: str
    rows: Rows
    values: NDArray[np.generic]
    state: NDArray[np.uint8]
    refused: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """`y = x * scale + offset`, then its sign turned where `is_inverted`."""

    scale: float = 1.0
    offset: float = 0.0
    is_inverted: bool = False

    def of(self, numbers: Numbers) -> Numbers:
        """`numbers` (k,) scaled."""
        if self.scale != 1.0:
            numbers = numbers * self.scale
        if self.offset != 0.0:
            numbers = numbers + self.offset
        return 0.0 - numbers if self.is_inverted else numbers  # no -0.0


NO_SCALING = Scaling()
EVERY_ROW = slice(None)
FEW = 100
"""Readings that are looked up sooner one by one than sorted out first."""
_VALID = int(State.VALID)


@dataclass(frozen=True, slots=True)
class MapEntry:
    """How one signal of the catalogue is read.

    Fields:
        sources: "Message.Signal"; several of one message are multiplied row by row, and those of
            an array are its elements, which may come in several frames (`ListCollector`).
        unavailable: for each source the raw values that mean "not available".
        unit: what the scaled number is in; None where it is the catalogue's own.
        values: raw value to value, where raw values stand for words, steps or true and false.
        otherwise: the value of raw values that are not listed; None where they are not available.
        valid: the least and greatest possible value, in the catalogue's unit.
        sure: a number between these two can be, whatever else it is; None of words.
    """

    signal: Signal
    sources: tuple[str, ...]
    group: Group
    is_mean: bool
    stale_s: float
    unavailable: tuple[tuple[int, ...], ...] = ()
    unit: str | None = None
    scaling: Scaling = NO_SCALING
    values: Mapping[int, Scalar] | None = None
    otherwise: Scalar | None = None
    valid: tuple[float, float] | None = None
    sure: tuple[float, float] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sure", _sure(self.signal, self.valid))

    @property
    def path(self) -> str:
        return self.signal.path

    @property
    def is_list(self) -> bool:
        """Whether its sources are the elements of an array."""
        return self.signal.datatype.is_array


@dataclass(frozen=True, slots=True)
class ActuatorEntry:
    """How one actuator of the catalogue is sent: the reverse of a `MapEntry`.

    Fields:
        frame: "Message.Signal" of the frame that asks for it.
        values: value to raw value, where values are words, steps or true and false.
    """

    signal: Signal
    frame: str
    unit: str | None = None
    scaling: Scaling = NO_SCALING
    values: Mapping[Scalar, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.signal.path


def default_stale_s(group: Group) -> float:
    """How long a reading of `group` stays known, in seconds."""
    return GROUP_RULES[group].stale_s


def read_entry(entry: MapEntry, columns: Sequence[SignalColumn]) -> Reading:
    """The readings of one signal.

    Args:
        entry: how it is read.
        columns: the decoded columns of `entry.sources`, in that order.
    """
    rows, places = _common_rows(columns)
    marks = _marks(columns, places)
    if entry.values is not None:
        cells, unlisted = _looked_up(entry, columns[0].raw[places[0]])
        return _reading(entry, rows, cells, _either(marks, unlisted), None)
    if entry.signal.datatype is Datatype.BOOLEAN:
        cells = (columns[0].raw[places[0]] != 0) ^ entry.scaling.is_inverted
        return _reading(entry, rows, cells, marks, None)
    cells, is_wrong = typed_numbers(entry, _physical(columns, places, marks))
    return _reading(entry, rows, cells, marks, is_wrong)


def _marks(columns: Sequence[SignalColumn], places: Sequence[Rows | slice]) -> Mask | None:
    """Where any of the columns is not available; None where nothing is."""
    marks = None
    for column, place in zip(columns, places, strict=True):
        if column.marks is not None:
            marks = _either(marks, column.marks[place])
    return marks if marks is not None and marks.any() else None


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


def typed_numbers(entry: MapEntry, numbers: Numbers) -> tuple[NDArray[np.generic], Mask | None]:
    """Physical values (k,) in the signal's unit and (element's) type, and which cannot be.

    None where each can be.
    """
    is_plain = entry.scaling is NO_SCALING and entry.unit is None
    if is_plain and (cells := _surely(entry, numbers)) is not None:
        return cells, None
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = entry.scaling.of(numbers)
        if entry.unit is not None and entry.signal.unit is not None:
            numbers = convert(numbers, entry.unit, entry.signal.unit)
        return _typed(entry, numbers)


def _common_rows(columns: Sequence[SignalColumn]) -> tuple[Rows, list[Rows | slice]]:
    """The rows that all columns have, and where they are in each."""
    rows = columns[0].rows
    if len(columns) == 1:
        return rows, [EVERY_ROW]
    if all(np.array_equal(column.rows, rows) for column in columns[1:]):
        return rows, [EVERY_ROW] * len(columns)
    for column in columns[1:]:
        rows = np.intersect1d(rows, column.rows, assume_unique=True)
    return rows, [np.searchsorted(column.rows, rows) for column in columns]


def _physical(
    columns: Sequence[SignalColumn], places: Sequence[Rows | slice], marks: Mask | None
) -> Numbers:
    """The physical values, multiplied row by row; 0 where they are not available."""
    numbers = columns[0].values[places[0]]
    for column, place in zip(columns[1:], places[1:], strict=True):
        numbers = numbers * column.values[place]
    return numbers if marks is None else np.where(marks, 0.0, numbers)


def _looked_up(
    entry: MapEntry, raw: NDArray[np.generic]
) -> tuple[NDArray[np.generic], Mask | None]:
    """The value of each raw value, and which have none; None where each has one."""
    listed = entry.values or {}
    zero = zero_of(entry.signal.datatype)
    if len(raw) <= FEW:
        found, index = raw, None
    else:
        found, index = np.unique(raw, return_inverse=True)
    words: list[Value | None] = [listed.get(int(one), entry.otherwise) for one in found.tolist()]
    unlisted = None
    if None in words:
        unlisted = np.array([word is None for word in words], np.bool_)
        words = [zero if word is None else word for word in words]
    table = np.array(words, _dtype(entry.signal.datatype))
    if index is None:
        return table, unlisted
    return table[index], None if unlisted is None else unlisted[index]


def _typed(entry: MapEntry, numbers: Numbers) -> tuple[NDArray[np.generic], Mask | None]:
    """Numbers in the signal's type, and which of them cannot be; None where each can."""
    if (known := _surely(entry, numbers)) is not None:
        return known, None
    dtype = _dtype(entry.signal.datatype)
    is_wrong = np.zeros(numbers.shape, np.bool_)
    if entry.valid is not None:
        low, high = entry.valid
        is_wrong |= ~((numbers >= low) & (numbers <= high))
    if dtype.kind in "iu":
        numbers = np.rint(numbers)
        is_wrong |= ~_fits(numbers, dtype)
        numbers = np.where(is_wrong, 0.0, numbers)
    cells = numbers.astype(dtype)
    return cells, is_wrong | refused_elements(entry.signal, cells)


def _surely(entry: MapEntry, numbers: Numbers) -> NDArray[np.generic] | None:
    """A few numbers in the signal's type, where it is plain that each can be; else None."""
    if len(numbers) > FEW or entry.sure is None:
        return None
    low, high = entry.sure
    if not all(low <= number <= high for number in numbers.tolist()):
        return None
    dtype = _dtype(entry.signal.datatype)
    return (np.rint(numbers) if dtype.kind in "iu" else numbers).astype(dtype)


def _fits(numbers: Numbers, dtype: np.dtype[np.generic]) -> Mask:
    """Which whole numbers an integer type holds; its end is exact in a float64, its maximum not."""
    limits = np.iinfo(dtype)  # type: ignore[type-var]  # integers only
    return (numbers >= float(limits.min)) & (numbers < float(int(limits.max) + 1))


def _sure(signal: Signal, valid: tuple[float, float] | None) -> tuple[float, float] | None:
    """The narrowest of type, catalogue and entry; of a whole number, so that its rounding fits."""
    if signal.datatype.is_text or signal.datatype is Datatype.BOOLEAN:
        return None
    dtype = _dtype(signal.datatype)
    if dtype.kind in "iu":
        # A float64 does not hold the ends of 64 bits.
        ends = np.iinfo(dtype)  # type: ignore[type-var]  # integers only
        least, most = math.nextafter(int(ends.min), 0.0), math.nextafter(int(ends.max), 0.0)
    elif dtype.kind == "f":
        limits = np.finfo(dtype)  # type: ignore[type-var]  # floats only
        least, most = float(limits.min), float(limits.max)
    else:
        return None
    lows = [least, *([] if valid is None else [valid[0]])]
    highs = [most, *([] if valid is None else [valid[1]])]
    low = max([*lows, *([] if signal.minimum is None else [float(signal.minimum)])])
    high = min([*highs, *([] if signal.maximum is None else [float(signal.maximum)])])
    return (math.ceil(low), math.floor(high)) if dtype.kind in "iu" else (low, high)


@cache
def _valid(count: int) -> NDArray[np.uint8]:
    """So many states of what is known; shared, so it is not to be written to."""
    state = np.full(count, _VALID, np.uint8)
    state.flags.writeable = False
    return state


@cache
def _dtype(datatype: Datatype) -> np.dtype[np.generic]:
    """The NumPy type of a data type, found once."""
    return datatype.dtype


def _reading(
    entry: MapEntry,
    rows: Rows,
    cells: NDArray[np.generic],
    marks: Mask | None,
    is_wrong: Mask | None,
) -> Reading:
    """A reading with its states; cells that are not VALID hold the type's zero."""
    if is_wrong is not None and not is_wrong.any():
        is_wrong = None
    if marks is None and is_wrong is None:
        count = len(rows)
        known = _valid(count) if count <= FEW else np.full(count, _VALID, np.uint8)
        return Reading(entry.path, rows, cells, known, 0)
    state = np.full(rows.shape, _VALID, np.uint8)
    refused = 0
    if is_wrong is not None:
        is_wrong = is_wrong if marks is None else is_wrong & ~marks
        refused = int(is_wrong.sum())
        state[is_wrong] = State.UNKNOWN
    if marks is not None:
        state[marks] = State.UNAVAILABLE
    zero = np.array([zero_of(entry.signal.datatype)], cells.dtype)
    cells = np.where(state == _VALID, cells, zero)
    return Reading(entry.path, rows, cells, state, refused)
