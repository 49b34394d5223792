"""Charging: what the wall gives, when it tapers, when it stops and when it begins again."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.physics.car import CarPhysics, Controls

PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None

AC = Controls(plug="ac", station_power_w=11_000.0, ambient_degc=20.0, is_awake=False)
DC = Controls(plug="dc", station_power_w=150_000.0, ambient_degc=20.0, charge_limit=1.0)


def charge(car: CarPhysics, controls: Controls, dt_s: float, at_most_s: float = 1e6) -> float:
    """Charge until it is done; returns how long it took."""
    passed_s = 0.0
    while passed_s < at_most_s:
        car.step(dt_s, controls)
        if not car.state.is_charging:
            break
        passed_s += dt_s
    return passed_s


@given(st.floats(0.1, 0.45), st.floats(0.5, 1.0), st.sampled_from([1.0, 10.0, 60.0]))
def test_charge_stops_exactly_at_its_limit(begin: float, limit: float, dt_s: float) -> None:
    car = CarPhysics(PARAMETERS, state_of_charge=begin, temperature_degc=20.0)
    fast = Controls(
        plug="dc", station_power_w=400_000.0, ambient_degc=20.0, charge_limit=limit, is_awake=False
    )
    charge(car, fast, dt_s)
    assert car.state.state_of_charge == pytest.approx(limit, abs=1e-5)
    assert car.state.state_of_charge <= limit + 1e-9
    assert car.state.charge_power_w == car.state.time_to_limit_s == 0
    assert not car.state.is_awake


def test_ac_takes_11_kw_from_the_wall(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.3, temperature_degc=20.0)
    charge(car, AC, 1.0, at_most_s=60)
    state = car.state
    assert state.is_charging
    assert state.is_awake
    assert state.charge_wall_power_w == pytest.approx(11_000, abs=1)
    assert state.charge_power_w == state.battery_power_w
    assert 0.88 < state.charge_power_w / state.charge_wall_power_w < 0.94
    estimated_s = state.time_to_limit_s
    took_s = charge(car, AC, 10.0)
    assert took_s == pytest.approx(estimated_s, rel=0.03)
    assert 3.5 < took_s / 3600 < 4.5
    assert state.charge_wall_energy_j > state.battery_energy_in_j


def test_dc_tapers(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.1, temperature_degc=25.0)
    power_w = {}
    passed_s = at_80_s = 0.0
    for _ in range(10_000):
        car.step(1.0, DC)
        passed_s += 1
        if not car.state.is_charging:
            break
        power_w[round(car.state.state_of_charge, 2)] = car.state.charge_power_w
        assert car.state.charge_wall_power_w <= 150_000 + 1e-6
        assert car.state.cell_voltage_max_v <= PARAMETERS.battery.cell_voltage_max_v + 0.02
        at_80_s = at_80_s or (passed_s if car.state.state_of_charge >= 0.8 else 0.0)
    assert power_w[0.3] > 140_000
    assert power_w[0.3] > power_w[0.6] > power_w[0.8] > power_w[0.9] > power_w[0.97]
    assert 20 < at_80_s / 60 < 40


def test_cold_battery_charges_slowly_and_is_warmed(make_car: Callable[..., CarPhysics]) -> None:
    cold, warm = (make_car(state_of_charge=0.2, temperature_degc=t) for t in (-5.0, 25.0))
    for car in (cold, warm):
        charge(car, DC, 1.0, at_most_s=60)
    assert cold.state.charge_power_w < 0.4 * warm.state.charge_power_w
    before_degc = cold.state.battery_temperature_degc
    charge(cold, DC, 1.0, at_most_s=600)
    assert cold.state.battery_temperature_degc > before_degc + 5


def test_charge_waits_until_it_is_allowed(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.5)
    car.step(
        1.0, Controls(plug="ac", station_power_w=11e3, is_charge_allowed=False, is_awake=False)
    )
    assert not car.state.is_charging
    assert car.state.charge_wall_power_w == 0
    car.step(1.0, AC)
    assert car.state.is_charging


def test_charge_goes_on_when_the_limit_is_raised(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.79, temperature_degc=20.0)
    charge(car, AC, 10.0)
    car.step(1.0, AC)
    assert not car.state.is_charging
    higher = Controls(plug="ac", station_power_w=11_000.0, charge_limit=0.85, is_awake=False)
    car.step(1.0, higher)
    assert car.state.is_charging


def test_wall_carries_what_is_awake_after_the_charge(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car(state_of_charge=0.9)
    for _ in range(60):
        car.step(60.0, Controls(plug="ac", station_power_w=11_000.0, is_climate_on=True))
    assert car.state.state_of_charge == 0.9
    assert car.state.charge_wall_power_w > car.state.auxiliary_power_w
    assert not car.state.is_charging


def test_plugged_car_does_not_drive_off(make_car: Callable[..., CarPhysics]) -> None:
    car = make_car()
    for _ in range(10):
        car.step(1.0, Controls(plug="ac", target_speed_mps=10.0, is_driving=True))
    assert car.state.speed_mps == 0
    assert car.state.distance_m == 0
