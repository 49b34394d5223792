"""Every database there is, on random payloads, against cantools: the values must be the same.

What cannot be compared is named in the tables here, each with its reason, and pinned by vectors
worked out by hand.
"""

import logging
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cantools
import pytest
from cantools.database.can import Message

from contactor.can.database import Database, load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FD_BYTES, FrameTable
from contactor.can.plan import compile_plan
from contactor.errors import DatabaseError
from tests.can.against_cantools import (
    Values,
    are_same,
    decoded_by_peer,
    decoded_by_us,
    on_a_branch,
)

PAYLOADS = 200
CUT_PAYLOADS = 12
SUFFIXES = {".dbc", ".kcd", ".sym", ".arxml"}

# Messages that cantools decodes otherwise than the file says, or not at all.
NOT_COMPARED = {
    "two signals of one name": "cantools keeps one of them per frame, we keep both",
    "longer than a frame": "no CAN frame carries more than 64 bytes",
    "container": "test_containers.py compares what they carry",
}

# Signals of the corpus that have no values.
LEFT_OUT = {
    "message_layout.kcd": ("Message7.Signal1", "Message8.Signal1"),  # 128 bits
}


def reason_not_to_compare(message: Message) -> str | None:
    if message.is_container:
        return "container"
    if len({signal.name for signal in message.signals}) < len(message.signals):
        return "two signals of one name"
    return "longer than a frame" if message.length > FD_BYTES else None


@cache
def peer_values(path: Path) -> list[tuple[Message, list[bytes], list[Values | None]]]:
    """Of each message of a file random payloads, and what cantools decodes of each of them."""
    logging.getLogger("cantools").setLevel(logging.ERROR)
    peer = cantools.database.load_file(path, strict=False)
    chance = random.Random(path.name)
    found = []
    messages = {(m.frame_id, m.is_extended_frame): m for m in peer.messages}
    for message in messages.values():
        if reason_not_to_compare(message):
            continue
        data = [chance.randbytes(message.length) for _ in range(PAYLOADS)]
        data[::2] = [on_a_branch(message, one, chance) for one in data[::2]]
        data += [one[: chance.randrange(len(one) + 1)] for one in data[:CUT_PAYLOADS]]
        found.append((message, data, [decoded_by_peer(message, one) for one in data]))
    return found


def files_of(folder: Path) -> Iterator[tuple[Path, Database]]:
    """The databases of a folder that both we and cantools read as CAN messages."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        try:
            database = load_database([path])
            peer_values(path)
        except (DatabaseError, cantools.Error):
            continue
        yield path, database


@pytest.mark.usefixtures("decode_path")
@pytest.mark.parametrize(
    ("folder", "files", "values"), [("dbc_corpus", 110, 300_000), ("can", 10, 350_000)]
)
def test_values_are_those_of_cantools(shared_data, folder, files, values):
    read, compared = 0, 0
    for path, database in files_of(shared_data / folder):
        read += 1
        plan = compile_plan(database)
        left_out = {one.name for one in plan.left_out}
        assert left_out == set(LEFT_OUT.get(path.name, ()))
        for message, data, expected in peer_values(path):
            ours = decoded_by_us(plan, message.frame_id, message.is_extended_frame, data)
            for payload, reading, truth in zip(data, ours, expected, strict=True):
                if truth is None:
                    continue
                kept = {n: v for n, v in truth.items() if f"{message.name}.{n}" not in left_out}
                assert are_same(reading, kept), (path.name, message.name, payload.hex())
                compared += len(kept)
    assert read >= files, read
    assert compared >= values, compared


# What cantools refuses or leaves undefined: a signal line, a payload, and the values there are.
HAND_WORKED = [
    pytest.param(
        ' SG_ Page M : 0|8@1+ (1,0) [0|0] "" X\n'
        ' SG_ Leaf m1 : 8|8@1+ (1,0) [0|0] "" X\n'
        ' SG_ Always : 16|8@1+ (2,1) [0|0] "" X',
        "0522 03",
        {"Page": 5, "Always": 7},
        id="a multiplexer that says what no signal depends on: the others are read",
    ),
    pytest.param(
        ' SG_ Low : 0|12@1+ (1,0) [0|0] "" X\n SG_ High : 8|16@1- (0.5,0) [0|0] "" X',
        "abcd 01",
        {"Low": 0xDAB, "High": 0x01CD / 2},
        id="signals that share bits: each is read",
    ),
    pytest.param(
        ' SG_ Inside : 7|8@0+ (1,0) [0|0] "" X\n SG_ Across : 16|9@1+ (1,0) [0|0] "" X',
        "11 22 33",
        {"Inside": 0x11},
        id="a frame that ends within a signal: it has no reading",
    ),
    pytest.param(
        ' SG_ Page M : 0|8@1+ (0.5,10) [0|0] "" X\n SG_ Leaf m4 : 8|8@1+ (1,0) [0|0] "" X',
        "04 07",
        {"Page": 12, "Leaf": 7},
        id="a multiplexer with a scale: its raw value counts, not its physical one",
    ),
    pytest.param(
        ' SG_ Half : 0|16@1- (1,0) [0|0] "" X\n SG_ Whole : 23|8@0- (1,0) [0|0] "" X',
        "00 80 80",
        {"Half": -32768, "Whole": -128},
        id="the least numbers of both byte orders",
    ),
]


@pytest.mark.usefixtures("decode_path")
@pytest.mark.parametrize(("signals", "payload", "expected"), HAND_WORKED)
def test_what_cantools_leaves_open_is_read_so(tmp_path, signals, payload, expected):
    path = tmp_path / "car.dbc"
    path.write_text(f'VERSION ""\n\nBU_: X\n\nBO_ 291 Test: 8 X\n{signals}\n', encoding="utf-8")
    plan = compile_plan(load_database([path]))
    frames = FrameTable.of(ts=[0], can_id=[0x123], data=[bytes.fromhex(payload)])
    found = {column.signal: column.values[0] for column in decode_columns(frames, plan)}
    assert found == expected


def test_what_is_not_compared_is_listed_with_its_reason(shared_data):
    found = set()
    for path in sorted((shared_data / "dbc_corpus").rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        logging.getLogger("cantools").setLevel(logging.ERROR)
        try:
            peer = cantools.database.load_file(path, strict=False)
        except cantools.Error:
            continue
        found |= {reason_not_to_compare(message) for message in getattr(peer, "messages", ())}
    assert found - {None} <= NOT_COMPARED.keys()
