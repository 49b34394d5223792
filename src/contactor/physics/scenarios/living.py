"""One car lives a scenario, day after day; what it drove, charged and used.

    life = live(parameters, scenario, seed=1, on_progress=tell)
    life.drives, life.charges, life.days

Rules:
- Steps of 1 s while it drives, of 10 s where it is charged fast or made ready, of 60 s otherwise.
- On a road with fast chargers the driver goes as far as the car's range allows with some reserve,
  and charges there; where the battery is empty before, the drive is told as stranded and the car is
  towed to where it was going.
- The same seed gives the same life.
"""

import datetime as dt
import math
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from contactor.physics.calendar import EPOCH, MINUTE_NS, NS_PER_S, Wish, day_of, start_of
from contactor.physics.car import CarPhysics
from contactor.physics.constants import KMH_PER_MPS, S_PER_DAY
from contactor.physics.outside import Outside
from contactor.physics.parameters import CarParameters
from contactor.physics.road import SPACING_M, Place, Way
from contactor.physics.scenarios.life import COLUMNS, Day, Life, LivedCharge, LivedDrive
from contactor.physics.scenarios.scenario import Driver, Holiday, Scenario, Station
from contactor.physics.state import Controls
from contactor.physics.trace import Style, drive_along

PARKED_STEP_S, WATCHED_STEP_S = 60.0, 10.0
# How long before leaving a car is made ready.
READY_S = 900.0
# The charge with which a driver wants to arrive, and how much more than usual may be needed.
RESERVE, MARGIN = 0.1, 1.25
EMPTY = 1e-4
MOVING_MPS = 0.1
# A row of the series while the car stands, and while it drives.
STANDING_ROW_S, DRIVING_ROW_S = 300, 10


def live(
    parameters: CarParameters,
    scenario: Scenario,
    *,
    seed: int = 1,
    driver: Driver | None = None,
    days: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Life:
    """Let one car live a scenario.

    Args:
        driver: the scenario's first where none is given.
        days: as the scenario says where it is None.
        on_progress: told the days done, and all.
    """
    count = scenario.days if days is None else days
    one = _Living(parameters, scenario, seed, driver or scenario.driver(None))
    for number in range(count):
        one.live_day(scenario.first_day + number)
        on_progress(number + 1, count)
    return one.end()


class _Living:
    """A car in the middle of its life."""

    def __init__(
        self, parameters: CarParameters, scenario: Scenario, seed: int, driver: Driver
    ) -> None:
        self._scenario, self._seed, self._driver = scenario, seed, driver
        self._style = Style(driver.speed, driver.acceleration)
        self._place = scenario.home
        self._altitude_m = scenario.parked_at(scenario.home).altitude_m
        self._now_ns = start_of(scenario.first_day)
        self._outside = Outside(
            scenario.climate,
            seed=seed,
            level_m=self._altitude_m,
            first_day=scenario.first_day,
        )
        self._is_plugged = scenario.stations[scenario.home].plug != "none"
        self._controls = Controls(
            cabin_target_degc=driver.cabin_degc, charge_limit=driver.charge_limit
        )
        self._car = CarPhysics(
            parameters,
            seed=seed,
            state_of_charge=scenario.state_of_charge,
            temperature_degc=self._air_degc(),
        )
        state = self._car.state
        self._life = Life(
            state_of_charge_start=state.state_of_charge, state_of_health_start=state.state_of_health
        )
        self._charge: LivedCharge | None = None
        self._rows: list[tuple[float, ...]] = []
        self._row_after_s = 0.0

    # ── days ─────────────────────────────────────────────────────────────────────────────────────

    def live_day(self, day: int) -> None:
        """Do what the driver wants on a day, and stand until it ends."""
        date = EPOCH + dt.timedelta(day)
        self._life.days.append(Day(date=date))
        for wish in self._wishes(day, date):
            if wish.from_place != self._place:
                continue
            leave_ns = max(wish.not_before_ns, self._now_ns + int(wish.stay_s * NS_PER_S))
            self._stand(leave_ns, is_leaving=True)
            self._travel(wish.to_place)
        self._stand(start_of(day + 1), is_leaving=False)

    def _wishes(self, day: int, date: dt.date) -> list[Wish]:
        for holiday in self._scenario.holidays:
            begin = _begin(holiday, date)
            if begin is None or not begin <= date <= begin + dt.timedelta(holiday.nights):
                continue
            at_ns = start_of(day) + int(holiday.leave_h * 60 * MINUTE_NS)
            home = self._scenario.home
            if date == begin:
                return [Wish(at_ns, home, holiday.goal, 0.0)]
            if date == begin + dt.timedelta(holiday.nights):
                return [Wish(at_ns, holiday.goal, home, 0.0)]
            return []
        return self._scenario.wishes(seed=self._seed, day=day)

    # ── standing ─────────────────────────────────────────────────────────────────────────────────

    def _stand(self, until_ns: int, *, is_leaving: bool) -> None:
        """Stand, plugged in or not, until a moment; made ready where the driver leaves then."""
        station = self._scenario.stations[self._place] if self._is_plugged else Station()
        ready_ns = until_ns
        if is_leaving and self._driver.does_precondition and station.plug == "ac":
            ready_ns -= int(READY_S * NS_PER_S)
        controls = self._at_rest(station)
        if station.plug == "dc":
            controls.charge_limit = self._driver.fast_charge_limit
        while self._now_ns < until_ns:
            controls.is_preconditioning = self._now_ns >= ready_ns
            self._wait(controls, ready_ns if self._now_ns < ready_ns else until_ns)
        self._end_charge()

    def _at_rest(self, station: Station) -> Controls:
        return replace(
            self._controls,
            plug=station.plug,
            station_power_w=station.power_w,
            station_phases=station.phases,
            is_awake=False,
        )

    def _wait(self, controls: Controls, until_ns: int) -> None:
        """One step of standing."""
        state = self._car.state
        is_watched = controls.is_preconditioning or (state.is_charging and controls.plug == "dc")
        step_s = WATCHED_STEP_S if is_watched else PARKED_STEP_S
        step_s = min(step_s, (until_ns - self._now_ns) / NS_PER_S)
        wall_j, given_j = state.charge_wall_energy_j, self._given_j()
        controls.ambient_degc = self._air_degc()
        start = state.state_of_charge
        self._car.step(step_s, controls)
        self._watch_charge(controls, step_s, start, state.charge_wall_energy_j - wall_j)
        today = self._life.days[-1]
        today.wall_j += state.charge_wall_energy_j - wall_j
        if not state.is_charging:
            today.standing_j += self._given_j() - given_j
        self._pass(step_s, STANDING_ROW_S)

    def _watch_charge(self, controls: Controls, step_s: float, start: float, wall_j: float) -> None:
        state = self._car.state
        if not state.is_charging:
            self._end_charge()
            return
        charge = self._charge or LivedCharge(
            start_ns=self._now_ns,
            kind=controls.plug,
            place=self._place,
            duration_s=0.0,
            energy_j=0.0,
            wall_j=0.0,
            state_of_charge_start=start,
            state_of_charge_end=start,
        )
        self._charge = replace(
            charge,
            duration_s=charge.duration_s + step_s,
            energy_j=charge.energy_j + state.battery_power_w * step_s,
            wall_j=charge.wall_j + wall_j,
            state_of_charge_end=state.state_of_charge,
        )

    def _end_charge(self) -> None:
        if self._charge is not None:
            self._life.charges.append(self._charge)
            self._charge = None

    # ── driving ──────────────────────────────────────────────────────────────────────────────────

    def _travel(self, goal: Place) -> None:
        """Drive to a place, over as many fast chargers as it takes, and plug in there or not."""
        way = self._scenario.way(self._place, goal)
        every_m = self._scenario.fast_every_m(self._place, goal)
        begin, done_m = self._place, 0.0
        while done_m < way.length_m:
            end_m = self._as_far_as(done_m, way.length_m, every_m)
            is_there = end_m >= way.length_m
            self._drive(
                way.part(done_m, end_m), begin, goal if is_there else "on the way", not is_there
            )
            done_m, begin = end_m, "on the way"
            if not is_there:
                self._charge_fast()
        self._place = goal
        station = self._scenario.stations[goal]
        self._is_plugged = station.plug != "none" and (
            goal != self._scenario.home
            or self._driver.plugs_in(
                seed=self._seed,
                day=day_of(self._now_ns),
                state_of_charge=self._car.state.state_of_charge,
            )
        )

    def _as_far_as(self, done_m: float, length_m: float, every_m: float) -> float:
        """Where the next stop is: the end of the road, or a fast charger within reach."""
        state = self._car.state
        left_m = length_m - done_m
        usable = max(state.state_of_charge - RESERVE, 0.0) / max(state.state_of_charge, 0.01)
        reach_m = state.range_m * usable / MARGIN
        if every_m == 0 or left_m <= reach_m:
            return length_m
        first = math.floor(done_m / every_m) + 1
        last = math.floor((done_m + reach_m) / every_m)
        stop_m = max(first, last) * every_m
        return stop_m if stop_m < length_m - SPACING_M else length_m

    def _drive(self, way: Way, begin: Place, end: Place, is_to_charger: bool) -> None:
        """One drive; with the battery made ready where a fast charge follows."""
        car, state = self._car, self._car.state
        trace = drive_along(
            way, random.Random(f"drive {self._seed} {self._now_ns} {begin}"), self._style
        )
        seconds = math.ceil(trace.duration_s)
        speeds = trace.speeds_mps(np.arange(1, seconds + 1)).tolist()
        grades, heights_m = way.grades(), way.altitudes_m()
        controls = replace(
            self._controls,
            is_driving=True,
            is_awake=True,
            is_climate_on=True,
            is_preconditioning=is_to_charger and self._driver.does_precondition,
        )
        self._add_row()
        start_ns, start_m, start = self._now_ns, state.distance_m, state.state_of_charge
        out_j, in_j = state.battery_energy_out_j, state.battery_energy_in_j
        airs_degc = 0.0
        last = len(grades) - 1
        for second, speed in enumerate(speeds):
            place = min(int((state.distance_m - start_m) / SPACING_M), last)
            controls.target_speed_mps, controls.grade = speed, grades[place]
            if second % 60 == 0:
                self._altitude_m = heights_m[place]
                controls.ambient_degc = self._air_degc()
                controls.are_lights_on = self._outside.is_dark(self._now_ns)
            airs_degc += controls.ambient_degc
            car.step(1.0, controls)
            self._pass(1.0, DRIVING_ROW_S)
            if state.state_of_charge <= EMPTY and state.speed_mps < MOVING_MPS:
                break
        state.speed_mps = state.target_speed_mps = 0.0
        self._add_row()
        moved_m = state.distance_m - start_m
        out_j, in_j = state.battery_energy_out_j - out_j, state.battery_energy_in_j - in_j
        missed_m = way.length_m - moved_m if state.state_of_charge <= EMPTY else 0.0
        self._altitude_m = heights_m[-1]
        self._life.drives.append(
            LivedDrive(
                start_ns=start_ns,
                from_place=begin,
                to_place=end,
                duration_s=(self._now_ns - start_ns) / NS_PER_S,
                distance_m=moved_m,
                energy_out_j=out_j,
                energy_in_j=in_j,
                state_of_charge_start=start,
                state_of_charge_end=state.state_of_charge,
                ambient_degc=airs_degc / max(second + 1, 1),
                missed_m=missed_m if missed_m > SPACING_M else 0.0,
            )
        )
        today = self._life.days[-1]
        today.distance_m += moved_m
        today.driving_j += out_j - in_j

    def _charge_fast(self) -> None:
        """Charge at a fast charger on the way; the driver waits."""
        station = next(
            (one for one in self._scenario.stations.values() if one.plug == "dc"), Station()
        )
        controls = self._at_rest(station)
        controls.charge_limit = self._driver.fast_charge_limit
        before = self._place
        self._place = "on the way"
        self._wait(controls, self._now_ns + int(WATCHED_STEP_S * NS_PER_S))
        while self._car.state.is_charging:
            self._wait(controls, self._now_ns + int(WATCHED_STEP_S * NS_PER_S))
        self._end_charge()
        self._place = before

    # ── time and weather ─────────────────────────────────────────────────────────────────────────

    def _pass(self, step_s: float, row_s: int) -> None:
        """Time has passed: note the day's extremes, and a row now and then."""
        state, today = self._car.state, self._life.days[-1]
        self._now_ns += int(step_s * NS_PER_S)
        today.ambient_degc += state.ambient_degc * step_s / S_PER_DAY
        charge = state.state_of_charge
        today.state_of_charge_min = min(today.state_of_charge_min, charge)
        today.state_of_charge_max = max(today.state_of_charge_max, charge)
        if charge < RESERVE:
            today.low_s += step_s
        self._row_after_s -= step_s
        if self._row_after_s <= 0:
            self._row_after_s = row_s
            self._add_row()

    def _add_row(self) -> None:
        state = self._car.state
        self._rows.append(
            (
                (self._now_ns - start_of(self._scenario.first_day)) / NS_PER_S,
                state.speed_mps * KMH_PER_MPS,
                state.battery_power_w / 1000,
                state.state_of_charge * 100,
                state.battery_temperature_degc,
                state.cabin_temperature_degc,
                state.ambient_degc,
            )
        )

    def _air_degc(self) -> float:
        """Where the car is."""
        return self._outside.ambient_degc(self._now_ns, self._altitude_m)

    def _given_j(self) -> float:
        state = self._car.state
        return state.battery_energy_out_j - state.battery_energy_in_j

    def end(self) -> Life:
        """The life so far."""
        self._end_charge()
        life, state = self._life, self._car.state
        life.state_of_charge_end = state.state_of_charge
        life.state_of_health_end = state.state_of_health
        columns = np.array(self._rows, np.float64).reshape(-1, len(COLUMNS)).T
        life.series = dict(zip(COLUMNS, columns, strict=True))
        return life


def _begin(holiday: Holiday, date: dt.date) -> dt.date | None:
    """The first day of the holiday that a date may be in: this year's, or the last year's."""
    for year in (date.year, date.year - 1):
        begin = dt.date(year, holiday.month, holiday.day)
        if begin <= date:
            return begin
    return None
