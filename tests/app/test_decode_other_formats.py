"""`contactor decode --to`, `--plot`, and what it tells without a database."""

import json
from pathlib import Path

import pytest

from contactor.app.main import main
from contactor.can.checksum import Checksum
from contactor.can.frames import FrameTable
from contactor.can.writers.table import write_log

DBC = """\
VERSION ""

BU_: X

BO_ 272 State: 8 X
 SG_ Speed : 23|8@0+ (1,0) [0|0] "km/h" X
 SG_ Gear : 25|2@0+ (1,0) [0|0] "" X

VAL_ 272 Gear 0 "P" 1 "R" 2 "D" ;
"""
ROWS = 200


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of a protected frame every 10 ms: checksum, counter, speed, gear; and the database."""
    payloads = [
        bytes([0, row % 15, 100 + row // 2 % 100, row // 80, 0, 0, 0, 0]) for row in range(ROWS)
    ]
    frames = FrameTable.of(
        ts=[row * 10_000_000 for row in range(ROWS)], can_id=[0x110] * ROWS, data=payloads
    )
    frames.data[:, 0] = Checksum(0x110, length=8, at_byte=0).of(frames.data)
    with (tmp_path / "drive.log").open("wb") as file:
        write_log([frames], file, "candump")
    (tmp_path / "car.dbc").write_text(DBC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ids_are_told_with_what_was_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "drive.log"]) == 0
    out = capsys.readouterr().out
    (line,) = (line for line in out.splitlines() if line.startswith("0x110"))
    assert "counter 8|4@1+ modulo 15; crc8 0x1d 0|8@1+ in all" in line
    assert "bus 0: 1 ids, 101 frames/s" in out


def test_ids_of_json_have_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "drive.log", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    facts = summary["ids"]["0x110"]
    assert (facts["cycle_time_ms"], facts["sending"], facts["bytes_max"][1]) == (10, "cyclic", 14)
    assert facts["checksums"][0]["held"] == facts["checksums"][0]["checked"] == ROWS
    assert summary["buses"]["0"]["ids"] == 1


@pytest.mark.parametrize("form", ["candump", "asc", "blf", "trc"])
def test_a_log_becomes_one_of_another_format(
    folder: Path, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    assert main(["decode", "drive.log", "--to", form, "--output", "new"]) == 0
    assert f"{ROWS} frames written to new" in capfd.readouterr().err
    assert main(["decode", "new", "--to", "candump"]) == 0
    assert capfd.readouterr().out == (folder / "drive.log").read_text()


@pytest.mark.parametrize("form", ["candump", "asc", "blf", "trc"])
def test_a_log_whose_clock_restarts_keeps_its_stamps(
    folder: Path, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    lines = ["(72.500000) can0 110#00", "(0.010000) can0 110#01", "(0.020000) can0 110#02"]
    (folder / "restart.log").write_text("\n".join(lines) + "\n")
    assert main(["decode", "restart.log", "--to", form, "--output", "new"]) == 0
    assert capfd.readouterr().err == "contactor: 3 frames written to new\n"
    assert main(["decode", "new", "--to", "candump"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "(72.490000) can0 110#00",
        "(0.000000) can0 110#01",
        "(0.010000) can0 110#02",
    ]


@pytest.mark.parametrize("suffix", ["png", "html"])
def test_signals_are_drawn(folder: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    assert main(["decode", "drive.log", "--dbc", "car.dbc", "--plot", f"drive.{suffix}"]) == 0
    assert f"2 signals drawn in drive.{suffix}" in capsys.readouterr().err
    assert (folder / f"drive.{suffix}").stat().st_size > 2000


def test_drawing_of_a_log_whose_clock_restarts_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (folder / "drive.log").read_text()
    (folder / "restart.log").write_text(f"(72.500000) can0 110#0001\n{lines}")
    assert main(["decode", "restart.log", "--dbc", "car.dbc", "--plot", "drive.html"]) == 0
    assert "contactor: time runs back once in the recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "asc", "--json"], "both want standard output"),
        (["--to", "asc", "--output", "."], "is a folder; --to asc writes one file"),
        (["--plot", "drive.png"], "--plot draws decoded signals: give --dbc FILE"),
        (["--dbc", "car.dbc", "--plot", "drive.pdf"], "FILE.png or FILE.html is expected"),
    ],
)
def test_wrong_arguments_are_refused_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["decode", "drive.log", *arguments]) == 2
    assert message in capsys.readouterr().err
