"""A car that drives a cycle, and what a charge costs at the wall afterwards.

    physics = CarPhysics(with_test_driver(parameters), state_of_charge=0.8, temperature_degc=20.0)
    drive = follow(physics, standard_cycle("WLTC3b"), ambient_degc=20.0)
    drive.energy_j, drive.distance_m, drive.series["speed_kmh"]
    recharge_wall_j(parameters, state_of_charge=0.7, limit=0.8)

Rules:
- Fixed steps of 0.1 s or a little less; the driver knows the speed that is wanted at a step's end.
- Climate and lights are off, as they are on a dynamometer.
- A row of the series stands for the second up to it: its power is the mean, all else is at its end.
- The slope is that of the road where the car is, also where it has fallen behind.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from contactor.errors import ContactorError
from contactor.physics.car import CarPhysics
from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.cycles.cycle import Cycle, Values
from contactor.physics.parameters import CarParameters
from contactor.physics.state import CarState, Controls

STEP_S, ROW_STEPS = 0.1, 10
# More than tyres hold: whoever drives a cycle asks for what it asks for.
ASKED_MAX_MPS2 = 15.0
# Behind by more than this a car does not drive the cycle (the tolerance of UN GTR 15 is 2 km/h).
BEHIND_KMH = 2.0
# From this part on, motor or battery give all they may: power is limited at the speed asked for,
# and the pedal tells of the speed that is reached, up to 3 % less.
ALL = 0.95
ALMOST = 0.99  # of the top speed is at it
EMPTY = 0.001
COLUMNS = (
    "time_s",
    "speed_target_kmh",
    "speed_kmh",
    "distance_km",
    "battery_power_kw",
    "battery_voltage_v",
    "battery_current_a",
    "soc_pct",
    "battery_temperature_degc",
    "motor_temperature_degc",
    "ambient_degc",
)
CHARGE_STEP_S = 10.0
CHARGE_AT_DEGC = 25.0
# Ten days: slower no charge ends.
CHARGE_STEPS = 86_400


@dataclass(slots=True, kw_only=True)
class CycleDrive:
    """What a drive took.

    Fields:
        energy_out_j, energy_in_j: out of the battery, and what came back into it.
        behind_s: how long the car was more than 2 km/h slower than wanted.
        at_limit_s: how long of this motor or battery gave all that they may, or the car was at its
            top speed.
        empty_s: when the battery was empty; None where it never was.
        series: a column each of `COLUMNS`, (rows,); battery power and current are + into it.
    """

    duration_s: float = 0.0
    distance_m: float = 0.0
    energy_out_j: float = 0.0
    energy_in_j: float = 0.0
    state_of_charge_start: float = 0.0
    state_of_charge_end: float = 0.0
    speed_error_max_kmh: float = 0.0
    speed_error_max_at_s: float = 0.0
    behind_s: float = 0.0
    at_limit_s: float = 0.0
    empty_s: float | None = None
    series: Mapping[str, Values] = field(default_factory=dict)

    @property
    def energy_j(self) -> float:
        """Out of the battery, less what came back."""
        return self.energy_out_j - self.energy_in_j


def with_test_driver(parameters: CarParameters) -> CarParameters:
    """The same car with a driver who presses the pedals as hard as a cycle asks for."""
    driver = dataclasses.replace(
        parameters.driver,
        acceleration_max_mps2=ASKED_MAX_MPS2,
        deceleration_max_mps2=ASKED_MAX_MPS2,
    )
    return dataclasses.replace(parameters, driver=driver)


def follow(
    physics: CarPhysics, cycle: Cycle, *, ambient_degc: float, repeat: int = 1
) -> CycleDrive:
    """Drive a cycle, `repeat` times without a break.

    Args:
        physics: the car; it begins as fast as the cycle does.
        ambient_degc: of the air, where the cycle does not say.
    """
    steps = math.ceil(cycle.duration_s / STEP_S - 1e-6)
    dt_s = cycle.duration_s / steps
    times_s = np.arange(1, steps + 1) * dt_s
    targets_mps = np.interp(times_s, cycle.time_s, cycle.speed_mps).tolist()
    airs_degc = [ambient_degc]
    if cycle.ambient_degc is not None:
        airs_degc = np.interp(times_s, cycle.time_s, cycle.ambient_degc).tolist()
    grades = cycle.grades().tolist()
    per_piece_m = cycle.distance_m / len(grades) or 1.0
    state = physics.state
    state.speed_mps = state.target_speed_mps = float(cycle.speed_mps[0])
    record = _Record(state, physics.parameters, -(-steps // ROW_STEPS) * repeat)
    start_m, length_m = state.distance_m, cycle.distance_m or 1.0
    controls = Controls(is_driving=True, is_awake=True)
    for turn in range(repeat):
        for index in range(steps):
            controls.target_speed_mps = target_mps = targets_mps[index]
            controls.ambient_degc = airs_degc[index if len(airs_degc) > 1 else 0]
            if len(grades) > 1:
                on_road_m = (state.distance_m - start_m) % length_m
                controls.grade = grades[min(int(on_road_m / per_piece_m), len(grades) - 1)]
            else:
                controls.grade = grades[0]
            physics.step(dt_s, controls)
            time_s = turn * cycle.duration_s + (index + 1) * dt_s
            record.watch(time_s, dt_s, target_mps)
            if (index + 1) % ROW_STEPS == 0 or index + 1 == steps:
                record.add_row(time_s, target_mps)
    return record.end(cycle.duration_s * repeat)


class _Record:
    """Watches a drive, step by step."""

    def __init__(self, state: CarState, parameters: CarParameters, rows: int) -> None:
        self._state = state
        self._start_m = state.distance_m
        self._start_j = self._row_j = self._battery_j()
        self._start_in_j, self._start_out_j = state.battery_energy_in_j, state.battery_energy_out_j
        self._row_s = 0.0
        self._row = 0
        self._table = np.zeros((len(COLUMNS), rows))
        self._fast_mps = parameters.driveline.speed_max_kmh / KMH_PER_MPS * ALMOST
        self._most_a = parameters.battery.discharge_current_max_a * ALL
        self._drive = CycleDrive(state_of_charge_start=state.state_of_charge)

    def _battery_j(self) -> float:
        return self._state.battery_energy_in_j - self._state.battery_energy_out_j

    def watch(self, time_s: float, dt_s: float, target_mps: float) -> None:
        """Compare a step's end with what was wanted."""
        state, drive = self._state, self._drive
        error_kmh = (state.speed_mps - target_mps) * KMH_PER_MPS
        if abs(error_kmh) > drive.speed_error_max_kmh:
            drive.speed_error_max_kmh, drive.speed_error_max_at_s = abs(error_kmh), time_s
        if drive.empty_s is None and state.state_of_charge < EMPTY:
            drive.empty_s = time_s
        if error_kmh < -BEHIND_KMH:
            drive.behind_s += dt_s
            is_at_limit = state.accelerator_pct >= 100 * ALL or state.speed_mps >= self._fast_mps
            if is_at_limit or state.battery_current_a <= -self._most_a:
                drive.at_limit_s += dt_s

    def add_row(self, time_s: float, target_mps: float) -> None:
        """Keep what is so now, and the mean power since the row before."""
        state, battery_j = self._state, self._battery_j()
        self._table[:, self._row] = (
            time_s,
            target_mps * KMH_PER_MPS,
            state.speed_mps * KMH_PER_MPS,
            (state.distance_m - self._start_m) / 1000,
            (battery_j - self._row_j) / (time_s - self._row_s) / 1000,
            state.battery_voltage_v,
            state.battery_current_a,
            state.state_of_charge * 100,
            state.battery_temperature_degc,
            state.motor_temperature_degc,
            state.ambient_degc,
        )
        self._row += 1
        self._row_j, self._row_s = battery_j, time_s

    def end(self, duration_s: float) -> CycleDrive:
        """The drive as a whole."""
        state, drive = self._state, self._drive
        drive.duration_s = duration_s
        drive.distance_m = state.distance_m - self._start_m
        drive.energy_out_j = state.battery_energy_out_j - self._start_out_j
        drive.energy_in_j = state.battery_energy_in_j - self._start_in_j
        drive.state_of_charge_end = state.state_of_charge
        drive.series = dict(zip(COLUMNS, self._table, strict=True))
        return drive


def recharge_wall_j(
    parameters: CarParameters, *, state_of_charge: float, limit: float, seed: int = 1
) -> float:
    """What an AC charge at 25 °C draws from the wall, from one state of charge to another.

    Args:
        state_of_charge, limit: 0 to 1; nothing is drawn where the battery already holds `limit`.

    Raises:
        ContactorError: the car's charger gives less than the car needs to be awake.
    """
    if state_of_charge >= limit:
        return 0.0
    physics = CarPhysics(
        parameters, seed=seed, state_of_charge=state_of_charge, temperature_degc=CHARGE_AT_DEGC
    )
    controls = Controls(
        plug="ac",
        ambient_degc=CHARGE_AT_DEGC,
        charge_limit=limit,
        station_power_w=parameters.charging.ac_power_max_kw * 1000,
        station_phases=parameters.charging.ac_phases,
    )
    for _ in range(CHARGE_STEPS):
        before_j = physics.state.charge_wall_energy_j
        physics.step(CHARGE_STEP_S, controls)
        if physics.state.is_charge_done:
            return before_j
    raise ContactorError(
        f"an AC charge of {parameters.charging.ac_power_max_kw:g} kW does not fill the battery from"
        f" {state_of_charge:.1%} to {limit:.1%} in ten days"
    )
