"""A question asked of every vehicle and day: here, and on a Dask cluster that loses a worker."""

import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from distributed import Client, LocalCluster

from contactor.cloud.lake.jobs import Fact, Job, run_days
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.schema import Flush
from contactor.errors import UnknownVehicle
from contactor.signals.groups import Group
from tests.cloud.lake.samples import DAY, SPEED, T0, S, frame, state

CARS, DAYS, ROWS = ("elm", "leaf", "oak"), 20, 6
pytestmark = pytest.mark.processes


def top_speed(rows: pl.DataFrame) -> Mapping[str, Fact]:
    """What a day's rows say; slow enough that a worker can be killed meanwhile."""
    time.sleep(0.1)
    return {"rows": len(rows), "speed_max_kmh": float(rows[SPEED].max())}  # type: ignore[arg-type]


def nothing(rows: pl.DataFrame) -> None:
    """No answer."""


JOB = Job((SPEED,), top_speed)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    store = LocalStore(tmp_path / "data")
    for place, car in enumerate(CARS):
        ts = [T0 + day * DAY + row * S for day in range(DAYS) for row in range(ROWS)]
        speeds = [float(10 * place + number % 100) for number in range(len(ts))]
        told = state(car, stream=place + 1, first_ts=ts[0], last_ts=ts[-1], rows_stored=len(ts))
        rows = frame(Group.DRIVE, ts, {SPEED: speeds}, car)
        store.commit(Flush(store.next_flush, {Group.DRIVE: rows}, (told,)))
    return tmp_path / "data"


def expected() -> list[tuple[str, int, float]]:
    return [
        (car, ROWS, float(10 * place + max((day * ROWS + row) % 100 for row in range(ROWS))))
        for place, car in enumerate(CARS)
        for day in range(DAYS)
    ]


def told(answers: pl.DataFrame) -> list[tuple[object, ...]]:
    assert answers["day"].n_unique() == DAYS
    return answers.select("vehicle_id", "rows", "speed_max_kmh").rows()


def test_every_day_of_every_vehicle_is_asked_once(lake: Path) -> None:
    with ThreadPoolExecutor(3) as executor:
        assert told(run_days(lake, JOB, executor=executor)) == expected()


def test_days_of_a_span_and_of_some_vehicles(lake: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        answers = run_days(
            lake, JOB, executor=executor, vehicles=["leaf"], start=T0 + DAY, end=T0 + 3 * DAY
        )
        assert answers["vehicle_id"].unique().to_list() == ["leaf"]
        assert [str(day) for day in answers["day"]] == ["2024-05-02", "2024-05-03", "2024-05-04"]
        assert run_days(lake, Job((SPEED,), nothing), executor=executor).is_empty()
        with pytest.raises(UnknownVehicle):
            run_days(lake, JOB, executor=executor, vehicles=["fir"])


def test_dask_repeats_what_was_lost_with_a_killed_worker(lake: Path, cluster: LocalCluster) -> None:
    with Client(cluster) as client:
        pids = list(client.run(os.getpid).values())
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(run_days, lake, JOB, executor=client.get_executor())
            time.sleep(0.6)
            os.kill(pids[0], signal.SIGKILL)
            assert not asked.done()
            assert told(asked.result(timeout=300)) == expected()
