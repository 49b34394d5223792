import argparse
import json
from pathlib import Path

import polars as pl
import pytest

from contactor.app.commands import decode
from contactor.app.main import main
from contactor.can.writers.table import FORMATS

DBC = """\
VERSION ""

BU_: X

BO_ 475 HVBAT: 2 X
 SG_ Voltage : 0|8@1+ (2,0) [0|0] "V" X
 SG_ Current : 8|8@1- (1,0) [0|0] "A" X
"""
LOG = """\
(1700000000.000000) can0 1DB#6401
(1700000000.010000) can0 1DB#65FF
(1700000000.020000) can0 7FF#00
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "drive.log").write_text(LOG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fail(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line on stderr of a command that fails."""
    exit_code = main(["decode", *arguments])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("contactor: ")
    assert err.count("\n") == 1
    return exit_code, err


def test_formats_offered_are_those_that_are_written() -> None:
    parser = argparse.ArgumentParser()
    decode.add_arguments(parser)
    (choices,) = [action.choices for action in parser._actions if action.dest == "to"]
    assert choices == FORMATS


def test_decode_json_is_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "drive.log", "--dbc", "car.dbc", "--json"]) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert err == ""
    assert (summary["frames"], summary["frames_decoded"], summary["frames_unknown"]) == (3, 2, 1)
    assert summary["messages"] == {"HVBAT": 2}
    assert summary["signals"]["HVBAT.Current"]["min"] == -1.0


def test_decode_into_a_used_folder_names_what_is_not_of_this_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "signals").mkdir()
    for name in ("Old.parquet", "hvbat.parquet", "notes.txt"):
        (folder / "signals" / name).touch()
    assert main(["decode", "drive.log", "--dbc", "car.dbc", "--output", "signals"]) == 0
    err = capsys.readouterr().err
    assert "signals also holds 2 Parquet files not of this run: Old.parquet, hvbat.parquet\n" in err


def test_decode_shows_signals_to_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "drive.log", "--dbc", "car.dbc"]) == 0
    out = capsys.readouterr().out
    assert "drive.log: candump, time utc" in out
    assert "3 frames in 0.02 s: 2 decoded, 1 unknown, 0 error or remote, 0 refused" in out
    assert [line.split() for line in out.splitlines() if "Voltage" in line] == [
        ["HVBAT.Voltage", "V", "2", "0", "200", "202", "201", "202"]
    ]


def test_decode_without_a_database_shows_ids(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "drive.log"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["0x1db", "2", "10", "0", "2", "01fe"] in lines


def test_decode_writes_a_parquet_per_message(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "drive.log", "--dbc", "car.dbc", "--output", "new/signals"]) == 0
    assert [path.name for path in (folder / "new" / "signals").iterdir()] == ["HVBAT.parquet"]
    table = pl.read_parquet(folder / "new" / "signals" / "HVBAT.parquet")
    assert table.schema == {
        "ts": pl.Int64,
        "bus": pl.UInt8,
        "Voltage": pl.Float64,
        "Current": pl.Float64,
    }
    assert table["Current"].to_list() == [1.0, -1.0]


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_decode_writes_the_long_form(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / name).write_text("old")
    assert main(["decode", "drive.log", "--dbc", "car.dbc", "--output", name]) == 0
    table = pl.read_parquet(name) if name.endswith("parquet") else pl.read_csv(name)
    assert table.columns == ["ts", "bus", "message", "signal", "value", "label"]
    assert table["value"].to_list() == [200.0, 1.0, 202.0, -1.0]
    assert not list(folder.glob(".*"))


def test_decode_chooses_signals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--dbc", "car.dbc", "--signal", "HVBAT.Voltage", "--json"]
    assert main(["decode", "drive.log", *arguments]) == 0
    assert list(json.loads(capsys.readouterr().out)["signals"]) == ["HVBAT.Voltage"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drive.log", "--dbc", "car.dbc", "--signal", "HVBAT.Volt"], "near: HVBAT.Voltage"),
        (["drive.log", "--signal", "Voltage"], "--signal needs a database"),
        (["drive.log", "--output", "out.csv"], "--output writes decoded signals"),
        (["drive.log", "--dbc", "car.dbc", "--output", "out.xlsx"], "FILE.parquet or FILE.csv"),
        (["drive.log", "--dbc", "car.dbc", "--output", "no/out.csv"], "there is no folder no"),
        (["drive.log", "--dbc", "car.dbc", "--output", "drive.log/"], "is a file"),
        (["nothing.log"], "no such file: nothing.log"),
        (["."], "is a directory"),
        (["drive.log", "--dbc", "nothing.dbc"], "no such file: nothing.dbc"),
        (
            ["drive.log", "--dbc", "can0=nothing.dbc"],
            "no such file: nothing.dbc, given as BUS=FILE for bus 0; nor is there a file of that",
        ),
        (
            ["drive.log", "--dbc", "body=car.dbc"],
            "no such file: body=car.dbc; nor is it BUS=FILE: a bus is 0..255, or such as can0, not",
        ),
    ],
)
def test_decode_refuses_wrong_arguments_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    exit_code, err = fail(capsys, *arguments, "--json")
    assert exit_code == 2
    assert message in err


def test_decode_refuses_what_cannot_be_read_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["car.dbc"], ["drive.log", "--dbc", "drive.log"]):
        exit_code, err = fail(capsys, *arguments, "--json")
        assert exit_code == 1
        assert arguments[-1] in err


def test_decode_that_cannot_write_leaves_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out" / "HVBAT.parquet").mkdir(parents=True)
    exit_code, err = fail(capsys, "drive.log", "--dbc", "car.dbc", "--output", "out")
    assert exit_code == 1
    assert "cannot write out/HVBAT.parquet" in err
    assert not list((folder / "out").glob(".*"))


@pytest.mark.parametrize(
    "options",
    [
        ["drive.csv", "--dbc", "car.dbc", "--output", "drive.csv"],
        ["drive.csv", "--dbc", "car.dbc", "--output", "link.csv"],
        ["drive.csv", "--dbc", "car.dbc", "--plot", "drive.html"],
        ["drive.csv", "--to", "candump", "--output", "drive.csv"],
        ["drive.log", "--to", "candump", "--dbc", "car.dbc", "--output", "car.dbc"],
    ],
)
def test_decode_writes_over_nothing_that_it_reads(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    log = Path("drive.log").read_bytes()
    Path("drive.csv").write_bytes(log)
    Path("link.csv").symlink_to("drive.csv")
    Path("drive.html").hardlink_to("drive.csv")
    database = Path("car.dbc").read_bytes()
    exit_code, err = fail(capsys, *options)
    assert exit_code == 2
    assert "which is read" in err
    assert Path("drive.csv").read_bytes() == log
    assert Path("car.dbc").read_bytes() == database
