"""`export`, `compact` and `erase` on a data folder, as one who types them sees it."""

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

import contactor
from contactor.app.folder import DataFolder
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.lake.local import LocalStore
from contactor.signals.command import Command
from contactor.signals.groups import Group
from tests.app.command_line import command_here
from tests.cloud.lake.samples import CELLS, DAY, GEAR, NA, SPEED, T0, VIN, S, store_drive

GONE = "forget-me"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    DataFolder.create(tmp_path / "data")
    store = LocalStore(tmp_path / "data")
    for number in range(4):
        for car in ("leaf", GONE):
            ts = [T0 + number * DAY // 2, T0 + number * DAY // 2 + S]
            store_drive(store, {SPEED: [float(number), NA], GEAR: [1, 2]}, ts=ts, vehicle_id=car)
    store_drive(store, {CELLS: [(3.5, 3.75)]}, group=Group.CELLS)
    store_drive(store, {VIN: ["a word"]}, group=Group.EVENTS)
    return tmp_path / "data"


# ── export ───────────────────────────────────────────────────────────────────────────────────────


def test_a_vehicle_is_exported_as_parquet(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = command_here(capfd, "export --vehicle leaf --output out.parquet --data data --json")
    assert told.document() == {
        "vehicle_id": "leaf",
        "output": "out.parquet",
        "rows": 8,
        "signals": 4,
        "first_ts": "2024-05-01T08:00:00Z",
        "last_ts": "2024-05-02T20:00:01Z",
    }
    assert pl.read_parquet("out.parquet").equals(contactor.open_lake(data).signals("leaf"))
    assert pq.read_table("out.parquet").num_rows == 8
    assert duckdb.sql(f"select max(\"{SPEED}\") from 'out.parquet'").fetchall() == [(3.0,)]
    assert [path.name for path in Path().iterdir()] in (
        ["data", "out.parquet"],
        ["out.parquet", "data"],
    )


def test_some_signals_of_some_hours_are_exported_as_csv(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line = f"export --vehicle leaf --signal {SPEED} --signal {CELLS} --output out.csv --data data"
    told = command_here(capfd, f"{line} --since 2024-05-01 --until 2024-05-02")
    assert told.out == (
        "out.csv: 4 rows of 2 signals of leaf\nfrom 2024-05-01T08:00:00Z to 2024-05-01T20:00:01Z\n"
    )
    assert Path("out.csv").read_text().splitlines() == [
        f"ts,{SPEED},{CELLS}",
        f'{T0},0.0,"[3.5,3.75]"',
        f"{T0 + S},,",
        f"{T0 + DAY // 2},1.0,",
        f"{T0 + DAY // 2 + S},,",
    ]


def test_a_folder_gets_a_file_a_day(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command_here(capfd, "export --vehicle leaf --output days/ --data data")
    assert sorted(path.name for path in Path("days").iterdir()) == [
        "2024-05-01.parquet",
        "2024-05-02.parquet",
    ]
    assert pl.read_parquet("days/*.parquet").height == 8


@pytest.mark.parametrize(
    ("line", "exit_code", "words"),
    [
        ("--vehicle nobody --output x.csv", 1, "unknown vehicle 'nobody'; stored: forget-me, leaf"),
        ("--vehicle leaf --output x.xlsx", 2, "unknown form '.xlsx'; allowed: .parquet, .csv"),
        ("--vehicle leaf --output none/x.csv", 2, "there is no folder none"),
        ("--vehicle leaf --signal Vehicle.Sped --output x.csv", 2, "unknown signal 'Vehicle.Sped'"),
        ("--vehicle leaf --output x.csv --since 7d --until 8d", 2, "is not before"),
    ],
)
def test_what_cannot_be_exported_is_told(
    data: Path, capfd: pytest.CaptureFixture[str], line: str, exit_code: int, words: str
) -> None:
    ended = command_here(capfd, f"export {line} --data data")
    assert (ended.exit_code, ended.out) == (exit_code, "")
    assert words in ended.err
    assert not Path("x.csv").exists()


# ── compact ──────────────────────────────────────────────────────────────────────────────────────


def test_a_lake_is_put_in_order_by_hand(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = contactor.open_lake(data).signals("leaf")
    told = command_here(capfd, "compact --data data --now --json").document()
    assert told["files_before"] == 20
    assert told["files_after"] == 7  # drive of two days, cells, events; both tiers; streams
    assert told["bytes_after"] < told["bytes_before"]  # type: ignore[operator]  # numbers
    assert contactor.open_lake(data).signals("leaf").equals(before)
    again = command_here(capfd, "compact --data data").out
    assert again.startswith("data: ")


def test_rows_older_than_they_are_kept_go(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command_here(capfd, "compact --data data --keep-rows-days 7")
    lake = contactor.open_lake(data)
    assert lake.signals("leaf").is_empty()
    assert lake.series("leaf", SPEED, None, None, 10)["tier"] in ("minute", "hour")
    ended = command_here(capfd, "export --vehicle leaf --output x.csv --data data")
    assert "rows from before 2024-05-03 are not kept any more" in ended.err


@pytest.mark.parametrize("name", ["compact", "erase --vehicle leaf --yes"])
def test_a_folder_in_use_is_refused(
    data: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    with DataFolder.existing(data).held():
        ended = command_here(capfd, f"{name} --data data")
    assert (ended.exit_code, ended.out) == (1, "")
    assert "is in use by process" in ended.err


# ── erase ────────────────────────────────────────────────────────────────────────────────────────


def give_command(data: Path, vehicle_id: str) -> None:
    store = CommandStore(data / "commands.db")
    made = Command(
        id=f"c-{vehicle_id}",
        vehicle_id=vehicle_id,
        path="Vehicle.Cabin.Door.Row1.DriverSide.IsLocked",
        value=True,
        issued_by="owner",
        issued_at=T0,
        expires_at=T0 + S,
    )
    store.put(made)
    store.close()


def test_a_vehicle_is_erased_from_every_file(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    give_command(data, GONE)
    give_command(data, "leaf")
    before = contactor.open_lake(data).signals("leaf")
    command_here(capfd, f"car code {GONE} leaf --data data")
    (data / "agent" / "identity" / GONE).mkdir(parents=True)
    told = command_here(capfd, f"erase --vehicle {GONE} --yes --data data --json").document()
    assert told.pop("files_deleted") > 4  # type: ignore[operator]  # a number
    assert told == {
        "vehicle_id": GONE,
        "rows": 8,
        "commands": 1,
        "identities": 1,
        "facts": 0,
        "still_named_in": [],
    }
    for path in data.rglob("*"):
        assert GONE not in path.name
        assert not path.is_file() or GONE.encode() not in path.read_bytes()
    listed = command_here(capfd, "car list --data data --json").document()
    assert [one["vehicle_id"] for one in listed] == ["leaf"]
    assert contactor.open_lake(data).signals("leaf").equals(before)
    kept = CommandStore(data / "commands.db")
    assert [given.vehicle_id for given in kept.page("leaf", limit=9)] == ["leaf"]
    kept.close()
    ended = command_here(capfd, f"erase --vehicle {GONE} --yes --data data")
    assert ended.exit_code == 1
    assert ended.err == f"contactor: nothing is stored of '{GONE}'; stored: leaf\n"


def test_what_still_names_it_is_told(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (data / "log").mkdir()
    (data / "log" / "cloud.log").write_text(json.dumps({"vehicle": GONE}))
    for folder, name in (("backups", "old.tar.zst"), ("twin", "snapshot")):
        (data / folder).mkdir()
        (data / folder / name).write_bytes(b"x")
    ended = command_here(capfd, f"erase --vehicle {GONE} --yes --data data")
    assert ended.exit_code == 0
    assert f"log/cloud.log still names {GONE}, or may: a log of a process" in ended.err
    assert f"backups/old.tar.zst still names {GONE}, or may: a backup is not opened" in ended.err
    assert not (data / "twin").exists()


def test_nothing_is_erased_without_a_yes(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ended = command_here(capfd, f"erase --vehicle {GONE} --data data")
    assert (ended.exit_code, ended.out) == (2, "")
    assert "say --yes" in ended.err
    assert contactor.open_lake(data).signals(GONE).height == 8
