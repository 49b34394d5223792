"""Instants: ns since 1970 UTC inside, whatever the caller has outside.

    to_ns("2024-05-01T08:00:00Z"), to_ns(datetime(2024, 5, 1, 8, tzinfo=UTC))
    to_iso(1_714_550_400_250_000_000)       # '2024-05-01T08:00:00.25Z'

Source: ISO 8601 (RFC 3339 section 5.6).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from contactor.clock import NS_PER_S
from contactor.errors import UsageError

Instant: TypeAlias = int | datetime | str

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FRACTION = re.compile(r"[.,](\d+)")


def to_ns(instant: Instant) -> int:
    """The instant in ns UTC, exact to the ns; a date alone is its midnight UTC.

    Raises:
        UsageError: it is no instant, or has no time zone.
    """
    if isinstance(instant, bool) or not isinstance(instant, int | datetime | str):
        raise UsageError(f"{instant!r} is no instant; allowed: ns, an aware date-time, ISO 8601")
    if isinstance(instant, int):
        return instant
    return _text_to_ns(instant.strip()) if isinstance(instant, str) else _datetime_to_ns(instant)


def _text_to_ns(text: str) -> int:
    if _DATE.fullmatch(text):
        text += "T00:00Z"
    fraction = _FRACTION.search(text)
    digits = fraction.group(1) if fraction else ""
    try:
        whole = datetime.fromisoformat(text.replace(fraction.group(), "", 1) if fraction else text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no instant of ISO 8601; one is 2024-05-01T08:00:00Z"
        ) from None
    return _datetime_to_ns(whole) + int(digits[:9].ljust(9, "0"))


def _datetime_to_ns(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise UsageError(f"{instant.isoformat()} has no time zone; append Z for UTC")
    elapsed = instant - _EPOCH
    seconds = elapsed.days * 86_400 + elapsed.seconds
    return seconds * NS_PER_S + elapsed.microseconds * 1_000


def to_iso(ts: int) -> str:
    """ISO 8601 in UTC with `Z` and as many fractional digits as needed."""
    seconds, ns = divmod(ts, NS_PER_S)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return whole + f".{ns:09d}".rstrip("0").rstrip(".") + "Z"
