"""Alerts over kill -9: each is told, and none fires twice."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from contactor.clock import FakeClock
from tests.cloud.alerts.receivers import receiver
from tests.cloud.alerts.support import opened

pytestmark = pytest.mark.processes

ROWS, KILLS = 300, 6
LIMIT_S = 120.0


def test_killed_process_loses_no_alert_and_fires_none_twice(tmp_path: Path) -> None:
    (tmp_path / "start").write_text(str(time.time_ns()))
    chance = random.Random(7)
    with receiver() as server:
        command = [sys.executable, "-m", "tests.cloud.alerts.killed", tmp_path, server.url]
        for _ in range(KILLS):
            process = subprocess.Popen([*command, str(ROWS)])
            known = len(server.taken)
            deadline = time.monotonic() + LIMIT_S
            while len(server.taken) == known and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.15))  # any moment of its work
            process.kill()
            process.wait(LIMIT_S)
        assert subprocess.run([*command, str(ROWS)], timeout=LIMIT_S).returncode == 0

    told = Counter(json.loads(one.body)["id"] for one in server.taken)
    fired = asyncio.run(kept(tmp_path))
    assert len(fired) == ROWS // 2
    assert set(told) == set(fired)
    # Killed between the receiver's answer and its note: the same message comes once more.
    assert sum(told.values()) - len(told) <= KILLS


async def kept(folder: Path) -> list[str]:
    alerts = opened(folder / "contactor.sqlite3", FakeClock(time.time_ns()))
    found, _ = await alerts.alerts(limit=1000, before=None, is_open=False)
    assert all(one.deliveries[0].state == "delivered" for one in found)
    await alerts.close()
    return [one.id for one in found]
