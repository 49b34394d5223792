"""Instants from columns of dates and times: native ones, ISO 8601 texts, texts of a given format.

A time without offset is in the map's time zone (UTC without one). Where a change of the clock
repeats it, the first is meant; where a change skips it, it does not exist.

    read_dates(pl.Series(["2024-05-01 08:00:00.25"]), time).ts      # [1714550400250000000]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_entries import first_line
from contactor.car.adapters.table_instant import MAX_NS, OUTSIDE, Instants
from contactor.car.adapters.table_map import TimeMap
from contactor.car.adapters.table_polars import pl
from contactor.car.adapters.table_tally import Refusal
from contactor.car.adapters.table_text import filled, is_text, known, refusal, trimmed_numbers
from contactor.clock import NS_PER_DAY, NS_PER_US
from contactor.errors import TableError

_US_PER_S = 1_000_000
_MAX_US = (MAX_NS - 2 * NS_PER_DAY) // NS_PER_US
_NS_OF = {"ns": 1, "us": NS_PER_US, "ms": 1_000_000}
# ISO 8601, extended and basic: year month day hour minute second fraction zulu sign hours minutes
_ISO8601 = (
    r"^(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt ]\s*(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*"
    r"(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?$"
)


@dataclass(frozen=True, slots=True)
class _Moments:
    """What a clock showed: `us` (Int64 µs, null: not readable) and `extra_ns` 0..999 on top of it.

    `offset_us` is how far that clock was ahead of UTC; null: it showed the map's time zone.
    """

    us: pl.Series
    extra_ns: NDArray[np.int64]
    offset_us: pl.Series


def read_dates(cells: pl.Series, time: TimeMap) -> Instants:
    """The instants in a column of dates and times."""
    is_empty, refusals = ~known(cells), list[Refusal]()
    if not is_text(cells.dtype):
        moments = _native(cells)
    else:
        text = trimmed_numbers(cells, ".")
        is_empty = ~known(text)
        moments = _formatted(text, time.format) if time.format else _iso8601(text)
        expected = f"in the format {time.format}" if time.format else "an ISO 8601 instant"
        is_wrong = ~is_empty & ~known(moments.us)
        refusals.append(refusal(f"time: not {expected}", is_wrong, cells))
    refusals.append(refusal("time: no value", is_empty))
    return _instants(moments, time.timezone, tuple(refusals))


def _instants(moments: _Moments, zone: str | None, refusals: tuple[Refusal, ...]) -> Instants:
    us = filled(moments.us).astype(np.int64)
    is_far = (us > _MAX_US) | (us < -_MAX_US)
    local = pl.Series(np.where(is_far, 0, us)).cast(pl.Datetime("us"))
    utc = local.dt.replace_time_zone(
        zone or "UTC", ambiguous="earliest", non_existent="null"
    ).to_physical()
    is_local = ~known(moments.offset_us)
    offset = filled(moments.offset_us).astype(np.int64)
    utc_us = np.where(is_local, filled(utc), np.where(is_far, 0, us) - offset)
    ts = utc_us.astype(np.int64) * NS_PER_US + moments.extra_ns
    instants = Instants(ts, known(moments.us), refusals).without(is_far | (ts < 0), OUTSIDE)
    return instants.without(is_local & ~known(utc), f"time: does not exist in {zone}")


def _native(cells: pl.Series) -> _Moments:
    dtype = cells.dtype
    if not isinstance(dtype, pl.Datetime):
        cells, dtype = cells.cast(pl.Datetime("us")), pl.Datetime("us")
    ns_each = _NS_OF[dtype.time_unit]
    count = cells.to_physical()
    us, extra_ns = _split(filled(count).astype(np.int64), ns_each)
    offset = _constant(None if dtype.time_zone is None else 0, len(cells))
    return _Moments(_masked(us, known(count)), extra_ns, offset)


def _split(count: NDArray[np.int64], ns_each: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Microseconds and the nanoseconds beyond, of counts of `ns_each`; far ones stay far."""
    if ns_each < NS_PER_US:
        return count // NS_PER_US, count % NS_PER_US
    factor = ns_each // NS_PER_US
    limit = MAX_NS // factor
    return np.clip(count, -limit, limit) * factor, np.zeros(len(count), np.int64)


def _formatted(text: pl.Series, form: str) -> _Moments:
    """Texts in a format of strftime's letters."""
    # Python's "%S.%f" is Polars' "%S%.f": there %f alone would count nanoseconds.
    form = form.replace(".%f", "%.f").replace("%f", "%6f")
    try:
        parsed = text.str.strptime(pl.Datetime("us"), form, strict=False)
        nanoseconds = text.str.strptime(pl.Datetime("ns"), form, strict=False)
    except pl.exceptions.PolarsError as error:
        raise TableError(f"time format {form!r}: {first_line(error)}") from error
    offset = _constant(None if _zone_of(parsed) is None else 0, len(text))
    extra_ns = filled(nanoseconds.to_physical()).astype(np.int64) % NS_PER_US
    return _Moments(parsed.to_physical(), extra_ns, offset)


def _zone_of(moments: pl.Series) -> str | None:
    return moments.dtype.time_zone if isinstance(moments.dtype, pl.Datetime) else None


def _iso8601(text: pl.Series) -> _Moments:
    """ISO 8601 with any number of decimals, with and without offset, mixed as they come."""
    fields = text.str.extract_groups(_ISO8601).struct.unnest()
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes = fields.columns
    clock = [pl.col(one).fill_null("00") for one in (hour, minute, second)]
    shown = pl.concat_str([year, month, day, *clock], separator=" ")
    ns = (pl.col(fraction).fill_null("") + "0" * 9).str.slice(0, 9).cast(pl.Int64)
    turn = pl.when(pl.col(sign) == "-").then(-1).otherwise(1)
    ahead_min = pl.col(hours).cast(pl.Int64) * 60 + pl.col(minutes).fill_null("0").cast(pl.Int64)
    read = fields.select(
        shown.str.strptime(pl.Datetime("us"), "%Y %m %d %H %M %S", strict=False)
        .to_physical()
        .alias("us"),
        ns.alias("ns"),
        pl.when(pl.col(zulu).is_not_null())
        .then(0)
        .otherwise(turn * ahead_min * 60 * _US_PER_S)
        .alias("offset_us"),
    )
    ns_in_second = filled(read["ns"]).astype(np.int64)
    us = read["us"] + pl.Series(ns_in_second // NS_PER_US)
    return _Moments(us, ns_in_second % NS_PER_US, read["offset_us"])


def _constant(value: int | None, count: int) -> pl.Series:
    return pl.repeat(value, count, dtype=pl.Int64, eager=True)


def _masked(numbers: NDArray[np.int64], given: NDArray[np.bool_]) -> pl.Series:
    """The numbers, null where not `given`."""
    return pl.Series(numbers).set(pl.Series(~given), None)
