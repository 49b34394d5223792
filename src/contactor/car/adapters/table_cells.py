"""Cells of a table become the cells of a signal: scaled, converted, checked, in the signal's type.

Null, an empty cell, NaN and infinity are unknown. What is there and may not be taken (no number,
outside the range, no whole number, an unknown word) is unknown too, and told as a refusal.

    column, refusals = read_column([pl.Series([41.5, None, 999.0])], signal_map, decimal=".")
    column.to_list()        # [41.5, None, None]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_map import SignalMap
from contactor.car.adapters.table_polars import pl
from contactor.car.adapters.table_tally import Refusal
from contactor.car.adapters.table_text import (
    as_numbers,
    filled,
    is_text,
    known,
    refusal,
    stripped,
    trimmed_numbers,
)
from contactor.errors import TableError
from contactor.signals.catalogue import Signal
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Column, State, object_array, zero_of
from contactor.signals.validation import MAX_ARRAY_ELEMENTS, refused_elements
from contactor.signals.wire.limits import MAX_TEXT_CHARACTERS
from contactor.units import convert

_NEARLY_WHOLE = 1e-9
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class _Cells:
    """Values (n,) of a signal's element type; only those where `is_valid` (n,) count."""

    values: NDArray[np.generic]
    is_valid: NDArray[np.bool_]
    refusals: tuple[Refusal, ...] = ()


def check_signal_columns(path: Path, dtypes: Sequence[pl.DataType], one: SignalMap) -> None:
    """Check that columns of these types can hold the signal.

    Raises:
        TableError: they cannot.
    """
    for name, dtype in zip(one.columns, dtypes, strict=True):
        held = f"{path}: column {name!r} holds {dtype}; {one.path} is {one.signal.datatype}"
        inner: object = dtype
        if isinstance(dtype, pl.List | pl.Array):
            if not one.signal.datatype.is_array or len(dtypes) > 1:
                raise TableError(held)
            inner = dtype.inner
        elif one.signal.datatype.is_array and len(dtypes) == 1:
            raise TableError(f"{held}: a list column, or column = [...] with one for each element")
        readable = isinstance(inner, pl.DataType) and (
            inner.is_numeric()
            or is_text(inner)
            or isinstance(inner, pl.Boolean)
            or (inner.is_temporal() and one.signal.datatype.is_text)
        )
        if not readable:
            raise TableError(held)


def read_column(
    columns: Sequence[pl.Series], one: SignalMap, *, decimal: str
) -> tuple[Column, tuple[Refusal, ...]]:
    """The signal's column from a batch of its table columns, and what was not taken."""
    signal = one.signal
    if not signal.datatype.is_array:
        cells = _elements(columns[0], one, signal, decimal)
    elif len(columns) > 1:
        cells = _side_by_side([_elements(each, one, signal, decimal) for each in columns])
    else:
        cells = _lists(columns[0], one, signal, decimal)
    zero = zero_of(signal.datatype)
    values = cells.values.copy()
    empty = ~cells.is_valid
    values[empty] = object_array([zero] * int(empty.sum())) if values.dtype == object else zero
    state = np.where(cells.is_valid, State.VALID, State.UNKNOWN).astype(np.uint8)
    return Column(signal.path, signal.datatype, values, state), cells.refusals


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────


def _side_by_side(parts: Sequence[_Cells]) -> _Cells:
    """Columns that are the elements of an array: known where each of them is."""
    rows = zip(*(part.values.tolist() for part in parts), strict=True)
    is_valid = np.logical_and.reduce([part.is_valid for part in parts])
    refusals = tuple(one for part in parts for one in part.refusals)
    return _Cells(object_array([tuple(row) for row in rows]), is_valid, refusals)


def _lists(column: pl.Series, one: SignalMap, signal: Signal, decimal: str) -> _Cells:
    """A column of lists: a cell is known where each of its elements is."""
    lists = (
        column.cast(pl.List(column.dtype.inner)) if isinstance(column.dtype, pl.Array) else column
    )
    lengths = filled(lists.list.len()).astype(np.int64)
    flat = lists.filter(pl.Series(lengths > 0)).list.explode(empty_as_null=False, keep_nulls=False)
    cells = _elements(flat, one, signal, decimal)
    ends = np.cumsum(lengths)
    values = cells.values.tolist()
    wrong_before = np.concatenate([[0], np.cumsum(~cells.is_valid)])
    is_whole = wrong_before[ends] == wrong_before[ends - lengths]
    is_long = lengths > MAX_ARRAY_ELEMENTS
    spans = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    arrays = object_array([tuple(values[start:end]) for start, end in spans])
    too_long = refusal(f"{one.path}: more than {MAX_ARRAY_ELEMENTS} elements", is_long)
    return _Cells(arrays, known(lists) & is_whole & ~is_long, (*cells.refusals, too_long))


# ── elements ─────────────────────────────────────────────────────────────────────────────────────


def _elements(cells: pl.Series, one: SignalMap, signal: Signal, decimal: str) -> _Cells:
    element = signal.datatype.element
    if one.values:
        return _in_range(_named(cells, one, element), one, signal)
    if element is Datatype.STRING:
        return _texts(cells, one, signal)
    if element is Datatype.BOOLEAN:
        return _booleans(cells, one)
    return _in_range(_numbers(cells, one, signal, decimal), one, signal)


def _words(cells: pl.Series) -> pl.Series:
    """The cells as words: a whole number without its decimals."""
    if cells.dtype.is_float():
        whole = cells.cast(pl.Int64, strict=False)
        is_whole = (whole.cast(pl.Float64) == cells.cast(pl.Float64)).fill_null(False)
        words = cells.fill_nan(None).cast(pl.String)
        return words.zip_with(~is_whole, whole.cast(pl.String))
    return stripped(cells)


def _named(cells: pl.Series, one: SignalMap, element: Datatype) -> _Cells:
    """What the map's `values` say that each word stands for."""
    words = _words(cells)
    names = [raw for raw, _ in one.values]
    index = words.replace_strict(
        names, list(range(len(names))), default=None, return_dtype=pl.Int64
    )
    is_valid = known(index)
    meanings = object_array([value for _, value in one.values])
    values = meanings[filled(index).astype(np.int64)].astype(element.dtype)
    unnamed = refusal(f"{one.path}: no value for the word", known(words) & ~is_valid, words)
    return _Cells(values, is_valid, (unnamed,))


def _texts(cells: pl.Series, one: SignalMap, signal: Signal) -> _Cells:
    words = _words(cells)
    given = known(words)
    values = object_array(words.fill_null("").to_list())
    is_long = filled(words.str.len_chars()).astype(np.int64) > MAX_TEXT_CHARACTERS
    wrong = given & ~is_long
    wrong[wrong] = refused_elements(signal, values[wrong])
    return _Cells(
        values,
        given & ~is_long & ~wrong,
        (
            refusal(f"{one.path}: not one of its words", wrong, words),
            refusal(f"{one.path}: more than {MAX_TEXT_CHARACTERS} characters", given & is_long),
        ),
    )


def _booleans(cells: pl.Series, one: SignalMap) -> _Cells:
    words = _words(cells).str.to_lowercase()
    found = words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
    is_valid = known(found)
    wrong = known(words) & ~is_valid
    reason = f"{one.path}: not true, false, 1 or 0"
    values = found.fill_null(False).to_numpy()
    return _Cells(values, is_valid, (refusal(reason, wrong, words),))


def _numbers(cells: pl.Series, one: SignalMap, signal: Signal, decimal: str) -> _Cells:
    """Finite numbers in the signal's unit, int64, uint64 or float."""
    wrong: tuple[Refusal, ...] = ()
    if is_text(cells.dtype):
        text = trimmed_numbers(cells, decimal)
        numbers = as_numbers(text)
        reason = f"{one.path}: not a number"
        wrong = (refusal(reason, known(text) & ~known(numbers), cells),)
        whole = text.cast(_integers_for(signal), strict=False)
        numbers = whole if np.array_equal(known(whole), known(numbers)) else numbers
    elif isinstance(cells.dtype, pl.Boolean):
        numbers = cells.cast(pl.Int64)
    elif cells.dtype.is_decimal():
        numbers = cells.cast(pl.Float64)
    else:
        numbers = cells
    values = filled(numbers)
    is_valid = known(numbers)
    if one.is_scaled:
        values = _scaled(values.astype(np.float64), one, signal)
    if values.dtype.kind == "f":
        is_valid &= np.isfinite(values)
    return _Cells(values, is_valid, wrong)


def _scaled(numbers: NDArray[np.float64], one: SignalMap, signal: Signal) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = numbers * one.scale + one.offset
        if one.unit is None or signal.unit is None:
            return scaled
        return convert(scaled, one.unit, signal.unit)


def _integers_for(signal: Signal) -> type[pl.UInt64 | pl.Int64]:
    return pl.UInt64 if signal.datatype.element is Datatype.UINT64 else pl.Int64


def _in_range(cells: _Cells, one: SignalMap, signal: Signal) -> _Cells:
    """The cells in the signal's type, inside the map's and the catalogue's range."""
    element = signal.datatype.element
    if element is Datatype.STRING or element is Datatype.BOOLEAN:
        return cells
    if element.is_integer:
        cells = _whole(cells, one)
    if one.valid is not None:
        low, high = one.valid
        beyond = np.less(cells.values, low) | np.greater(cells.values, high)
        cells = _without(cells, beyond, _outside(one.path, low, high))
    beyond = refused_elements(signal, cells.values)
    cells = _without(cells, beyond, _outside(one.path, signal.minimum, signal.maximum))
    return _in_type(cells, one.path, element)


def _whole(cells: _Cells, one: SignalMap) -> _Cells:
    if cells.values.dtype.kind != "f":
        return cells
    numbers = np.where(cells.is_valid, cells.values, 0.0)
    rounded = np.rint(numbers)
    # What was calculated may be off by the rounding of floats; what was read may not.
    slack = _NEARLY_WHOLE * np.maximum(1.0, np.abs(numbers)) if one.is_scaled else 0.0
    is_broken = np.abs(numbers - rounded) > slack
    whole = _Cells(rounded, cells.is_valid, cells.refusals)
    return _without(whole, is_broken, f"{one.path}: not a whole number")


def _in_type(cells: _Cells, path: str, element: Datatype) -> _Cells:
    numbers = np.where(cells.is_valid, cells.values, cells.values.dtype.type(0))
    if element.is_integer:
        limits = np.iinfo(element.dtype)  # type: ignore[type-var]  # integers only
        low, high = int(limits.min), int(limits.max)
        # As a float, the limit of 64 bits is one more than the greatest integer.
        above = numbers >= float(high + 1) if numbers.dtype.kind == "f" else numbers > high
        cells = _without(cells, (numbers < low) | above, _outside(path, low, high))
        numbers = np.where(cells.is_valid, numbers, numbers.dtype.type(0))
        return _Cells(numbers.astype(element.dtype), cells.is_valid, cells.refusals)
    with np.errstate(over="ignore"):
        typed = _Cells(numbers.astype(element.dtype), cells.is_valid, cells.refusals)
    return _without(typed, ~np.isfinite(typed.values), f"{path} outside {element}")


def _without(cells: _Cells, wrong: NDArray[np.bool_], reason: str) -> _Cells:
    lost = cells.is_valid & wrong
    refusals = (*cells.refusals, refusal(reason, lost))
    return _Cells(cells.values, cells.is_valid & ~lost, refusals)


def _outside(path: str, low: float | None, high: float | None) -> str:
    least = "-inf" if low is None else f"{low:.15g}"
    most = "inf" if high is None else f"{high:.15g}"
    return f"{path} outside {least}..{most}"
