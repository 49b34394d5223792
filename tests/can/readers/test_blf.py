"""BLF logs: what python-can writes and reads, objects written by hand, and damaged bytes."""

import io
import random
import struct
import zlib
from dataclasses import fields
from pathlib import Path

import can
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.can.kernels import is_installed
from contactor.can.log import TimeSource, read_log
from contactor.can.readers.blf import BlfParser
from contactor.can.readers.blf_objects import PAD, scan_objects
from contactor.can.readers.parsed import Cause, Fault
from contactor.errors import LogError

PATHS = [
    pytest.param(False, id="plain"),
    pytest.param(
        True,
        id="compiled",
        marks=pytest.mark.skipif(not is_installed(), reason="Numba is not installed"),
    ),
]
START = (2023, 11, 2, 14, 22, 13, 20, 0)
NS = 2
COARSE = 1


def parse(data: bytes, *, is_compiled: bool = False) -> tuple[FrameTable, list[Fault]]:
    blocks = list(BlfParser(is_compiled=is_compiled).parse(io.BytesIO(data), len(data)))
    faults = [fault for block in blocks for fault in block.faults]
    return FrameTable.concat(block.frames for block in blocks), faults


def head(start: tuple[int, ...] = (0,) * 8) -> bytes:
    return struct.pack("<4sI32x8H", b"LOGG", 144, *start).ljust(144, b"\0")


def thing(kind: int, body: bytes, *, ts: int = 0, version: int = 1, unit: int = NS) -> bytes:
    """An object with its padding."""
    if version == 2:
        rest = struct.pack("<IBxHQQ", unit, 0, 0, ts, 0)
    else:
        rest = struct.pack("<IHHQ", unit, 0, 0, ts)
    size = 16 + len(rest) + len(body)
    base = struct.pack("<4sHHII", b"LOBJ", 16 + len(rest), version, size, kind)
    return base + rest + body + bytes(size % 4)


def message(number: int = 0x123, data: bytes = b"\1\2\3", **given: int) -> bytes:
    flags, channel = given.pop("flags", 0), given.pop("channel", 1)
    body = struct.pack("<HBBI8s", channel, flags, len(data), number, data)
    return thing(given.pop("kind", 1), body, **given)


def container(objects: bytes, *, method: int = 2, stated: int | None = None) -> bytes:
    packed = zlib.compress(objects) if method == 2 else objects
    size = 32 + len(packed)
    base = struct.pack("<4sHHII", b"LOBJ", 16, 1, size, 10)
    unpacked = len(objects) if stated is None else stated
    return base + struct.pack("<H6xI4x", method, unpacked) + packed + bytes(size % 4)


def assert_same(found: FrameTable, expected: FrameTable) -> None:
    for field in fields(FrameTable):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), field.name


def assert_is(frames: FrameTable, messages: list[can.Message]) -> None:
    """What python-can says of the same frames; its floats hold a microsecond at best."""
    assert len(frames) == len(messages)
    for row, said in enumerate(messages):
        frame = frames[row]
        assert abs(frame.ts - round(said.timestamp * 1e9)) < 1000
        assert frame.bus == min(said.channel, 255)
        assert frame.can_id == said.arbitration_id
        assert frame.is_extended == (said.is_extended_id or said.arbitration_id > 0x7FF)
        assert frame.is_fd == said.is_fd
        assert frame.is_remote == said.is_remote_frame
        assert frame.is_error == said.is_error_frame
        assert frame.length == (said.dlc if said.is_remote_frame else len(said.data))
        assert frame.data == bytes(said.data)


def written(messages: list[can.Message], **options: int) -> bytes:
    """A BLF log by python-can."""
    file = io.BytesIO()
    file.close = lambda: None  # type: ignore[method-assign]  # the writer closes what it is given
    with can.BLFWriter(file, **options) as writer:
        for one in messages:
            writer.on_message_received(one)
    return file.getvalue()


@st.composite
def messages(draw: st.DrawFn) -> can.Message:
    is_extended, is_fd = draw(st.booleans()), draw(st.booleans())
    is_error = draw(st.integers(0, 9)) == 0
    is_remote = not is_error and not is_fd and draw(st.booleans())
    sizes = [*range(9), 12, 16, 20, 24, 32, 48, 64] if is_fd and not is_error else range(9)
    size = draw(st.sampled_from(sizes))
    return can.Message(
        timestamp=draw(st.integers(0, 10**10)) / 1e6 + 1.7e9,
        arbitration_id=draw(st.integers(0, 0x1FFF_FFFF if is_extended else 0x7FF)),
        is_extended_id=is_extended,
        is_fd=is_fd and not is_error,
        is_remote_frame=is_remote,
        is_error_frame=is_error,
        channel=draw(st.integers(0, 254)),
        dlc=size,
        data=b"" if is_remote else draw(st.binary(min_size=size, max_size=size)),
    )


@given(
    said=st.lists(messages(), min_size=1, max_size=40),
    size=st.integers(120, 4000),
    level=st.sampled_from([-1, 0]),
)
@pytest.mark.parametrize("is_compiled", PATHS)
def test_blf_reads_what_python_can_writes(
    is_compiled: bool, said: list[can.Message], size: int, level: int
) -> None:
    said.sort(key=lambda one: one.timestamp)
    data = written(said, compression_level=level, max_container_size=size)
    frames, faults = parse(data, is_compiled=is_compiled)
    assert not faults
    assert_is(frames, said)


def test_blf_of_the_head_in_utc_makes_instants(tmp_path: Path) -> None:
    log = tmp_path / "drive.log"
    start = (2023, 11, 2, 14, 22, 13, 20, 250)
    log.write_bytes(head(start) + container(message(ts=7) + message(ts=9)))
    reading = read_log(log)
    assert reading.time_source is TimeSource.UTC
    assert reading.format == "blf"
    assert reading.frames.ts.tolist() == [1_700_000_000_250_000_007, 1_700_000_000_250_000_009]


@pytest.mark.parametrize("year", [0, 1601])
def test_blf_without_a_date_begins_at_zero(tmp_path: Path, year: int) -> None:
    log = tmp_path / "drive.blf"
    start = (year, 1, 1, 1, 0, 0, 0, 0) if year else (0,) * 8
    log.write_bytes(head(start) + container(message(ts=700) + message(ts=900)))
    reading = read_log(log)
    assert reading.time_source is TimeSource.START
    assert reading.frames.ts.tolist() == [0, 200]
    assert not reading.refused


def test_blf_of_an_impossible_start_has_no_date_and_says_so() -> None:
    frames, faults = parse(head((2023, 13, 2, 14, 0, 0, 0, 0)) + container(message(ts=5)))
    assert frames.ts.tolist() == [5]
    assert faults == [Fault(Cause.TIME, 1, 1, "start of the log: 2023-13-14 0:0:0.0")]


@pytest.mark.parametrize("is_compiled", PATHS)
def test_blf_reads_every_kind_of_object(is_compiled: bool) -> None:
    payload = bytes(range(1, 21))
    fd = struct.pack("<HBBIIBBBB4x64s", 3, 0, 11, 0x7A, 0, 0, 1, 20, 0, payload)
    fd64 = struct.pack("<BBBBIII18xBBI", 4, 11, 20, 0, 0x8000_007B, 0, 0x1000, 0, 0, 0) + payload
    remote = struct.pack("<BBBBIII18xBBI", 4, 5, 0, 0, 0x7C, 0, 0x10, 0, 0, 0)
    # Extra data begins at byte 76 of the object, after 4 bytes of payload: the rest are zeros.
    extra = struct.pack("<BBBBIII18xBBI", 4, 9, 12, 0, 0x7D, 0, 0x1000, 0, 76, 0)
    error_ext = struct.pack("<HHIBBBxIIHH8s", 5, 0, 0, 0, 0, 4, 0, 0x7E, 0, 0, b"abcd")
    error_64 = struct.pack("<BBBB8xI28x", 6, 9, 12, 0, 0x7F) + payload[:12]
    objects = [
        message(0x100, b"\1\2", kind=1, ts=1),
        message(0x8000_0101, b"\3", kind=86, ts=2, flags=0x81, channel=2),
        thing(100, fd, ts=3),
        thing(101, fd64, ts=4),
        thing(101, remote, ts=5),
        thing(101, extra + b"wxyz" + b"EXTRADATA---", ts=6),
        thing(2, struct.pack("<HH", 7, 0), ts=7),
        thing(73, error_ext, ts=8),
        thing(104, error_64, ts=9),
        thing(65, b"a text of no CAN frame.", ts=10),
        message(0x102, b"\5", ts=11, version=2),
        message(0x103, b"\6", ts=12, unit=COARSE),
        message(0x104, b"", ts=13, channel=0),
    ]
    frames, faults = parse(head() + container(b"".join(objects)), is_compiled=is_compiled)
    assert not faults
    assert frames.ts.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 120_000, 13]
    assert frames.bus.tolist() == [0, 1, 2, 3, 3, 3, 6, 4, 5, 0, 0, 0]
    ids = [0x100, 0x101, 0x7A, 0x7B, 0x7C, 0x7D, 0, 0x7E, 0x7F, 0x102, 0x103, 0x104]
    assert frames.can_id.tolist() == ids
    assert np.flatnonzero(frames.is_extended).tolist() == [1, 3]
    assert np.flatnonzero(frames.is_remote).tolist() == [1, 4]
    assert np.flatnonzero(frames.is_error).tolist() == [6, 7, 8]
    assert np.flatnonzero(frames.is_fd).tolist() == [2, 3, 5, 8]
    assert frames.length.tolist() == [2, 1, 20, 20, 5, 12, 0, 4, 12, 1, 1, 0]
    assert [frames[row].data for row in range(12)] == [
        b"\1\2",
        b"",
        payload,
        payload,
        b"",
        b"wxyz" + bytes(8),
        b"",
        b"abcd",
        payload[:12],
        b"\5",
        b"\6",
        b"",
    ]


@pytest.mark.parametrize("is_compiled", PATHS)
def test_blf_refuses_frames_that_cannot_be(is_compiled: bool) -> None:
    long = struct.pack("<HBBIIBBBB4x64s", 1, 0, 15, 5, 0, 0, 1, 65, 0, b"")
    short = struct.pack("<HBBI4s", 1, 0, 8, 5, b"abcd")
    objects = [
        message(),
        thing(100, long),
        thing(1, short),
        message(ts=2**63),
        message(ts=2**62, unit=COARSE),
        message(version=3),
        message(),
    ]
    frames, faults = parse(head() + container(b"".join(objects)), is_compiled=is_compiled)
    assert len(frames) == 2
    assert frames.data.shape == (2, 8)
    found = {(fault.cause, fault.count, fault.first) for fault in faults}
    assert found == {
        (Cause.LENGTH, 1, 2),
        (Cause.SHORT, 1, 3),
        (Cause.TIME, 2, 4),
        (Cause.GARBLED, 1, 6),
    }


@pytest.mark.parametrize("is_compiled", PATHS)
def test_blf_goes_on_behind_what_is_garbled(is_compiled: bool) -> None:
    swallowing = bytearray(thing(65, b"text"))
    swallowing[8:12] = struct.pack("<I", 150)
    objects = message() + b"garbage, not an object" + message() + bytes(swallowing)
    objects += message(data=b"\7") + message(data=b"\x08")
    frames, faults = parse(head() + container(objects), is_compiled=is_compiled)
    assert frames.data[:, 0].tolist() == [1, 1, 7, 8]
    assert [(fault.cause, fault.count, fault.first) for fault in faults] == [(Cause.GARBLED, 2, 2)]
    assert faults[0].text.startswith(b"garbage".hex(" "))


def test_blf_reads_objects_outside_containers_and_stored_ones() -> None:
    data = head() + message(data=b"\1") + container(message(data=b"\2"), method=0)
    frames, faults = parse(data + message(data=b"\3"))
    assert frames.data[:, 0].tolist() == [1, 2, 3]
    assert not faults


@pytest.mark.parametrize("lost", [5, 20, 60, 100])
def test_blf_of_a_cut_container_gives_what_can_be_unpacked(lost: int) -> None:
    randomness = random.Random(1)
    sent = [randomness.randbytes(8) for _ in range(100)]
    whole = head() + container(b"".join(message(data=one) for one in sent))
    frames, faults = parse(whole[:-lost])
    assert 70 < len(frames) <= 100
    assert [frames[row].data for row in range(len(frames))] == sent[: len(frames)]
    assert [(fault.cause, fault.count) for fault in faults] == [(Cause.CUT_RECORD, 1)]


def test_blf_of_a_damaged_container_reads_the_others() -> None:
    randomness = random.Random(2)
    parts = [
        b"".join(message(part, randomness.randbytes(8)) for _ in range(100)) for part in range(3)
    ]
    packed = [bytearray(container(part)) for part in parts]
    packed[1][-200:-196] = b"\xff\xff\xff\xff"
    frames, faults = parse(head() + b"".join(packed))
    assert frames.can_id.tolist() == [0] * 100 + [2] * 100
    at = 144 + len(packed[0])
    text = f"container at byte {at} is damaged: its 4800 bytes are lost"
    assert faults == [Fault(Cause.GARBLED, 1, 101, text)]


def parted(said: list[bytes], part_bytes: int) -> list[bytearray]:
    """Frames in containers that end wherever in them, ids and stamps counting up."""
    objects = b"".join(message(row, data, ts=row * 10**6) for row, data in enumerate(said))
    parts = range(0, len(objects), part_bytes)
    return [bytearray(container(objects[at : at + part_bytes])) for at in parts]


def with_wrong_checksum(packed: bytearray) -> bytearray:
    changed = packed.copy()
    changed[struct.unpack_from("<I", packed, 8)[0] - 1] ^= 1
    return changed


def assert_none_is_made_up(frames: FrameTable, said: list[bytes]) -> None:
    rows = frames.can_id.tolist()
    assert rows == sorted(set(rows))
    assert frames.ts.tolist() == [row * 10**6 for row in rows]
    assert [frames[place].data for place in range(len(rows))] == [said[row] for row in rows]


@pytest.mark.parametrize("is_compiled", PATHS)
@pytest.mark.parametrize("octet", [b"\0", b"\xff", b"\x55"])
def test_blf_makes_up_no_frame_where_packed_bytes_are_overwritten(
    is_compiled: bool, octet: bytes
) -> None:
    randomness = random.Random(7)
    said = [bytes(randomness.choice(range(4)) for _ in range(8)) for _ in range(700)]
    packed = parted(said, 10_000)
    for place in range(34, len(packed[1]) - 50, 97):
        changed = bytearray(packed[1])
        changed[place : place + 50] = octet * 50
        data = head() + packed[0] + changed + b"".join(packed[2:])
        frames, faults = parse(data, is_compiled=is_compiled)
        assert_none_is_made_up(frames, said)
        # All but the objects that lie in the 10000 bytes, if only half.
        assert frames.can_id.tolist() == [*range(10_000 // 48), *range(20_000 // 48 + 1, 700)]
        text = f"container at byte {144 + len(packed[0])} is damaged: its 10000 bytes are lost"
        assert [fault.text for fault in faults if fault.cause is Cause.GARBLED] == [text]
        assert len(text) <= 80


def test_blf_of_a_container_that_is_cut_and_damaged_gives_what_comes_before() -> None:
    said = [bytes([row % 7] * 8) for row in range(400)]
    objects = bytearray(b"".join(message(row, data, ts=row) for row, data in enumerate(said)))
    # What a damaged stream gives: heads and stamps that cannot be.
    for place, octets in ((24 + 7, b"\x20"), (4, b"\x99"), (8, b"\x31"), (11, b"\x01"), (0, b"l")):
        changed = objects.copy()
        changed[48 * 200 + place : 48 * 200 + place + 1] = octets
        frames, faults = parse(head() + container(bytes(changed))[:-40])
        assert len(frames) == 200 - (octets == b"l")
        assert [frames[row].data for row in range(len(frames))] == said[: len(frames)]
        assert faults[0].text.startswith("container at byte 144 is damaged: ")


def test_blf_of_a_wrong_checksum_uses_nothing_of_a_container() -> None:
    said = [bytes([row % 251] * 8) for row in range(300)]
    packed = parted(said, 4800)
    packed[1] = with_wrong_checksum(packed[1])
    frames, faults = parse(head() + b"".join(packed))
    assert frames.can_id.tolist() == [*range(100), *range(200, 300)]
    assert [fault.cause for fault in faults] == [Cause.GARBLED]


def test_blf_of_a_container_that_states_another_size_says_so() -> None:
    whole = container(message(data=b"\1") + message(data=b"\2"), stated=7)
    frames, faults = parse(head() + whole + container(message(data=b"\3")))
    assert frames.data[:, 0].tolist() == [1, 2, 3]
    text = "container at byte 144 holds 96 bytes, not 7 as stated"
    assert [(fault.cause, fault.text) for fault in faults] == [(Cause.GARBLED, text)]


def test_blf_makes_up_no_frame_where_the_head_of_a_container_is_overwritten() -> None:
    said = [bytes([row % 251] * 8) for row in range(300)]
    packed = parted(said, 4000)
    packed[1][:32] = bytes(32)
    frames, faults = parse(head() + b"".join(packed))
    assert_none_is_made_up(frames, said)
    assert frames.can_id.tolist() == [*range(4000 // 48), *range(8000 // 48 + 1, 300)]
    assert any(one.text.startswith("no object begins at byte") for one in faults)


@pytest.mark.parametrize("is_damaged", [False, True])
def test_blf_of_a_long_container_is_read_whole_or_not_at_all(is_damaged: bool) -> None:
    objects = b"".join(message(row % 2048, bytes(8), ts=row) for row in range(100_000))
    long = bytearray(container(objects))
    long = with_wrong_checksum(long) if is_damaged else long
    frames, faults = parse(head() + long + container(message(5, b"\1")))
    assert len(frames) == 1 + 100_000 * (not is_damaged)
    assert len(faults) == is_damaged


def test_blf_makes_up_no_frame_where_a_container_is_missing() -> None:
    sent = [bytes([row] * 8) for row in range(1, 91)]
    objects = b"".join(message(row, data) for row, data in enumerate(sent))
    # Containers end within objects, the second of them cannot be unpacked.
    parts = [objects[:1000], objects[1000:2030], objects[2030:]]
    packed = [container(parts[0]), container(parts[1], method=7), container(parts[2])]
    frames, faults = parse(head() + b"".join(packed))
    rows = [*range(20), *range(43, 90)]
    assert frames.can_id.tolist() == rows
    assert [frames[place].data for place in range(len(rows))] == [sent[row] for row in rows]
    found = sorted((fault.cause, fault.count, fault.first) for fault in faults)
    assert found == [(Cause.GARBLED, 1, 21), (Cause.CUT_RECORD, 1, 21)]


def test_blf_of_a_container_of_wrong_size_reads_all() -> None:
    first, second = bytearray(container(message(data=b"\1"))), container(message(data=b"\2"))
    for size in (len(first) - 9, len(first) + 21, 2**31):
        first[8:12] = struct.pack("<I", size)
        frames, faults = parse(head() + bytes(first) + second + second)
        assert frames.data[-2:, 0].tolist() == [2, 2]
        assert faults


def test_blf_that_unpacks_to_more_than_it_states_is_stopped() -> None:
    bomb = container(bytes(200 * 1024 * 1024), stated=48)
    frames, faults = parse(head() + bomb + container(message()))
    assert len(frames) == 1
    assert any("unpacks to more than" in fault.text for fault in faults)


def test_blf_packed_in_an_unknown_way_is_counted() -> None:
    frames, faults = parse(head() + container(b"packed by nobody", method=7) + container(message()))
    assert len(frames) == 1
    assert "unknown method 7" in faults[0].text


@pytest.mark.parametrize("size", [0, 3, 4, 71])
def test_blf_cut_within_its_head_is_refused(size: int) -> None:
    with pytest.raises(LogError, match="ends within its head"):
        parse(head()[:size])


def test_blf_without_a_frame_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "empty.blf"
    log.write_bytes(head() + container(thing(65, b"text")))
    with pytest.raises(LogError, match="holds no frame"):
        read_log(log)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Objects of all kinds in a row, some bytes of them changed, taken out or put in."""
    kinds = st.sampled_from([1, 1, 1, 86, 2, 73, 100, 101, 104, 65, 10, 999])
    bodies = st.tuples(kinds, st.binary(max_size=120), st.integers(0, 2**40), st.integers(1, 2))
    units = st.sampled_from([1, 2, 3])
    parts = draw(st.lists(st.tuples(bodies, units), max_size=12))
    data = bytearray(
        b"".join(
            thing(kind, body, ts=ts, version=version, unit=unit)
            for (kind, body, ts, version), unit in parts
        )
    )
    for place, octet in draw(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)))):
        if data:
            data[place % len(data)] = octet
    cut = draw(st.integers(0, 60))
    insert = draw(st.sampled_from([b"", b"", b"LOBJ", b"LO", b"0123456789", bytes(40)]))
    place = draw(st.integers(0, len(data)))
    return bytes(data[:place] + insert + data[place + cut :])


@pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
@given(data=damaged(), is_last=st.booleans(), is_lost=st.booleans())
def test_compiled_path_reads_what_the_plain_path_reads(
    data: bytes, is_last: bool, is_lost: bool
) -> None:
    buffer = np.frombuffer(data + bytes(PAD), np.uint8)
    plain, fast = (
        scan_objects(
            buffer,
            len(data),
            start_ns=10**18,
            is_last=is_last,
            is_lost=is_lost,
            before=5,
            is_compiled=is_compiled,
        )
        for is_compiled in (False, True)
    )
    assert_same(fast.frames, plain.frames)
    assert sorted(map(str, fast.faults)) == sorted(map(str, plain.faults))
    assert (fast.rows, fast.used, fast.is_lost) == (plain.rows, plain.used, plain.is_lost)


def test_blf_of_changed_bytes_gives_a_result_or_a_log_error() -> None:
    randomness = random.Random(3)
    objects = b"".join(message(number, randomness.randbytes(8), ts=number) for number in range(40))
    whole = head(START) + container(objects[:900]) + container(objects[900:], method=0)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(randomness.randint(1, 4)):
            data[randomness.randrange(len(data))] = randomness.randrange(256)
        data = data[: randomness.choice([len(data), len(data), randomness.randrange(len(data))])]
        try:
            frames, _ = parse(bytes(data))
        except LogError:
            continue
        assert len(frames) <= 41


@pytest.mark.parametrize("is_compiled", PATHS)
def test_blf_real_logs_are_read_as_python_can_reads_them(
    shared_data: Path, is_compiled: bool
) -> None:
    logs = sorted((shared_data / "can" / "formats").glob("*.blf"))
    assert logs
    for log in logs:
        frames, faults = parse(log.read_bytes(), is_compiled=is_compiled)
        assert not faults
        with can.BLFReader(log) as reader:
            assert_is(frames, list(reader))
