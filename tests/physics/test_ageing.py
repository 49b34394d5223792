"""Ageing: the published laws, whatever the steps; and what a car of some years has left."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.physics import ageing
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.constants import S_PER_DAY

PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None


@given(st.floats(3.2, 4.2), st.floats(-10, 50), st.integers(1, 40), st.floats(1, 4000))
def test_calendar_law_holds_however_time_is_cut(
    cell_v: float, temperature_degc: float, cuts: int, days: float
) -> None:
    per_s = ageing.calendar_of_voltage(cell_v) * ageing.calendar_of_warmth_per_s(temperature_degc)
    age = sum(per_s * days * S_PER_DAY / cuts for _ in range(cuts))
    alpha = (7.543 * cell_v - 23.75) * 1e6 * math.exp(-6976 / (temperature_degc + 273.15))
    assert ageing.lost_by_time(age) == pytest.approx(alpha * days**0.75, rel=1e-9)


@given(st.floats(3.0, 4.2), st.floats(0, 1), st.floats(1, 5000))
def test_cycle_law_holds(cell_v: float, depth: float, through_ah: float) -> None:
    age = ageing.cycling_per_ah(cell_v, depth) * through_ah
    beta = 7.348e-3 * (cell_v - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * depth
    assert ageing.lost_by_cycles(age) == pytest.approx(beta * through_ah**0.5, rel=1e-9)


@given(st.floats(0.5, 1.0))
def test_health_gives_ages_that_give_it_back(state_of_health: float) -> None:
    calendar, cycles = ageing.ages_of(state_of_health)
    lost = ageing.lost_by_time(calendar) + ageing.lost_by_cycles(cycles)
    assert 1 - lost == pytest.approx(state_of_health, abs=1e-12)


def stored_for_a_year(temperature_degc: float, state_of_charge: float) -> float:
    """The capacity that a new battery loses."""
    car = CarPhysics(
        replace(PARAMETERS, auxiliaries=replace(PARAMETERS.auxiliaries, sleep_drain_w=0.0)),
        state_of_charge=state_of_charge,
        state_of_health=1.0,
        temperature_degc=temperature_degc,
    )
    for _ in range(365):
        car.step(S_PER_DAY, Controls(is_awake=False, ambient_degc=temperature_degc))
    return 1 - car.state.state_of_health


def test_parked_car_ages_faster_when_it_is_warm_or_full() -> None:
    usual = stored_for_a_year(20.0, 0.5)
    assert 0.01 < usual < 0.03
    assert stored_for_a_year(35.0, 0.5) > 1.8 * usual
    assert stored_for_a_year(20.0, 1.0) > 1.3 * usual
    assert stored_for_a_year(0.0, 0.5) < 0.4 * usual


def test_aged_battery_holds_less_and_resists_more() -> None:
    drops = []
    for health in (1.0, 0.8):
        car = CarPhysics(PARAMETERS, state_of_health=health, temperature_degc=20.0)
        assert car.net_capacity_kwh == pytest.approx(82 * health, rel=0.01)
        before_v = car.state.battery_voltage_v
        for _ in range(10):
            car.step(1.0, Controls(target_speed_mps=40.0, ambient_degc=20.0, is_driving=True))
        drops.append((before_v - car.state.battery_voltage_v) / -car.state.battery_current_a)
    assert 1.1 < drops[1] / drops[0] < 1.45
