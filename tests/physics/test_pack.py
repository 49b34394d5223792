"""The battery: its cells add up, its current solves its power, its energy is as stated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.cells import Cells
from contactor.physics.curve import Curve
from contactor.physics.equations import current_at_a
from contactor.physics.pack import Pack
from contactor.physics.parameters import CarParameters

PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None


def test_battery_holds_82_kwh(parameters: CarParameters) -> None:
    assert parameters.battery.energy_kwh == pytest.approx(82, abs=1)
    pack = Pack(parameters.battery)
    assert pack.stored_j(1.0, 1.0) / 3.6e6 == pytest.approx(parameters.battery.energy_kwh, rel=1e-4)
    assert pack.stored_j(0.0, 1.0) == 0


@given(st.floats(-200e3, 400e3), st.floats(250, 420), st.floats(0.03, 0.3))
def test_current_gives_the_power_exactly(power_w: float, source_v: float, ohm: float) -> None:
    current_a = current_at_a(power_w, source_v, ohm)
    most_w = source_v**2 / (4 * ohm)
    given_w = (source_v - current_a * ohm) * current_a
    assert given_w == pytest.approx(min(power_w, most_w), rel=1e-6, abs=1e-6)


def test_current_of_no_power_is_nothing() -> None:
    assert current_at_a(0.0, 350.0, 0.06) == 0


@settings(max_examples=40)
@given(
    st.integers(0, 1000),
    st.floats(250, 400),
    st.floats(-40, 40),
    st.floats(0, 1),
    st.sampled_from([0.0, 0.3]),
)
def test_cells_add_up_to_the_pack(
    seed: int, voltage_v: float, drop_v: float, state_of_charge: float, weak_v: float
) -> None:
    pack = Pack(PARAMETERS.battery)
    some = Cells(PARAMETERS.battery, pack.open_circuit, seed=seed)
    cells = some.voltages_v(voltage_v, drop_v, state_of_charge, weak_v)
    assert len(cells) == 96
    assert sum(cells) == pytest.approx(voltage_v, abs=1e-6)
    low, high = some.extremes_v(voltage_v, drop_v, state_of_charge, weak_v)
    assert low == pytest.approx(min(cells), abs=1e-12)
    assert high == pytest.approx(max(cells), abs=1e-12)
    assert weak_v - 0.1 < high - low < weak_v + 0.3


def test_cold_or_empty_battery_resists_more(parameters: CarParameters) -> None:
    pack = Pack(parameters.battery)
    usual = pack.resistance_ohm(0.5, 25.0)
    assert usual == pytest.approx(parameters.battery.resistance_ohm, rel=0.01)
    assert 1.8 * usual < pack.resistance_ohm(0.5, 0.0) < 2.5 * usual
    assert pack.resistance_ohm(0.0, 25.0) > 1.5 * usual


def test_cells_of_the_state_add_up_after_a_step(parameters: CarParameters) -> None:
    car = CarPhysics(parameters, seed=5)
    for _ in range(20):
        car.step(1.0, Controls(target_speed_mps=30.0, is_driving=True))
        cells, state = car.cell_voltages_v(), car.state
        assert sum(cells) == pytest.approx(state.battery_voltage_v, abs=1e-6)
        assert min(cells) == pytest.approx(state.cell_voltage_min_v, abs=1e-12)
        assert max(cells) == pytest.approx(state.cell_voltage_max_v, abs=1e-12)
    assert state.battery_current_a < 0


def test_curve_meets_its_points_and_holds_its_ends() -> None:
    curve = Curve([0.0, 0.25, 1.0], [1.0, 2.0, 5.0])
    assert [curve.at(x) for x in (0.0, 0.25, 0.625, 1.0)] == pytest.approx([1, 2, 3.5, 5])
    assert (curve.at(-1.0), curve.at(2.0)) == (1.0, 5.0)
    assert curve.integral().at(1.0) == pytest.approx(0.25 * 1.5 + 0.75 * 3.5)
