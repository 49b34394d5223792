import json
import subprocess
import sys
from pathlib import Path

import pytest

import contactor
from contactor.can.recording import decode
from contactor.errors import LogError, MissingPart, UsageError

DBC = """\
VERSION ""

BU_: X

BO_ 475 HVBAT: 2 X
 SG_ Voltage : 0|8@1+ (2,0) [0|0] "V" X
 SG_ State M : 8|4@1+ (1,0) [0|0] "" X
 SG_ Detail m1 : 12|4@1+ (1,0) [0|0] "" X

BO_ 476 Other: 1 X
 SG_ ts : 0|8@1+ (1,0) [0|0] "" X

VAL_ 475 State 0 "Off" 1 "On" 15 "Not available" ;
"""
LOG = """\
(1700000000.000000) can0 1DB#6401
(1700000000.010000) can0 1DB#6521
(1700000000.015000) can0 1DC#07
(1700000000.020000) can0 1DB#66
(1700000000.025000) can0 7FF#00
(1700000000.026000) can0 1DB#R
oops
(1700000000.030000) can1 1DB#670F
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "drive.log").write_text(LOG)
    return tmp_path


def test_summary_counts_every_line_once(files: Path) -> None:
    summary = decode(files / "drive.log", files / "car.dbc").summary()
    assert summary["frames"] == 8
    assert summary["frames_decoded"] == 5
    assert summary["frames_unknown"] == 1
    assert summary["frames_other"] == 1
    assert summary["frames_refused"] == 1
    assert summary["refused"] == [
        {"reason": "not a frame", "count": 1, "first_line": 7, "first_text": "oops"}
    ]
    assert summary["duration_s"] == 0.03
    assert summary["messages"] == {"HVBAT": 4, "Other": 1}
    assert summary["logs"] == [{"file": "drive.log", "format": "candump", "time": "utc"}]
    assert "ids" not in summary
    json.dumps(summary, allow_nan=False)


def test_summary_tells_what_each_signal_was(files: Path) -> None:
    signals = decode(str(files / "drive.log"), str(files / "car.dbc")).summary()["signals"]
    assert signals["HVBAT.Voltage"] == {
        "unit": "V",
        "count": 4,
        "unavailable": 0,
        "first": 200.0,
        "last": 206.0,
        "min": 200.0,
        "max": 206.0,
        "mean": 203.0,
    }
    assert (signals["HVBAT.State"]["count"], signals["HVBAT.State"]["unavailable"]) == (2, 1)
    assert signals["HVBAT.Detail"]["count"] == 2


def test_messages_are_tables_with_nulls_where_there_is_no_value(files: Path) -> None:
    tables = decode(files / "drive.log", files / "car.dbc").messages
    assert list(tables) == ["HVBAT", "Other"]
    assert tables["HVBAT"].rows() == [
        (1_700_000_000_000_000_000, 0, 200.0, 1.0, 0.0),
        (1_700_000_000_010_000_000, 0, 202.0, 1.0, 2.0),
        (1_700_000_000_020_000_000, 0, 204.0, None, None),
        (1_700_000_000_030_000_000, 1, 206.0, None, None),
    ]
    assert tables["HVBAT"].columns == ["ts", "bus", "Voltage", "State", "Detail"]
    assert tables["Other"].columns == ["ts", "bus", "Other.ts"]


def test_long_form_has_a_row_per_reading_in_the_order_of_frames(files: Path) -> None:
    table = decode(files / "drive.log", files / "car.dbc").long()
    assert table.columns == ["ts", "bus", "message", "signal", "value", "label"]
    first, last = 1_700_000_000_000_000_000, 1_700_000_000_030_000_000
    assert table.rows()[:3] == [
        (first, 0, "HVBAT", "Voltage", 200.0, None),
        (first, 0, "HVBAT", "State", 1.0, "On"),
        (first, 0, "HVBAT", "Detail", 0.0, None),
    ]
    assert table.rows()[-1] == (last, 1, "HVBAT", "State", None, "Not available")
    assert len(table) == 10


def test_signals_are_chosen_by_name(files: Path) -> None:
    recording = decode(files / "drive.log", files / "car.dbc", ["HVBAT.Voltage"])
    assert [column.name for column in recording.columns] == ["HVBAT.Voltage"]
    assert recording.summary()["frames_decoded"] == 5
    with pytest.raises(UsageError, match="no signal 'Volts'"):
        decode(files / "drive.log", files / "car.dbc", ["Volts"])
    with pytest.raises(UsageError, match="no database"):
        decode(files / "drive.log", signals=["HVBAT.Voltage"])


def test_messages_without_a_chosen_signal_have_no_table(files: Path) -> None:
    recording = decode(files / "drive.log", files / "car.dbc", ["HVBAT.Voltage"])
    assert {name: len(table) for name, table in recording.messages.items()} == {"HVBAT": 4}


def test_without_a_database_the_ids_are_told(files: Path) -> None:
    recording = decode(files / "drive.log")
    summary = recording.summary()
    assert (summary["frames_unknown"], summary["frames_other"]) == (6, 1)
    assert summary["signals"] == {}
    assert list(summary["ids"]) == ["0:0x1db", "1:0x1db", "0x1dc", "0x7ff"]
    assert recording.messages == {}
    assert len(recording.long()) == 0


def test_dated_logs_are_put_in_time_order(files: Path) -> None:
    (files / "earlier.log").write_text("(1600000000.000000) can0 1DB#0A01\n")
    recording = decode([files / "drive.log", files / "earlier.log"], files / "car.dbc")
    assert recording.frames.ts[0] == 1_600_000_000_000_000_000
    assert [log.file for log in recording.logs] == ["earlier.log", "drive.log"]


def test_undated_logs_follow_each_other_as_given(files: Path) -> None:
    for name in ("a.log", "b.log"):
        (files / name).write_text("(5.000000) can0 1DB#0A01\n(6.500000) can0 1DB#0A01\n")
    recording = decode([files / "b.log", files / "a.log"])
    assert recording.frames.ts.tolist() == [0, 1_500_000_000, 1_500_000_000, 3_000_000_000]
    assert [log.file for log in recording.logs] == ["b.log", "a.log"]


def test_dated_and_undated_logs_are_not_mixed(files: Path) -> None:
    (files / "a.log").write_text("(5.000000) can0 1DB#0A01\n")
    with pytest.raises(LogError, match=r"drive\.log has dates and .*a\.log has none"):
        decode([files / "a.log", files / "drive.log"])


def test_message_name_in_two_databases_is_prefixed_by_bus(files: Path) -> None:
    (files / "other.dbc").write_text(DBC.replace("475", "477"))
    summary = decode(files / "drive.log", [files / "car.dbc", files / "other.dbc"]).summary()
    assert summary["messages"] == {"0:HVBAT": 3, "1:HVBAT": 1, "0:Other": 1}
    assert summary["signals"]["1:HVBAT.Voltage"]["first"] == 206.0
    assert "0:Other.ts" in summary["signals"]


def test_tables_without_polars_say_what_to_install(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = decode(files / "drive.log", files / "car.dbc")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPart, match=r"pip install 'contactor\[cloud\]'"):
        recording.long()


def test_decoding_needs_no_polars(files: Path) -> None:
    code = (
        "import sys, contactor; "
        f"contactor.decode({str(files / 'drive.log')!r}, {str(files / 'car.dbc')!r}).summary(); "
        "sys.exit('polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_face_in_python_is_the_same_function() -> None:
    assert contactor.decode is decode
