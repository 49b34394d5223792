"""What `contactor decode` says where databases do not fit a log."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from contactor.app.unknown import why_unknown
from contactor.can.databases.argument import database_argument
from contactor.can.job import open_job
from contactor.can.kernels import SWITCH, is_installed
from tests.app.command_line import command_here

LOG = """\
(1700000000.000000) can0 1DB#6401
(1700000000.010000) can0 1DC#65FF
(1700000000.020000) can2 18FEF117#00
(1700000000.030000) can2 5#R
(1700000000.040000) can5 20000004#0000000000000000
"""
ATTRIBUTES = """
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "StandardCAN";
"""


def dbc(*ids: int, attributes: str = "") -> str:
    messages = "".join(
        f'BO_ {one} M{place}: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] "" X\n\n'
        for place, one in enumerate(ids)
    )
    return f'VERSION ""\n\nBU_: X\n\n{messages}{attributes}'


@pytest.fixture(
    params=[
        "0",
        pytest.param(
            "1", marks=pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
        ),
    ],
)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    (tmp_path / "drive.log").write_text(LOG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SWITCH, request.param)
    return tmp_path


def hints(databases: Sequence[str], log: str = "drive.log") -> list[str]:
    job = open_job(log, [database_argument(one) for one in databases])
    assert sum(len(chunk.frames) for chunk in job.chunks()) > 0
    return list(why_unknown(job))


def test_database_of_another_car_is_told_with_ids_of_both(folder: Path) -> None:
    Path("wrong.dbc").write_text(dbc(*range(0x100, 0x106)))
    assert hints(["wrong.dbc"]) == [
        "none of the log's 3 ids is in wrong.dbc: the log has 0x1db 0x1dc 0x18fef117; "
        "the database has 6 messages (0x100 0x101 0x102 0x103 …)"
    ]
    Path("empty.dbc").write_text(dbc())
    assert hints(["empty.dbc"])[0].endswith("the database has no message")
    assert hints(["empty.dbc", "wrong.dbc"])[0].startswith(
        "none of the log's 3 ids is in empty.dbc or wrong.dbc: "
    )


def test_database_that_knows_an_id_of_the_log_is_not_spoken_of(folder: Path) -> None:
    Path("car.dbc").write_text(dbc(0x1DC, 0x300))
    Path("wrong.dbc").write_text(dbc(0x100))
    assert hints(["car.dbc"]) == []
    assert hints(["0=car.dbc", "wrong.dbc"]) == []


def test_ids_of_the_other_frame_format_are_told(folder: Path) -> None:
    Path("wide.dbc").write_text(dbc(0x1DB | 1 << 31, 0x1DC | 1 << 31))
    assert hints(["wide.dbc"])[1:] == [
        "2 of the ids are in the database with 29 bits, in the log with 11: 0x1db 0x1dc"
    ]


def test_ids_of_a_parameter_group_that_is_not_called_so_are_told(folder: Path) -> None:
    Path("truck.dbc").write_text(dbc(0x18FEF121 | 1 << 31, attributes=ATTRIBUTES))
    (line,) = hints(["truck.dbc"])[1:]
    assert line.startswith(
        "1 of the ids are messages of the database by their J1939 parameter group, "
        "such as 0x18fef117, there 0x18fef121"
    )


def test_bus_without_frames_is_told_with_those_that_there_are(folder: Path) -> None:
    Path("car.dbc").write_text(dbc(0x1DB))
    Path("body.dbc").write_text(dbc(0x1DC))
    assert hints(["car.dbc", "can3=body.dbc"]) == [
        "no data frame is on bus 3, which body.dbc is for; the log has bus 0, 2"
    ]
    assert hints(["3=body.dbc"]) == [
        "no data frame is on bus 3, which body.dbc is for; the log has bus 0, 2",
        "1 of the log's 3 ids are in body.dbc, but for bus 3; in the log they are on bus 0: 0x1dc",
    ]
    assert hints(["2=body.dbc"]) == [
        "1 of the log's 3 ids are in body.dbc, but for bus 2; in the log they are on bus 0: 0x1dc"
    ]


def test_bus_of_a_format_that_counts_from_1_is_told(folder: Path) -> None:
    Path("car.dbc").write_text(dbc(0x1DB))
    Path("drive.asc").write_text(
        "date Mon Jan 1 00:00:00.000 2024\nbase hex timestamps absolute\n"
        "   0.001000 1  1DB             Rx   d 1 01\n"
    )
    assert hints(["1=car.dbc"], "drive.asc")[0] == (
        "no data frame is on bus 1, which car.dbc is for; the log has bus 0, "
        "where bus 1 of asc counts as 0"
    )


def test_answers_of_a_signal_set_count_as_its_ids(folder: Path) -> None:
    (line,) = hints(["obd2"])
    assert "none of the log's 3 ids is in obd2: " in line
    assert "the database has the answers of 0x7e8 0x7e9 " in line
    Path("obd.log").write_text("(0.000000) can0 7E8#03410D2000000000\n")
    assert hints(["obd2"], "obd.log") == []


def test_hint_goes_to_stderr_and_leaves_the_exit_code(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("wrong.dbc").write_text(dbc(0x100))
    ended = command_here(capfd, "decode drive.log --dbc wrong.dbc --json")
    assert ended.exit_code == 0
    assert ended.err.startswith("contactor: none of the log's 3 ids is in wrong.dbc")
    assert ended.out.startswith("{")
    ended = command_here(capfd, "decode drive.log --dbc wrong.dbc --plot drive.html")
    assert ended.exit_code == 1
    assert [line[:30] for line in ended.err.splitlines()] == [
        "contactor: none of the log's 3",
        "contactor: nothing to draw in ",
    ]
