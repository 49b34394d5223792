"""Cells of Polars: what is text, what counts as missing, how a number is written.

as_numbers(trimmed_numbers(pl.Series([" 1,5 ", "n/a", "fast"]), ","))      # [1.5, null, null]
"""

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_polars import pl
from contactor.car.adapters.table_tally import Refusal

MISSING = ("", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--")
"""What stands for no number, whatever its case; "nan" is read as a number and then left out."""


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are words; a column without any cell may be taken for one."""
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null)


def stripped(series: pl.Series) -> pl.Series:
    """The cells as text without surrounding blanks, null where nothing is left."""
    is_moment = series.dtype.is_temporal()
    text = series.dt.to_string("iso") if is_moment else series.cast(pl.String)
    text = text.str.strip_chars()
    return text.set(text == "", None)


def trimmed_numbers(series: pl.Series, decimal: str) -> pl.Series:
    """The cells as text with a decimal point, null where missing; not yet parsed."""
    text = stripped(series)
    text = text.set(text.str.to_lowercase().is_in(MISSING), None)
    if decimal == ".":
        return text
    # With a decimal comma a point can only part thousands: "1.234,5" is told as no number.
    return text.str.replace_all(".", "x", literal=True).str.replace(",", ".", literal=True)


def as_numbers(text: pl.Series) -> pl.Series:
    """Float64, null where the text is null or no number."""
    return text.cast(pl.Float64, strict=False)


def known(series: pl.Series) -> NDArray[np.bool_]:
    """Which cells are not null, (n,)."""
    return series.is_not_null().to_numpy()


def filled(series: pl.Series) -> NDArray[np.generic]:
    """The numbers of a column, (n,), 0 where null."""
    return series.fill_null(0).to_numpy()


def refusal(
    reason: str, wrong: NDArray[np.bool_], examples: pl.Series | NDArray[np.generic] | None = None
) -> Refusal:
    """A refusal of the cells where `wrong` (n,), the first of `examples` (n,) there with it."""
    count = int(np.count_nonzero(wrong))
    first = None if examples is None or not count else str(examples[int(np.argmax(wrong))])
    return Refusal(reason, count, first)
