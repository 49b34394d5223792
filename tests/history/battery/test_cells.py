"""Cells against each other, and resistance, from a battery that is made up."""

import numpy as np

from contactor.history.battery import CellVoltages, battery_report, gather
from contactor.history.columns import Columns
from contactor.history.facts import Facts, Trip

DAY_NS = 86_400 * 10**9
NOTHING = Facts(intervals=(), trips=(), charges=(), stands=())


def resting(days: int, cells: int, source: np.random.Generator) -> CellVoltages:
    """Cells that differ by 1 mV, the fifth of them lower, and lower by 0.2 mV each day."""
    offsets = source.normal(0, 0.001, cells)
    ts = np.arange(days * 4, dtype=np.int64) * DAY_NS // 4
    volts = 3.8 + offsets + source.normal(0, 0.0003, (len(ts), cells))
    volts[:, 4] -= 0.015 + 0.0002 * np.arange(len(ts)) / 4
    return CellVoltages(ts, volts)


def test_a_cell_that_falls_behind_is_named_with_its_pace() -> None:
    cells = resting(60, 96, np.random.default_rng(3))
    rows = Columns(ts=cells.ts, current_a=np.zeros(len(cells.ts)))
    found = battery_report(rows, NOTHING, cells=cells).cells
    assert found is not None
    assert [one.cell for one in found.outliers] == [5]
    outlier = found.outliers[0]
    assert -40 < outlier.away_mv < -15
    assert outlier.change_mv_per_year is not None
    assert abs(outlier.change_mv_per_year / (-0.2 * 365.25) - 1) < 0.1


def test_cells_under_current_are_not_looked_at() -> None:
    cells = resting(5, 12, np.random.default_rng(3))
    rows = Columns(ts=cells.ts, current_a=np.full(len(cells.ts), -50.0))
    assert gather(rows, NOTHING, cells=cells).cells == ()


def test_resistance_is_told_for_25_degrees() -> None:
    source = np.random.default_rng(5)
    seconds = np.arange(1200.0)
    ohm = 0.08
    ts, volts, amperes, trips = [], [], [], []
    for day, degc in enumerate([25.0, 0.0, 10.0, 25.0, 5.0, 20.0]):
        factor = float(np.exp(2400 * (1 / (degc + 273.15) - 1 / 298.15)))
        current = -np.repeat(source.uniform(0, 120, 120), 10)
        start_ns = day * DAY_NS
        ts.append(start_ns + (seconds * 1e9).astype(np.int64))
        amperes.append(current)
        volts.append(380 - seconds * 0.002 + ohm * factor * current)
        trips.append(trip(start_ns, start_ns + 1200 * 10**9, degc))
    columns = Columns(
        ts=np.concatenate(ts), voltage_v=np.concatenate(volts), current_a=np.concatenate(amperes)
    )
    facts = Facts(intervals=(), trips=tuple(trips), charges=(), stands=())
    found = battery_report(columns, facts).resistance
    assert found is not None
    assert abs(found.ohm - ohm) < found.uncertainty_ohm
    assert abs(found.ohm / ohm - 1) < 0.03


def trip(start_ns: int, end_ns: int, battery_degc: float) -> Trip:
    return Trip(
        start_ns=start_ns,
        end_ns=end_ns,
        distance_km=10.0,
        moving_s=1000.0,
        energy=None,
        soc_start_pct=None,
        soc_end_pct=None,
        speed_max_kmh=None,
        ambient_mean_degc=None,
        battery_mean_degc=battery_degc,
        elevation_gain_m=None,
        start_location=None,
        end_location=None,
    )
