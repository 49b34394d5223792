import logging
from pathlib import Path

import pytest

from contactor.can.database import Database, SignalFormat, load_database
from contactor.errors import DatabaseError, UsageError

GOLDEN = """\
VERSION ""

BU_: VCM

BO_ 475 HVBAT: 8 VCM
 SG_ Current : 7|11@0- (0.5,0) [-400|200] "A" VCM
 SG_ Gear M : 16|3@1+ (1,0) [0|0] "" VCM
 SG_ Park m0 : 24|8@1+ (2,-40) [0|0] "degC" VCM

BO_ 2566869221 HVIL: 2 VCM
 SG_ Torque : 0|16@1- (0.25,10) [0|0] "Nm" VCM

BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 475 10;
VAL_ 475 Gear 0 "Park" 1 "Drive" ;
"""


def load(folder: Path, *texts: str | bytes) -> Database:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.dbc"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return load_database(paths)


def test_database_holds_messages_and_signals(tmp_path: Path) -> None:
    database = load(tmp_path, GOLDEN)
    battery, inverter = database.messages
    assert (battery.name, battery.can_id, battery.is_extended) == ("HVBAT", 475, False)
    assert (battery.length, battery.cycle_time_ms, battery.source) == (8, 10, "0.dbc")
    assert (inverter.can_id, inverter.is_extended) == (0x18FF50E5, True)
    assert inverter.cycle_time_ms is None
    assert database.message("HVIL") is inverter
    assert battery.signals[0] == SignalFormat(
        name="Current",
        start=7,
        length=11,
        byte_order="big_endian",
        is_signed=True,
        is_float=False,
        scale=0.5,
        offset=0,
        unit="A",
        labels={},
        multiplexer=None,
        multiplexer_ids=(),
        is_multiplexer=False,
        minimum=-400,
        maximum=200,
    )
    assert battery.signals[1].is_multiplexer
    assert battery.signals[1].labels == {0: "Park", 1: "Drive"}
    assert (battery.signals[2].multiplexer, battery.signals[2].multiplexer_ids) == ("Gear", (0,))


def test_whole_scale_and_offset_are_integers_but_of_floats(tmp_path: Path) -> None:
    text = GOLDEN.replace("(2,-40)", "(2.0,-4E1)").replace("(0.25,10)", "(1.0,10)")
    text = text.replace("0|16@1-", "0|32@1-") + "SIG_VALTYPE_ 2566869221 Torque : 1;\n"
    battery, inverter = load(tmp_path, text).messages
    park, torque = battery.signals[2], inverter.signals[0]
    assert (repr(park.scale), repr(park.offset)) == ("2", "-40")
    assert (repr(torque.scale), torque.is_float) == ("1.0", True)


def test_unit_is_read_in_utf8_and_in_windows_1252(tmp_path: Path) -> None:
    text = GOLDEN.replace('"degC"', '"°C"')
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        database = load(tmp_path, text.encode(encoding))
        assert database.messages[0].signals[2].unit == "°C"


def test_first_database_counts_where_two_define_an_id(tmp_path: Path) -> None:
    other = GOLDEN.replace("HVBAT", "OTHER").replace("2566869221", "2566869222")
    database = load(tmp_path, GOLDEN, other)
    assert [(message.name, message.source) for message in database.messages] == [
        ("HVBAT", "0.dbc"),
        ("HVIL", "0.dbc"),
        ("HVIL", "1.dbc"),
    ]
    assert database.shared_names == {"HVIL"}


def test_last_definition_counts_within_a_file_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        database = load(tmp_path, GOLDEN.replace("2566869221", "475"))
    assert [message.name for message in database.messages] == ["HVIL"]
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOLDEN.replace("475 HVBAT: 8", "475 HVBAT 8"), r"Invalid syntax at line 5, column 15"),
        (GOLDEN.replace("BO_ 475", "BO_ 4750"), "more than 11 bits in message HVBAT"),
        ("(1700000000.000000) can0 1DB#00\n", "is no CAN database"),
        ("", "is no CAN database"),
        ('<?xml version="1.0"?><NetworkDefinition><', "0.dbc: .*column"),
        (GOLDEN.replace("(0.5,0)", "(1" + "0" * 400 + ",0)"), "too large"),
    ],
)
def test_broken_database_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DatabaseError, match=reason) as raised:
        load(tmp_path, text)
    assert str(tmp_path / "0.dbc") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_file_and_directory_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_database([tmp_path / "nothing.dbc"])
    with pytest.raises(UsageError, match="is a directory"):
        load_database([tmp_path])


def test_unknown_message_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no message 'ABS'"):
        load(tmp_path, GOLDEN).message("ABS")


def test_corpus_is_read_or_refused_in_one_line(shared_data: Path) -> None:
    paths = [
        path
        for path in sorted((shared_data / "dbc_corpus").rglob("*"))
        if path.suffix in {".dbc", ".kcd", ".sym", ".arxml", ".cdd"}
    ]
    reasons = {path.name: reason for path in paths if (reason := refusal(path))}
    assert not any("\n" in reason for reason in reasons.values())
    assert [name for name in reasons if name.endswith(".dbc")] == [
        "incorrect-sig_valtype.dbc",
        "incorrect-val.dbc",
        "issue_199.dbc",
        "issue_199_extended.dbc",
    ]
    assert (len(paths), len(reasons)) == (137, 17)


def refusal(path: Path) -> str | None:
    try:
        load_database([path])
    except DatabaseError as error:
        return str(error)
    return None
