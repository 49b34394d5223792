"""Container frames: what they carry, against cantools where it reads them."""

import logging
import random
from dataclasses import replace

import cantools
import numpy as np
import pytest

from contactor.can.containers import unpack
from contactor.can.database import Database, MessageFormat, SignalFormat, load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.plan import compile_plan
from tests.can.plain_signal import PLAIN

LEVEL = replace(PLAIN, name="Level")
WIDE = replace(LEVEL, name="Wide", start=7, length=16, byte_order="big_endian")


def inner(name: str, header_id: int, *signals: SignalFormat) -> MessageFormat:
    return MessageFormat(name, 1, False, 9, None, signals, "", header_id=header_id)


BOX = MessageFormat(
    "Box",
    0x66,
    False,
    64,
    None,
    (),
    "car.arxml",
    contained=(inner("One", 0x0A0B0C, LEVEL), inner("Two", 0x000001, WIDE)),
)


def plan_of(*messages, **options):
    return compile_plan(Database(tuple(messages)), **options)


def table(*data: bytes) -> FrameTable:
    return FrameTable.of(ts=range(len(data)), can_id=[0x66] * len(data), data=data)


def readings(plan, *data: bytes) -> dict[str, list[tuple[int, float]]]:
    return {
        column.name: list(zip(column.rows.tolist(), column.values.tolist(), strict=True))
        for column in decode_columns(table(*data), plan)
    }


ONE, TWO = bytes.fromhex("0a0b0c 01 11"), bytes.fromhex("000001 02 0102")


@pytest.mark.usefixtures("decode_path")
def test_frames_give_readings_of_the_messages_in_them():
    found = readings(plan_of(BOX), ONE + TWO, TWO, ONE + bytes(20))
    assert found == {"One.Level": [(0, 0x11), (2, 0x11)], "Two.Wide": [(0, 0x102), (1, 0x102)]}


@pytest.mark.usefixtures("decode_path")
def test_message_that_comes_twice_in_a_frame_has_two_readings_there():
    again = ONE[:-1] + b"\x22"
    assert readings(plan_of(BOX), ONE + TWO + again, again) == {
        "One.Level": [(0, 0x11), (0, 0x22), (1, 0x22)],
        "Two.Wide": [(0, 0x102)],
    }


@pytest.mark.usefixtures("decode_path")
def test_signals_are_chosen_by_contained_message_and_by_container():
    assert list(readings(plan_of(BOX, signals=["Two"]), ONE + TWO)) == ["Two.Wide"]
    assert list(readings(plan_of(BOX, signals=["Two.Wide"]), ONE + TWO)) == ["Two.Wide"]
    assert list(readings(plan_of(BOX, signals=["Box"]), ONE + TWO)) == ["One.Level", "Two.Wide"]


@pytest.mark.usefixtures("decode_path")
def test_container_of_a_shared_name_is_told_apart_by_bus():
    plan = compile_plan(Database((BOX,), frozenset({"Box"})))
    frames = FrameTable.of(ts=[0, 1], can_id=[0x66] * 2, bus=[0, 3], data=[ONE, TWO])
    assert [column.name for column in decode_columns(frames, plan)] == ["0:One.Level", "3:Two.Wide"]
    assert group_frames(frames, plan).counts() == {"0:Box": 1, "3:Box": 1}


@pytest.mark.parametrize(
    ("data", "broken", "unknown", "names"),
    [
        (ONE + TWO, 0, 0, ["One", "Two"]),
        (ONE + TWO[:-1], 1, 0, ["One", "Two"]),  # Two is there in part
        (ONE + TWO[:3], 1, 0, ["One"]),  # no header
        (ONE + bytes(3), 0, 0, ["One"]),  # padding
        (ONE + bytes(9) + b"\x01", 1, 0, ["One"]),
        (bytes.fromhex("ffffff 02 0000") + ONE, 0, 1, ["One"]),
        (bytes.fromhex("ffffff ff 00"), 1, 1, []),
        (b"", 0, 0, []),
    ],
)
def test_what_is_whole_is_read_and_the_rest_counted(data, broken, unknown, names):
    message = plan_of(BOX).messages[0]
    unpacked = unpack(table(data), message, np.array([0]))
    assert (unpacked.broken, unpacked.unknown) == (broken, unknown)
    assert [part.message.name for part in unpacked.parts] == names


def test_signal_that_is_cut_off_has_no_reading():
    assert readings(plan_of(BOX), ONE + TWO[:-1]) == {"One.Level": [(0, 0x11)]}


def test_header_ids_are_read_in_the_byte_order_of_the_container():
    little = replace(BOX, header_order="little_endian")
    assert readings(plan_of(little), bytes.fromhex("0c0b0a 01 11")) == {"One.Level": [(0, 0x11)]}


def box_of(chance: random.Random, message: cantools.database.can.Message) -> bytes:
    """A container frame: messages that it knows, others, padding, cut anywhere."""
    data = b""
    while len(data) < 64 and chance.random() < 0.9:
        one = chance.choice(message.contained_messages)
        header_id = one.header_id if chance.random() < 0.8 else chance.randrange(1 << 24)
        length = one.length if chance.random() < 0.8 else chance.randrange(20)
        data += header_id.to_bytes(3, "big") + bytes([length]) + chance.randbytes(length)
    return data[: chance.choice([64, 64, chance.randrange(65)])]


def opened(message, data):
    """What cantools reads in a container."""
    return message.decode_container(data, decode_choices=False, allow_truncated=True)


def is_any_left(message, data):
    """Whether cantools leaves a message undecoded that it knows."""
    return any(
        isinstance(decoded, bytes) and not isinstance(one, int)
        for one, decoded in opened(message, data)
    )


@pytest.mark.usefixtures("decode_path")
def test_values_are_those_of_cantools(shared_data):
    path = shared_data / "dbc_corpus" / "cantools" / "arxml" / "system-4.2.arxml"
    logging.getLogger("cantools").setLevel(logging.ERROR)
    peer = cantools.database.load_file(path, strict=False)
    plan = compile_plan(load_database([path]))
    chance = random.Random(1)
    message = peer.get_message_by_name("OneToContainThemAll")
    boxes = [box_of(chance, message) for _ in range(800)]
    # a multiplexer that says what no signal depends on: cantools leaves the whole message
    boxes = [data for data in boxes if not is_any_left(message, data)]
    expected: dict[str, list[tuple[int, float]]] = {}
    for row, data in enumerate(boxes):
        for one, decoded in opened(message, data):
            for name, value in decoded.items() if isinstance(decoded, dict) else ():
                expected.setdefault(f"{one.name}.{name}", []).append((row, float(value)))
    assert sum(map(len, expected.values())) > 2_000
    assert readings(plan, *boxes) == expected
