import datetime as dt
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.adapters.table_map import NS_PER_UNIT, TimeMap, TimeUnit
from contactor.car.adapters.table_time import read_instants

SECONDS = TimeMap(("t",), TimeUnit.SECONDS)
DATES = TimeMap(("t",), TimeUnit.TIMESTAMP)
UNITS = st.sampled_from(list(NS_PER_UNIT))
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read(cells, time=SECONDS, decimal="."):
    series = cells if isinstance(cells, pl.Series) else pl.Series(cells, strict=False)
    return read_instants([series], time, decimal=decimal)


def ts_of(cells, time=SECONDS, decimal="."):
    """Instants, None where not known."""
    found = read(cells, time, decimal)
    return [
        ts if known else None
        for ts, known in zip(found.ts.tolist(), found.is_known.tolist(), strict=True)
    ]


def refused(cells, time=SECONDS, decimal="."):
    refusals = read(cells, time, decimal).refusals
    return {one.reason: (one.count, one.example) for one in refusals if one.count}


# ── counts ───────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(0, 10**8), min_size=1), UNITS)
def test_time_steps_of_a_twentieth_do_not_drift(steps, unit):
    # k * 0.05 is not the float next to k / 20, nor its product with 1e9.
    exact = [k * NS_PER_UNIT[unit] // 20 for k in steps]
    if unit is not TimeUnit.NANOSECONDS:
        assert ts_of([k * 0.05 for k in steps], TimeMap(("t",), unit)) == exact


@given(st.integers(0, 2_000_000_000), st.integers(0, 999_999))
def test_time_floats_since_the_epoch_keep_their_microseconds(second, microsecond):
    cell = float(f"{second}.{microsecond:06}")
    assert ts_of([cell]) == [second * 10**9 + microsecond * 1_000]


@given(st.decimals(0, 9_000_000_000, places=9, allow_nan=False))
def test_time_texts_are_read_digit_by_digit(second):
    assert ts_of([f" {second:f}"]) == [int(second.scaleb(9))]
    assert ts_of([f"{second:f}".replace(".", ",")], decimal=",") == [int(second.scaleb(9))]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), UNITS)
def test_time_integers_are_exact_or_out_of_reach(counts, unit):
    ns = NS_PER_UNIT[unit]
    expected = [k * ns if abs(k) * ns < 2**63 else None for k in counts]
    assert ts_of(counts, TimeMap(("t",), unit)) == expected


@given(st.floats(allow_nan=True, allow_infinity=True), UNITS)
def test_time_any_float_is_near_its_instant_or_told(cell, unit):
    found = read([cell], TimeMap(("t",), unit))
    if not found.is_known[0]:
        assert sum(one.count for one in found.refusals) == 1
        return
    error_ns = abs(Fraction(cell) * NS_PER_UNIT[unit] - int(found.ts[0]))
    # Half a nanosecond, or a few of the float's own steps.
    step_ns = Fraction(float(np.spacing(abs(cell)))) * NS_PER_UNIT[unit]
    assert error_ns <= max(Fraction(1, 2), 20 * step_ns)


@given(st.lists(st.text(alphabet="0123456789.,-+eEnaif \t", max_size=12), min_size=1))
def test_time_every_text_is_known_or_told(cells):
    found = read(pl.Series(cells, dtype=pl.String))
    assert sum(one.count for one in found.refusals) == int(np.count_nonzero(~found.is_known))


def test_time_reads_floats_of_single_precision():
    assert ts_of(pl.Series([0.05, 0.1, 100.05], dtype=pl.Float32)) == [
        50_000_000,
        100_000_000,
        100_050_000_000,
    ]


def test_time_reads_decimals_and_large_unsigned():
    milliseconds = TimeMap(("t",), TimeUnit.MILLISECONDS)
    assert ts_of(pl.Series([Decimal("1.5")], dtype=pl.Decimal(10, 3)), milliseconds) == [1_500_000]
    assert ts_of(pl.Series([2**64 - 1, 7], dtype=pl.UInt64), milliseconds) == [None, 7_000_000]


def test_time_tells_what_is_no_count():
    cells = ["1", None, "", "noon", "12:30", "nan", "inf", "1e30", "N/A"]
    assert ts_of(cells) == [1_000_000_000, *[None] * 8]
    assert refused(cells) == {
        "time: no value": (4, None),
        "time: not a number": (2, "noon"),
        "time: outside 1970..2262": (2, None),
    }


def test_time_parts_of_thousands_are_no_number_with_a_decimal_comma():
    assert ts_of(["1.234,5", "1,5"], decimal=",") == [None, 1_500_000_000]


# ── dates ────────────────────────────────────────────────────────────────────────────────────────

MOMENTS = st.datetimes(
    dt.datetime.fromisoformat("1971-01-01"), dt.datetime.fromisoformat("2261-01-01")
)


def ns_of(moment):
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1_000


@given(MOMENTS, st.integers(-14 * 60, 14 * 60), st.sampled_from("T "))
def test_time_iso_8601_with_offset_is_exact(moment, minutes, separator):
    aware = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    assert ts_of([aware.isoformat(sep=separator)], DATES) == [ns_of(aware)]


@given(MOMENTS)
def test_time_iso_8601_without_offset_is_utc(moment):
    assert ts_of([moment.isoformat()], DATES) == [ns_of(moment.replace(tzinfo=dt.UTC))]


@given(MOMENTS, st.sampled_from(["ns", "us"]), st.sampled_from([None, "UTC", "Asia/Tokyo"]))
def test_time_native_date_times_are_exact(moment, unit, zone):
    aware = moment.replace(tzinfo=dt.UTC)
    cells = pl.Series([aware], dtype=pl.Datetime(unit, "UTC"))
    cells = cells.dt.convert_time_zone(zone) if zone else cells.dt.replace_time_zone(None)
    assert ts_of(cells, DATES) == [ns_of(aware)]


# Time zone databases differ in how far ahead they apply today's rules.
@given(
    st.datetimes(dt.datetime.fromisoformat("1971-01-01"), dt.datetime.fromisoformat("2037-01-01")),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_time_local_times_are_in_the_time_zone_of_the_map(moment, zone):
    time = TimeMap(("t",), TimeUnit.ISO8601, timezone=zone)
    local = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
    utc = local.astimezone(dt.UTC)
    if utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != moment:
        assert ts_of([moment.isoformat()], time) == [None]
        return
    assert ts_of([moment.isoformat()], time) == [ns_of(utc)]
    assert ts_of(pl.Series([moment]), time) == [ns_of(utc)]


def test_time_a_local_time_that_comes_twice_is_the_first_and_one_that_is_skipped_is_told():
    time = TimeMap(("t",), TimeUnit.ISO8601, timezone="Europe/Berlin")
    cells = ["2021-10-31 02:30:00", "2021-03-28 02:30:00", "2021-03-28T02:30:00Z"]
    assert ts_of(cells, time) == [
        ns_of(dt.datetime(2021, 10, 31, 0, 30, tzinfo=dt.UTC)),
        None,
        ns_of(dt.datetime(2021, 3, 28, 2, 30, tzinfo=dt.UTC)),
    ]
    assert refused(cells, time) == {"time: does not exist in Europe/Berlin": (1, None)}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1970-01-01T00:00:01.123456789Z", 1_123_456_789),
        ("1970-01-01 00:00:01.1234567899", 1_123_456_789),
        ("1970-01-01T00:00:01,5", 1_500_000_000),
        ("19700101T000001Z", 1_000_000_000),
        ("1970-01-01T00:01", 60_000_000_000),
        ("1970-01-02", 86_400_000_000_000),
        ("1970-01-01 01:00:00 +0100", 0),
        ("1970-01-01t00:00:00z", 0),
        ("2262-04-11T23:47:16.854775807Z", None),
        ("9999-12-31T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("2021-02-29T00:00:00Z", None),
        ("2021-13-01T00:00:00Z", None),
        ("2021-01-01T25:00:00Z", None),
        ("1/2/2021", None),
    ],
)
def test_time_reads_the_forms_of_iso_8601(cell, expected):
    assert ts_of([cell], DATES) == [expected]


def test_time_tells_what_is_no_date():
    cells = ["2021-01-01", "", None, "soon", "1900-01-01", "NULL"]
    assert refused(cells, DATES) == {
        "time: not an ISO 8601 instant": (1, "soon"),
        "time: no value": (3, None),
        "time: outside 1970..2262": (1, None),
    }


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ("%m/%d/%Y %H:%M:%S", "1/2/1970 00:00:00", 86_400 * 10**9),
        ("%d.%m.%Y %H:%M", "02.01.1970 00:01", 86_460 * 10**9),
        ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01.250", 1_250_000_000),
        ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01.123456789", 1_123_456_789),
        ("%Y-%m-%d %H:%M:%S%.f", "1970-01-01 00:00:01.250", 1_250_000_000),
        ("%Y-%m-%d %H:%M:%S %z", "1970-01-01 01:00:00 +0100", 0),
        ("%m/%d/%Y %I:%M:%S %p", "01/01/1970 01:00:00 PM", 13 * 3_600 * 10**9),
        ("%H:%M:%S", "12:00:00", None),
        ("%Y-%m-%d", "01.02.2021", None),
    ],
)
def test_time_reads_texts_in_the_format_of_the_map(form, cell, expected):
    time = TimeMap(("t",), TimeUnit.TIMESTAMP, format=form)
    assert ts_of([cell], time) == [expected]


def test_time_format_may_have_a_time_zone():
    time = TimeMap(("t",), TimeUnit.TIMESTAMP, "%d.%m.%Y %H:%M:%S", "Europe/Berlin")
    assert ts_of(["02.01.1970 01:00:00"], time) == [86_400 * 10**9]
    assert refused(["noon"], time) == {
        "time: not in the format %d.%m.%Y %H:%M:%S": (1, "noon")
    }  # fmt: skip


def test_time_joins_date_and_time():
    time = TimeMap(("d", "t"), TimeUnit.ISO8601)
    columns = [
        pl.Series([dt.date(1970, 1, 2), None]),
        pl.Series([dt.time(0, 0, 1, 500), dt.time(0)]),
    ]
    found = read_instants(columns, time, decimal=".")
    assert found.is_known.tolist() == [True, False]
    assert found.ts[0] == 86_401_000_500_000


def test_time_extreme_native_date_times_are_out_of_reach():
    for unit in ("ms", "us", "ns"):
        cells = pl.Series([-(2**63) + 1, 2**63 - 1, -1, 0]).cast(pl.Datetime(unit))
        assert ts_of(cells, DATES) == [None, None, None, 0]


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────


@given(
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.integers(0, 2**63 - 1),
)
def test_time_moving_and_bounding_never_wraps(counts, offset, now):
    found = read(counts, TimeMap(("t",), TimeUnit.NANOSECONDS)).moved(offset).bounded(now)
    limit = min(now + 86_400 * 10**9, 2**63 - 1)
    expected = [0 <= count + offset <= limit for count in counts]
    assert found.is_known.tolist() == expected
    kept = [count + offset for count, is_kept in zip(counts, expected, strict=True) if is_kept]
    assert found.ts[found.is_known].tolist() == kept
