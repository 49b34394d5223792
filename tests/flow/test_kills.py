"""Agent, broker and cloud killed -9 at random: the lake holds exactly what was produced."""

import time
from pathlib import Path

import pytest

from tests.flow.drives import make_drives
from tests.flow.flow import ROLES, Flow
from tests.flow.size import KILLS, SEED
from tests.flow.stored import check

pytestmark = pytest.mark.flow


def test_processes_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=400 * KILLS)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        for number in range(KILLS):
            time.sleep(flow.chance.uniform(0.0, 1.5))
            role = ROLES[number % len(ROLES)]
            flow.restart(role, after_s=flow.chance.choice([0.0, 0.0, 0.4]))
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert sum(flow.kills.values()) >= KILLS
    assert not flow.ended
