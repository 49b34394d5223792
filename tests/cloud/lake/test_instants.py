from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.clock import to_iso
from contactor.cloud.lake.instants import to_ns
from contactor.errors import UsageError


@pytest.mark.parametrize(
    ("instant", "ns"),
    [
        (7, 7),
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T01:00:01.123456789+01:00", 1_123_456_789),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(2024, 5, 1, 8, 0, 0, 1, tzinfo=UTC), 1_714_550_400_000_001_000),
    ],
)
def test_to_ns_is_exact(instant: int | str | datetime, ns: int) -> None:
    assert to_ns(instant) == ns


@pytest.mark.parametrize(
    "instant",
    [
        "",
        "yesterday",
        "2024-05-01T08:00:00",
        datetime(2024, 5, 1),  # noqa: DTZ001 - what is refused
        1.5,
        True,
        "2024-13-01",
        "1677-01-01",
    ],
)
def test_to_ns_refuses_what_is_no_instant(instant: object) -> None:
    with pytest.raises(UsageError, match=r"instant|time zone"):
        to_ns(instant)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_714_550_400_250_000_000, "2024-05-01T08:00:00.25Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_to_iso_has_the_digits_needed(ns: int, text: str) -> None:
    assert to_iso(ns) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_iso_and_ns_round_trip(ns: int) -> None:
    assert to_ns(to_iso(ns)) == ns
