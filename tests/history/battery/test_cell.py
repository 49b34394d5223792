"""The capacity of two cells aged by others, seen only as a car sees them: parts of discharges."""

import os
from pathlib import Path

import numpy as np
import pytest

from contactor.history.battery import Ends, Method, conclude, gather
from contactor.history.battery.evidence import Discharge
from contactor.history.battery.stitching import from_discharges
from contactor.history.facts import Facts
from tests.history.battery.cell import CYCLE_S, NS, Cycle, as_seen, cycles_of

NOTHING = Facts(intervals=(), trips=(), charges=(), stands=())
# All of it: CONTACTOR_TEST_CARS=20.
SEEDS = int(os.environ.get("CONTACTOR_TEST_CARS", "6"))
COLUMNS = ("Voltage_measured", "Current_measured", "Time", "cycle_idx")


def recorded(path: Path) -> np.ndarray:
    names = path.read_text().splitlines()[0].split(",")
    return np.loadtxt(
        path, delimiter=",", skiprows=1, usecols=[names.index(name) for name in COLUMNS]
    )


@pytest.mark.parametrize(("name", "empty_v"), [("B0005", 2.7), ("B0006", 2.5)])
def test_capacity_of_a_cell_that_never_tells_its_charge(
    name: str, empty_v: float, shared_data: Path
) -> None:
    cycles = cycles_of(recorded(shared_data / "ageing" / f"{name}.csv"))
    true = np.array([one.capacity_ah for one in cycles])
    # What the full cell rests at is known: it was charged full before each of the first cycles.
    ends = Ends(full_v=float(np.mean([one.rest_v for one in cycles[:10]])), empty_v=empty_v)
    errors = []
    for seed in range(SEEDS):
        columns = as_seen(cycles, np.random.default_rng(100 + seed))
        report = conclude(gather(columns, NOTHING), ends=ends)
        assert report.method is Method.VOLTAGE_CURVE
        points = _every_point(gather(columns, NOTHING).discharges, ends)
        number = ((points[:, 0] - columns.ts[0]) // (CYCLE_S * NS)).astype(int)
        errors.append((points[:, 1] / true[number] - 1)[number >= 19])
    assert np.sqrt(np.mean(np.concatenate(errors) ** 2)) <= 0.03


def made(count: int) -> list[Cycle]:
    """A cell that loses 0.15 % with each cycle, its curve bent at both ends."""
    cycles = []
    for number in range(count):
        capacity_ah = 2.0 * (1 - 0.0015 * number)
        ohm = 0.1 * (1 + 0.002 * number)
        time_s = np.arange(0.0, capacity_ah / 2.0 * 3600, 15.0)
        depth = 2.0 * time_s / 3600 / capacity_ah
        rest_v = 4.18 - 0.65 * depth - 0.9 * depth**12 - 0.03 * (1 - np.exp(-depth / 0.02))
        current = np.full(len(time_s), -2.0)
        cycles.append(Cycle(time_s, rest_v + current * ohm, current, 4.18, capacity_ah))
    return cycles


def test_capacity_of_a_cell_that_is_made_up() -> None:
    cycles = made(100)
    ends = Ends(full_v=4.18, empty_v=float(cycles[0].voltage_v[-1]))
    columns = as_seen(cycles, np.random.default_rng(3))
    points = _every_point(gather(columns, NOTHING).discharges, ends)
    number = ((points[:, 0] - columns.ts[0]) // (CYCLE_S * NS)).astype(int)
    true = np.array([one.capacity_ah for one in cycles])
    errors = (points[:, 1] / true[number] - 1)[number >= 19]
    assert np.sqrt(np.mean(errors**2)) <= 0.03


def test_a_few_discharges_tell_nothing() -> None:
    columns = as_seen(made(6), np.random.default_rng(3))
    assert conclude(gather(columns, NOTHING)).capacity_kwh is None


def _every_point(discharges: tuple[Discharge, ...], ends: Ends) -> np.ndarray:
    return np.array([(one.ts_ns, one.ah) for one in from_discharges(discharges, ends)])
