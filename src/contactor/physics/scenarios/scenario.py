"""What a scenario says, and the drives that come of it on a day.

    scenario = load_scenario("commuter")
    scenario.wishes(seed=1, day=20_717)         # to leave home for work at about half past seven
    scenario.way("home", "work").length_m

A day counts from 1970-01-01 in local time. The same seed and day give the same wishes.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from contactor.errors import UsageError
from contactor.physics.calendar import MINUTE_NS, Wish, start_of
from contactor.physics.road import Place, Point, Spot, Way, Zone, lay_out
from contactor.physics.state import Plug
from contactor.physics.weather import Climate

THURSDAY = 3  # 1970-01-01
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a car is plugged into at a place; no power is no plug."""

    plug: Plug = "none"
    power_w: float = 0.0
    phases: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Who drives, and with which habits.

    Fields:
        speed: of the limit, as a ratio to what is usual; acceleration: likewise.
        plug_in_every_days: at home after that many days; 1 is every evening.
        plug_in_below: and whenever the state of charge is below this, 0 to 1.
        charge_limit, fast_charge_limit: where a charge at home and a fast one on the way ends.
        does_precondition: cabin and battery are made ready before leaving, where the car is plugged
            in, and the battery on the way to a fast charger.
    """

    speed: float = 1.0
    acceleration: float = 1.0
    cabin_degc: float = 21.0
    plug_in_every_days: int = 2
    plug_in_below: float = 0.3
    charge_limit: float = 0.8
    fast_charge_limit: float = 0.8
    does_precondition: bool = False

    def plugs_in(self, *, seed: int, day: int, state_of_charge: float = 1.0) -> bool:
        """Whether the car is plugged in at home after that day's last drive."""
        is_due = (day + seed) % self.plug_in_every_days == 0
        return is_due or state_of_charge < self.plug_in_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A road between two places; see `physics.road` for what its numbers mean.

    Fields:
        stops: places along it, by how far they are from its beginning, in metres.
        fast_every_m: how far apart its fast chargers are; 0 where it has none.
    """

    begin: Place
    end: Place
    through: tuple[Spot, ...]
    zones: tuple[Zone, ...]
    wind_m: float
    wave_m: float
    stops: Mapping[Place, float] = field(default_factory=dict)
    fast_every_m: float = 0.0

    def way(self) -> Way:
        """The road, laid out; its last zone ends where it does."""
        spots = lay_out(self.through, wind_m=self.wind_m, wave_m=self.wave_m)
        whole = Way(spots, self.zones)
        last = self.zones[-1]._replace(until_m=whole.length_m)
        return Way(spots, (*self.zones[:-1], last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A way out and back, on some days of the week.

    Fields:
        goals: one of them is chosen each time.
        weekdays: 0 is Monday.
        share: on how many of these days, 0 to 1.
        leave_h, leave_spread_min: local time, and how much it may be off either way.
        back_h: when to leave for home; None after `stay_min`, the least and the most.
        via: a place where to stop on the way back for `via_min`, once a week.
    """

    goals: tuple[Place, ...]
    weekdays: tuple[int, ...]
    share: float
    leave_h: float
    leave_spread_min: float
    back_h: float | None
    back_spread_min: float
    stay_min: tuple[float, float]
    via: Place | None
    via_min: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """Some nights away: there on the first morning, back on the last."""

    month: int
    day: int
    nights: int
    goal: Place
    leave_h: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenario:
    """A life: the first place is home, where each ordinary day begins and ends."""

    name: str
    title: str
    first_day: int
    days: int
    state_of_charge: float
    stations: Mapping[Place, Station]
    roads: tuple[Road, ...]
    trips: tuple[Trip, ...]
    holidays: tuple[Holiday, ...]
    drivers: Mapping[str, Driver]
    climate: Climate

    @property
    def home(self) -> Place:
        """Where the car lives."""
        return next(iter(self.stations))

    @cached_property
    def ways(self) -> dict[tuple[Place, Place], Way]:
        """Every way, by where it begins and ends."""
        ways: dict[tuple[Place, Place], Way] = {}
        for road in self.roads:
            out = road.way()
            back, length_m = out.back(), out.length_m
            ways[road.begin, road.end], ways[road.end, road.begin] = out, back
            for place, at_m in road.stops.items():
                ways[road.begin, place] = out.part(0.0, at_m)
                ways[place, road.end] = out.part(at_m, length_m)
                ways[road.end, place] = back.part(0.0, length_m - at_m)
                ways[place, road.begin] = back.part(length_m - at_m, length_m)
        return ways

    def way(self, begin: Place, end: Place) -> Way:
        """The way from one place to another."""
        return self.ways[begin, end]

    def fast_every_m(self, begin: Place, end: Place) -> float:
        """How far apart the fast chargers on a road are; 0 where there are none."""
        ends = {begin, end}
        return next((one.fast_every_m for one in self.roads if {one.begin, one.end} == ends), 0.0)

    def parked_at(self, place: Place) -> Point:
        """Where a car stands at a place: at the end of a road there."""
        way = next(way for (_, end), way in self.ways.items() if end == place)
        return way.at(way.length_m)

    def driver(self, name: str | None) -> Driver:
        """A driver by name; None for the first.

        Raises:
            UsageError: there is none of that name.
        """
        if name is None:
            return next(iter(self.drivers.values()))
        if name not in self.drivers:
            known = ", ".join(self.drivers)
            raise UsageError(f"scenario {self.name}: no driver {name!r}; it has {known}")
        return self.drivers[name]

    def wishes(self, *, seed: int, day: int) -> list[Wish]:
        """Where the driver wants to go on an ordinary day, from home and back."""
        weekday = (day + THURSDAY) % 7
        wishes: list[Wish] = []
        for number, trip in enumerate(self.trips):
            source = random.Random(f"calendar {seed} {day} {number}")
            if weekday in trip.weekdays and source.random() < trip.share:
                wishes += self._there_and_back(trip, source, seed=seed, day=day)
        return sorted(wishes, key=lambda wish: wish.not_before_ns)

    def _there_and_back(
        self, trip: Trip, source: random.Random, *, seed: int, day: int
    ) -> list[Wish]:
        start_ns = start_of(day)

        def about(hour: float, spread_min: float) -> int:
            return start_ns + int((hour * 60 + source.uniform(-spread_min, spread_min)) * MINUTE_NS)

        leave_ns = about(trip.leave_h, trip.leave_spread_min)
        goal = source.choice(trip.goals)
        stay_s = 0.0 if trip.back_h is not None else source.uniform(*trip.stay_min) * 60
        back_ns = leave_ns if trip.back_h is None else about(trip.back_h, trip.back_spread_min)
        there = Wish(leave_ns, self.home, goal)
        if trip.via is not None and (day + THURSDAY) % 7 == self._via_weekday(trip, seed):
            via_s = source.uniform(*trip.via_min) * 60
            return [
                there,
                Wish(back_ns, goal, trip.via, stay_s),
                Wish(back_ns, trip.via, self.home, via_s),
            ]
        return [there, Wish(back_ns, goal, self.home, stay_s)]

    def _via_weekday(self, trip: Trip, seed: int) -> int:
        return trip.weekdays[seed % len(trip.weekdays)]
