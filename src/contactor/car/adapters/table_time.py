"""The instants of rows, exact: from a count since an origin, or from dates and times.

A count becomes nanoseconds without drift: text digit by digit, integers as integers, and a float by
the decimal that it stands for, so 0.05 s is 50,000,000 ns also far from the origin.

    read_instants([pl.Series([0.0, 0.05])], time, decimal=".").ts      # [0, 50_000_000]

A row without an instant is not known, and told as a refusal.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_dates import read_dates
from contactor.car.adapters.table_instant import MAX_NS, OUTSIDE, Instants
from contactor.car.adapters.table_map import NS_PER_UNIT, TimeMap
from contactor.car.adapters.table_polars import pl
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

NO_VALUE = "time: no value"
NO_NUMBER = "time: not a number"

_DECIMALS = 9
_NOISE_STEPS = 4


def check_time_columns(path: Path, dtypes: Sequence[pl.DataType], time: TimeMap) -> None:
    """Check that columns of these types can hold the time unit.

    Raises:
        TableError: they cannot.
    """
    for name, dtype in zip(time.columns, dtypes, strict=True):
        is_date = isinstance(dtype, pl.Datetime | pl.Date)
        held = f'{path}: time column {name!r} holds {dtype}; unit = "{time.unit}" needs'
        if time.unit.is_relative and not (dtype.is_numeric() or is_text(dtype)):
            hint = ': unit = "timestamp" reads it' if is_date else ""
            raise TableError(f"{held} numbers{hint}")
        if time.unit.is_relative or is_date or is_text(dtype):
            continue
        if len(dtypes) == 1 or not (dtype.is_numeric() or dtype.is_temporal()):
            raise TableError(f"{held} texts or date-times; numbers are read as s, ms, us or ns")


def read_instants(columns: Sequence[pl.Series], time: TimeMap, *, decimal: str) -> Instants:
    """The instants in a batch of the time columns; a count is from zero, not from its origin."""
    if not time.unit.is_relative:
        return read_dates(_joined(columns), time)
    cells, ns_per_unit = columns[0], NS_PER_UNIT[time.unit]
    if is_text(cells.dtype):
        return _from_text(cells, ns_per_unit, decimal)
    if cells.dtype.is_decimal():
        return _from_text(cells.cast(pl.String), ns_per_unit, ".")
    if cells.dtype.is_integer():
        return _from_integers(cells, ns_per_unit)
    return _from_floats(cells, ns_per_unit)


def _joined(columns: Sequence[pl.Series]) -> pl.Series:
    if len(columns) == 1:
        return columns[0]
    texts = pl.DataFrame({str(place): stripped(one) for place, one in enumerate(columns)})
    return texts.select(pl.concat_str(pl.all(), separator=" ")).to_series()


def _from_text(cells: pl.Series, ns_per_unit: int, decimal: str) -> Instants:
    text = trimmed_numbers(cells, decimal)
    numbers = as_numbers(text)
    billionths = text.cast(pl.Decimal(38, _DECIMALS), strict=False).to_physical()
    ns = _rounded_quotient(billionths, 10**_DECIMALS // ns_per_unit)
    is_number = known(numbers)
    is_empty = ~known(text) | (is_number & np.isnan(filled(numbers)))
    is_known = known(ns)
    return Instants(
        filled(ns).astype(np.int64),
        is_known,
        (
            refusal(NO_VALUE, is_empty),
            refusal(NO_NUMBER, ~is_empty & ~is_number, cells),
            refusal(OUTSIDE, ~is_empty & is_number & ~is_known),
        ),
    )


def _rounded_quotient(numbers: pl.Series, divisor: int) -> pl.Series:
    """Int64, null where it is larger."""
    half, whole = pl.lit(divisor // 2, dtype=pl.Int128), pl.lit(divisor, dtype=pl.Int128)
    quotient = numbers.to_frame("n").select((pl.col("n") + half) // whole).to_series()
    return quotient.cast(pl.Int64, strict=False)


def _from_integers(cells: pl.Series, ns_per_unit: int) -> Instants:
    counts = cells.cast(pl.Int64, strict=False)
    numbers = filled(counts).astype(np.int64)
    limit = MAX_NS // ns_per_unit
    is_known = known(counts) & (numbers <= limit) & (numbers >= -limit)
    return Instants(
        np.where(is_known, numbers, 0) * ns_per_unit,
        is_known,
        (refusal(NO_VALUE, ~known(cells)), refusal(OUTSIDE, known(cells) & ~is_known)),
    )


def _from_floats(cells: pl.Series, ns_per_unit: int) -> Instants:
    values = filled(cells)
    is_empty = ~known(cells) | np.isnan(values)
    is_known = ~is_empty & (np.abs(values) < float(MAX_NS // ns_per_unit))
    return Instants(
        _exact_ns(np.where(is_known, values, values.dtype.type(0)), ns_per_unit),
        is_known,
        (refusal(NO_VALUE, is_empty), refusal(OUTSIDE, ~is_empty & ~is_known)),
    )


def _exact_ns(values: NDArray[np.floating], ns_per_unit: int) -> NDArray[np.int64]:
    """Nanoseconds of finite `values` (n,) in units of `ns_per_unit`.

    A float stands for the decimal near it: digits finer than a few of its own steps are noise, be
    it from writing 0.05 or from multiplying it. Microseconds since the epoch stay whole. Whole and
    fraction are taken apart, for their product with 1e9 would round.
    """
    digits_of_unit = len(str(ns_per_unit)) - 1
    spacing = np.spacing(np.abs(values)).astype(np.float64)
    digits = np.clip(np.floor(-np.log10(_NOISE_STEPS * spacing)), 0, digits_of_unit).astype(
        np.int64
    )
    fraction, whole = np.modf(values.astype(np.float64))
    parts = np.rint(fraction * 10.0**digits).astype(np.int64)
    ns_per_part = np.power(np.int64(10), digits_of_unit - digits)
    ns: NDArray[np.int64] = whole.astype(np.int64) * ns_per_unit + parts * ns_per_part
    return ns
