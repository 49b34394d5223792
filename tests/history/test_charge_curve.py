import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.history.charge_curve import TOLERANCE, charge_curve
from contactor.history.columns import Columns
from contactor.history.facts import Charge, Energy, EnergySource

S = 1_000_000_000
START_NS = 1_767_225_617 * S


def a_charge(seconds: float, source: EnergySource = EnergySource.POWER) -> Charge:
    energy = Energy(out_kwh=0.0, in_kwh=10.0, source=source, known_s=seconds)
    return Charge(
        start_ns=START_NS, end_ns=START_NS + int(seconds * S), kind=None, energy=energy,
        wall_kwh=None, soc_start_pct=None, soc_end_pct=None, power_max_kw=None,
        battery_mean_degc=None, location=None,
    )  # fmt: skip


def rows(power_w: np.ndarray, every_s: float = 1.0, **more: np.ndarray) -> Columns:
    ts = START_NS + (np.arange(len(power_w)) * every_s * S).astype(np.int64)
    return Columns(ts=ts, power_w=power_w, **more)


TAPER = np.concatenate([np.full(1_800, 9_000.0), np.full(1_801, 3_000.0)])
GROWN = np.cumsum(TAPER) / 3.6e6
LEVELS = {
    EnergySource.COUNTERS: ("charged_kwh", 1_234.5 + GROWN),
    EnergySource.STORED_ENERGY: ("stored_kwh", 20.0 + GROWN),
    EnergySource.STATE_OF_CHARGE: ("state_of_charge_pct", 40.0 + 2 * GROWN),
}


@pytest.mark.parametrize("source", EnergySource)
def test_curve_is_that_of_the_source_of_the_energy(source: EnergySource) -> None:
    columns = rows(TAPER)
    if source in LEVELS:
        name, level = LEVELS[source]
        columns = Columns(ts=columns.ts, power_w=np.full(len(TAPER), 5_000.0), **{name: level})  # type: ignore[arg-type]  # by name
    if source is EnergySource.VOLTAGE_CURRENT:
        volts = np.where(np.arange(len(TAPER)) % 60 == 0, 400.0, np.nan)
        columns = Columns(ts=columns.ts, voltage_v=volts, current_a=TAPER / 400)
    curve = charge_curve(columns, a_charge(3_600, source))
    assert curve is not None
    assert (curve.ts[0], curve.ts[-1]) == (START_NS, START_NS + 3_600 * S)
    grown = np.interp(START_NS + 1_800.0 * S - START_NS, curve.ts - START_NS, curve.kwh)
    assert (grown - curve.kwh[0]) / (curve.kwh[-1] - curve.kwh[0]) == pytest.approx(0.75, abs=0.01)


@given(st.lists(st.floats(300.0, 150_000.0), min_size=1, max_size=40), st.sampled_from([1, 30, 60]))
def test_curve_is_near_the_truth_with_few_points(powers: list[float], every_s: int) -> None:
    """Each power for ten minutes; rows of 30 s and more say it a row late at most."""
    told = np.repeat(powers, 600 // every_s)
    columns = rows(np.concatenate([told, told[-1:]]), every_s)
    curve = charge_curve(columns, a_charge(600 * len(powers)))
    assert curve is not None
    truth = np.concatenate([[0.0], np.cumsum(powers)]) / 6_000
    at = np.arange(len(powers) + 1) * 600.0 * S
    off = np.abs(np.interp(at, curve.ts - START_NS, curve.kwh) - truth)
    row_kwh = max(powers) * max(every_s, 60) / 3.6e6
    assert off.max() <= TOLERANCE * truth[-1] + row_kwh + 1e-3
    assert len(curve.ts) <= 4 * len(powers) + 2
    assert (np.diff(curve.kwh) >= 0).all()


def test_an_even_charge_is_a_straight_line() -> None:
    curve = charge_curve(rows(np.full(7_201, 7_000.0)), a_charge(7_200))
    assert curve is not None
    assert len(curve.ts) == 2
    assert curve.kwh == pytest.approx([0.0, 14.0])


def test_nothing_flows_in_a_silence() -> None:
    power = np.full(3_601, 6_000.0)
    columns = rows(power)
    heard = (np.arange(3_601) <= 900) | (np.arange(3_601) >= 2_700)
    columns = Columns(ts=columns.ts[heard], power_w=power[heard])
    curve = charge_curve(columns, a_charge(3_600))
    assert curve is not None
    grown = np.interp(np.array([920, 2_690]) * float(S), curve.ts - START_NS, curve.kwh)
    assert grown == pytest.approx([1.5, 1.5], abs=0.1)
    assert curve.kwh[-1] == pytest.approx(3.0, abs=0.01)


def test_there_is_no_curve_where_nothing_tells() -> None:
    columns = rows(np.full(100, np.nan))
    assert charge_curve(columns, a_charge(100)) is None
    assert charge_curve(columns, a_charge(100, EnergySource.COUNTERS)) is None
    assert charge_curve(columns, a_charge(100, EnergySource.VOLTAGE_CURRENT)) is None
    assert charge_curve(rows(np.zeros(100)), a_charge(100)) is None
    assert charge_curve(rows(np.full(100, -500.0)), a_charge(100)) is None
