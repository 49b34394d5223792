"""The car as a whole: energy and charge are accounted for, and its numbers are those of a car."""

import math
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.physics.calendar import start_of
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.plan import Plan

MONDAY = 20_717  # 2026-09-21
JANUARY_MONDAY = 20_465  # 2026-01-12
J_PER_KWH = 3.6e6
PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None

speeds = st.floats(0, 45)
grades = st.floats(-0.1, 0.1)
steps = st.sampled_from([0.01, 0.1, 0.5, 1.0])


def cruise(car: CarPhysics, kmh: float, ambient_degc: float) -> float:
    """The consumption at a constant speed, in kWh/100 km."""
    controls = Controls(
        target_speed_mps=kmh / 3.6, ambient_degc=ambient_degc, is_driving=True, is_climate_on=True
    )
    for _ in range(120):
        car.step(1.0, controls)
    state = car.state
    used_j = state.battery_energy_out_j - state.battery_energy_in_j
    moved_m = state.distance_m
    for _ in range(600):
        car.step(1.0, controls)
    used_j = state.battery_energy_out_j - state.battery_energy_in_j - used_j
    return used_j / J_PER_KWH / ((state.distance_m - moved_m) / 1e5)


def test_car_uses_what_such_cars_use_at_90_kmh(make_car: Callable[..., CarPhysics]) -> None:
    assert 14 < cruise(make_car(temperature_degc=20.0), 90, 20.0) < 16


def test_car_uses_more_when_it_is_faster_or_colder(make_car: Callable[..., CarPhysics]) -> None:
    at_90 = cruise(make_car(temperature_degc=20.0), 90, 20.0)
    assert cruise(make_car(temperature_degc=20.0), 130, 20.0) > 1.3 * at_90
    assert cruise(make_car(temperature_degc=-5.0), 90, -5.0) > 1.1 * at_90


def test_car_uses_what_such_cars_use_on_a_mixed_day(
    make_car: Callable[..., CarPhysics], live_through: Callable[..., None]
) -> None:
    car = make_car(temperature_degc=10.0)
    state = car.state
    used_j = 0.0

    def watch(_: object, dt_s: float, controls: Controls) -> None:
        nonlocal used_j
        used_j -= state.battery_power_w * dt_s if controls.plug == "none" else 0.0

    live_through(car, Plan(seed=1), start_of(JANUARY_MONDAY), hours=24, watch=watch)
    assert state.distance_m > 50_000
    assert 15 < used_j / J_PER_KWH / (state.distance_m / 1e5) < 18


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(speeds, grades, steps), min_size=1, max_size=40), st.floats(0.02, 1.0))
def test_car_accounts_for_all_energy(
    wishes: list[tuple[float, float, float]], state_of_charge: float
) -> None:
    car = CarPhysics(PARAMETERS, state_of_charge=state_of_charge, temperature_degc=15.0)
    state = car.state
    inertia_kg = PARAMETERS.body.mass_kg * (1 + PARAMETERS.body.rotating_mass)
    for target, grade, dt_s in wishes:
        before_mps, before_m = state.speed_mps, state.distance_m
        car.step(dt_s, Controls(target_speed_mps=target, grade=grade, is_driving=True))
        kinetic_w = inertia_kg * (state.speed_mps**2 - before_mps**2) / 2 / dt_s
        assert state.distance_m - before_m == pytest.approx(
            (state.speed_mps + before_mps) / 2 * dt_s, abs=0.02
        )
        # Wheels: what the motor gives is what the road, the brakes and the gear take.
        wheel_w = kinetic_w + state.road_load_power_w + state.friction_power_w
        gear_w = state.motor_power_w - wheel_w
        is_held = state.speed_mps < 0.02
        gear = PARAMETERS.driveline.gear_efficiency
        lost_w = wheel_w * (1 / gear - 1) if wheel_w > 0 else -wheel_w * (1 - gear)
        assert is_held or gear_w == pytest.approx(lost_w, rel=1e-6, abs=1e-3)
        # Battery: what it gives is what inverter and consumers take.
        taken_w = state.motor_electric_power_w + state.auxiliary_power_w + state.climate_power_w
        assert -state.battery_power_w == pytest.approx(taken_w, rel=1e-6, abs=1e-3)
        assert state.motor_electric_power_w >= state.motor_power_w - 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(speeds, grades, steps), min_size=1, max_size=60))
def test_car_integrates_voltage_times_current(wishes: list[tuple[float, float, float]]) -> None:
    car = CarPhysics(PARAMETERS, state_of_charge=0.5)
    state = car.state
    came_j = went_j = charge_as = 0.0
    begun = state.state_of_charge
    for target, grade, dt_s in wishes:
        car.step(dt_s, Controls(target_speed_mps=target, grade=grade, is_driving=True))
        power_w = state.battery_voltage_v * state.battery_current_a
        assert power_w == state.battery_power_w
        came_j += max(power_w, 0.0) * dt_s
        went_j += max(-power_w, 0.0) * dt_s
        charge_as += state.battery_current_a * dt_s
    assert state.battery_energy_in_j == pytest.approx(came_j, rel=1e-9, abs=1e-6)
    assert state.battery_energy_out_j == pytest.approx(went_j, rel=1e-9, abs=1e-6)
    capacity_as = PARAMETERS.battery.capacity_ah * 3600 * state.state_of_health
    assert state.state_of_charge == pytest.approx(begun + charge_as / capacity_as, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 1.0), st.floats(-25, 40), st.floats(5, 45), st.floats(-0.12, 0.0), steps)
def test_car_never_regenerates_more_than_it_may(
    state_of_charge: float, ambient_degc: float, speed_mps: float, grade: float, dt_s: float
) -> None:
    car = CarPhysics(PARAMETERS, state_of_charge=state_of_charge, temperature_degc=ambient_degc)
    state = car.state
    state.speed_mps = state.target_speed_mps = speed_mps
    battery, driveline = PARAMETERS.battery, PARAMETERS.driveline
    stop = Controls(target_speed_mps=0.0, grade=grade, ambient_degc=ambient_degc, is_driving=True)
    for _ in range(30):
        car.step(dt_s, stop)
        assert -state.motor_power_w <= driveline.regeneration_power_max_kw * 1000 * (1 + 1e-9)
        assert state.battery_current_a <= battery.charge_current_max_a
        assert state.cell_voltage_max_v <= battery.cell_voltage_max_v + 0.02
        assert state.state_of_charge <= 1.0
        assert state.acceleration_mps2 >= -PARAMETERS.body.brake_deceleration_mps2
    if ambient_degc < -21:
        assert state.battery_energy_in_j == 0


def test_full_or_cold_battery_leaves_the_work_to_the_brakes(
    make_car: Callable[..., CarPhysics],
) -> None:
    for conditions in ({"state_of_charge": 1.0}, {"temperature_degc": -25.0}):
        car = make_car(**conditions)
        car.state.speed_mps = car.state.target_speed_mps = 25.0
        ambient_degc = conditions.get("temperature_degc", 18.0)
        for _ in range(100):
            car.step(0.1, Controls(ambient_degc=ambient_degc, is_driving=True))
        assert car.state.speed_mps < 5
        assert car.state.battery_energy_in_j == pytest.approx(0.0, abs=50.0)


def test_car_regenerates_most_of_a_gentle_stop(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.6, temperature_degc=20.0)
    speed = 25.0
    car.state.speed_mps = car.state.target_speed_mps = speed
    kinetic_j = PARAMETERS.body.mass_kg * speed**2 / 2
    while speed > 0:
        speed = max(0.0, speed - 0.1)
        car.step(0.1, Controls(target_speed_mps=speed, ambient_degc=20.0, is_driving=True))
    assert 0.5 * kinetic_j < car.state.battery_energy_in_j < 0.9 * kinetic_j
    assert car.state.speed_mps == 0
    assert car.state.brake_pct < 20


def test_car_follows_its_target(
    make_car: Callable[..., CarPhysics], live_through: Callable[..., None]
) -> None:
    car = make_car(temperature_degc=15.0)
    worst = 0.0

    def watch(_: object, dt_s: float, controls: Controls) -> None:
        nonlocal worst
        worst = max(worst, abs(car.state.speed_mps - controls.target_speed_mps))

    start_ns = start_of(MONDAY) + 7 * 3600 * 10**9
    live_through(car, Plan(seed=3), start_ns, hours=1.5, dt_s=0.1, watch=watch)
    assert car.state.distance_m == pytest.approx(29_250, rel=2e-3)
    assert worst < 0.5


def test_car_is_the_same_at_any_step(
    make_car: Callable[..., CarPhysics], live_through: Callable[..., None]
) -> None:
    ends = []
    for dt_s in (0.1, 1.0):
        car = make_car(seed=2, temperature_degc=15.0)
        start_ns = start_of(MONDAY) + 7 * 3600 * 10**9
        live_through(car, Plan(seed=2), start_ns, hours=1.5, dt_s=dt_s)
        ends.append(car.state)
    fine, coarse = ends
    used = 0.8 - fine.state_of_charge
    assert used > 0.03
    assert coarse.state_of_charge == pytest.approx(fine.state_of_charge, abs=0.02 * used)
    assert coarse.distance_m == pytest.approx(fine.distance_m, rel=1e-3)
    assert coarse.battery_temperature_degc == pytest.approx(fine.battery_temperature_degc, abs=0.1)


def test_car_is_the_same_each_time(make_car: Callable[..., CarPhysics]) -> None:
    cars = [make_car(seed=7), make_car(seed=7)]
    for car in cars:
        for second in range(300):
            target = 20 + 10 * math.sin(second / 30)
            car.step(1.0, Controls(target_speed_mps=target, is_driving=True))
    assert asdict(cars[0].state) == asdict(cars[1].state)
    assert cars[0].cell_voltages_v() == cars[1].cell_voltages_v()


def test_car_stops_where_its_battery_is_empty(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.004)
    for _ in range(1200):
        car.step(1.0, Controls(target_speed_mps=25.0, is_driving=True))
    assert car.state.state_of_charge == 0
    assert car.state.speed_mps == 0
    assert car.state.battery_power_w == 0
    assert car.state.range_m == 0


def test_car_reaches_100_kmh_as_such_cars_do(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(temperature_degc=20.0)
    passed_s = 0.0
    fast = Controls(target_speed_mps=60.0, ambient_degc=20.0, is_driving=True)
    while car.state.speed_mps < 100 / 3.6:
        car.step(0.05, fast)
        passed_s += 0.05
    assert 6 < passed_s < 11
    while car.state.speed_mps < 45:
        car.step(0.05, fast)
        assert car.state.motor_power_w <= 210_000 * (1 + 1e-9)
        assert car.state.motor_torque_nm <= 350


def test_car_that_sleeps_gives_nothing(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(temperature_degc=30.0)
    for _ in range(600):
        car.step(60.0, Controls(is_awake=False, ambient_degc=5.0))
    state = car.state
    assert not state.is_awake
    assert state.battery_power_w == state.battery_energy_out_j == 0
    assert state.state_of_charge == 0.8
    assert state.cabin_temperature_degc == pytest.approx(5.0, abs=0.5)
    assert 5 < state.battery_temperature_degc < 30
    assert 12.6 < state.low_voltage_v < 12.7


def test_car_warms_its_cabin(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(temperature_degc=-5.0)
    for _ in range(900):
        car.step(1.0, Controls(ambient_degc=-5.0, is_climate_on=True, cabin_target_degc=22.0))
    assert car.state.cabin_temperature_degc == pytest.approx(22.0, abs=1.5)
    assert 500 < car.state.climate_power_w < 2500


def test_range_falls_by_what_is_driven(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(temperature_degc=20.0)
    cruise(car, 90, 20.0)
    range_m, distance_m = car.state.range_m, car.state.distance_m
    cruise(car, 90, 20.0)
    assert 300_000 < range_m < 500_000
    # Less than what was driven, where the car learns that it uses less than it thought.
    assert 0.2 < (range_m - car.state.range_m) / (car.state.distance_m - distance_m) < 1.2
