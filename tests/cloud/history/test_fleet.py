"""A fleet rebuilt together has the facts of each car refreshed alone."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import strategies as st

from contactor.app.folder import DataFolder
from contactor.clock import NS_PER_DAY, FakeClock
from contactor.cloud.database.database import Database
from contactor.cloud.history import fleet
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.fleet import rebuild_fleet
from contactor.cloud.history.refresh import Refresher
from contactor.cloud.history.rows import read_columns, read_fleet
from contactor.cloud.history.store import FactStore
from contactor.cloud.lake import packing
from contactor.cloud.lake.lake import open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.reading import View
from contactor.signals.groups import Group
from tests.cloud.history.stored import store_rows
from tests.cloud.lake.samples import store_drive
from tests.history.made import START_NS, S, live

CARS = ("leaf", "twizy", "zoe")
PLAN = ["park 60", "drive 20", "park 480", "drive 20", "park 20", "charge 180", "park 660"]


@pytest.fixture(params=[65_536, 300], ids=["cars a row group", "row groups a car"])
def data(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three cars whose rows came in an order of their own; one told a value by itself."""
    monkeypatch.setattr(packing, "_PLAIN_ROW_GROUP", request.param)
    return stored_fleet(tmp_path / "data")


def stored_fleet(folder: Path) -> Path:
    DataFolder.create(folder)
    store = LocalStore(folder)
    for number, car in enumerate(CARS):
        rows = live(PLAN, seed=number + 1).columns(every_s=30.0)
        store_rows(store, rows, vehicle_id=car, kept=slice(1_000, None))
        store_rows(store, rows, vehicle_id=car, kept=slice(0, 1_200))
    path = "Vehicle.Powertrain.TractionBattery.Temperature.Average"
    store_drive(store, {path: [21.5]}, ts=[START_NS + S], group=Group.SLOW, vehicle_id="zoe")
    store_drive(store, {path: [22.5]}, ts=[START_NS + 7 * S], group=Group.EVENTS, vehicle_id="zoe")
    return folder


def facts_in_memory() -> FactStore:
    return FactStore(Database.open(":memory:", [HISTORY]))


def test_rows_of_a_fleet_are_those_of_each_car(data: Path) -> None:
    view = View(LocalStore(data).snapshot())
    for car, columns in read_fleet(view, CARS):
        alone = read_columns(view, car, None, None)
        assert columns.ts.tolist() == alone.ts.tolist()
        assert len(set(columns.ts.tolist())) == len(columns)
        for name in ("speed_kmh", "odometer_m", "current_a", "battery_degc"):
            one, other = getattr(columns, name), getattr(alone, name)
            assert (one is None) == (other is None)
            assert one is None or [repr(float(x)) for x in one] == [repr(float(x)) for x in other]


def test_a_rebuilt_fleet_has_the_facts_of_each_car(data: Path) -> None:
    lake = LocalStore(data)
    together, alone = facts_in_memory(), facts_in_memory()
    with ThreadPoolExecutor(2) as executor:
        rows = rebuild_fleet(data, CARS, together, executor=executor)
    refresher = Refresher(alone, lake, clock=FakeClock(START_NS + 9 * NS_PER_DAY))
    for car in CARS:
        assert rows[car] == refresher.refresh(car).rows_read
        assert together.facts(car) == alone.facts(car)
        assert len(together.facts(car).trips) == 2
        assert len(together.evidence(car)) == len(alone.evidence(car)) > 0
    settled = Refresher(together, lake, clock=FakeClock(START_NS + 9 * NS_PER_DAY))
    assert [settled.refresh(car).rows_read for car in CARS] == [0, 0, 0]
    together.close()
    alone.close()


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40), st.integers(1, 4))
def test_tasks_fit_and_are_alike(counts: list[int], workers: int) -> None:
    rows = {f"car{number:02}": count for number, count in enumerate(counts)}
    tasks = fleet.tasks_of(sorted(rows), rows, workers)
    assert [name for task in tasks for name in task] == sorted(rows)
    sizes = [sum(rows[name] for name in task) for task in tasks]
    assert max(sizes) <= fleet.SPAN_ROWS
    if len(set(counts)) == 1 and counts[0] > 0 and len(counts) >= 8:
        assert len(tasks) % workers == 0 or max(map(len, tasks)) == 1
        assert max(map(len, tasks)) - min(map(len, tasks)) <= 1


@pytest.mark.processes
def test_a_dask_cluster_rebuilds_what_a_killed_worker_had(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stored_fleet(tmp_path / "data")
    here, there = facts_in_memory(), facts_in_memory()
    with ThreadPoolExecutor(1) as executor:
        rebuild_fleet(data, CARS, here, executor=executor)
    monkeypatch.setattr(fleet, "SPAN_ROWS", 1)  # a task a car
    with Client(cluster) as client, ThreadPoolExecutor(1) as other:
        pids = list(client.run(os.getpid).values())
        asked = other.submit(rebuild_fleet, data, CARS, there, executor=client.get_executor())
        os.kill(pids[0], signal.SIGKILL)
        assert set(asked.result(timeout=300)) == set(CARS)
    for car in CARS:
        assert there.facts(car) == here.facts(car)
        assert len(there.facts(car).trips) == 2
    here.close()
    there.close()


def test_a_lake_gives_frames_of_facts(data: Path) -> None:
    lake = open_lake(data)
    trips = lake.trips("leaf")
    assert trips.height == 2
    assert trips["start"].dtype.is_integer()
    assert trips["distance_km"].min() > 0  # type: ignore[operator]
    assert lake.trips("leaf", end="2026-01-01T06:00:00Z").height == 1
    assert lake.charges("leaf").height == 1
    assert lake.battery("leaf").columns[:2] == ["ts", "capacity_kwh"]
