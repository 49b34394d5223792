from dataclasses import replace

import pytest

from contactor.can.database import Database, MessageFormat, SignalFormat
from contactor.can.decode import SignalColumn, decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from tests.can.plain_signal import PLAIN

SIGNAL = PLAIN


def decode(
    *signals: SignalFormat, data: list[bytes], **unavailable: list[int]
) -> list[SignalColumn]:
    database = Database((MessageFormat("Test", 0x123, False, 64, None, signals, "test.dbc"),))
    plan = compile_plan(
        database, unavailable={f"Test.{name}": raws for name, raws in unavailable.items()}
    )
    frames = FrameTable.of(ts=range(len(data)), can_id=[0x123] * len(data), data=data)
    return decode_columns(frames, plan)


def values(column: SignalColumn) -> list[float]:
    return column.values.tolist()


# Vectors worked out by hand from the bit pictures of the DBC file format.
@pytest.mark.parametrize(
    ("start", "length", "byte_order", "is_signed", "data", "raw"),
    [
        (4, 12, "little_endian", False, "A0CB", 0xCBA),
        (4, 12, "little_endian", True, "A0CB", 0xCBA - 0x1000),
        (7, 11, "big_endian", True, "FFE0", -1),
        (7, 11, "big_endian", True, "05E0", 0x2F),
        (3, 12, "big_endian", False, "0ABC", 0xABC),
        (0, 64, "little_endian", False, "0100000000000080", 0x8000000000000001),
        (7, 64, "big_endian", True, "8000000000000001", -0x7FFFFFFFFFFFFFFF),
        (4, 64, "little_endian", False, "F0FFFFFFFFFFFFFF0A", 0xAFFFFFFFFFFFFFFF),
        (5, 64, "big_endian", False, "2AF37BC048D159E27F", 0xABCDEF0123456789),
        (63 * 8 + 7, 1, "little_endian", False, "00" * 63 + "80", 1),
    ],
)
def test_bits_are_taken_as_drawn(
    start: int, length: int, byte_order: str, is_signed: bool, data: str, raw: int
) -> None:
    signal = replace(SIGNAL, start=start, length=length, byte_order=byte_order, is_signed=is_signed)
    (column,) = decode(signal, data=[bytes.fromhex(data)])
    assert int(column.raw[0]) == raw
    assert values(column) == [float(raw)]


@pytest.mark.parametrize(
    ("length", "data", "value"),
    [
        (16, "003C", 1.0),
        (16, "0180", -5.960464477539063e-08),
        (32, "0000C03F", 1.5),
        (64, "182D4454FB210940", 3.141592653589793),
    ],
)
def test_floats_are_ieee_754(length: int, data: str, value: float) -> None:
    (column,) = decode(
        replace(SIGNAL, length=length, is_float=True, is_signed=True), data=[bytes.fromhex(data)]
    )
    assert column.raw.tolist() == [value]
    assert values(column) == [value]


def test_float_that_is_no_finite_number_is_not_available() -> None:
    signal = replace(SIGNAL, length=32, is_float=True)
    data = [bytes.fromhex(text) for text in ("0000C07F", "0000807F", "0100807F", "0000803F")]
    (column,) = decode(signal, data=data)
    assert column.is_unavailable.tolist() == [True, True, True, False]


def test_physical_value_is_exact_where_float64_would_round_the_raw_value() -> None:
    wide = replace(SIGNAL, length=64, scale=3, offset=-1)
    raw = 1_697_383_197_707_458_723
    (column,) = decode(wide, data=[raw.to_bytes(8, "little")])
    assert values(column) == [float(raw * 3 - 1)]
    assert values(column) != [float(raw) * 3.0 - 1.0]


def test_frame_too_short_for_a_signal_has_no_reading_of_it() -> None:
    late = replace(SIGNAL, name="Late", start=8)
    across = replace(SIGNAL, name="Across", start=4)
    columns = decode(SIGNAL, across, late, data=[b"\1", b"\1\2", b"", b"\1\2\3"])
    assert {column.signal: column.rows.tolist() for column in columns} == {
        "Value": [0, 1, 3],
        "Across": [1, 3],
        "Late": [1, 3],
    }


def test_signal_beyond_classic_frames_has_no_reading_at_all() -> None:
    assert decode(replace(SIGNAL, start=100), data=[bytes(8)]) == []


def test_multiplexed_signal_is_read_where_its_multiplexer_says() -> None:
    mux = replace(SIGNAL, name="Page", is_multiplexer=True)
    odd = replace(SIGNAL, name="Odd", start=8, multiplexer="Page", multiplexer_ids=(1, 3))
    inner = replace(
        SIGNAL, name="Inner", start=8, multiplexer="Page", multiplexer_ids=(2,), is_multiplexer=True
    )
    deep = replace(SIGNAL, name="Deep", start=16, multiplexer="Inner", multiplexer_ids=(7,))
    data = [bytes(row) for row in ((1, 10, 0), (2, 7, 20), (3, 30, 0), (2, 8, 40), (9, 7, 50))]
    columns = {column.signal: column for column in decode(mux, odd, inner, deep, data=data)}
    assert columns["Odd"].rows.tolist() == [0, 2]
    assert values(columns["Odd"]) == [10, 30]
    assert columns["Inner"].rows.tolist() == [1, 3]
    assert columns["Deep"].rows.tolist() == [1]
    assert values(columns["Deep"]) == [20]


def test_unavailable_values_are_marked_by_their_bits() -> None:
    signal = replace(SIGNAL, length=10, is_signed=True, scale=0.5)
    (column,) = decode(signal, data=[b"\xff\x03", b"\xff\x01"], Value=[0x3FF])
    assert column.is_unavailable.tolist() == [True, False]
    assert values(column) == [-0.5, 255.5]


def test_rows_are_those_of_the_frame_table_in_order() -> None:
    database = Database(
        (
            MessageFormat("Standard", 0x101, False, 8, None, (SIGNAL,), "test.dbc"),
            MessageFormat("Extended", 0x101, True, 8, None, (SIGNAL,), "test.dbc"),
        )
    )
    frames = FrameTable.of(
        ts=[9, 8, 7, 6, 5, 4],
        can_id=[0x101, 0x101, 0x102, 0x101, 0x101, 0x101],
        is_extended=[False, True, False, False, True, False],
        is_error=[False, False, False, False, False, True],
        data=[bytes([n]) for n in range(6)],
    )
    columns = decode_columns(frames, compile_plan(database))
    assert {column.name: column.rows.tolist() for column in columns} == {
        "Standard.Value": [0, 3],
        "Extended.Value": [1, 4],
    }


def test_two_definitions_of_one_name_make_one_column() -> None:
    database = Database(
        tuple(
            MessageFormat("Test", can_id, False, 8, None, (SIGNAL,), "test.dbc")
            for can_id in (1, 2)
        )
    )
    frames = FrameTable.of(ts=range(4), can_id=[2, 1, 2, 1], data=[bytes([n]) for n in range(4)])
    (column,) = decode_columns(frames, compile_plan(database))
    assert column.rows.tolist() == [0, 1, 2, 3]
    assert values(column) == [0, 1, 2, 3]


def test_no_frames_make_no_columns() -> None:
    assert decode(SIGNAL, data=[]) == []
