"""When a message may be sent: quiet hours in the owner's time zone. Pure.

sending_ns(Quiet("22:00", "07:00", "Europe/Berlin"), at_ns)     # at_ns, or when they end
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contactor.clock import NS_PER_S, from_datetime
from contactor.history.alerts.rules import Quiet


def sending_ns(quiet: Quiet, at_ns: int) -> int:
    """The first instant from `at_ns` on that is not in the quiet hours, ns UTC.

    A wall clock that is set back or forth counts as it shows: an end that it skips is where it
    goes on.
    """
    zone = ZoneInfo(quiet.zone)
    local = datetime.fromtimestamp(at_ns // NS_PER_S, UTC).astimezone(zone)
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    now = local.time()
    if start < end:
        is_quiet, day = start <= now < end, local.date()
    else:
        is_quiet = now >= start or now < end
        day = local.date() + timedelta(days=1 if now >= start else 0)
    if not is_quiet:
        return at_ns
    return max(from_datetime(_first_after(datetime.combine(day, end), zone, at_ns)), at_ns)


def _first_after(wall: datetime, zone: ZoneInfo, at_ns: int) -> datetime:
    """That wall time as an instant: of two the one after `at_ns`, of none where time goes on."""
    instants = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    later = [one for one in sorted(instants) if from_datetime(one) > at_ns]
    return later[0] if later else instants[-1]
