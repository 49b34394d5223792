"""Instants, exact to the nanosecond: one given as text, and a column of them.

instant_ns("2024-05-01T08:00:00Z")      # 1714550400000000000
"""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_tally import Refusal
from contactor.clock import NS_PER_DAY

EPOCH = "epoch"
MAX_NS = 2**63 - 1

OUTSIDE = "time: outside 1970..2262"
FUTURE = "time: lies in the future"

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Instants:
    """`ts` int64 ns (n,) where `is_known` (n,), and why the others are not."""

    ts: NDArray[np.int64]
    is_known: NDArray[np.bool_]
    refusals: tuple[Refusal, ...] = ()

    def moved(self, offset_ns: int) -> "Instants":
        """Every instant later by `offset_ns`; what gets out of reach is no longer known."""
        low, high = max(-MAX_NS, -MAX_NS - offset_ns), min(MAX_NS, MAX_NS - offset_ns)
        fits = (self.ts >= low) & (self.ts <= high)
        ts = np.where(fits, self.ts, 0) + np.int64(offset_ns)
        return Instants(ts, self.is_known, self.refusals).without(~fits, OUTSIDE)

    def bounded(self, now_ns: int) -> "Instants":
        """Without instants before 1970, and more than a day after `now_ns`."""
        kept = self.without(self.ts < 0, OUTSIDE)
        return kept.without(kept.ts > min(now_ns + NS_PER_DAY, MAX_NS), FUTURE)

    def without(self, wrong: NDArray[np.bool_], reason: str) -> "Instants":
        """The known instants where `wrong` (n,) no longer known, for `reason`."""
        lost = self.is_known & wrong
        refusal = Refusal(reason, int(np.count_nonzero(lost)))
        return Instants(self.ts, self.is_known & ~lost, (*self.refusals, refusal))


def instant_ns(value: object) -> int:
    """int64 ns UTC of "epoch", an ISO 8601 text, or a TOML date-time; without offset it is UTC.

    Raises:
        ValueError: it is none of them, or before 1678 or after 2262.
    """
    if value == EPOCH:
        return 0
    moment = _datetime(value)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    ns = (aware - _EPOCH) // _MICROSECOND * 1_000
    if abs(ns) > MAX_NS:
        raise ValueError(f"{value!s:.60} is not in 1678..2262")
    return ns


def _datetime(value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    try:
        return dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{value!r:.60} is no instant") from error


def is_timezone(name: str) -> bool:
    """Whether `name` is in the time zone database."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
