from pathlib import Path

import pytest

from contactor.can.database import load_database
from contactor.can.isotp import reassemble
from contactor.can.plan import DecodePlan, compile_plan
from contactor.can.transported import (
    decode_transfers_with_plan,
    transported_ids,
    transported_places,
)
from tests.can.isotp_sender import segmented, table

# Written for this test in the way of loggers' databases: service, identifier, then the data.
DATABASE = """VERSION ""
BS_:
BU_:
BO_ 2028 Battery: 63 ECU
 SG_ Charge m257 : 64|8@1+ (0.5,0) [0|0] "%" ECU
 SG_ Voltage m257 : 119|16@0+ (0.1,0) [0|0] "V" ECU
 SG_ Health m261 : 263|16@0+ (0.1,0) [0|0] "%" ECU
 SG_ Identifier m98M : 23|16@0+ (1,0) [0|0] "" ECU
 SG_ Service M : 15|8@0+ (1,0) [0|0] "" ECU
BO_ 2024 Bare: 20 ECU
 SG_ Last m97 : 79|8@0+ (1,0) [0|0] "" ECU
 SG_ Service M : 7|8@0+ (1,0) [0|0] "" ECU
BO_ 256 Long: 64 ECU
 SG_ Far : 400|8@1+ (1,0) [0|0] "" ECU
BO_ 257 Short: 8 ECU
 SG_ One m98 : 16|8@1+ (1,0) [0|0] "" ECU
 SG_ Service M : 15|8@0+ (1,0) [0|0] "" ECU
SG_MUL_VAL_ 2028 Charge Identifier 257-257;
SG_MUL_VAL_ 2028 Voltage Identifier 257-257;
SG_MUL_VAL_ 2028 Health Identifier 261-261;
SG_MUL_VAL_ 2028 Identifier Service 98-98;
"""


@pytest.fixture
def plan(tmp_path: Path) -> DecodePlan:
    path = tmp_path / "uds.dbc"
    path.write_text(DATABASE)
    return compile_plan(load_database([path]))


def test_transported_messages_are_told_by_their_services(plan: DecodePlan) -> None:
    names = {plan.messages[place].name for place in transported_places(plan)}
    assert names == {"Battery", "Bare"}
    assert transported_ids(plan) == {0x7EC, 0x7E8}


def test_reassembled_answers_are_decoded(plan: DecodePlan) -> None:
    first = bytes.fromhex("620101FFF7E7FF64 0000000000".replace(" ", "")) + b"\x0d\xf4" + bytes(47)
    second = b"\x62\x01\x05" + bytes(28) + (995).to_bytes(2, "big")
    frames = [(0x7EC, frame) for payload in (first, second) for frame in segmented(payload)]
    frames += [(0x7E8, frame) for frame in segmented(b"\x61\x01" + bytes(range(2, 20)))]
    transfers = reassemble(table(frames), ids=transported_ids(plan))
    columns = {column.name: column for column in decode_transfers_with_plan(transfers, plan)}
    assert {name: column.values.tolist() for name, column in columns.items()} == {
        "Battery.Service": [98, 98],
        "Battery.Identifier": [257, 261],
        "Battery.Charge": [50],
        "Battery.Voltage": [357.20000000000005],
        "Battery.Health": [99.5],
        "Bare.Service": [97],
        "Bare.Last": [9],
    }
    assert columns["Battery.Charge"].rows.tolist() == [len(segmented(first)) - 1]
    ends = len(segmented(first)) + len(segmented(second)) - 1
    assert columns["Battery.Health"].rows.tolist() == [ends]


def test_answer_that_is_cut_has_what_came_before(plan: DecodePlan) -> None:
    frames = [(0x7EC, frame) for frame in segmented(b"\x62\x01\x01" + bytes(59))]
    transfers = reassemble(table(frames[:2]), ids=transported_ids(plan))
    columns = decode_transfers_with_plan(transfers, plan)
    assert [column.signal for column in columns] == ["Service", "Identifier", "Charge"]
