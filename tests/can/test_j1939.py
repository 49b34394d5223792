from dataclasses import replace
from pathlib import Path

import pytest

from contactor.can.database import Database, MessageFormat, load_database
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.j1939 import nearest, parameter_group
from contactor.can.plan import compile_plan

DBC = """VERSION ""

BU_: X

BO_ 2566844926 CCVS: 8 X
 SG_ Speed : 8|16@1+ (0.00390625,0) [0|250.996] "km/h" X

BO_ {other_id} Other: 8 X
 SG_ Level : 0|8@1+ (1,0) [0|0] "" X

BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "StandardCAN";
"""


def message(name: str, can_id: int, *, is_j1939: bool = True) -> MessageFormat:
    return MessageFormat(name, can_id, True, 8, None, (), "car.dbc", is_j1939=is_j1939)


def label(messages: list[MessageFormat], can_id: int, *, is_extended: bool = True) -> str | None:
    """The message that a frame of that id is taken for."""
    plan = compile_plan(Database(tuple(messages)))
    frames = FrameTable.of(ts=[0], can_id=[can_id], is_extended=is_extended, data=[bytes(8)])
    groups = group_frames(frames, plan).groups
    return groups[0].label if groups else None


@pytest.mark.parametrize(
    ("can_id", "group"),
    [
        # the examples that SAE J1939 documents number so: EEC1, CCVS, request, DM1, page 1
        (0x0CF00400, 0xF004),
        (0x18FEF117, 0xFEF1),
        (0x18EA0B27, 0xEA00),
        (0x18FECA00, 0xFECA),
        (0x19FEF117, 0x1FEF1),
        (0x1AEF1234, 0x2EF00),
    ],
)
def test_parameter_group_leaves_out_priority_source_and_destination(can_id, group):
    assert parameter_group(can_id) == group


def test_pdu2_message_matches_any_priority_and_source():
    speed = [message("CCVS", 0x18FEF1FE)]
    for can_id in (0x18FEF1FE, 0x18FEF100, 0x0CFEF117, 0x1CFEF1FF):
        assert label(speed, can_id) == "CCVS"
    for can_id in (0x18FEF217, 0x19FEF117, 0x1AFEF117, 0x18FFF117):
        assert label(speed, can_id) is None


def test_pdu1_message_matches_any_destination():
    request = [message("Request", 0x18EAFFFE)]
    for can_id in (0x18EA0B27, 0x0CEAFF00):
        assert label(request, can_id) == "Request"
    assert label(request, 0x18EB0B27) is None


def test_exact_id_wins_then_same_source_then_any_source():
    messages = [
        message("FromNine", 0x18FEF109),
        message("FromAny", 0x18FEF1FE),
        message("FromTwo", 0x18FEF102),
        message("Exact", 0x0CFEF102),
    ]
    assert label(messages, 0x0CFEF102) == "Exact"
    assert label(messages, 0x14FEF102) == "FromTwo"
    assert label(messages, 0x18FEF133) == "FromAny"
    assert nearest(0x18FEF133, [0x18FEF109, 0x18FEF102]) == 0x18FEF109


def test_ordinary_extended_and_standard_ids_match_exactly_alone():
    ordinary = [message("Plain", 0x18FEF100, is_j1939=False)]
    assert label(ordinary, 0x18FEF100) == "Plain"
    assert label(ordinary, 0x18FEF117) is None
    short = [message("CCVS", 0x0000F1FE), replace(message("Short", 0x1FE), is_extended=False)]
    assert label(short, 0x1FE, is_extended=False) == "Short"
    assert label(short, 0x1F1, is_extended=False) is None


def test_bus_of_its_own_counts_more():
    plan = compile_plan(Database((message("Any", 0x18FEF1FE), message("Exact", 0x18FEF133))))
    one = replace(plan.messages[0], name="One", bus=1)
    both = replace(plan, messages=(plan.messages[0], one))
    frames = FrameTable.of(
        ts=[0, 1], can_id=[0x18FEF101] * 2, is_extended=True, bus=[0, 1], data=[bytes(8)] * 2
    )
    assert [group.label for group in group_frames(frames, both).groups] == ["Any", "One"]


def loaded(folder: Path, other_id: int, more: str = "") -> list[bool]:
    path = folder / "truck.dbc"
    path.write_text(DBC.format(other_id=other_id) + more, encoding="utf-8")
    return [one.is_j1939 for one in load_database([path]).messages]


def test_message_is_j1939_by_attribute_or_by_null_source_address(tmp_path):
    assert loaded(tmp_path, 2566844672) == [True, False]
    assert loaded(tmp_path, 2566844672, 'BA_ "VFrameFormat" BO_ 2566844672 3;\n') == [True, True]
    assert loaded(tmp_path, 0x1FE) == [True, False]


def test_null_source_address_says_nothing_where_the_file_says_otherwise(tmp_path):
    attribute = 'BA_ "VFrameFormat" BO_ 2566844926 1;\n'
    assert loaded(tmp_path, 0x123, attribute) == [False, False]


def test_messages_of_a_j1939_database_are_found_whoever_sends(shared_data):
    database = load_database([shared_data / "dbc_corpus" / "cantools" / "dbc" / "j1939.dbc"])
    assert label(list(database.messages), 0x15340201) == "Message1"
    assert label(list(database.messages), 0x1D34FF33) == "Message1"
    assert label(list(database.messages), 0x15F01033) == "Message2"
