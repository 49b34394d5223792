"""Rewriting files of the lake: nothing is lost, doubled or shown half, and nobody is disturbed."""

import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.local_reader import LocalReader, table_folder
from contactor.cloud.lake.log import sync_path
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.tables import Table
from contactor.errors import LakeError, StaleWriter
from contactor.signals.groups import Group
from tests.cloud.lake.samples import DAY, SPEED, T0, S, store_drive
from tests.cloud.lake.test_local import PowerCut, assert_no_orphans, filled, log, newest, speeds


@pytest.fixture(params=["memory", "local"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> LakeKeeper:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path)


def drive_parts(store: LakeKeeper) -> list[Part]:
    return [part for part in store.snapshot().parts if part.group == Group.DRIVE]


def rows_of(part: Part) -> pl.DataFrame:
    source = part.source
    return source if isinstance(source, pl.DataFrame) else pl.read_parquet(source)


def merged(parts: list[Part]) -> Table:
    rows = pl.concat([rows_of(part) for part in parts], how="diagonal")
    return Table(Group.DRIVE, parts[0].day, rows.sort("vehicle_id", "ts", maintain_order=True))


def merge(store: LakeKeeper, parts: list[Part]) -> bool:
    return store.rewrite(parts, [merged(parts)])


# ── what every driver promises ───────────────────────────────────────────────────────────────────


def test_rows_lie_in_other_parts_and_no_flush_is_counted(keeper: LakeKeeper) -> None:
    for number in range(4):
        store_drive(keeper, {SPEED: [float(number)]}, ts=[T0 + number * S])
    before = keeper.snapshot()
    assert merge(keeper, drive_parts(keeper)[:3])
    assert keeper.snapshot().flush == 4
    assert keeper.next_flush == 5
    assert [part.row_count for part in drive_parts(keeper)] == [3, 1]
    assert [part.is_packed for part in drive_parts(keeper)] == [True, False]
    assert Lake(keeper).signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 1.0, 2.0, 3.0]
    assert len(before.parts) == 8
    store_drive(keeper, {SPEED: [4.0]}, ts=[T0 + 4 * S])
    assert len(keeper.streams()) == 1


def test_rewritten_rows_stay_before_what_was_stored_after_them(keeper: LakeKeeper) -> None:
    for number in range(3):
        store_drive(keeper, {SPEED: [float(number)]}, ts=[T0])  # one instant: the last counts
    merge(keeper, drive_parts(keeper)[:2])
    assert Lake(keeper).signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 1.0, 2.0]


def test_parts_that_are_gone_are_not_rewritten_again(keeper: LakeKeeper) -> None:
    for number in range(3):
        store_drive(keeper, {SPEED: [float(number)]}, ts=[T0 + number * S])
    parts = drive_parts(keeper)
    assert merge(keeper, parts)
    assert not merge(keeper, parts[:2])
    assert Lake(keeper).signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 1.0, 2.0]


def test_parts_can_be_removed_without_any_in_their_place(keeper: LakeKeeper) -> None:
    store_drive(keeper, {SPEED: [1.0]})
    assert keeper.rewrite(drive_parts(keeper), [], is_change=True)
    assert drive_parts(keeper) == []
    store_drive(keeper, {SPEED: [2.0]})
    assert Lake(keeper).signals("leaf", [SPEED])[SPEED].to_list() == [2.0]


# ── on a folder ──────────────────────────────────────────────────────────────────────────────────


def test_a_rewritten_lake_is_the_same_after_reopening(tmp_path: Path) -> None:
    store = filled(tmp_path, 5)
    merge(store, drive_parts(store))
    again = LocalStore(tmp_path)
    assert again.next_flush == 6
    assert [part.is_packed for part in drive_parts(again)] == [True]
    assert speeds(tmp_path) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_rewrite_says_that_no_row_has_changed(tmp_path: Path) -> None:
    store = filled(tmp_path, 2)
    merge(store, drive_parts(store))
    entry = newest(tmp_path).read_text()
    assert entry.count('"dataChange":false') == 3
    assert '"txn"' not in entry


def test_a_reader_keeps_its_snapshot_until_the_vacuum(tmp_path: Path) -> None:
    store = filled(tmp_path, 3)
    lake = open_lake(tmp_path)
    merge(store, drive_parts(store))
    assert store.vacuum(older_than_s=60) == 0
    assert lake.signals("leaf", [SPEED]).height == 3
    assert store.vacuum(older_than_s=0) == 3
    assert_no_orphans(tmp_path)
    with pytest.raises(LakeError, match="was replaced and is deleted; look anew"):
        lake.signals("leaf", [SPEED])
    assert lake.refresh().signals("leaf", [SPEED]).height == 3


def test_the_vacuum_takes_what_was_replaced_long_ago_and_nothing_younger(tmp_path: Path) -> None:
    store = filled(tmp_path, 4)
    first, last = drive_parts(store)[:2], drive_parts(store)[2:]
    merge(store, first)
    hour_ago = time.time() - 3600
    for path in (*table_folder(tmp_path).rglob("*.parquet"), *log(tmp_path).glob("*.json")):
        os.utime(path, (hour_ago, hour_ago))
    merge(store, last)  # old files, replaced just now
    assert store.vacuum(older_than_s=1800) == 2
    assert [part.source.exists() for part in (*first, *last)] == [False, False, True, True]  # type: ignore[union-attr]  # files


def test_the_vacuum_leaves_a_file_that_is_under_way(tmp_path: Path) -> None:
    store = filled(tmp_path, 2)
    parts = drive_parts(store)

    def tables() -> Iterator[Table]:
        yield merged(parts)
        assert store.vacuum(older_than_s=0) == 0

    assert store.rewrite(parts, tables())
    assert speeds(tmp_path) == [0.0, 1.0]


def test_the_log_is_cut_behind_a_checkpoint(tmp_path: Path) -> None:
    store = filled(tmp_path, 12, checkpoint_every=5)
    reader = LocalReader(tmp_path)
    store.vacuum(older_than_s=0)
    assert len(list(log(tmp_path).glob("*.json"))) == 1
    assert len(list(log(tmp_path).glob("*.checkpoint.parquet"))) == 1
    assert len(speeds(tmp_path)) == 12
    assert len(DeltaTable(str(table_folder(tmp_path))).file_uris()) == len(store.snapshot().parts)
    store_drive(store, {SPEED: [12.0]}, ts=[T0 + 12 * S])
    assert len(speeds(tmp_path)) == 13
    assert Lake(reader).signals("leaf", [SPEED]).height == 13  # also one that looked before
    assert LocalStore(tmp_path).next_flush == 14


def test_a_torn_checkpoint_after_the_log_was_cut_loses_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path, 12, checkpoint_every=5)
    hour_ago = time.time() - 3600
    for path in log(tmp_path).iterdir():
        os.utime(path, (hour_ago, hour_ago))
    for number in range(12, 18):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    store.vacuum(older_than_s=1800)
    assert not (log(tmp_path) / f"{1:020d}.json").exists()
    torn = max(log(tmp_path).glob("*.checkpoint.parquet"))
    torn.write_bytes(torn.read_bytes()[:100])
    assert LocalStore(tmp_path).next_flush == 19
    assert len(speeds(tmp_path)) == 18


def test_a_torn_rewrite_is_taken_out(tmp_path: Path) -> None:
    for cut in (0, 1, 2, 3):
        data = tmp_path / str(cut)
        store = filled(data, 2)
        merge(store, drive_parts(store))
        torn = newest(data)
        lines = torn.read_bytes().splitlines(keepends=True)
        torn.write_bytes(b"".join(lines[:cut]))
        assert speeds(data) == [0.0, 1.0]
        assert LocalStore(data).next_flush == 3
        assert not torn.exists()
        assert speeds(data) == [0.0, 1.0]


def test_what_was_rewritten_survives_a_power_cut(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", PowerCut()
    store = LocalStore(data, sync=disk.sync, checkpoint_every=4)
    for number in range(9):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
        merge(store, drive_parts(store))
        disk.restore(data, tmp_path / "left")
        assert len(speeds(tmp_path / "left")) == number + 1
        assert len(drive_parts(LocalStore(tmp_path / "left"))) == 1
    shutil.rmtree(tmp_path / "left")
    store.vacuum(older_than_s=0)
    disk.restore(data, tmp_path / "left")
    assert len(speeds(tmp_path / "left")) == 9


def test_a_rewrite_whose_sync_fails_changes_nothing(tmp_path: Path) -> None:
    failing: list[str] = []

    def fail(path: Path) -> None:
        if failing and failing[0] in path.name:
            raise OSError(5, "Input/output error")
        sync_path(path)

    store = LocalStore(tmp_path, sync=fail)
    for number in range(2):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    for victim in (".parquet", ".json", "_delta_log"):
        failing[:] = [victim]
        with pytest.raises(LakeError, match="Input/output error"):
            merge(store, drive_parts(store))
        assert speeds(tmp_path) == [0.0, 1.0]
    failing.clear()
    assert_no_orphans(tmp_path)
    assert merge(store, drive_parts(store))
    assert speeds(tmp_path) == [0.0, 1.0]


def test_a_zombie_rewrites_nothing(tmp_path: Path) -> None:
    zombie = filled(tmp_path, 2)
    heir = LocalStore(tmp_path)
    store_drive(heir, {SPEED: [2.0]}, ts=[T0 + 2 * S])
    with pytest.raises(StaleWriter):
        merge(zombie, drive_parts(zombie))
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]
    assert_no_orphans(tmp_path)


def test_another_process_that_rewrites_is_no_second_ingest(tmp_path: Path) -> None:
    ingest = filled(tmp_path, 2)
    other = LocalStore(tmp_path)
    merge(other, drive_parts(other))
    store_drive(ingest, {SPEED: [2.0]}, ts=[T0 + 2 * S])
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def test_rewrites_beside_commits_lose_and_double_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    stopped = threading.Event()
    failures: list[BaseException] = []

    def rewrite() -> None:
        chance = random.Random(1)
        try:
            while not stopped.is_set():
                parts = drive_parts(store)
                merge(store, parts[: chance.randint(1, len(parts))])
                store.vacuum(older_than_s=0)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        for number in range(1, 30):
            store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    finally:
        stopped.set()
        thread.join()
    assert failures == []
    assert speeds(tmp_path) == [float(number) for number in range(30)]
    assert LocalStore(tmp_path).next_flush == 31


def test_from_when_rows_are_kept_is_noted_with_the_rewrite(keeper: LakeKeeper) -> None:
    store_drive(keeper, {SPEED: [1.0]})
    day = date(2024, 5, 2)
    assert keeper.rewrite(drive_parts(keeper), [], is_change=True, kept_from={"raw": day})
    store_drive(keeper, {SPEED: [2.0]}, ts=[T0 + DAY])
    assert keeper.snapshot().kept_from == {"raw": day}


def test_from_when_rows_are_kept_is_known_after_reopening(tmp_path: Path) -> None:
    store = filled(tmp_path, 3, checkpoint_every=2)
    day = date(2024, 5, 2)
    store.rewrite(drive_parts(store)[:1], [], is_change=True, kept_from={"raw": day})
    assert LocalReader(tmp_path).snapshot().kept_from == {"raw": day}
    torn = newest(tmp_path)
    whole = torn.read_bytes().splitlines(keepends=True)
    torn.write_bytes(b"".join(line for line in whole if b'"txn"' not in line))
    assert LocalReader(tmp_path).snapshot().kept_from == {}
    torn.write_bytes(b"".join(whole))
    store.vacuum(older_than_s=0)
    assert LocalStore(tmp_path).snapshot().kept_from == {"raw": day}
