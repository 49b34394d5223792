"""What happens to a virtual car: where its driver goes, when, how fast, in which weather.

    plan = Plan(seed=1, kind=PlanKind.DAY, live_from_ns=now_ns)
    plan.at(now_ns + 10 * NS_PER_S).target_speed_mps        # it drives: a drive begins at `now`

Rules:
- The same seed, kind and live_from give the same situation at any time, asked in any order.
- Before `live_from_ns` a car lives by its calendar. At `live_from_ns` it drives on if it drives;
  otherwise a drive begins two seconds later. Then the calendar goes on.
- A drive begins and ends at rest; its speed never changes by more than 2.5 m/s².
"""

from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from contactor.physics.calendar import NS_PER_S
from contactor.physics.days import Days
from contactor.physics.outside import QUARTER_NS, Outside
from contactor.physics.scenarios import Scenario, load_scenario
from contactor.physics.state import Plug
from contactor.physics.timeline import FAR_NS, Span

Gear: TypeAlias = Literal["P", "R", "N", "D"]

AC_STATION_W = 11_000.0
DC_STATION_W = 150_000.0
STATION_POWER_W: dict[Plug, float] = {"none": 0.0, "ac": AC_STATION_W, "dc": DC_STATION_W}


class PlanKind(StrEnum):
    """What kind of life a car has."""

    DAY = "day"
    DRIVE = "drive"
    PARKED = "parked"


class Situation(NamedTuple):
    """What there is at a moment, apart from the car itself.

    Fields:
        next_change_ns: until when nothing of this changes, for a car that stands; when the drive
            ends, for one that drives.
    """

    target_speed_mps: float
    grade: float
    ambient_degc: float
    plug: Plug
    station_power_w: float
    is_awake: bool
    is_driving: bool
    gear: Gear
    driver_door_open: bool
    latitude: float
    longitude: float
    altitude_m: float
    heading_deg: float
    are_lights_on: bool
    is_climate_on: bool
    next_change_ns: int
    station_phases: int = 3


class Plan:
    """The life of one car; it is asked for a moment, and keeps nothing but what it worked out."""

    __slots__ = (
        "_days",
        "_kind",
        "_outside",
        "_scenario",
        "_seed",
        "_span",
        "_standing",
        "_standing_from_ns",
    )

    def __init__(
        self,
        *,
        seed: int = 1,
        kind: PlanKind = PlanKind.DAY,
        live_from_ns: int | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        """Without `live_from_ns` the calendar is all there is; without a scenario, the commuter."""
        self._seed = seed
        self._kind = kind
        self._scenario = scenario or load_scenario("commuter")
        self._days = Days(
            self._scenario,
            seed=seed,
            live_ns=FAR_NS if live_from_ns is None else live_from_ns,
            is_endless=kind is PlanKind.DRIVE,
        )
        self._outside = Outside(
            self._scenario.climate,
            seed=seed,
            level_m=self._scenario.parked_at(self._scenario.home).altitude_m,
        )
        self._span: Span | None = None
        self._standing: Situation | None = None
        self._standing_from_ns = 0

    def at(self, ts_ns: int) -> Situation:
        """The situation at a moment."""
        standing = self._standing
        if standing is not None and self._standing_from_ns <= ts_ns < standing.next_change_ns:
            return standing
        span = self._span
        if span is None or not span.start_ns <= ts_ns < span.end_ns:
            is_parked = self._kind is PlanKind.PARKED
            self._span = span = self._days.parked() if is_parked else self._days.at(ts_ns)
        drive = span.drive
        if drive is None:
            return self._stand(span, ts_ns)
        speed_mps, distance_m = drive.trace.at((ts_ns - drive.start_ns) / NS_PER_S)
        latitude, longitude, altitude_m, heading_deg, grade = drive.way.at(distance_m)
        return Situation(
            speed_mps,
            grade,
            self._outside.ambient_degc(ts_ns, altitude_m),
            "none",
            0.0,
            True,
            True,
            "D",
            False,
            latitude,
            longitude,
            altitude_m,
            heading_deg,
            self._outside.is_dark(ts_ns),
            True,
            span.end_ns,
        )

    def _stand(self, span: Span, ts_ns: int) -> Situation:
        """The situation of a car that stands; it is the same object until something changes."""
        point = span.point
        start_ns = ts_ns // QUARTER_NS * QUARTER_NS
        self._standing_from_ns = max(span.start_ns, start_ns)
        self._standing = Situation(
            target_speed_mps=0.0,
            grade=0.0,
            ambient_degc=self._outside.ambient_degc(ts_ns, point.altitude_m),
            plug=span.station.plug,
            station_power_w=span.station.power_w,
            station_phases=span.station.phases,
            is_awake=span.is_awake,
            is_driving=False,
            gear="P",
            driver_door_open=span.is_door_open,
            latitude=point.latitude,
            longitude=point.longitude,
            altitude_m=point.altitude_m,
            heading_deg=point.heading_deg,
            are_lights_on=False,
            is_climate_on=False,
            next_change_ns=min(span.end_ns, start_ns + QUARTER_NS),
        )
        return self._standing
