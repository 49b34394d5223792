"""Instants as people write them: ISO 8601, or so long ago.

parse_instant("2024-05-01T08:00:00Z", now_ns=now)
parse_instant("7d", now_ns=now)         # seven days before now
"""

import re

from contactor.clock import NS_PER_S, TS_RANGE, from_iso
from contactor.errors import UsageError

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_ALLOWED = "2024-05-01T08:00:00Z, or 7d, 12h, 30m before now"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_instant(text: str, *, now_ns: int) -> int:
    """Nanoseconds UTC of an ISO 8601 instant (without a zone: UTC) or of `7d`, `12h` before now.

    Raises:
        UsageError: it is neither, or not between 1677 and 2262.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is None:
            return from_iso(text)
        ts = now_ns - round(float(ago[1]) * _SECONDS[ago[2]] * NS_PER_S)
    except (ValueError, OverflowError):
        raise UsageError(f"{text[:80]!r} is no instant; allowed: {_ALLOWED}") from None
    if ts not in TS_RANGE:
        raise UsageError(f"{text[:80]!r} is before 1677; allowed: {_ALLOWED}")
    return ts
