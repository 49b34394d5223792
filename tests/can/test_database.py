import logging
from pathlib import Path

import pytest

from contactor.can.database import Database, DatabaseFile, SignalFormat, load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
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
        (GOLDEN.replace("475 HVBAT: 8", "475 HVBAT: eight"), "line 5: length 'eight' of message"),
        ("(1700000000.000000) can0 1DB#00\n", "is no CAN database"),
        ("", "is no CAN database"),
        ('<?xml version="1.0"?><NetworkDefinition><', "0.dbc: .*column"),
        (GOLDEN.replace("(0.5,0)", "(1" + "0" * 400 + ",0)"), r"line 6: no certain \(factor"),
        ("<CANDELA DTDVERS='8.0'/>", r"it is a diagnostics database \(CANdela CDD\)"),
        ("PK\x03\x04", "it is a zip archive"),
        ("FormatVersion=4.0 // x\n", "line 1: SYM version 4.0"),
        ("FormatVersion=6.0 // x\n{SEND}\n[A]\nID=1h\nLen=99999999\n", "line 5: no message is so"),
        ("FormatVersion=6.0 // x\n{SEND}\n[A]\nID=0h-1FFFFFFFh\n", "line 4: more than"),
        ("FormatVersion=6.0 // x\n{SEND}\n[A]\nID=1h\nLen=", "Invalid syntax at line 6"),
        ('<NetworkDefinition><!ENTITY a "b">', "line 1: entities"),
        ('<NetworkDefinition>\n<Message id="1" length="9999999"/>', "line 2: no message is so"),
    ],
)
def test_broken_database_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DatabaseError, match=reason) as raised:
        load(tmp_path, text)
    assert str(tmp_path / "0.dbc") in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("(1700000000.000000) can0 1DB#00\n", "candump"),
        ("Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3\n1,1DB,false,Rx,0,1,00,\n", "savvycan"),
    ],
)
def test_log_given_as_a_database_is_named_as_a_log(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(DatabaseError, match=rf"a log of CAN frames \({name}\): give it as LOG"):
        load(tmp_path, text)


def test_missing_file_and_directory_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_database([tmp_path / "nothing.dbc"])
    with pytest.raises(UsageError, match="is a directory"):
        load_database([tmp_path])


def test_unknown_message_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no message 'ABS'"):
        load(tmp_path, GOLDEN).message("ABS")


def test_multiplexer_with_a_long_name_is_known_by_it(tmp_path: Path) -> None:
    long = "GearWithANameOfMoreThanThirtyTwoCharacters"
    text = GOLDEN + (
        'BA_DEF_ SG_ "SystemSignalLongSymbol" STRING ;\n'
        f'BA_ "SystemSignalLongSymbol" SG_ 475 Gear "{long}";\n'
    )
    gear, park = load(tmp_path, text).messages[0].signals[1:]
    assert (gear.name, park.multiplexer) == (long, long)


def test_database_describes_one_bus_or_all(tmp_path: Path) -> None:
    path, other = tmp_path / "a.dbc", tmp_path / "b.dbc"
    path.write_text(GOLDEN)
    other.write_text(GOLDEN.replace("HVBAT", "OTHER"))
    database = load_database([DatabaseFile(path), DatabaseFile(other, 1), DatabaseFile(path, 1)])
    assert [(message.name, message.bus) for message in database.messages] == [
        ("HVBAT", None),
        ("HVIL", None),
        ("OTHER", 1),
        ("HVIL", 1),
    ]
    assert [message.bus for message in load_database({path: 2}).messages] == [2, 2]


@pytest.mark.parametrize(
    ("signal", "byte"),
    [("60|16@1+", 10), ("64|8@1+", 9), ("56|16@0+", 10), ("7|64@0-", 0), ("0|64@1+", 0)],
)
def test_signal_beyond_its_message_is_told_once_and_read_from_longer_frames(
    tmp_path: Path, signal: str, byte: int
) -> None:
    text = GOLDEN.replace("7|11@0-", signal)
    database = load(tmp_path, text)
    told = [str(repair) for repair in database.repairs]
    place = "0.dbc:6: signal 'Current' "
    assert [line.startswith(place) and f"into byte {byte} of" in line for line in told] == (
        [True] if byte else []
    )
    frames = FrameTable.of(ts=[0, 1], can_id=[475, 475], data=[bytes(8), bytes(12)])
    plan = compile_plan(database, signals=["HVBAT.Current"])
    assert plan.left_out == ()
    (column,) = decode_columns(frames, plan)
    assert len(column.values) == (1 if byte else 2)


KCD = """\
<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
 <Document/><Bus name="A">
  <Message id="0x1" length="1" name="Other"><Signal name="S" offset="0" length="8"/></Message>
  <Message id="0x2" length="1" name="HVIL">
   <Signal name="S" offset="0" length="9"/></Message>
 </Bus>
</NetworkDefinition>
"""
SYM = """\
FormatVersion=6.0 // Do not edit this line!
{SIGNALS}
Sig="Pack Current" unsigned 16
{SEND}
[Battery]
ID=18FF50E5h
Type=Extended
Len=1
Sig="Pack Current" 0
"""


@pytest.mark.parametrize(("text", "line"), [(KCD, 5), (SYM, 9)])
def test_signal_beyond_its_message_is_told_of_other_kinds(
    tmp_path: Path, text: str, line: int
) -> None:
    assert [one.line for one in load(tmp_path, text).repairs] == [line]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (KCD.replace('length="9"', 'length="nine"'), "line 5: Signal in /A/HVIL/S: .*'nine'"),
        (KCD.replace(' offset="0" length="9"', ""), "line 5: Signal in /A/HVIL/S: "),
    ],
)
def test_kcd_that_is_wrong_is_refused_with_line_element_and_path(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(DatabaseError, match=reason):
        load(tmp_path, text)


def test_repairs_name_file_and_line(tmp_path: Path) -> None:
    database = load(tmp_path, GOLDEN, GOLDEN.replace("BO_ 475", "BO_ 4750"))
    repair = database.repairs[0]
    assert str(repair) == (
        "1.dbc:5: id 0x128E of message 'HVBAT' has more than 11 bits: read as extended"
    )
    assert len(database.messages) == 3


def test_unit_of_a_wrong_encoding_is_mended_and_told(tmp_path: Path) -> None:
    database = load(tmp_path, GOLDEN.replace('"degC"', '"Â°C"'))
    assert database.messages[0].signals[2].unit == "°C"
    assert [str(repair) for repair in database.repairs] == ["0.dbc:8: unit 'Â°C' is read as '°C'"]


def test_encoding_that_was_chosen_is_told(tmp_path: Path) -> None:
    database = load(tmp_path, GOLDEN.replace('"degC"', '"℃"').encode("gb18030"))
    assert database.messages[0].signals[2].unit == "℃"
    assert [repair.what for repair in database.repairs] == [
        "read as gb18030, which its bytes fit best"
    ]


def test_kcd_id_beyond_11_bits_is_extended(tmp_path: Path) -> None:
    text = """\
<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
 <Document/><Bus name="A">
  <Message id="0x18FF50E5" length="8" name="HVIL"><Signal name="S" offset="0" length="8"/></Message>
 </Bus>
</NetworkDefinition>
"""
    database = load(tmp_path, text)
    assert [(one.can_id, one.is_extended) for one in database.messages] == [(0x18FF50E5, True)]
    assert [repair.line for repair in database.repairs] == [3]


def test_sym_of_version_5_is_read(tmp_path: Path) -> None:
    text = """\
FormatVersion=5.0 // Do not edit this line!
{ENUMS}
enum Gear(0="Park", 1="Drive")
{SEND}
[Battery]
ID=18FF50E5h
DLC=8
Var=Pack Current signed 0,16 /u:A /f:0.5 /d:"x"
Var=Gear unsigned 16,3 -m /e:Gear
"""
    database = load(tmp_path, text)
    (message,) = database.messages
    assert (message.can_id, message.is_extended, message.length) == (0x18FF50E5, True, 8)
    current, gear = message.signals
    assert (current.name, current.scale, current.unit) == ("Pack Current", 0.5, "A")
    assert (gear.start, gear.byte_order, gear.labels) == (23, "big_endian", {0: "Park", 1: "Drive"})
    assert [repair.line for repair in database.repairs] == [1, 8]
