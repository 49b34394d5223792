"""Version 1: what was written once is read, and nothing but our error comes of anything else."""

from contextlib import suppress

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows, State
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES
from contactor.signals.wire.version_1 import decode_version_1
from tests.signals.wire.version_1 import encode_version_1

PATHS = (
    "Vehicle.Speed",
    "Vehicle.CurrentLocation.Latitude",
    "Vehicle.TraveledDistance",
    "Vehicle.IsMoving",
    "Vehicle.Powertrain.Transmission.CurrentGear",
    "Vehicle.LowVoltageSystemState",
    "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages",
    "Vehicle.Diagnostics.DTCList",
    "Vehicle.Cabin.SeatPosCount",
)
INSTANTS = st.integers(-(2**63), 2**63 - 1)


def scalars(datatype: Datatype) -> st.SearchStrategy[object]:
    element = datatype.element
    if element.is_text:
        return st.text(max_size=20)
    if element is Datatype.BOOLEAN:
        return st.booleans()
    if element.is_integer:
        return st.integers(*element.integer_limits)
    return st.floats(width=32 if element is Datatype.FLOAT else 64, allow_nan=False)


@st.composite
def columns(draw: st.DrawFn, signal: Signal, rows: int) -> Column:
    value = scalars(signal.datatype)
    if signal.datatype.is_array:
        value = st.lists(value, max_size=4).map(tuple)
    cells = draw(st.lists(st.none() | value, min_size=rows, max_size=rows))
    column = Column.of(signal.path, cells)
    unavailable = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    state = np.where(
        np.array(unavailable, bool) & (column.state == State.UNKNOWN),
        State.UNAVAILABLE,
        column.state,
    )
    return Column(column.path, column.datatype, column.values, state.astype(np.uint8))


@st.composite
def row_groups(draw: st.DrawFn) -> Rows:
    ts = sorted(draw(st.lists(INSTANTS, max_size=6)))
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=4))
    cells = tuple(draw(columns(catalogue()[path], len(ts))) for path in paths)
    return Rows(draw(st.sampled_from(Group)), np.array(ts, np.int64), cells)


@st.composite
def records(draw: st.DrawFn) -> Record:
    return Record(
        vehicle_id=draw(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
        stream=draw(st.integers(0, 2**64 - 1)),
        sequence=draw(st.integers(1, 2**62)),
        groups=tuple(draw(st.lists(row_groups(), max_size=3))),
    )


def as_plain(message: Record | Gap) -> object:
    if isinstance(message, Gap):
        return message
    groups = [
        (
            rows.group,
            rows.ts.tolist(),
            [
                (c.path, c.datatype, c.values.dtype, c.to_list(), c.state.tolist())
                for c in rows.columns
            ],
        )
        for rows in message.groups
    ]
    return (message.identity, groups)


@given(records())
def test_record_comes_back_as_it_was(record: Record) -> None:
    assert as_plain(decode_version_1(encode_version_1(record))) == as_plain(record)


@given(st.integers(1, 2**40), st.integers(0, 2**20), st.text(max_size=50), INSTANTS)
def test_gap_comes_back_as_it_was(first: int, more: int, reason: str, ts: int) -> None:
    gap = Gap("leaf", 2**64 - 1, first, first + more, reason, 7, ts, ts)
    assert decode_version_1(encode_version_1(gap)) == gap


@pytest.mark.fuzz
@given(st.binary(max_size=200))
def test_random_bytes_raise_only_our_error(payload: bytes) -> None:
    with pytest.raises(MalformedRecord):
        decode_version_1(payload)


@pytest.mark.fuzz
@given(records(), st.data())
def test_mutated_record_is_read_or_raises_only_our_error(
    record: Record, data: st.DataObject
) -> None:
    payload = bytearray(encode_version_1(record))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for candidate in (bytes(payload), bytes(payload[:cut])):
        try:
            message = decode_version_1(candidate)
        except MalformedRecord:
            continue
        if isinstance(message, Record):
            for rows in message.groups:
                assert all(column.values.shape == rows.ts.shape for column in rows.columns)


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.fuzz
@given(JSON_LIKE)
def test_body_of_any_shape_raises_our_error_naming_the_record(body: object) -> None:
    for kind in ("record", "gap"):
        payload = msgspec.msgpack.encode([1, kind, "leaf", 5, 9, body])
        with suppress(MalformedRecord):
            assert decode_version_1(payload).identity == ("leaf", 5, 9)
            continue
        with pytest.raises(MalformedRecord) as caught:
            decode_version_1(payload)
        assert caught.value.identity == ("leaf", 5, 9)


def test_deep_nesting_raises_our_error() -> None:
    with pytest.raises(MalformedRecord):
        decode_version_1(b"\x91" * 500_000 + b"\x01")


def test_oversized_message_is_refused_by_its_size() -> None:
    with pytest.raises(MalformedRecord, match=f"the limit is {MAX_MESSAGE_BYTES}"):
        decode_version_1(b"\0" * (MAX_MESSAGE_BYTES + 1))


def test_newer_version_is_named_with_its_record() -> None:
    payload = msgspec.msgpack.encode([2, "record", "leaf", 5, 9, []])
    with pytest.raises(MalformedRecord, match="wire version 2; known: 1") as caught:
        decode_version_1(payload)
    assert caught.value.identity == ("leaf", 5, 9)


def plain(column: list[object], ts: int = 2) -> bytes:
    times = np.arange(ts, dtype="<i8").tobytes()
    return msgspec.msgpack.encode([1, "record", "leaf", 5, 9, [["drive", times, [column]]]])


SPEED = ["Vehicle.Speed", "float", b"", np.zeros(2, "<f4").tobytes(), b"", []]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (2, b"\1", "1 states for 2 rows"),
        (2, b"\1\3", "state 3"),
        (3, b"\0\0\0", "no whole number of float32"),
        (3, b"\0\0\0\0", "1 values for 2 rows"),
        (1, "boolean", "8 values for 2 rows"),
        (1, "string", "text 0 of 0 words"),
        (1, "float[]", "elements in 0 arrays"),
        (1, "floatt", "Invalid enum value"),
    ],
)
def test_inconsistent_column_is_refused(place: int, value: object, message: str) -> None:
    column = [*SPEED[:place], value, *SPEED[place + 1 :]]
    with pytest.raises(MalformedRecord, match=message):
        decode_version_1(plain(column))


def test_time_running_backwards_is_refused() -> None:
    times = np.array([2, 1], "<i8").tobytes()
    payload = msgspec.msgpack.encode([1, "record", "leaf", 5, 9, [["drive", times, []]]])
    with pytest.raises(MalformedRecord, match="time runs backwards in drive"):
        decode_version_1(payload)


def test_bytes_that_were_written_once_are_read() -> None:
    record = decode_version_1(
        bytes.fromhex(
            "9601a67265636f7264a46c656166050991"
            "93a56472697665c41000000000000000000100000000000000"
            "9196ad56656869636c652e5370656564a5666c6f6174c4020100c4080000264200000000c40090"
        )
    )
    assert record.identity == ("leaf", 5, 9)
    assert isinstance(record, Record)
    assert record.groups[0].ts.tolist() == [0, 1]
    assert record.groups[0].columns[0].to_list() == [41.5, None]


def test_text_that_would_unfold_to_far_more_than_its_message_is_refused() -> None:
    codes = np.zeros(60_000, "<u4").tobytes()
    column = ["Vehicle.Body.BodyType", "string", b"", codes, b"", ["x" * 8_000]]
    with pytest.raises(MalformedRecord, match="480000000 characters"):
        decode_version_1(plain(column, ts=60_000))
