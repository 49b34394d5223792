"""Three brokers as a cluster: the one that leads the stream is killed, again and again."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.app.processes import wait_for
from tests.flow.cluster import SIZE, Cluster, ask_cluster, prepare_cluster
from tests.flow.drives import make_drives
from tests.flow.flow import Flow
from tests.flow.size import ROUNDS, SEED
from tests.flow.stored import check

pytestmark = pytest.mark.flow


def test_cluster_that_loses_its_leader_loses_and_doubles_nothing(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=1_000 + 1_500 * ROUNDS)
    brokers = prepare_cluster(tmp_path)

    def cluster() -> Cluster | None:
        seen = (asyncio.run(ask_cluster(launch.url)) for launch in brokers.values())
        return next(filter(None, seen), None)

    with Flow(tmp_path, drives, seed=SEED, brokers=brokers) as flow:
        flow.wait_settled(0.02)
        for _ in range(ROUNDS - 1):
            time.sleep(flow.chance.uniform(0.2, 1.0))
            led = wait_for(cluster, timeout_s=60, why="a broker leads the stream")
            assert isinstance(led, Cluster)
            assert len(led.replicas) == SIZE - 1
            flow.kill(led.leader)
            time.sleep(flow.chance.uniform(0.5, 3.0))
            flow.start(led.leader)
        flow.finish()
        assert not flow.ended, flow.logs()
    assert check(flow.data, drives.truth).is_empty()
