"""A car that follows a cycle: how fast, how far, for how much."""

from dataclasses import replace

import numpy as np
import pytest

from contactor.physics.car import CarPhysics
from contactor.physics.cycles import Cycle, cycle_names, standard_cycle
from contactor.physics.follow import CycleDrive, follow, recharge_wall_j, with_test_driver
from contactor.physics.parameters import CarParameters


def drive(
    parameters: CarParameters,
    cycle: Cycle,
    *,
    degc: float = 20.0,
    soc: float = 0.8,
    repeat: int = 1,
) -> CycleDrive:
    physics = CarPhysics(
        with_test_driver(parameters), seed=1, state_of_charge=soc, temperature_degc=degc
    )
    return follow(physics, cycle, ambient_degc=degc, repeat=repeat)


def cycle_of(time_s: list[float], speed_mps: list[float], **more: np.ndarray) -> Cycle:
    return Cycle(name="own", time_s=np.array(time_s), speed_mps=np.array(speed_mps), **more)


@pytest.mark.parametrize("name", cycle_names())
def test_car_drives_each_standard_cycle_as_it_is_written(parameters: CarParameters, name: str):
    cycle = standard_cycle(name)
    driven = drive(parameters, cycle)
    assert driven.speed_error_max_kmh < 2
    assert driven.behind_s == 0
    assert driven.distance_m == pytest.approx(cycle.distance_m, rel=0.001)
    assert driven.duration_s == cycle.duration_s
    assert 80 < driven.energy_j / 3.6 / driven.distance_m < 250
    assert 0 < driven.energy_in_j < driven.energy_out_j


def test_series_adds_up_to_the_drive(parameters: CarParameters):
    driven = drive(parameters, standard_cycle("US06"))
    series = driven.series
    assert len(series["time_s"]) == 600
    assert series["time_s"][[0, -1]].tolist() == pytest.approx([1, 600])
    assert -series["battery_power_kw"].sum() * 1000 == pytest.approx(driven.energy_j)
    assert series["distance_km"][-1] * 1000 == pytest.approx(driven.distance_m)
    assert series["soc_pct"][-1] == driven.state_of_charge_end * 100


def test_same_drive_is_the_same_to_the_last_bit(parameters: CarParameters):
    cycle = standard_cycle("UDDS")
    one, two = drive(parameters, cycle), drive(parameters, cycle)
    assert all((one.series[name] == two.series[name]).all() for name in one.series)


def test_weak_car_falls_behind_at_the_limit_of_its_motor(parameters: CarParameters):
    weak = replace(parameters, driveline=replace(parameters.driveline, power_max_kw=30.0))
    driven = drive(weak, standard_cycle("US06"))
    assert driven.speed_error_max_kmh > 10
    assert driven.behind_s > 50
    assert driven.at_limit_s == pytest.approx(driven.behind_s, rel=0.05)


def test_empty_battery_ends_the_drive_and_is_told(parameters: CarParameters):
    driven = drive(parameters, standard_cycle("HWFET"), soc=0.01)
    assert driven.empty_s is not None
    assert 200 < driven.empty_s < 700
    assert driven.state_of_charge_end == pytest.approx(0, abs=0.001)


def test_twice_the_cycle_is_twice_the_way(parameters: CarParameters):
    once = drive(parameters, standard_cycle("NEDC"))
    twice = drive(parameters, standard_cycle("NEDC"), repeat=2)
    assert twice.distance_m == pytest.approx(2 * once.distance_m, rel=1e-6)
    assert twice.duration_s == 2360
    assert twice.energy_j == pytest.approx(2 * once.energy_j, rel=0.02)


def test_hill_takes_the_energy_of_its_height(parameters: CarParameters):
    time_s = [0.0, 20, 120, 140]
    speeds = [0.0, 20, 20, 0]
    flat = drive(parameters, cycle_of(time_s, speeds))
    heights = np.array([400.0, 400, 480, 480])
    steep = drive(parameters, cycle_of(time_s, speeds, elevation_m=heights))
    lifted_j = parameters.body.mass_kg * 9.81 * 80
    # The driveline takes a part of it, less where it runs nearer to its best point.
    assert lifted_j < steep.energy_j - flat.energy_j < 1.25 * lifted_j


def test_air_is_as_warm_as_the_cycle_says(parameters: CarParameters):
    air = np.array([20.0, -10.0])
    driven = drive(parameters, cycle_of([0.0, 100], [20.0, 20], ambient_degc=air))
    assert driven.series["ambient_degc"][[49, -1]] == pytest.approx([5, -10])


def test_cycle_may_begin_at_speed(parameters: CarParameters):
    driven = drive(parameters, cycle_of([0.0, 100], [25.0, 25]))
    assert driven.speed_error_max_kmh < 0.1
    assert driven.distance_m == pytest.approx(2500)


def test_standing_takes_what_the_car_needs_to_be_awake(parameters: CarParameters):
    driven = drive(parameters, cycle_of([0.0, 60.25], [0.0, 0]))
    assert driven.distance_m == 0
    assert driven.series["time_s"][-1] == pytest.approx(60.25)
    assert driven.energy_j / 60.25 >= parameters.auxiliaries.base_w


def test_wall_gives_more_than_the_battery_takes(parameters: CarParameters):
    driven = drive(parameters, standard_cycle("WLTC3b"))
    wall_j = recharge_wall_j(
        parameters, state_of_charge=driven.state_of_charge_end, limit=driven.state_of_charge_start
    )
    assert 1 / 0.95 < wall_j / driven.energy_j < 1 / 0.8


def test_charger_of_one_phase_recharges_with_all_its_power(parameters: CarParameters):
    three = replace(parameters.charging, ac_power_max_kw=6.6, ac_phases=3, ac_current_max_a=32)
    one = replace(three, ac_phases=1)
    wall_j = [
        recharge_wall_j(replace(parameters, charging=each), state_of_charge=0.7, limit=0.8)
        for each in (three, one)
    ]
    assert wall_j[1] == pytest.approx(wall_j[0], rel=1e-3)


def test_full_battery_takes_nothing(parameters: CarParameters):
    assert recharge_wall_j(parameters, state_of_charge=0.8, limit=0.8) == 0
