"""Fleets live by the plans that virtual cars live by."""

import numpy as np
import pytest

from contactor.car.profiles.profile import load_profile
from contactor.errors import InvalidValue
from contactor.physics.car import CarPhysics
from contactor.physics.fleet.fleet import Fleet
from contactor.physics.fleet.plans import schedule_of
from contactor.physics.fleet.schedule import STANDS
from contactor.physics.plan import Plan, PlanKind
from tests.physics.conftest import controls_of

NS_PER_S = 1_000_000_000
MONDAY_NS = 1_772_406_000 * NS_PER_S  # 2026-03-01T23:00:00Z: local midnight
DAY_S = 86_400
PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None


def test_schedule_says_what_the_plans_say() -> None:
    plans = [Plan(seed=seed) for seed in (1, 2)]
    schedule = schedule_of(plans, start_ns=MONDAY_NS, seconds=2 * DAY_S)
    assert schedule.cars == 2
    assert schedule.ambient_degc.shape == (192, 2)
    for car, plan in enumerate(plans):
        for span in range(schedule.first[car], schedule.first[car + 1]):
            middle_s = (int(schedule.begin_s[span]) + int(schedule.end_s[span])) // 2
            now = plan.at(MONDAY_NS + middle_s * NS_PER_S)
            setting = schedule.settings[schedule.setting[span]]
            assert now.is_driving == (schedule.trace[span] != STANDS)
            assert (setting.plug, setting.is_awake) == (now.plug, now.is_awake)
            assert setting.station_power_w == now.station_power_w


def test_fleet_lives_a_plan_as_the_single_car_does() -> None:
    plan = Plan(seed=3)
    schedule = schedule_of([plan], start_ns=MONDAY_NS, seconds=DAY_S)
    fleet = Fleet(PARAMETERS, 1, state_of_health=0.97, temperature_degc=8.0)
    fleet.live(schedule)
    car = CarPhysics(PARAMETERS, state_of_health=0.97, temperature_degc=8.0)
    for second in range(DAY_S):
        now = plan.at(MONDAY_NS + second * NS_PER_S)
        after = plan.at(MONDAY_NS + (second + 1) * NS_PER_S)
        target = after.target_speed_mps if now.is_driving else 0.0
        car.step(1.0, controls_of(now, target_speed_mps=target))
    state, totals = car.state, fleet.totals
    assert state.distance_m > 10_000
    assert totals.distance_m[0] == pytest.approx(state.distance_m, rel=1e-3)
    # Height cools the single car as it drives; here only each quarter of an hour does.
    assert totals.battery_out_j[0] == pytest.approx(state.battery_energy_out_j, rel=5e-3)
    assert fleet.state_of_charge[0] == pytest.approx(state.state_of_charge, abs=2e-3)


def test_parked_car_has_no_drives() -> None:
    plan = Plan(seed=1, kind=PlanKind.PARKED)
    schedule = schedule_of([plan], start_ns=MONDAY_NS, seconds=3 * 3600)
    assert schedule.end_s.tolist() == [3 * 3600]
    assert np.array_equal(schedule.trace, [STANDS])


def test_wrong_beginnings_are_refused() -> None:
    with pytest.raises(InvalidValue, match="a multiple of 900000000000 is needed"):
        schedule_of([Plan()], start_ns=MONDAY_NS + 1, seconds=10)
    with pytest.raises(InvalidValue, match="0 cars for 10 s; at least one of each is needed"):
        schedule_of([], start_ns=MONDAY_NS, seconds=10)
