"""The values of the plain NumPy path against cantools, whose values they must equal exactly."""

import logging
import math
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import cantools
import pytest
from cantools.database.can import Message
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.database import load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import DecodePlan, compile_plan
from contactor.errors import DatabaseError

CAN_ID = 0x123
NUMBERS = st.one_of(
    st.sampled_from(
        ["1", "0.5", "0.1", "2", "-1", "1.0", "3", "0.00390625", "1E-7", "12345678901"]
    ),
    st.floats(-1e6, 1e6).filter(bool).map(repr),
    st.integers(1, 10**6).map(str),
)
OFFSETS = st.one_of(st.sampled_from(["0", "0.0", "-40", "0.3", "-273.15"]), NUMBERS)


@st.composite
def layouts(draw: st.DrawFn, first_byte: int, last_byte: int) -> list[tuple[str, int]]:
    """Signals side by side in some bytes, as `start|length@order sign` and its value type."""
    signals = []
    byte = first_byte
    while byte < last_byte:
        size = draw(st.integers(1, min(9, last_byte - byte)))
        order = draw(st.sampled_from("01"))
        bit, end = 8 * byte, 8 * (byte + size)
        while bit < end:
            bit += draw(st.sampled_from([0, 0, 0, 1, 3]))
            length = draw(st.sampled_from([1, 2, 7, 8, 10, 11, 16, 24, 32, 33, 53, 63, 64]))
            length = min(length, end - bit)
            if length <= 0:
                break
            kind = draw(st.sampled_from([0, 1])) if length == 32 else 0
            kind = draw(st.sampled_from([0, 2])) if length == 64 else kind
            start = bit if order == "1" else 8 * (bit // 8) + 7 - bit % 8
            sign = draw(st.sampled_from("+-"))
            signals.append((f"{start}|{length}@{order}{sign}", kind))
            bit += length
        byte += size
    return signals


@st.composite
def databases(draw: st.DrawFn) -> tuple[str, int]:
    """The text of a DBC with one message, and its length in bytes."""
    length = draw(st.sampled_from([1, 2, 3, 8, 8, 8, 12, 64]))
    lines, kinds, multiplexing = [], [], []

    def add(role: str, layout: tuple[str, int]) -> str:
        name = f"S{len(lines)}"
        scale, offset = draw(NUMBERS), draw(OFFSETS)
        if "M" in role:
            scale, offset = "1", "0"
        lines.append(f' SG_ {name} {role}: {layout[0]} ({scale},{offset}) [0|0] "" X')
        if layout[1]:
            kinds.append(f"SIG_VALTYPE_ {CAN_ID} {name} : {layout[1]};")
        return name

    if length >= 3 and draw(st.booleans()):
        outer = add("M ", ("0|3@1+", 0))
        inner = add("m2M ", ("8|2@1+", 0))
        multiplexing.append(f"SG_MUL_VAL_ {CAN_ID} {inner} {outer} 2-2;")
        for role, parent, ranges, begin in (
            ("m0 ", outer, "0-0", 1),
            ("m1 ", outer, "1-1, 4-6", 1),
            ("m0 ", inner, "0-0", 2),
            ("m1 ", inner, "1-3", 2),
        ):
            for layout in draw(layouts(begin, length)):
                name = add(role, layout)
                multiplexing.append(f"SG_MUL_VAL_ {CAN_ID} {name} {parent} {ranges};")
    else:
        for layout in draw(layouts(0, length)):
            add("", layout)
    body = "\n".join([f"BO_ {CAN_ID} Test: {length} X", *lines, "", *kinds, *multiplexing, ""])
    return f'VERSION ""\n\nBU_: X\n\n{body}', length


def ours(
    plan: DecodePlan, can_id: int, is_extended: bool, data: list[bytes]
) -> list[dict[str, float]]:
    frames = FrameTable.of(
        ts=range(len(data)), can_id=[can_id] * len(data), is_extended=is_extended, data=data
    )
    readings: list[dict[str, float]] = [{} for _ in data]
    for column in decode_columns(frames, plan):
        for row, value in zip(column.rows.tolist(), column.values.tolist(), strict=True):
            readings[row][column.signal] = value
    return readings


def theirs(message: Message, data: bytes) -> dict[str, float] | None:
    """What cantools decodes, None where it refuses the frame."""
    try:
        decoded = message.decode_simple(data, decode_choices=False, allow_truncated=True)
    except cantools.database.DecodeError:
        return None
    return {name: float(value) for name, value in decoded.items()}


def are_same(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        value == other[name] or (math.isnan(value) and math.isnan(other[name]))
        for name, value in one.items()
    )


@pytest.mark.fuzz
@given(databases(), st.data())
def test_values_are_those_of_cantools_for_any_database_and_payload(
    database: tuple[str, int], draw: st.DataObject
) -> None:
    text, length = database
    payloads = draw.draw(st.lists(st.binary(max_size=length), min_size=1, max_size=8))
    payloads += draw.draw(st.lists(st.binary(min_size=length, max_size=length), max_size=8))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "test.dbc"
        path.write_text(text)
        plan = compile_plan(load_database([path]))
    message = cantools.database.load_string(text, "dbc", strict=False).messages[0]
    assert not plan.left_out
    for payload, reading in zip(payloads, ours(plan, CAN_ID, False, payloads), strict=True):
        expected = theirs(message, payload)
        assert expected is None or are_same(reading, expected)


def test_values_are_those_of_cantools_for_the_whole_corpus(shared_data: Path) -> None:
    chance = random.Random(1)
    compared = 0
    for path in sorted((shared_data / "dbc_corpus").rglob("*")):
        if path.suffix not in {".dbc", ".kcd", ".sym", ".arxml"}:
            continue
        try:
            database = load_database([path])
        except DatabaseError:
            continue
        logging.getLogger("cantools").setLevel(logging.ERROR)
        peer = cantools.database.load_file(path, strict=False)
        messages = {(m.frame_id, m.is_extended_frame): m for m in peer.messages}
        plan = compile_plan(database)
        left_out = {name.name for name in plan.left_out}
        for (can_id, is_extended), message in messages.items():
            names = [signal.name for signal in message.signals]
            if message.is_container or len(set(names)) < len(names):
                continue
            data = [chance.randbytes(message.length) for _ in range(12)]
            data += [payload[: chance.randrange(len(payload) + 1)] for payload in data[:4]]
            for payload, reading in zip(data, ours(plan, can_id, is_extended, data), strict=True):
                expected = theirs(message, payload)
                if expected is None:
                    continue
                kept = {n: v for n, v in expected.items() if f"{message.name}.{n}" not in left_out}
                assert are_same(reading, kept), (path.name, message.name, payload.hex())
                compared += len(kept)
    assert compared > 20_000
