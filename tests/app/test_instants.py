"""Instants as people write them, and as we do: exact to the nanosecond, or refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.app.instants import parse_instant
from contactor.clock import NS_PER_DAY, NS_PER_S, TS_RANGE, from_iso, to_iso
from contactor.errors import UsageError

NOW = 1_714_550_400 * NS_PER_S  # 2024-05-01T08:00:00Z
TS = st.integers(TS_RANGE.start, TS_RANGE.stop - 1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(TS)
def test_iso_comes_back_to_the_same_nanosecond(ts: int) -> None:
    text = to_iso(ts)
    assert text.endswith("Z")
    assert from_iso(text) == ts


@given(TS)
def test_iso_has_as_many_digits_as_it_needs(ts: int) -> None:
    fraction = to_iso(ts).removesuffix("Z").partition(".")[2]
    assert not fraction.endswith("0")
    assert int(fraction.ljust(9, "0")) == ts % NS_PER_S


@given(st.datetimes(datetime(1680, 1, 1), datetime(2260, 1, 1)), ZONES)  # noqa: DTZ001
def test_iso_in_any_zone_is_the_instant_that_it_names(naive: datetime, zone: timezone) -> None:
    instant = naive.replace(tzinfo=zone)
    elapsed = instant - datetime(1970, 1, 1, tzinfo=UTC)
    expected = elapsed // timedelta(microseconds=1) * 1000
    assert from_iso(instant.isoformat()) == expected
    assert from_iso(instant.isoformat(timespec="microseconds").replace(".", ",")) == expected


def test_iso_without_a_zone_is_utc() -> None:
    assert from_iso("2024-05-01T08:00:00") == from_iso("2024-05-01T10:00:00+02:00") == NOW
    assert from_iso("2024-05-01") == NOW - 8 * 3600 * NS_PER_S


@pytest.mark.parametrize(
    ("text", "rest_ns"),
    [
        ("2024-05-01T08:00:00.000000001Z", 1),
        ("2024-05-01T08:00:00.0000012Z", 1_200),
        ("2024-05-01T10:00:00.123456789+02:00", 123_456_789),
        ("2024-05-01T08:00:00.25", 250_000_000),
        ("2024-05-01T08:00:00.1234567894Z", 123_456_789),  # finer than a nanosecond: cut
    ],
)
def test_iso_is_read_to_the_nanosecond(text: str, rest_ns: int) -> None:
    assert from_iso(text) == parse_instant(text, now_ns=0) == NOW + rest_ns


@pytest.mark.parametrize(
    ("text", "before_ns"),
    [
        ("0s", 0),
        ("30m", 1_800 * NS_PER_S),
        ("12h", 12 * 3600 * NS_PER_S),
        ("7d", 7 * NS_PER_DAY),
        ("2w", 14 * NS_PER_DAY),
        ("1.5h", 5_400 * NS_PER_S),
    ],
)
def test_so_long_ago_counts_back_from_now(text: str, before_ns: int) -> None:
    assert parse_instant(text, now_ns=NOW) == NOW - before_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "7",
        "7 d",
        "-7d",
        "7D",
        "d",
        "2024-13-01",
        "2024-05-01T25:00:00Z",
        "2024-02-30",
        "1714550400",
        "0001-01-01",
        "1677-09-21T00:12:43Z",  # int64 begins 0.145 s later
        "2262-04-12",
        "9999-12-31T23:59:59Z",
        "999999d",
        "99999999999d",
        "9" * 400 + "d",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="allowed: 2024-05-01T08:00:00Z, or 7d"):
        parse_instant(text, now_ns=NOW)


@given(st.text())
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    try:
        ts = parse_instant(text, now_ns=NOW)
    except UsageError:
        return
    assert ts in TS_RANGE
