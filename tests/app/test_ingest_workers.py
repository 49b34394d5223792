"""Several ingests share one stream and one lake: real processes, killed -9; their number changes.

Each car counts 1, 2, 3, ...; whatever happens, the lake holds each number of each car exactly once.
It is read with deltalake and Polars alone.
"""

import asyncio
import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest
from deltalake import DeltaTable

import contactor
from contactor.cloud.ingest.partition import Partition
from contactor.errors import ContactorError
from contactor.link.broker import wait_broker
from tests.app.counting import COUNT, make_log, make_profile, ts_of
from tests.app.processes import CONTACTOR, wait_for
from tests.app.processes import contactor as run_contactor
from tests.cloud.lake.object_storage import storage
from tests.link.support import DEADLINE_S, BrokerProcess

pytestmark = pytest.mark.processes

CARS = [f"car{number}" for number in range(8)]


class Workers:
    """The ingests of one folder, or of one lake elsewhere and a folder each."""

    def __init__(self, data: Path, link: str) -> None:
        self._data, self.link = data, link
        self.lake: str | None = None
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, partition: str) -> subprocess.Popen[str]:
        """Start one and wait until it has claimed its vehicles."""
        command = [*CONTACTOR, "ingest", "--partition", partition, "--link", self.link]
        data = self._data if self.lake is None else self._data / partition.replace("/", "-of-")
        command += ["--data", str(data), *([] if self.lake is None else ["--lake", self.lake])]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self.running[partition] = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == f"ready ingest {partition}\n", process.communicate()[1]
        return process

    def kill(self, partition: str) -> None:
        process = self.running.pop(partition)
        process.kill()
        process.communicate()

    def stop(self) -> None:
        for partition in list(self.running):
            process = self.running.pop(partition)
            process.terminate()
            errors = process.communicate(timeout=60)[1]
            assert process.returncode == 0, errors

    def kill_all(self) -> None:
        for partition in list(self.running):
            self.kill(partition)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    broker = BrokerProcess(tmp_path / "broker")
    broker.start()
    asyncio.run(wait_broker(broker.launch.url, DEADLINE_S))
    found = Workers(tmp_path / "data", broker.launch.url)
    try:
        yield found
    finally:
        found.kill_all()
        broker.kill()


@contextlib.contextmanager
def driving(tmp_path: Path, link: str, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """The cars' agent, counting up to `count` at the speed of life."""
    profile, log = make_profile(tmp_path), make_log(tmp_path / "count.log", count)
    car = f"recording:{log}?profile={profile}&sampling=every&vehicle="
    cars = [word for name in CARS for word in ("--car", car + name)]
    agent = subprocess.Popen(
        [*CONTACTOR, "agent", *cars, "--link", link, "--data", str(tmp_path / "agent")],
        stdin=subprocess.DEVNULL,
    )
    try:
        yield agent
    finally:
        agent.kill()
        agent.wait()


def stored(data: Path) -> dict[str, list[int]]:
    """The numbers of each car, in the order of their instants, each checked against its own."""
    table = DeltaTable(str(data / "lake" / "telemetry"))
    files = pl.DataFrame(table.get_add_actions(flatten=True))
    paths = [data / "lake" / "telemetry" / path for path in files["path"]]
    frames = [pl.read_parquet(path, hive_partitioning=False) for path in paths]
    kept = [frame.select("vehicle_id", "ts", COUNT) for frame in frames if COUNT in frame.columns]
    if not kept:
        return {}
    rows = pl.concat(kept).sort("ts")
    assert rows["ts"].to_list() == [ts_of(round(number)) for number in rows[COUNT]]
    found = {name: rows.filter(pl.col("vehicle_id") == name)[COUNT].to_list() for name in CARS}
    return {name: [round(number) for number in numbers] for name, numbers in found.items()}


def wait_stored(data: Path, count: int) -> None:
    def is_done() -> bool:
        found = stored(data)
        return bool(found) and all(len(numbers) >= count for numbers in found.values())

    wait_for(is_done, timeout_s=90, why=f"{count} numbers of each car")
    assert stored(data) == {name: list(range(1, count + 1)) for name in CARS}


def test_cars_of_the_test_are_in_every_partition() -> None:
    for count in (2, 3, 4):
        assert all(any(one.owns(car) for car in CARS) for one in Partition(1, count).all)


def test_workers_killed_at_random_lose_and_double_nothing(tmp_path: Path, workers: Workers) -> None:
    chance, count = random.Random(3), 1_200
    for partition in ("1/2", "2/2"):
        workers.start(partition)
    with driving(tmp_path, workers.link, count):
        for _ in range(5):
            time.sleep(chance.uniform(0.3, 1.5))
            partition = chance.choice(["1/2", "2/2"])
            workers.kill(partition)
            workers.start(partition)
        wait_stored(tmp_path / "data", count)
        workers.stop()


def test_number_of_workers_changed_while_cars_drive_loses_and_doubles_nothing(
    tmp_path: Path, workers: Workers
) -> None:
    count = 1_200
    for partition in ("1/2", "2/2"):
        workers.start(partition)
    with driving(tmp_path, workers.link, count):
        wait_for(lambda: stored(tmp_path / "data"), timeout_s=60, why="a first flush")
        old = dict(workers.running)
        workers.running.clear()
        # The old ones live on: nobody stops them but the fence.
        for partition in ("1/4", "2/4", "3/4", "4/4"):
            workers.start(partition)
        for process in old.values():
            errors = process.communicate(timeout=60)[1]
            assert process.returncode == 1
            assert "another ingest writes" in errors
        time.sleep(3)
        workers.stop()
        for partition in ("1/3", "2/3", "3/3"):
            workers.start(partition)
        wait_stored(tmp_path / "data", count)
        workers.stop()


def test_workers_of_a_lake_in_an_object_storage_killed_at_random(
    tmp_path: Path, workers: Workers
) -> None:
    chance, count, url = random.Random(5), 800, "s3://lake/workers"

    def numbers() -> dict[str, list[int]]:
        lake = contactor.open_lake(url)
        return {car: lake.signals(car, [COUNT])[COUNT].to_list() for car in CARS}

    def is_done() -> bool:
        with contextlib.suppress(ContactorError):
            return all(len(found) >= count for found in numbers().values())
        return False

    (tmp_path / "storage").mkdir()
    with storage(tmp_path / "storage"):
        workers.lake = url
        for partition in ("1/2", "2/2"):
            workers.start(partition)
        with driving(tmp_path, workers.link, count):
            for _ in range(3):
                time.sleep(chance.uniform(0.5, 1.5))
                partition = chance.choice(["1/2", "2/2"])
                workers.kill(partition)
                workers.start(partition)
            wait_for(is_done, timeout_s=90, why=f"{count} numbers of each car")
            workers.stop()
        assert numbers() == {car: list(range(1, count + 1)) for car in CARS}


def test_newer_of_two_workers_of_a_partition_wins(tmp_path: Path, workers: Workers) -> None:
    older = workers.start("1/1")
    workers.start("1/1")
    assert "another ingest writes" in older.communicate(timeout=60)[1]
    assert older.returncode == 1
    in_use = run_contactor("serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert (in_use.returncode, in_use.stdout) == (1, "")
    assert "is in use" in in_use.stderr
    workers.stop()


@contextlib.contextmanager
def serving(data: Path, link: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The API beside ingests, without one of its own."""
    arguments = ["serve", "--ingest", "none", "--link", link, "--data", str(data), "--port", "0"]
    process = subprocess.Popen(
        [*CONTACTOR, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().removeprefix("ready ").strip()
    finally:
        process.kill()
        process.communicate()


def test_who_serves_beside_the_workers_follows_them_and_starts_anew(
    tmp_path: Path, workers: Workers
) -> None:
    data, count = tmp_path / "data", 800

    def numbers(url: str) -> list[int]:
        found = httpx.get(f"{url}/api/v1/vehicles", timeout=60).json()["items"]
        cars = [
            httpx.get(f"{url}/api/v1/vehicles/{one['vehicle_id']}", timeout=60).json()
            for one in found
        ]
        return [car["signals"][COUNT]["value"] for car in cars if COUNT in car["signals"]]

    for partition in ("1/2", "2/2"):
        workers.start(partition)
    with driving(tmp_path, workers.link, count) as agent:
        wait_for(lambda: stored(data), timeout_s=60, why="a first flush")
        agent.send_signal(signal.SIGSTOP)  # however long it takes to serve, there is more to come
        with serving(data, workers.link) as (first, url):
            wait_for(lambda: len(numbers(url)) == len(CARS), timeout_s=60, why="every car")
            before = min(numbers(url))
            agent.send_signal(signal.SIGCONT)
            wait_for(lambda: min(numbers(url)) > before, timeout_s=60, why="cars that go on")
            first.kill()
        with serving(data, workers.link) as (_, url):
            wait_for(lambda: numbers(url) == [count] * len(CARS), timeout_s=60, why="the end")
            rows = httpx.get(f"{url}/api/v1/vehicles", timeout=60).json()["items"]
            assert [one["rows"] for one in rows] == [count] * len(CARS)
        wait_stored(data, count)
        workers.stop()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--partition", "3/2", "--link", "nats://localhost"], "partition 3/2; allowed: k/n"),
        (["--partition", "x", "--link", "nats://localhost"], "partition 'x'; allowed: k/n"),
        (["--partition", "1/2"], "no --link given"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run_contactor("ingest", *arguments, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "data").exists()
