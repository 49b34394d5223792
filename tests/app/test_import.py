"""A table goes the whole road once, and comes back equal in the types of the vocabulary."""

import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import contactor
from contactor.clock import NS_PER_MS, from_iso
from tests.app.command_line import SENT_KEYS, command, command_here

MOTIVES = Path(__file__).parents[2] / "examples" / "import" / "motives.toml"
BATTERY = "Vehicle.Powertrain.TractionBattery"
START = "2023-04-19T09:19:44Z"
TYPES = {
    "Vehicle.Speed": pl.Float32,
    f"{BATTERY}.CurrentVoltage": pl.Float32,
    f"{BATTERY}.CurrentCurrent": pl.Float32,
    "Vehicle.Exterior.AirTemperature": pl.Float32,
    "Vehicle.CurrentLocation.Latitude": pl.Float64,
    "Vehicle.CurrentLocation.Longitude": pl.Float64,
    "Vehicle.CurrentLocation.Altitude": pl.Float64,
    f"{BATTERY}.AccumulatedConsumedEnergy": pl.Float32,
    f"{BATTERY}.AccumulatedChargedEnergy": pl.Float32,
}
"""What VSS 6 says that each signal of the example map is: float, or double."""

TABLE = """\
t;speed;soc;word
0;36,5;80;x
0,5;;79,5;x
1;n/a;79;x
1,5;40;;x
;41;78;x
2;900;78;x
"""
MAP = """\
[time]
column = "t"
unit = "s"
origin = "2024-05-01T08:00:00Z"

[table]
delimiter = ";"
decimal = ","

[signals."Vehicle.Speed"]
column = "speed"
valid = [0, 250]

[signals."Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"]
column = "soc"
"""
IMPORT = "import trip.csv --map trip.toml --vehicle mine --data data --json"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "trip.csv").write_text(TABLE)
    (tmp_path / "trip.toml").write_text(MAP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.processes
def test_import_stores_what_is_known_and_counts_what_is_refused(desk: Path) -> None:
    sent = command(IMPORT, cwd=desk).document()
    assert list(sent) == SENT_KEYS
    assert len(sent.pop("stream")) == 16
    assert sent == {
        "vehicle_id": "mine",
        "rows_read": 6,
        "rows_stored": 5,
        "rows_refused": 1,
        "refused": {"time: no value": 1, "Vehicle.Speed outside 0..250": 1},
        "first_ts": "2024-05-01T08:00:00Z",
        "last_ts": "2024-05-01T08:00:02Z",
    }
    rows = contactor.open_lake(desk / "data").signals("mine")
    zero = from_iso("2024-05-01T08:00:00Z")
    assert rows["ts"].to_list() == [zero + 500 * NS_PER_MS * k for k in range(5)]
    assert rows["Vehicle.Speed"].to_list() == [36.5, None, None, 40.0, None]
    assert rows[f"{BATTERY}.StateOfCharge.Displayed"].to_list() == [80.0, 79.5, 79.0, None, 78.0]
    assert [rows.schema[path] for path in rows.columns] == [pl.Int64, pl.Float32, pl.Float32]


def test_import_a_second_time_stores_nothing(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = command_here(capfd, IMPORT).document()
    again = command_here(capfd, IMPORT).document()
    assert again == {**first, "rows_stored": 0}
    assert contactor.open_lake(desk / "data").signals("mine").height == first["rows_stored"]


def test_start_is_the_origin_of_the_clock(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = command_here(capfd, IMPORT).document()
    moved = command_here(capfd, f"{IMPORT} --start 2024-06-01T00:00:00+02:00").document()
    assert moved["stream"] != first["stream"]
    assert moved["rows_stored"] == first["rows_stored"]
    assert (moved["first_ts"], moved["last_ts"]) == (
        "2024-05-31T22:00:00Z",
        "2024-05-31T22:00:02Z",
    )


def test_several_tables_are_one_import(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (desk / "more.csv").write_text("t;speed;soc\n10;50;77\n11;51;76\n")
    both = command_here(capfd, IMPORT.replace("trip.csv", "trip.csv more.csv")).document()
    assert (both["rows_read"], both["rows_stored"]) == (8, 7)
    assert both["last_ts"] == "2024-05-01T08:00:11Z"


def test_import_is_shown_to_people(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = command_here(capfd, IMPORT.removesuffix(" --json")).out.splitlines()
    assert lines[:2] == [
        "mine: 6 rows read, 5 stored, 1 refused",
        "from 2024-05-01T08:00:00Z to 2024-05-01T08:00:02Z",
    ]
    assert lines[2:] == [
        "  refused 1: time: no value",
        "  refused 1: Vehicle.Speed outside 0..250",
    ]


# ── real trips ───────────────────────────────────────────────────────────────────────────────────


def check_equal(data: Path, vehicle: str, table: Path) -> None:
    """Every cell of the table that the map names is in the lake, and nothing else."""
    columns = {
        path: one["column"] for path, one in tomllib.loads(MOTIVES.read_text())["signals"].items()
    }
    raw = pl.read_parquet(table)
    stored = contactor.open_lake(data).signals(vehicle, list(columns))
    # PhaseTime counts 0, 0.05, 0.1, ... without a hole.
    clock_ms = np.rint(raw["PhaseTime"].to_numpy() * 1000).astype(np.int64)
    assert stored["ts"].to_list() == (from_iso(START) + clock_ms * NS_PER_MS).tolist()
    expected = raw.select(
        pl.col(column).cast(TYPES[path]).alias(path) for path, column in columns.items()
    )
    assert stored.drop("ts").equals(expected)
    assert stored.drop("ts").schema == TYPES


@pytest.mark.parametrize("number", range(1, 41))
def test_motives_trip_comes_back_equal(
    shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], number: int
) -> None:
    table = shared_data / "motives" / f"real_{number:03d}.parquet"
    line = f"import {table} --map {MOTIVES} --vehicle trip --data '{tmp_path}/data' --json"
    sent = command_here(capfd, f"{line} --start {START}").document()
    assert sent["rows_stored"] == sent["rows_read"] == pl.read_parquet(table).height
    assert (sent["rows_refused"], sent["refused"], sent["first_ts"]) == (0, {}, START)
    check_equal(tmp_path / "data", "trip", table)


@pytest.mark.processes
def test_motives_trip_imported_by_a_process_comes_back_equal(
    shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = shared_data / "motives" / "real_001.parquet"
    line = f"import {table} --map {MOTIVES} --vehicle trip --data data --json --start {START}"
    first = command(line, cwd=tmp_path).document()
    assert first["rows_stored"] == first["rows_read"] == 30_384
    again = command(line, cwd=tmp_path).document()
    assert again == {**first, "rows_stored": 0}
    check_equal(tmp_path / "data", "trip", table)
