"""An alert's rule as data: what is to be told, when not, to whom. Pure.

    name = "battery-low"
    severity = "warning"
    text = "The battery is nearly empty"
    quiet = { from = "22:00", to = "07:00", zone = "Europe/Berlin" }
    [on]
    kind = "signal"
    holds_s = 60
    [[on.when]]
    signal = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
    below = 15
    rearm = 20

A condition is said as a campaign says it: claims on signals that hold together.

    check_rule(rule)            # raises UsageError naming what is wrong and what is allowed
"""

import math
import re
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from contactor.errors import ContactorError, UsageError
from contactor.history.facts import Location
from contactor.history.geofence import LEAVE_MARGIN_M, MAX_POINTS, Circle, Fence, Polygon
from contactor.signals.campaign import MAX_CLAIMS, Claim, check_claim

MAX_RULES = 256
MAX_HOLDS_S = 7 * 86_400.0
MAX_PER_WINDOW = 1_000
LEAST_REMINDER_S = 60.0

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Seconds = Annotated[float, Meta(ge=0, le=MAX_HOLDS_S)]


class Severity(StrEnum):
    """How much it matters; critical ones are told in quiet hours too."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)
"""From least to most."""


class FactKind(StrEnum):
    """What can end."""

    TRIP = "trip"
    CHARGE = "charge"


class How(StrEnum):
    """How something ended: as it was meant to, before that, or either."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


class Crossing(StrEnum):
    """Which way a fence is passed."""

    ENTER = "enter"
    LEAVE = "leave"


class OnSignal(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="signal"):
    """Where all claims of `when` are so for `holds_s`; again once one of them was not."""

    when: Annotated[tuple[Claim, ...], Meta(min_length=1, max_length=MAX_CLAIMS)]
    holds_s: Seconds = 0.0


class OnFence(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fence"):
    """Where a circle or a polygon is entered or left.

    Args:
        latitude_deg, longitude_deg, radius_m: a circle; or
        points: the corners of a polygon, each its latitude and longitude.
        margin_m: how far outside it counts as left.
        holds_s: how long the car must be on the other side; a jump of its position is shorter.
    """

    crossing: Crossing
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    radius_m: float | None = None
    points: Annotated[tuple[tuple[float, float], ...], Meta(max_length=MAX_POINTS)] = ()
    margin_m: Annotated[float, Meta(ge=0, le=10_000)] = LEAVE_MARGIN_M
    holds_s: Seconds = 10.0


class OnFact(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fact"):
    """Where a trip or a charge has ended."""

    fact: FactKind
    how: How = How.ENDED


class OnAnomaly(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="anomaly"):
    """Where history shows an early warning.

    Args:
        anomalies: their kinds; any where there is none.
        least: the least severity.
    """

    anomalies: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    least: Severity = Severity.INFO


class OnSilence(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="connectivity"
):
    """Where a car that was not asleep has not been heard for `lost_s`."""

    lost_s: Annotated[float, Meta(ge=0, le=MAX_HOLDS_S)] = 600.0


Trigger: TypeAlias = OnSignal | OnFence | OnFact | OnAnomaly | OnSilence


class Quiet(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Hours in which nothing but critical alerts is sent; the rest is sent when they end.

    Args:
        start, end: HH:MM; over midnight where `end` is before `start`.
        zone: of the IANA database, as Europe/Berlin.
    """

    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]
    end: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]
    zone: Annotated[str, Meta(max_length=64)]


class AtMost(Struct, frozen=True, forbid_unknown_fields=True):
    """So many are sent of one rule and car within `in_s`; what is more is kept and not sent."""

    count: Annotated[int, Meta(ge=1, le=MAX_PER_WINDOW)] = 10
    in_s: Annotated[float, Meta(gt=0, le=MAX_HOLDS_S)] = 3600.0


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule.

    Args:
        text: the words of the message; made of the rule where there are none.
        vehicles: ids; every car where there is none.
        send_to: names of channels; all of them where there is none.
        remind_s: tell it again so often until it is acknowledged or over.
    """

    name: Name
    on: Trigger
    text: Line | None = None
    severity: Severity = Severity.WARNING
    vehicles: Annotated[tuple[Name, ...], Meta(max_length=10_000)] = ()
    send_to: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    quiet: Quiet | None = None
    at_most: AtMost = AtMost()
    remind_s: Annotated[float, Meta(ge=LEAST_REMINDER_S, le=MAX_HOLDS_S)] | None = None
    is_enabled: bool = True

    def is_about(self, vehicle_id: str) -> bool:
        """Whether the rule is for that car."""
        return self.is_enabled and (not self.vehicles or vehicle_id in self.vehicles)


def paths_of(rule: Rule) -> tuple[str, ...]:
    """The signals that a rule looks at."""
    if isinstance(rule.on, OnSignal):
        return tuple(dict.fromkeys(claim.signal for claim in rule.on.when))
    return POSITION if isinstance(rule.on, OnFence) else ()


@lru_cache(maxsize=MAX_RULES)
def fence_of(on: OnFence) -> Fence:
    """The fence of a rule.

    Raises:
        UsageError: it is neither a circle nor a polygon, or both.
        InvalidValue: no such fence is on the Earth.
    """
    circle = (on.latitude_deg, on.longitude_deg, on.radius_m)
    if on.points and circle == (None, None, None):
        return Polygon(tuple(Location(*point) for point in on.points))
    if on.latitude_deg is None or on.longitude_deg is None or on.radius_m is None or on.points:
        raise UsageError("on: allowed: latitude_deg, longitude_deg and radius_m, or points")
    return Circle(Location(on.latitude_deg, on.longitude_deg), on.radius_m)


POSITION = ("Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude")


def check_rule(rule: Rule, *, anomalies: frozenset[str] = frozenset()) -> None:
    """Whether the rule can be meant.

    Args:
        anomalies: the kinds that there are.

    Raises:
        UsageError: something of it contradicts itself, or is not known; the text says what.
    """
    try:
        _check_numbers(rule)
        if isinstance(rule.on, OnSignal):
            for place, claim in enumerate(rule.on.when):
                check_claim(f"on.when[{place}]", claim)
        if isinstance(rule.on, OnFence):
            fence_of(rule.on)
        if isinstance(rule.on, OnAnomaly):
            _check_anomalies(rule.on, anomalies)
        if rule.quiet is not None:
            _check_quiet(rule.quiet)
    except ContactorError as error:
        raise UsageError(f"rule {rule.name}: {error}") from error


def _check_numbers(rule: Rule) -> None:
    for where, part in (("on", rule.on), ("at_most", rule.at_most), ("", rule)):
        for name, value in msgspec.structs.asdict(part).items():
            if isinstance(value, float) and not math.isfinite(value):
                place = f"{where}.{name}".lstrip(".")
                raise UsageError(f"{place}: {value}; allowed: finite numbers")


def _check_anomalies(on: OnAnomaly, known: frozenset[str]) -> None:
    for kind in on.anomalies:
        if kind not in known:
            raise UsageError(f"on.anomalies: {kind[:64]!r}; allowed: {', '.join(sorted(known))}")


def _check_quiet(quiet: Quiet) -> None:
    if quiet.start == quiet.end:
        raise UsageError(f"quiet: from {quiet.start} to {quiet.end}; allowed: two times")
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", quiet.zone):
        raise UsageError(f"quiet.zone: {quiet.zone!r}; allowed: a name as Europe/Berlin")
    try:
        ZoneInfo(quiet.zone)
    except (OSError, ValueError, LookupError) as error:
        raise UsageError(f"quiet.zone: {quiet.zone!r}; allowed: a name as Europe/Berlin") from error
