"""The 12 V battery, the phases of a station, preconditioning, the governor and warm motors."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.physics.car import CarPhysics, Controls, Impairments
from contactor.physics.charger import ac_wall_w
from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.parameters import CarParameters

ASLEEP = Controls(is_awake=False, ambient_degc=15.0)


def test_sleep_drains_the_12_v_battery_until_the_car_wakes_to_fill_it(
    make_car: Callable[..., CarPhysics], parameters: CarParameters
) -> None:
    car = make_car()
    state, auxiliaries = car.state, parameters.auxiliaries
    hours = 0.0
    while not state.is_awake:
        resting_v = state.low_voltage_v
        car.step(60.0, ASLEEP)
        hours += 1 / 60
        assert hours < 2000
    lost_wh = (1 - auxiliaries.low_voltage_wake_at) * auxiliaries.low_voltage_capacity_wh
    assert hours == pytest.approx(lost_wh / auxiliaries.sleep_drain_w, rel=0.01)
    assert resting_v < 12.5
    before_j = state.battery_energy_out_j
    awake_s = 0.0
    while state.is_awake:
        car.step(60.0, ASLEEP)
        awake_s += 60.0
        assert awake_s < 6 * 3600
    assert state.low_voltage_charge == pytest.approx(0.9, abs=0.02)
    filled_wh = (0.9 - auxiliaries.low_voltage_wake_at) * auxiliaries.low_voltage_capacity_wh
    used_wh = (state.battery_energy_out_j - before_j) / 3600 - auxiliaries.base_w * awake_s / 3600
    assert used_wh == pytest.approx(filled_wh / auxiliaries.dcdc_efficiency, rel=0.1)


def test_empty_traction_battery_leaves_the_12_v_one_alone(
    make_car: Callable[..., CarPhysics],
) -> None:
    car = make_car(state_of_charge=0.0)
    car.state.low_voltage_charge = 0.3
    car.step(60.0, ASLEEP)
    assert not car.state.is_awake
    assert car.state.low_voltage_charge < 0.3


@given(
    st.floats(0, 50e3),
    st.sampled_from([1, 3]),
    st.sampled_from([1, 2, 3]),
    st.floats(1380, 11e3),
    st.floats(500, 44e3),
)
def test_car_takes_no_more_than_the_phases_of_both(
    station_w: float, station_phases: int, phases: int, phase_max_w: float, most_w: float
) -> None:
    wall_w = ac_wall_w(station_w, station_phases, phases, phase_max_w, most_w)
    shared = min(station_phases, phases)
    assert 0 <= wall_w <= min(station_w * (1 + 1e-12), most_w)
    assert wall_w <= shared * phase_max_w
    assert wall_w <= station_w * shared / station_phases * (1 + 1e-12)


def test_one_phase_car_takes_a_third_of_a_three_phase_station(parameters: CarParameters) -> None:
    charging = replace(parameters.charging, ac_phases=1, ac_current_max_a=32.0, ac_power_max_kw=6.6)
    car = CarPhysics(replace(parameters, charging=charging), state_of_charge=0.3)
    at_wall_w = []
    for phases, power_w in ((3, 11e3), (1, 7.4e3)):
        plugged = Controls(
            plug="ac", station_power_w=power_w, station_phases=phases, is_awake=False
        )
        for _ in range(30):
            car.step(1.0, plugged)
        at_wall_w.append(car.state.charge_wall_power_w)
    assert at_wall_w == pytest.approx([11e3 / 3, 6.6e3], abs=1)


def test_preconditioning_warms_cabin_and_battery_from_the_wall(
    make_car: Callable[..., CarPhysics],
) -> None:
    car = make_car(state_of_charge=0.8, temperature_degc=-5.0)
    plugged = Controls(
        plug="ac",
        station_power_w=11e3,
        charge_limit=0.8,
        ambient_degc=-5.0,
        is_awake=False,
        is_preconditioning=True,
    )
    for _ in range(1800):
        car.step(1.0, plugged)
    state = car.state
    assert state.is_awake
    assert state.cabin_temperature_degc == pytest.approx(21, abs=1.5)
    assert state.battery_temperature_degc > 8
    assert state.state_of_charge == pytest.approx(0.8, abs=1e-3)
    assert state.charge_wall_energy_j > 2e6


def test_weak_socket_carries_what_it_can_and_the_battery_the_rest(
    make_car: Callable[..., CarPhysics],
) -> None:
    car = make_car(state_of_charge=0.8, temperature_degc=-10.0)
    socket = Controls(
        plug="ac",
        station_power_w=1840.0,
        station_phases=1,
        ambient_degc=-10.0,
        is_awake=False,
        is_preconditioning=True,
    )
    car.step(1.0, socket)
    state = car.state
    assert state.charge_wall_power_w == pytest.approx(1840.0)
    wants_w = state.auxiliary_power_w + state.climate_power_w
    assert -state.battery_power_w == pytest.approx(wants_w - (1840 - 150) * 0.95, rel=1e-6)


def test_warmed_battery_charges_faster(make_car: Callable[..., CarPhysics]) -> None:
    powers_w = []
    for is_preconditioning in (False, True):
        car = make_car(state_of_charge=0.4, temperature_degc=-5.0)
        drive = Controls(
            target_speed_mps=28.0,
            ambient_degc=-5.0,
            is_driving=True,
            is_preconditioning=is_preconditioning,
        )
        for _ in range(1800):
            car.step(1.0, drive)
        for _ in range(60):
            car.step(1.0, Controls(plug="dc", station_power_w=150e3, ambient_degc=-5.0))
        powers_w.append(car.state.charge_power_w)
    assert powers_w[1] > 1.5 * powers_w[0]


def test_car_drives_no_faster_than_its_governor_lets_it(parameters: CarParameters) -> None:
    driveline = replace(parameters.driveline, speed_max_kmh=120.0)
    car = CarPhysics(replace(parameters, driveline=driveline))
    for _ in range(120):
        car.step(1.0, Controls(target_speed_mps=45.0, is_driving=True))
    assert car.state.speed_mps * KMH_PER_MPS == pytest.approx(120, abs=0.5)


def test_motor_without_coolant_gets_hot_and_gives_less(
    make_car: Callable[..., CarPhysics],
) -> None:
    speeds, warmths = [], []
    for impairments in (Impairments(), Impairments(cooling=0.0)):
        car = make_car(state_of_charge=0.95, temperature_degc=25.0)
        fast = Controls(
            target_speed_mps=45.0, ambient_degc=25.0, is_driving=True, impairments=impairments
        )
        for _ in range(3600):
            car.step(1.0, fast)
        speeds.append(car.state.speed_mps)
        warmths.append(car.state.motor_temperature_degc)
    assert speeds[0] > 44
    assert speeds[1] < 40
    assert warmths[0] < 130
    assert 140 < warmths[1] < 190
