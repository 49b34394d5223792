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

from contactor.physics.calendar import LOCAL_NS, MINUTE_NS, NS_PER_S, day_of
from contactor.physics.days import Days
from contactor.physics.scenarios import Scenario, load_scenario
from contactor.physics.state import Plug
from contactor.physics.timeline import FAR_NS, Span
from contactor.physics.weather import Weather, weather_of

Gear: TypeAlias = Literal["P", "R", "N", "D"]

QUARTER_NS = 15 * MINUTE_NS
AC_STATION_W = 11_000.0
DC_STATION_W = 150_000.0
STATION_POWER_W: dict[Plug, float] = {"none": 0.0, "ac": AC_STATION_W, "dc": DC_STATION_W}
# International Standard Atmosphere: 6.5 K colder with each kilometre; the weather is home's.
LAPSE_DEGC_PER_M = 0.0065
HOME_ALTITUDE_M = 460.0
MAX_DAYS = 8


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
        "_ambient_degc",
        "_days",
        "_is_dark",
        "_kind",
        "_quarter",
        "_scenario",
        "_seed",
        "_span",
        "_standing",
        "_standing_from_ns",
        "_weather",
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
        self._weather: dict[int, Weather] = {}
        self._span: Span | None = None
        self._standing: Situation | None = None
        self._standing_from_ns = 0
        self._quarter = -1
        self._ambient_degc, self._is_dark = 0.0, False

    def at(self, ts_ns: int) -> Situation:
        """The situation at a moment."""
        standing = self._standing
        if standing is not None and self._standing_from_ns <= ts_ns < standing.next_change_ns:
            return standing
        span = self._span
        if span is None or not span.start_ns <= ts_ns < span.end_ns:
            is_parked = self._kind is PlanKind.PARKED
            self._span = span = self._days.parked() if is_parked else self._days.at(ts_ns)
        quarter = ts_ns // QUARTER_NS
        if quarter != self._quarter:
            self._look_outside(quarter)
        drive = span.drive
        if drive is None:
            return self._stand(span)
        speed_mps, distance_m = drive.trace.at((ts_ns - drive.start_ns) / NS_PER_S)
        latitude, longitude, altitude_m, heading_deg, grade = drive.way.at(distance_m)
        return Situation(
            speed_mps,
            grade,
            self._ambient_degc - LAPSE_DEGC_PER_M * (altitude_m - HOME_ALTITUDE_M),
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
            self._is_dark,
            True,
            span.end_ns,
        )

    def _stand(self, span: Span) -> Situation:
        """The situation of a car that stands; it is the same object until something changes."""
        point = span.point
        start_ns = self._quarter * QUARTER_NS
        self._standing_from_ns = max(span.start_ns, start_ns)
        self._standing = Situation(
            target_speed_mps=0.0,
            grade=0.0,
            ambient_degc=self._ambient_degc
            - LAPSE_DEGC_PER_M * (point.altitude_m - HOME_ALTITUDE_M),
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

    def _look_outside(self, quarter: int) -> None:
        """Take in the weather of a quarter of an hour, counted from 1970 in UTC."""
        self._quarter = quarter
        local_ns = quarter * QUARTER_NS
        day = day_of(local_ns)
        weather = self._weather.get(day)
        if weather is None:
            if len(self._weather) >= MAX_DAYS:
                self._weather.clear()
            weather = self._weather[day] = weather_of(
                self._scenario.climate, seed=self._seed, day=day
            )
        index = (local_ns + LOCAL_NS) // QUARTER_NS % len(weather.is_dark)
        self._ambient_degc, self._is_dark = weather.ambient_degc[index], weather.is_dark[index]
