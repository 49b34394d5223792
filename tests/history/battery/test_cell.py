"""The capacity of two cells aged by others, seen only as a car sees them: parts of discharges."""

import os
from pathlib import Path

import numpy as np
import pytest

from contactor.history.battery import Ends, Method, conclude, gather
from contactor.history.battery.evidence import Discharge
from contactor.history.battery.stitching import from_discharges
from contactor.history.facts import Facts
from tests.history.battery.cell import CYCLE_S, NS, as_seen, cycles_of

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


def _every_point(discharges: tuple[Discharge, ...], ends: Ends) -> np.ndarray:
    return np.array([(one.ts_ns, one.ah) for one in from_discharges(discharges, ends)])
