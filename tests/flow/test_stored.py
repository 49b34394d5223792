"""The comparison finds what it is there to find."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.app.processes import contactor
from tests.flow.drives import Drives, make_drives, ts_of
from tests.flow.stored import KEY, check, rows_settled


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Drives]:
    """A small drive, replayed into a lake."""
    folder = tmp_path_factory.mktemp("replayed")
    drives = make_drives(folder, vehicles=1, count=120)
    words = ["--car", folder / "known", "--vehicle", "car-0", "--sampling", "every"]
    ended = contactor("replay", folder / "car-0.log", *words, "--data", folder / "data")
    assert ended.returncode == 0, ended.stderr
    return folder / "data", drives


def test_lake_that_holds_all_passes(replayed: tuple[Path, Drives]) -> None:
    data, drives = replayed
    assert check(data, drives.truth).is_empty()
    assert rows_settled(data) == drives.truth.select(KEY).n_unique()


def test_value_that_is_missing_is_found(replayed: tuple[Path, Drives]) -> None:
    data, drives = replayed
    extra = drives.truth.tail(1).with_columns(ts=ts_of(121))
    with pytest.raises(AssertionError, match="missing, and not declared"):
        check(data, pl.concat([drives.truth, extra]))


@pytest.mark.parametrize("path", ["Gear", "LowVoltage", "Motor.Speed", "CellVolt", "Warning"])
def test_value_that_was_never_produced_is_found(replayed: tuple[Path, Drives], path: str) -> None:
    data, drives = replayed
    row = drives.truth.with_row_index().filter(pl.col("path").str.contains(path)).tail(1)
    assert len(row) == 1
    truth = drives.truth.with_row_index().join(row, on="index", how="anti").drop("index")
    with pytest.raises(AssertionError, match="stored, but never produced"):
        check(data, truth)


def test_value_stored_twice_is_found(replayed: tuple[Path, Drives], tmp_path: Path) -> None:
    before, drives = replayed
    data = shutil.copytree(before, tmp_path / "data")
    table = str(data / "lake" / "telemetry")
    rows = pl.scan_delta(table).filter(pl.col("group") == "drive").collect()
    rows.tail(1).write_delta(table, mode="append")
    with pytest.raises(AssertionError, match="stored twice"):
        check(data, drives.truth)
