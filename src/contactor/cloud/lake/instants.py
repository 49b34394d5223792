"""Instants: ns since 1970 UTC inside, whatever the caller has outside.

    to_ns("2024-05-01T08:00:00Z"), to_ns(datetime(2024, 5, 1, 8, tzinfo=UTC))

Source: ISO 8601 (RFC 3339 section 5.6).
"""

from datetime import datetime
from typing import TypeAlias

from contactor.clock import from_datetime, from_iso
from contactor.errors import UsageError

Instant: TypeAlias = int | datetime | str
ALLOWED = "2024-05-01T08:00:00Z, 2024-05-01, 1677 to 2262"


def to_ns(instant: Instant) -> int:
    """The instant in ns UTC, exact to the ns; a date alone is its midnight UTC.

    Raises:
        UsageError: it is no instant, has no time zone, or is not between 1677 and 2262.
    """
    if isinstance(instant, bool) or not isinstance(instant, int | datetime | str):
        raise UsageError(f"{instant!r} is no instant; allowed: ns, an aware date-time, ISO 8601")
    if isinstance(instant, int):
        return instant
    try:
        if isinstance(instant, datetime):
            return from_datetime(instant)
        return from_iso(instant.strip(), zone=None)
    except ValueError as error:
        raise UsageError(f"{instant!r} is no instant: {error}; allowed: {ALLOWED}") from None
