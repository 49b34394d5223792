"""An instance whose lake is in an object storage: it stores there, and every command finds it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import contactor
from contactor.app.folder import DataFolder
from contactor.app.lake_place import lake_url, open_store, settle_lake
from contactor.cloud.lake.delta_objects import Objects
from contactor.errors import FolderError, UsageError
from tests.app.command_line import command_here
from tests.app.counting import COUNT, make_log, make_profile
from tests.app.processes import running, wait_for
from tests.cloud.lake.object_storage import storage

VEHICLE = "counter-with-a-name"


@pytest.fixture(scope="module")
def object_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with storage(tmp_path_factory.mktemp("storage")):
        yield


def numbers(lake: str | Path) -> list[int]:
    return contactor.open_lake(lake).signals(VEHICLE, [COUNT])[COUNT].to_list()


@pytest.mark.processes
def test_an_instance_stores_there_and_commands_find_it(
    object_storage: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    count, url, data = 1_000, "s3://lake/fleet", tmp_path / "data"
    log = make_log(tmp_path / "count.log", count)
    profile = make_profile(tmp_path)
    car = f"recording:{log}?profile={profile}&vehicle={VEHICLE}&sampling=every"
    with running(data, "--lake", url, "--car", car, "--speed", "1") as instance:
        time.sleep(2)
        instance.kill("cloud")
        wait_for(lambda: _stored(url) >= count, timeout_s=60, why="all numbers at the url")
    assert numbers(url) == list(range(1, count + 1))
    assert not (data / "lake").exists()
    assert json.loads((data / "lake.json").read_text()) == {"url": url}

    (vehicle,) = command_here(capfd, f"vehicles --data {data} --json").document()
    assert vehicle["rows"] == count
    asked = f"signals --vehicle {VEHICLE} --data {data} --json"
    summary = command_here(capfd, asked).document()["signals"][COUNT]
    assert (summary["count"], summary["max"]) == (count, count)
    out = tmp_path / "out.parquet"
    command_here(
        capfd, f"export --vehicle {VEHICLE} --data {data} --output {out} --json"
    ).document()
    assert pl.read_parquet(out).height == count
    sent = f"replay {log} --car {profile} --vehicle other --data {data} --json"
    assert command_here(capfd, sent).document()["rows_stored"] == count
    compacted = command_here(capfd, f"compact --data {data} --now --json").document()
    assert 0 < compacted["bytes_after"] <= compacted["bytes_before"]
    assert numbers(url) == list(range(1, count + 1))
    backup = command_here(capfd, f"backup {tmp_path / 'b.tar'} --data {data}")
    assert f"its lake at {url} is not in it" in backup.out

    erased = command_here(capfd, f"erase --vehicle {VEHICLE} --yes --data {data}")
    assert erased.exit_code == 0
    assert f"{VEHICLE}: {count} rows" in erased.out
    objects = Objects(url)
    assert not any(VEHICLE.encode() in objects.read(one.name) for one in objects.list())
    lake = contactor.open_lake(url)
    assert lake.vehicles()["vehicle_id"].to_list() == ["other"]
    assert lake.signals("other", [COUNT]).height == count


def _stored(url: str) -> int:
    try:
        return len(numbers(url))
    except contactor.errors.ContactorError:
        return 0


def test_a_folder_keeps_the_lake_that_it_has(tmp_path: Path) -> None:
    folder = DataFolder.create(tmp_path / "data")
    settle_lake(folder, None)
    assert lake_url(folder) is None
    settle_lake(folder, "s3://lake/a/")
    settle_lake(folder, "s3://lake/a")
    settle_lake(folder, None)
    assert lake_url(folder) == "s3://lake/a"
    with pytest.raises(UsageError, match=r"is at s3://lake/a; allowed for a folder without one"):
        settle_lake(folder, "s3://lake/b")


def test_a_folder_with_a_lake_inside_takes_no_other(tmp_path: Path) -> None:
    folder = DataFolder.create(tmp_path / "data")
    open_store(folder)
    with pytest.raises(UsageError, match=r"is at .*data/lake; allowed for a folder without one"):
        settle_lake(folder, "s3://lake/b")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}'])
def test_a_place_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    folder = DataFolder.create(tmp_path / "data")
    (folder.root / "lake.json").write_text(text)
    with pytest.raises(FolderError, match=r"lake\.json cannot be read"):
        lake_url(folder)


@pytest.mark.parametrize(
    "line", ["serve --port 0", "run --port 0", "ingest --link nats://localhost"]
)
def test_what_is_no_url_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    for url in ("http://storage", "s3://", "elsewhere"):
        ended = command_here(capfd, f"{line} --data {tmp_path / 'data'} --lake {url}")
        ended.check_refused(2, f"lake '{url}'; allowed: s3://BUCKET")
    assert not (tmp_path / "data" / "lake").exists()
