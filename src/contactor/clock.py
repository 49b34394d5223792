"""Time: `ts` is int64 nanoseconds UTC; durations are read from a monotonic clock.

Pure code is given `now_ns`; only the edges hold a `Clock`.

    clock = FakeClock(start_ns=1_700_000_000_000_000_000)
    clock.advance(2.5)
    clock.now_ns()          # 1_700_000_002_500_000_000
"""

import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000
NS_PER_DAY = 86_400 * NS_PER_S
TS_RANGE = range(-(2**63), 2**63)
"""What a `ts` can be: int64, from 1677 to 2262."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")
_BELOW_US = re.compile(r"[.,]\d{6}(\d{1,3})")


def to_iso(ts: int) -> str:
    """ISO 8601 in UTC with `Z`, with as many digits as `ts` (ns) needs."""
    seconds, rest = divmod(ts, NS_PER_S)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
    digits = f"{rest:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def from_iso(text: str, *, zone: tzinfo | None = UTC) -> int:
    """Nanoseconds UTC of an ISO 8601 instant, exact; a date alone is its midnight UTC.

    Args:
        zone: where a time of day without a zone is meant; None refuses it.

    Raises:
        ValueError: it is none, has no zone, or is not between 1677 and 2262.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC if _DATE.fullmatch(text) else zone)
    below_us = _BELOW_US.search(text)  # `datetime` leaves these digits out
    rest_ns = int(below_us[1].ljust(3, "0")) if below_us else 0
    return _in_range(_ns_of(instant) + rest_ns, text)


def from_datetime(instant: datetime) -> int:
    """Nanoseconds UTC of a date-time, exact.

    Raises:
        ValueError: it has no time zone, or is not between 1677 and 2262.
    """
    return _in_range(_ns_of(instant), instant.isoformat())


def _ns_of(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; append Z for UTC")
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def _in_range(ts: int, text: str) -> int:
    if ts not in TS_RANGE:
        raise ValueError(f"{text!r} is not between 1677 and 2262")
    return ts


class Clock(Protocol):
    """Tells the time; never sleeps."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; may jump when the machine's clock is set."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed instant; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class FakeClock:
    """A clock that moves only when told to; for tests and for producing history."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._monotonic_ns = 0

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._now_ns += round(seconds * NS_PER_S)
        self._monotonic_ns += round(seconds * NS_PER_S)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back by `seconds`; the monotonic clock does not notice."""
        self._now_ns += round(seconds * NS_PER_S)
