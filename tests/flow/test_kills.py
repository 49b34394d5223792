"""Agent, broker and cloud killed -9 at random: the lake holds exactly what was produced."""

import time
from pathlib import Path

import pytest

from tests.flow.drives import make_drives
from tests.flow.flow import ROLES, Flow
from tests.flow.size import KILLS, SEED, WORKER_KILLS
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


def test_workers_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=6, count=400 * WORKER_KILLS)
    clouds = {f"ingest-{number}": f"ingest --partition {number}/2" for number in (1, 2)}
    with Flow(tmp_path, drives, seed=SEED, clouds=clouds) as flow:
        for number in range(WORKER_KILLS):
            time.sleep(flow.chance.uniform(0.0, 1.5))
            role = [*clouds, "agent", "broker"][number % 4]
            flow.restart(role, after_s=flow.chance.choice([0.0, 0.0, 0.4]))
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert not flow.ended
