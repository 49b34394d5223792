"""The battery over time: its energy is accounted for at any step, and its RC pairs are exact."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.physics.battery import TractionBattery
from contactor.physics.car import CarPhysics, Controls, Impairments
from contactor.physics.pack import Pack

PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None
BATTERY = replace(
    PARAMETERS.battery, diffusion_resistance_ohm=0.02, diffusion_time_s=900.0, cooling_w_per_k=0.0
)
SOUND = Impairments()

currents = st.lists(
    st.tuples(st.floats(-200, 300), st.sampled_from([0.1, 1.0, 10.0, 60.0])), max_size=30
)


def battery_of(car: CarPhysics) -> TractionBattery:
    """A battery with two RC pairs that keeps its heat, in the place of the car's own."""
    return TractionBattery(BATTERY, car.state, seed=1)


@settings(max_examples=100, deadline=None)
@given(currents)
def test_what_the_cells_give_is_at_the_terminals_or_heat_or_stored(
    run: list[tuple[float, float]],
) -> None:
    car = CarPhysics(PARAMETERS, state_of_charge=0.6, temperature_degc=20.0)
    state, battery = car.state, battery_of(car)
    given_j = terminal_j = through_j = 0.0
    start_degc = state.battery_temperature_degc
    for current_a, dt_s in run:
        open_v = battery.pack.open_circuit_v(state.state_of_charge)
        battery.let_pass(dt_s, current_a, battery.source(dt_s, SOUND), 0.0, SOUND)
        given_j += open_v * current_a * dt_s
        terminal_j -= state.battery_power_w * dt_s
        through_j += abs(state.battery_power_w) * dt_s
    heat_j = (state.battery_temperature_degc - start_degc) * BATTERY.heat_capacity_j_per_k
    stored_j = sum(
        time_s / ohm * volt**2 / 2
        for volt, ohm, time_s in (
            (
                state.polarisation_v,
                BATTERY.polarisation_resistance_ohm,
                BATTERY.polarisation_time_s,
            ),
            (state.diffusion_v, BATTERY.diffusion_resistance_ohm, BATTERY.diffusion_time_s),
        )
    )
    assert given_j == pytest.approx(terminal_j + heat_j + stored_j, abs=1e-6 * through_j + 1e-3)
    assert heat_j >= -1e-6


@settings(max_examples=50, deadline=None)
@given(st.floats(-200, 300), st.integers(2, 30))
def test_one_long_step_is_many_short_ones(current_a: float, parts: int) -> None:
    ends = []
    for count in (1, parts):
        car = CarPhysics(PARAMETERS, state_of_charge=0.6, temperature_degc=20.0)
        battery = battery_of(car)
        dt_s = 60.0 / count
        for _ in range(count):
            battery.let_pass(dt_s, current_a, battery.source(dt_s, SOUND), 0.0, SOUND)
        ends.append(car.state)
    whole, cut = ends
    assert whole.polarisation_v == pytest.approx(cut.polarisation_v, abs=1e-9)
    assert whole.diffusion_v == pytest.approx(cut.diffusion_v, abs=1e-9)
    assert whole.state_of_charge == pytest.approx(cut.state_of_charge, abs=1e-6)


def test_pair_without_resistance_is_none() -> None:
    pack = Pack(replace(BATTERY, diffusion_resistance_ohm=0.0))
    _, diffusion = pack.pairs(1.0)
    assert diffusion.after(0.0, 200.0) == (0.0, 0.0)


def test_weak_cell_lies_below_the_others_and_ends_the_drive_early() -> None:
    weak = Impairments(weak_cell_lag=0.1)
    drive = Controls(target_speed_mps=20.0, is_driving=True, ambient_degc=20.0, impairments=weak)
    car = CarPhysics(PARAMETERS, state_of_charge=0.13, temperature_degc=20.0)
    car.step(1.0, replace(drive, impairments=SOUND))
    usual_v = car.state.cell_voltage_max_v - car.state.cell_voltage_min_v
    car.step(1.0, drive)
    assert car.state.cell_voltage_max_v - car.state.cell_voltage_min_v > usual_v + 0.1
    assert sum(car.cell_voltages_v()) == pytest.approx(car.state.battery_voltage_v, abs=1e-6)
    for _ in range(2400):
        car.step(1.0, drive)
    assert car.state.speed_mps == 0
    assert car.state.state_of_charge == pytest.approx(0.1, abs=1e-3)


def test_hot_battery_gives_less() -> None:
    car = CarPhysics(PARAMETERS, temperature_degc=20.0)
    battery = battery_of(car)
    most_a = []
    for degc in (20.0, 57.0, 70.0):
        car.state.battery_temperature_degc = degc
        most_a.append(battery.source(1.0, SOUND).give_a)
    assert most_a[0] > most_a[1] > most_a[2] == 0


def test_cells_drift_apart_towards_empty() -> None:
    spreads = []
    for charge in (0.9, 0.02):
        cells = CarPhysics(PARAMETERS, state_of_charge=charge).cell_voltages_v()
        spreads.append(max(cells) - min(cells))
    assert spreads[1] > 2 * spreads[0]
