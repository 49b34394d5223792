import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.columns import SignalColumn
from contactor.can.diagnostics import Answers, DiagnosticDecoder, Refused, decode_answers
from contactor.can.frames import FrameTable
from contactor.can.isotp import reassemble
from contactor.can.log import read_log
from contactor.can.signal_set import SignalSet, load_obd2, signal_set_of
from tests.can.isotp_sender import segmented, table


def signals(**forms: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": name, "name": name, "fmt": form} for name, form in forms.items()]


def car(*commands: dict[str, Any]) -> SignalSet:
    return signal_set_of("car.json", json.dumps({"commands": commands}))


def battery(**forms: dict[str, Any]) -> SignalSet:
    command = {"hdr": "7E4", "rax": "7EC", "cmd": {"22": "0101"}, "signals": signals(**forms)}
    return car(command)


def answered(signal_set: SignalSet, *payloads: bytes, can_id: int = 0x7EC) -> Answers:
    frames = [(can_id, frame) for payload in payloads for frame in segmented(payload)]
    return DiagnosticDecoder(signal_set).feed(table(frames), is_last=True)


def value_of(form: dict[str, Any], data: bytes) -> float:
    (column,) = answered(battery(X=form), b"\x62\x01\x01" + data).columns
    (value,) = column.values.tolist()
    return float(value)


def named(answers: Answers) -> dict[str, SignalColumn]:
    return {column.name: column for column in answers.columns}


def test_answer_in_many_frames_gives_signals() -> None:
    signal_set = battery(
        SOC={"bix": 8, "len": 8, "max": 100, "div": 2, "unit": "percent"},
        VOLTAGE={"bix": 96, "len": 16, "max": 1000, "div": 10, "unit": "volts"},
    )
    payload = b"\x62\x01\x01\xff\x64" + bytes(10) + (3572).to_bytes(2, "big") + bytes(20)
    answers = answered(signal_set, payload, payload)
    columns = named(answers)
    soc, voltage = columns["7E4.7EC.220101.SOC"], columns["7E4.7EC.220101.VOLTAGE"]
    assert (soc.unit, soc.values.tolist(), soc.raw.tolist()) == ("percent", [50, 50], [100, 100])
    assert (voltage.unit, voltage.values.tolist()) == ("volts", [357.2, 357.2])
    frames = len(segmented(payload))
    assert voltage.rows.tolist() == [frames - 1, 2 * frames - 1]
    assert (answers.decoded, answers.unknown, answers.refused) == (2, 0, ())


@pytest.mark.parametrize(
    ("form", "data", "value"),
    [
        ({"len": 8, "max": 255, "unit": "scalar"}, "80", 128),
        ({"len": 8, "max": 127, "min": -128, "sign": True, "unit": "scalar"}, "80", -128),
        ({"bix": 4, "len": 4, "max": 15, "unit": "scalar"}, "A7", 7),
        ({"bix": 3, "len": 10, "max": 1023, "unit": "scalar"}, "1FE0", 1020),
        ({"bix": 8, "len": 16, "blsb": True, "max": 65535, "unit": "scalar"}, "003412", 0x1234),
        ({"len": 12, "blsb": True, "max": 65535, "unit": "scalar"}, "3412", 0x123),
        ({"len": 8, "blsb": True, "max": 255, "unit": "scalar"}, "12", 0x12),
        ({"len": 8, "max": 215, "min": -40, "add": -40, "unit": "celsius"}, "41", 25),
        ({"len": 8, "max": 100, "mul": 100, "div": 255, "unit": "percent"}, "FF", 100),
        ({"len": 8, "max": 100, "unit": "percent"}, "FF", 100),  # held to the maximum
        ({"len": 8, "max": 215, "add": -40, "unit": "celsius"}, "00", 0),  # and to 0
        ({"len": 8, "max": 0, "min": 0, "add": -40, "unit": "celsius"}, "00", -40),
        ({"len": 64, "map": {}}, "8000000000000000", 2**63),
        ({"len": 64, "sign": True, "map": {}}, "8000000000000000", -(2**63)),
        ({"bix": 7, "len": 64, "map": {}}, "010000000000000002", float(2**63 + 1)),
        ({"bix": 7, "len": 64, "sign": True, "map": {}}, "01FFFFFFFFFFFFFFFE", -1),
    ],
)
def test_value_of_a_format(form: dict[str, Any], data: str, value: float) -> None:
    assert value_of(form, bytes.fromhex(data)) == value


@given(st.data(), st.binary(min_size=9, max_size=30), st.booleans(), st.booleans())
def test_any_bits_are_what_they_say(
    data: st.DataObject, payload: bytes, is_signed: bool, is_reversed: bool
) -> None:
    length = data.draw(st.integers(1, 52))
    first_bit = data.draw(st.integers(0, 8 * len(payload) - length))
    form = {"bix": first_bit, "len": length, "sign": is_signed, "blsb": is_reversed, "map": {}}
    first, own = first_bit // 8, -(-length // 8)
    if is_reversed and length > 8:
        payload_read = payload[:first] + payload[first : first + own][::-1] + payload[first + own :]
    else:
        payload_read = payload
    bits = "".join(f"{byte:08b}" for byte in payload_read)[first_bit : first_bit + length]
    expected = int(bits, 2) - (is_signed and bits[0] == "1") * 2**length
    assert value_of(form, payload) == expected


def test_null_bounds_mark_values() -> None:
    form = {"len": 8, "max": 250, "min": 10, "nullmin": 0, "nullmax": 255, "unit": "scalar"}
    payloads = [b"\x62\x01\x01" + bytes([byte]) for byte in (0, 1, 254, 255)]
    (column,) = answered(battery(X=form), *payloads).columns
    assert column.is_unavailable.tolist() == [True, False, False, True]
    assert column.values.tolist() == [10, 10, 250, 250]


def test_map_and_text_give_labels() -> None:
    signal_set = battery(
        GEAR={"len": 8, "map": {"1": "P", "2": "R"}},
        NAME={"bix": 8, "len": 24, "max": 0, "unit": "ascii"},
    )
    columns = named(answered(signal_set, b"\x62\x01\x01\x02ABC", b"\x62\x01\x01\x07ABD"))
    gear, name = columns["7E4.7EC.220101.GEAR"], columns["7E4.7EC.220101.NAME"]
    assert [gear.labels.get(raw) for raw in gear.raw.tolist()] == ["R", None]
    assert [name.labels[raw] for raw in name.raw.tolist()] == ["ABC", "ABD"]


def test_signal_beyond_the_answer_has_no_reading() -> None:
    form = {"bix": 8, "len": 8, "max": 255, "unit": "scalar"}
    answers = answered(battery(X=form), b"\x62\x01\x01\x05", b"\x62\x01\x01\x05\x06")
    assert [(column.rows.tolist(), column.values.tolist()) for column in answers.columns] == [
        ([1], [6])
    ]
    assert answers.decoded == 2


def test_answer_that_lost_its_end_gives_what_came_before() -> None:
    signal_set = battery(
        EARLY={"len": 8, "max": 255, "unit": "scalar"},
        LATE={"bix": 160, "len": 8, "max": 255, "unit": "scalar"},
    )
    sent = [(0x7EC, frame) for frame in segmented(b"\x62\x01\x01" + bytes(range(7, 47)))]
    answers = DiagnosticDecoder(signal_set).feed(table(sent[:2] + sent[3:]), is_last=True)
    assert {name: column.values.tolist() for name, column in named(answers).items()} == {
        "7E4.7EC.220101.EARLY": [7]
    }


def test_other_answers_are_counted() -> None:
    signal_set = battery(X={"len": 8, "max": 255, "unit": "scalar"})
    answers = answered(signal_set, b"\x62\x01\x02\x05", b"\x61\x01", b"\x62\x01", b"\x22\x01\x01")
    assert (answers.decoded, answers.unknown, answers.columns) == (0, 3, [])
    assert answered(signal_set, b"\x62\x01\x01\x05", can_id=0x7E8).decoded == 0


def test_refusals_are_counted_by_name() -> None:
    signal_set = battery(X={"len": 8, "max": 255, "unit": "scalar"})
    pending, refused, odd = b"\x7f\x22\x78", b"\x7f\x22\x31", b"\x7f\x22\xfa"
    answers = answered(signal_set, pending, pending, b"\x62\x01\x01\x05", refused, odd, b"\x7f\x22")
    assert answers.refused == (
        Refused(0x7EC, 0x22, 0x31, "request out of range", 1),
        Refused(0x7EC, 0x22, 0x78, "response pending", 2),
        Refused(0x7EC, 0x22, 0xFA, "code FA", 1),
    )
    assert [each.is_pending for each in answers.refused] == [False, True, False]
    assert (answers.decoded, answers.unknown) == (1, 0)


def test_address_byte_chooses_the_unit() -> None:
    form = {"len": 8, "max": 255, "unit": "scalar"}
    asked = {"hdr": "750", "rax": "758", "cmd": {"21": "04"}}
    signal_set = car(
        {**asked, "eax": "40", "signals": signals(A=form)},
        {**asked, "eax": "2A", "signals": signals(B=form)},
    )
    frames = [
        (0x758, segmented(b"\x61\x04\x05", address=b"\x40")[0]),
        (0x758, segmented(b"\x61\x04\x06", address=b"\x2a")[0]),
        (0x758, segmented(b"\x61\x04\x07", address=b"\x2b")[0]),
    ]
    answers = DiagnosticDecoder(signal_set).feed(table(frames), is_last=True)
    assert {name: column.values.tolist() for name, column in named(answers).items()} == {
        "750.758.2104|e=40.A": [5],
        "750.758.2104|e=2A.B": [6],
    }
    assert answers.unknown == 1


def test_obd2_answers_are_named_by_who_answers() -> None:
    frames = [
        (0x7DF, b"\x02\x01\x0c"),
        (0x7E8, b"\x04\x41\x0c\x0b\xb8"),
        (0x7E9, b"\x04\x41\x0c\x0b\xbc"),
        (0x18DAF110, b"\x03\x41\x0d\x32"),
        (0x7E8, b"\x06\x41\x00\xbe\x1f\xa8\x13"),
    ]
    answers = DiagnosticDecoder(load_obd2()).feed(table(frames), is_last=True)
    found = {name: (column.unit, column.values.tolist()) for name, column in named(answers).items()}
    assert found == {
        "7E8.010C.ENGINE_SPEED": ("rpm", [750]),
        "7E9.010C.ENGINE_SPEED": ("rpm", [751]),
        "18DAF110.010D.VEHICLE_SPEED": ("kilometersPerHour", [50]),
        "7E8.0100.SUPPORTED_01_20": ("hex", [0xBE1FA813]),
    }


def test_obd2_answer_to_several_identifiers_is_divided() -> None:
    payload = bytes.fromhex("41 0C0BB8 0D32 05 7B 04FF 1101 2F80".replace(" ", ""))
    answers = answered(load_obd2(), payload, can_id=0x7E8)
    assert {column.signal: column.values.tolist() for column in answers.columns} == {
        "ENGINE_SPEED": [750],
        "VEHICLE_SPEED": [50],
        "COOLANT_TEMPERATURE": [83],
        "ENGINE_LOAD": [100],
        "THROTTLE": [100 / 255],
        "FUEL_LEVEL": [12800 / 255],
    }
    assert answers.decoded == 1


def test_obd2_answer_that_does_not_add_up_is_one_identifiers() -> None:
    for tail in ("0D", "0D32FF", "F0", "0D3200000000"):
        answers = answered(load_obd2(), bytes.fromhex("410C0BB8" + tail), can_id=0x7E8)
        assert {column.signal: column.values.tolist() for column in answers.columns} == {
            "ENGINE_SPEED": [750]
        }


def test_rows_are_those_of_the_chunk() -> None:
    signal_set = battery(X={"bix": 80, "len": 8, "max": 255, "unit": "scalar"})
    frames = [(0x7EC, frame) for frame in segmented(b"\x62\x01\x01" + bytes(range(20)))]
    decoder = DiagnosticDecoder(signal_set)
    assert decoder.feed(table(frames[:2])).columns == []
    (column,) = decoder.feed(table([(0x100, b"\x01"), *frames[2:]])).columns
    assert (column.rows.tolist(), column.values.tolist()) == ([2], [10])
    assert decoder.finish().columns == []


@given(st.lists(st.binary(max_size=8), max_size=30))
def test_any_answers_are_safe(frames: list[bytes]) -> None:
    sent = table([(0x7E8, frame) for frame in frames])
    answers = DiagnosticDecoder(load_obd2()).feed(sent, is_last=True)
    for column in answers.columns:
        assert (column.rows < len(sent)).all()
        assert np.isfinite(column.values).all()


def test_no_frames_give_nothing() -> None:
    transfers = reassemble(FrameTable.empty())
    assert decode_answers(transfers, load_obd2()).columns == []


def test_real_obd2_answers_of_a_kona(shared_data: Path) -> None:
    log = shared_data / "can" / "kona" / "221210-1-2021-dcan-car-scanner-elm327.csv"
    decoder = DiagnosticDecoder(load_obd2())
    answers = decoder.feed(read_log(log).frames, is_last=True)
    columns = named(answers)
    assert len(columns["7EB.0100.SUPPORTED_01_20"].values) == 322
    assert set(columns["7EB.0100.SUPPORTED_01_20"].values.tolist()) == {0x80000001}
    assert sum(each.count for each in answers.refused) == 42
    assert {each.reason for each in answers.refused} == {
        "sub-function not supported",
        "service not supported",
    }
