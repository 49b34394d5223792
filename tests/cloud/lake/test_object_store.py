"""The lake in a real object storage: several writers, a storage that is killed, plain readers."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from contactor.cloud.lake.delta_objects import Objects
from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.object_files import LOG
from contactor.cloud.lake.object_reader import ObjectReader
from contactor.cloud.lake.object_store import ObjectStore
from contactor.cloud.lake.object_url import check_url, options_of
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import STREAMS
from contactor.cloud.lake.tables import Table, day_of
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.errors import LakeError, StaleWriter, UsageError
from contactor.signals.groups import Group
from tests.app.processes import wait_for
from tests.cloud.lake.loses_answer import lossy_way
from tests.cloud.lake.object_storage import storage
from tests.cloud.lake.samples import DAY, SPEED, T0, S, flush, frame, state, store_drive
from tests.flow.size import IS_WHOLE

pytestmark = pytest.mark.processes


def speeds(url: str) -> list[float]:
    return open_lake(url).signals("leaf", [SPEED])[SPEED].to_list()


# ── one lake, several programs ───────────────────────────────────────────────────────────────────


def test_a_reader_follows_the_writer(url: str) -> None:
    store = ObjectStore(url, checkpoint_every=3)
    reader = ObjectReader(url)
    assert reader.snapshot().flush == 0
    for number in range(1, 9):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
        assert reader.snapshot().flush == number
    assert Lake(reader).signals("leaf")[SPEED].to_list() == [float(n) for n in range(1, 9)]
    assert speeds(url) == [float(n) for n in range(1, 9)]
    assert reader.streams() == store.streams()


def test_the_newer_of_two_writers_wins(url: str) -> None:
    older, newer = ObjectStore(url), ObjectStore(url)
    store_drive(newer, {SPEED: [1.0]})
    with pytest.raises(StaleWriter, match="another ingest writes 's3://"):
        store_drive(older, {SPEED: [2.0]}, ts=[T0 + S])
    with pytest.raises(StaleWriter):
        older.check()
    newer.check()
    assert speeds(url) == [1.0]


def test_the_newer_writer_of_the_same_parts_wins_at_once(url: str) -> None:
    older, other = ObjectStore(url, parts=range(32)), ObjectStore(url, parts=range(32, 64))
    newer = ObjectStore(url, parts=range(16))
    with pytest.raises(StaleWriter):
        older.check()
    other.check()
    store_drive(newer, {SPEED: [1.0]})
    other.commit(flush(other.next_flush))
    newer.check()


def test_writers_of_different_parts_lose_and_double_nothing(url: str) -> None:
    rounds, stores = 6, [ObjectStore(url, parts=range(n * 16, n * 16 + 16)) for n in range(4)]

    def write(place: int) -> None:
        store, vehicle = stores[place], f"car{place}"
        for number in range(rounds):
            rows = frame(Group.DRIVE, [T0 + number * S], {SPEED: [float(number)]}, vehicle)
            told = state(vehicle, stream=place, watermark=number + 1, paths=(SPEED,))
            store.commit(flush(store.next_flush, {Group.DRIVE: rows}, [told]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    lake = open_lake(url)
    for place in range(4):
        rows = lake.signals(f"car{place}", [SPEED])
        assert rows[SPEED].to_list() == [float(number) for number in range(rounds)]
    assert {told.stream: told.watermark for told in stores[0].streams() if told.stream == 0} == {
        0: rounds
    }
    assert {told.stream: told.watermark for told in ObjectReader(url).streams()} == dict.fromkeys(
        range(4), rounds
    )


@pytest.mark.processes
@pytest.mark.flow
def test_a_commit_of_a_killed_storage_is_there_once_or_not_at_all(tmp_path: Path) -> None:
    with storage(tmp_path) as own, ThreadPoolExecutor(1) as pool:
        url, done = "s3://lake/killed", 0
        store = ObjectStore(url)
        for kill in range(4 if IS_WHOLE else 1):
            written: list[float] = []
            writing = pool.submit(_write_until_it_fails, store, done, written)
            wait_for(lambda told=written: len(told) > 1, timeout_s=60, why="some are stored")
            time.sleep(0.2 * kill)
            own.kill()
            done = writing.result(timeout=300)
            own.start()
            store = ObjectStore(url)
            found = speeds(url)
            assert found[:done] == [float(n) for n in range(done)]
            assert found[done:] in ([], [float(done)])  # the one whose answer was lost
            done = len(found)
        assert done > 0


def _write_until_it_fails(store: ObjectStore, done: int, written: list[float]) -> int:
    while True:
        try:
            store_drive(store, {SPEED: [float(done)]}, ts=[T0 + done * S])
        except LakeError:
            return done
        written.append(done)
        done += 1


def test_a_commit_whose_answer_is_lost_is_there_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_drive(ObjectStore(url), {SPEED: [1.0]})
    entries = [one for one in Objects(url).list() if fnmatch(one.name, f"{LOG}*.json")]
    port = int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with lossy_way(port, lost=f"PUT {url[4:]}/{LOG}{len(entries):020d}.json") as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        store = ObjectStore(url)
        store_drive(store, {SPEED: [2.0]}, ts=[T0 + S])
        way.wait()
    sources = [part.source for part in store.snapshot().parts]
    assert len(set(sources)) == len(sources) == 4  # rows and streams of two commits


# ── its upkeep ───────────────────────────────────────────────────────────────────────────────────


def test_files_are_put_together_and_what_they_replace_is_vacuumed(url: str) -> None:
    store = ObjectStore(url)
    for number in range(6):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    before = store.snapshot()
    parts = [part for part in before.parts if part.group == Group.DRIVE]
    together = pl.concat([pl.read_parquet(str(part.source)) for part in parts]).sort("ts")
    assert store.rewrite(parts, [Table(Group.DRIVE, day_of(T0), together)])
    assert not store.rewrite(parts, [Table(Group.DRIVE, day_of(T0), together)])
    assert speeds(url) == [float(n) for n in range(6)]
    assert store.next_flush == before.flush + 1
    assert store.vacuum(older_than_s=60) == 0
    assert Lake(ObjectReader(url)).signals("leaf").height == 6
    Objects(url).put("group=drive/day=2024-05-01/part-000000000001-left.parquet", Path(__file__))
    assert store.vacuum(older_than_s=0) == 6 + 1
    names = {one.name for one in Objects(url).list()}
    assert sum(name.startswith("group=drive/") for name in names) == 1
    assert not any(name.endswith("0000000.json") for name in names)
    store_drive(store, {SPEED: [9.0]}, ts=[T0 + 60 * S])
    assert speeds(url) == [*(float(n) for n in range(6)), 9.0]
    store_drive(ObjectStore(url), {SPEED: [10.0]}, ts=[T0 + 61 * S])


def test_the_upkeep_of_a_folder_does_here_too(url: str) -> None:
    store = ObjectStore(url)
    for number in range(4):
        store_drive(
            store, {SPEED: [float(number)] * 90}, ts=[T0 + (number * 90 + n) * S for n in range(90)]
        )
    before = open_lake(url).signals("leaf", [SPEED])
    done = Upkeep(store, ages=Ages()).run(now_ns=T0 + 3 * DAY)
    assert done
    assert sum(part.group == Group.DRIVE for part in store.snapshot().parts) == 1
    assert open_lake(url).signals("leaf", [SPEED]).equals(before)
    picture = open_lake(url).series("leaf", SPEED, None, None, 10)
    assert 0 < len(picture["ts"]) <= 10


# ── what others see, and what is refused ─────────────────────────────────────────────────────────


def test_plain_readers_read_it_without_us(url: str) -> None:
    store_drive(ObjectStore(url), {SPEED: [1.0, 2.0, 3.0]})
    options = {"aws_allow_http": "true"}
    table = DeltaTable(url, storage_options=options)
    assert (
        table.to_pyarrow_dataset().count_rows()
        == 3 + read_all(ObjectReader(url).snapshot(), STREAMS).height
    )
    rows = pl.scan_delta(url, storage_options=options).filter(group="drive").collect()
    assert rows.sort("ts")[SPEED].to_list() == [1.0, 2.0, 3.0]


def test_no_lake_is_told(url: str) -> None:
    for look in (ObjectReader, open_lake):
        with pytest.raises(LakeError, match="no lake at s3://"):
            look(url)


@pytest.mark.parametrize("make", [ObjectStore, ObjectReader])
def test_a_wrong_key_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch, make: Callable[[str], object]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(LakeError, match=r"the lake in 's3://.*cannot be opened") as told:
        make(url)
    assert "\n" not in str(told.value)
    assert "wrong" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        "s3:/lake",
        "s3://",
        "s3://a",
        "http://lake/x",
        "s3://lake/a b",
        "s3://lake/../x",
        "s3://l_a/",
    ],
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="allowed: s3://BUCKET or s3://BUCKET/PREFIX"):
        check_url(text)


def test_an_endpoint_that_is_not_encrypted_is_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    for host in ("localhost:9000", "127.0.0.1", "[::1]:9000"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
        assert check_url("s3://lake/a/") == "s3://lake/a"
        assert "aws_allow_http" in (options_of("s3://lake/a") or {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://storage.example")
    with pytest.raises(UsageError, match="is not encrypted"):
        check_url("s3://lake")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert check_url("s3://lake") == "s3://lake"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://storage.example")
    assert "aws_allow_http" not in (options_of("s3://lake") or {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "storage.example")
    with pytest.raises(UsageError, match="allowed: https://HOST"):
        check_url("s3://lake")
