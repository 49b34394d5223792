"""A car that lives a scenario: energy is accounted for, the cold costs, habits show."""

from dataclasses import replace

import numpy as np
import pytest

from contactor.car.profiles.profile import load_profile
from contactor.physics.parameters import CarParameters
from contactor.physics.scenarios import load_scenario
from contactor.physics.scenarios.life import Life
from contactor.physics.scenarios.living import live
from contactor.physics.scenarios.scenario import Holiday


def physics_of(name: str) -> CarParameters:
    physics = load_profile(name).physics
    assert physics is not None
    return physics


OURS = physics_of("contactor_ev")


def consumption(life: Life) -> float:
    """Wh/km while driving."""
    energy_j = sum(one.energy_out_j - one.energy_in_j for one in life.drives)
    return energy_j / 3.6 / sum(one.distance_m for one in life.drives)


@pytest.fixture(scope="module")
def day() -> Life:
    return live(OURS, load_scenario("day"))


def test_day_is_driven_and_charged(day: Life) -> None:
    assert sum(one.distance_m for one in day.drives) > 55_000
    assert day.drives[0].from_place == day.drives[-1].to_place == "home"
    assert not any(one.missed_m for one in day.drives)
    assert [one.state_of_charge_end for one in day.charges][-1] == pytest.approx(0.8, abs=1e-3)
    assert all(one.wall_j > one.energy_j > 0 for one in day.charges)
    assert 120 < consumption(day) < 220


def test_energy_of_a_day_is_accounted_for(day: Life) -> None:
    driven_j = sum(one.energy_out_j - one.energy_in_j for one in day.drives)
    charged_j = sum(one.energy_j for one in day.charges)
    capacity_j = OURS.battery.energy_kwh * 3.6e6 * day.state_of_health_start
    gained = day.state_of_charge_end - day.state_of_charge_start
    left_j = charged_j - driven_j - sum(one.standing_j for one in day.days)
    # What is neither is the battery's own heat.
    assert -0.03 * driven_j < left_j - gained * capacity_j < 0.08 * driven_j
    assert sum(one.wall_j for one in day.days) == pytest.approx(
        sum(one.wall_j for one in day.charges), rel=0.02
    )


def test_series_runs_through_the_day(day: Life) -> None:
    time_s = day.series["time_s"]
    assert (np.diff(time_s) >= 0).all()
    assert time_s[-1] == pytest.approx(86_400, abs=400)
    assert day.series["speed_kmh"].max() > 90
    power_kw = day.series["battery_power_kw"]
    assert power_kw.max() > 5
    assert power_kw.min() < -5


def test_same_seed_gives_the_same_life_and_another_another(day: Life) -> None:
    again = live(OURS, load_scenario("day"))
    assert again.drives == day.drives
    assert again.charges == day.charges
    assert live(OURS, load_scenario("day"), seed=2).drives != day.drives


def test_winter_costs_more_than_summer() -> None:
    scenario = load_scenario("commuter")
    winter = live(OURS, scenario, days=2)
    summer = live(OURS, replace(scenario, first_day=scenario.first_day + 182), days=2)
    assert consumption(winter) > 1.08 * consumption(summer)


def test_drivers_have_their_habits() -> None:
    scenario = load_scenario("commuter")
    lives = {
        name: live(OURS, scenario, driver=scenario.driver(name), days=3)
        for name in ("calm", "brisk")
    }
    assert consumption(lives["brisk"]) > 1.1 * consumption(lives["calm"])
    at_home = {
        name: sum(one.place == "home" for one in life.charges) for name, life in lives.items()
    }
    assert at_home["calm"] > at_home["brisk"]


def test_driver_who_preconditions_leaves_with_a_warm_cabin() -> None:
    scenario = load_scenario("day")
    life = live(OURS, scenario, driver=scenario.driver("calm"))
    leaving = int(np.flatnonzero(life.series["speed_kmh"] > 5)[0])
    assert life.series["cabin_temperature_degc"][leaving] > 17


def test_holiday_is_reached_by_fast_charging_and_left_again() -> None:
    year = load_scenario("year")
    sea = next(one for one in year.holidays if one.goal == "sea")
    first = year.first_day + 197  # the day before the seaside
    away = replace(year, first_day=first, holidays=(replace(sea, nights=2),), trips=())
    life = live(OURS, away, days=5)
    assert next(one.from_place for one in life.drives) == "home"
    assert life.drives[-1].to_place == "home"
    assert sum(one.distance_m for one in life.drives) == pytest.approx(648_000, rel=0.02)
    on_the_way = [one for one in life.charges if one.place == "on the way"]
    assert len(on_the_way) >= 1
    assert all(one.kind == "dc" for one in on_the_way)
    assert not any(one.missed_m for one in life.drives)
    assert min(one.state_of_charge_min for one in life.days) > 0.04


def test_battery_that_is_empty_on_the_way_is_told() -> None:
    twizy = physics_of("renault_twizy")
    year = load_scenario("year")
    trip = Holiday(month=1, day=2, nights=3, goal="skiing", leave_h=8.0)
    life = live(twizy, replace(year, holidays=(trip,), trips=()), days=2)
    assert len(life.drives) == 1
    assert 5_000 < life.drives[0].missed_m < 55_000
    assert life.days[1].state_of_charge_min < 0.001


def test_car_in_the_warmth_ages_faster() -> None:
    scenario = replace(load_scenario("commuter"), trips=())
    lost = []
    for degc in (0.0, 30.0):
        climate = replace(
            scenario.climate, mean_degc=(degc,) * 12, day_swing_degc=0.0, day_spread_degc=0.0
        )
        life = live(OURS, replace(scenario, climate=climate), days=10)
        lost.append(life.state_of_health_start - life.state_of_health_end)
    assert lost[1] > 2 * lost[0] > 0
