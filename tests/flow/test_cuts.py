"""The network cut: between cars and broker, and between broker and cloud."""

import time
from pathlib import Path

import pytest

from tests.flow.drives import make_drives
from tests.flow.flow import Flow
from tests.flow.proxy import HARMS
from tests.flow.size import CUTS, SEED
from tests.flow.stored import check

pytestmark = pytest.mark.flow


def test_network_cut_on_both_sides_loses_and_doubles_nothing(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=400 * CUTS)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        sides = (flow.car_side, flow.cloud_side)
        harms = [side.harms() for side in sides]
        for number in range(CUTS):
            time.sleep(flow.chance.uniform(0.0, 0.8))
            kind, duration_s = next(harms[number % 2])
            sides[number % 2].harm(kind, duration_s)
        time.sleep(1.0)
        flow.finish()
        assert not flow.ended, flow.logs()
    assert check(flow.data, drives.truth).is_empty()
    assert all(set(side.harmed) == set(HARMS) for side in sides)
    assert all(side.connections > 2 for side in sides)
