"""MF4 bus logging: files made block by block, damaged ones, and real ones."""

import io
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.can.kernels import is_installed
from contactor.can.log import TimeSource, read_log
from contactor.can.readers.mf4 import Mf4Parser
from contactor.can.readers.mf4.splitting import PAD, Splitter
from contactor.can.readers.parsed import Cause, Fault
from contactor.errors import LogError
from tests.can.readers.mf4_files import (
    FLOAT,
    MASTER,
    SIGNED_BIG,
    UNSIGNED_BIG,
    VIRTUAL_MASTER,
    Mf4File,
    frame_channels,
    record,
)

PATHS = [
    pytest.param(False, id="plain"),
    pytest.param(
        True,
        id="compiled",
        marks=pytest.mark.skipif(not is_installed(), reason="Numba is not installed"),
    ),
]
STORED = ["block", "list", "packed", "transposed"]
START_NS = 1_700_000_000_000_000_000
VLSD = 1
WIDE = 16 + 64
NARROW = 16 + 8
OFFSET = 16 + 8
DLCS = {size: code for code, size in enumerate([*range(9), 12, 16, 20, 24, 32, 48, 64])}
# Frames of the real files, counted by asammdf 8.8 and python-can 4.6.
REAL = {
    "00000001-60B621D9.MF4": 1815,
    "hkmc_bms_poll.MF4": 2010,
    "gps_trip_164/00000001-60FE3F04.MF4": 65296,
    "gps_trip_164/00000002-60FE415D.MF4": 73785,
    "gps_trip_164/00000003-60FE43B2.MF4": 73765,
    "gps_trip_164/00000004-60FEB585.MF4": 73774,
    "gps_trip_164/00000005-60FEB5A8.MF4": 5477,
}


@dataclass(frozen=True)
class Said:
    """A frame that goes into a file."""

    ts: int
    bus: int
    can_id: int
    is_extended: bool
    is_fd: bool
    data: bytes

    def record(self, data: bytes | int, width: int = 64) -> bytes:
        return record(
            self.ts,
            self.can_id,
            data,
            bus=self.bus,
            is_extended=self.is_extended,
            is_fd=self.is_fd,
            dlc=DLCS[len(self.data)],
            length=len(self.data),
            width=width,
        )


@st.composite
def said(draw: st.DrawFn) -> Said:
    is_extended, is_fd = draw(st.booleans()), draw(st.booleans())
    size = draw(st.sampled_from(list(DLCS) if is_fd else range(9)))
    return Said(
        ts=draw(st.integers(0, 10**9)),
        bus=draw(st.integers(0, 255)),
        can_id=draw(st.integers(0, 0x1FFF_FFFF if is_extended else 0x7FF)),
        is_extended=is_extended,
        is_fd=is_fd,
        data=draw(st.binary(min_size=size, max_size=size)),
    )


FRAMES = st.lists(said(), min_size=1, max_size=30)


def parse(data: bytes, *, is_compiled: bool = False) -> tuple[FrameTable, list[Fault]]:
    blocks = list(Mf4Parser(is_compiled=is_compiled).parse(io.BytesIO(data), len(data)))
    faults = [fault for block in blocks for fault in block.faults]
    return FrameTable.concat(block.frames for block in blocks), faults


def assert_is(frames: FrameTable, expected: list[Said]) -> None:
    assert len(frames) == len(expected)
    for row, one in enumerate(expected):
        frame = frames[row]
        assert frame.ts == START_NS + one.ts
        assert (frame.bus, frame.can_id, frame.data) == (one.bus, one.can_id, one.data)
        assert frame.is_extended == (one.is_extended or one.can_id > 0x7FF)
        assert frame.is_fd == one.is_fd
        assert not frame.is_remote
        assert not frame.is_error


def sorted_file(frames: list[Said], form: str = "block", *, cycles: int | None = None) -> Mf4File:
    """Records of one group, payloads in them."""
    file = Mf4File()
    raw = b"".join(one.record(one.data) for one in frames)
    count = len(frames) if cycles is None else cycles
    group = file.group(frame_channels(file), number=0, size=WIDE, cycles=count)
    file.first = file.data_group(group, file.stored(raw, form, width=WIDE))
    return file


def signal_file(frames: list[Said], form: str) -> Mf4File:
    """Records of one group, payloads in a signal's data."""
    file = Mf4File()
    signal, offsets = b"", []
    for one in frames:
        offsets.append(len(signal))
        signal += struct.pack("<I", len(one.data)) + one.data
    raw = b"".join(one.record(offset) for one, offset in zip(frames, offsets, strict=True))
    channels = frame_channels(file, signal=file.stored(signal, form, kind=b"SD", width=5))
    group = file.group(channels, number=0, size=OFFSET, cycles=len(frames))
    file.first = file.data_group(group, file.stored(raw, form, width=OFFSET))
    return file


def unsorted_file(
    frames: list[Said], form: str = "block", *, id_bytes: int = 1, is_payload_first: bool = True
) -> Mf4File:
    """Records of two groups and of strangers, payloads in records of their own."""
    file = Mf4File()
    numbers = [3, 1, 2] if id_bytes == 1 else [2 ** (8 * id_bytes) - 2, 1, 300]

    def marked(which: int, body: bytes) -> bytes:
        return numbers[which].to_bytes(id_bytes, "little") + body

    raw, at = b"", 0
    for one in frames:
        payload = marked(1, struct.pack("<I", len(one.data)) + one.data)
        head = marked(0, one.record(at))
        at += 4 + len(one.data)
        raw += (payload + head if is_payload_first else head + payload) + marked(2, b"other")
    other = file.group(file.channel("Speed", 0, 16), number=numbers[2], size=5)
    payloads = file.group(0, number=numbers[1], size=0, flags=VLSD, after=other)
    channels = frame_channels(file, signal=payloads)
    group = file.group(channels, number=numbers[0], size=OFFSET, after=payloads)
    file.first = file.data_group(group, file.stored(raw, form, width=7), id_bytes=id_bytes)
    return file


@pytest.mark.parametrize("form", STORED)
@given(frames=FRAMES)
def test_mf4_reads_records_with_their_payloads(form: str, frames: list[Said]) -> None:
    frames.sort(key=lambda one: one.ts)
    found, faults = parse(sorted_file(frames, form).bytes(START_NS))
    assert not faults
    assert_is(found, frames)


@pytest.mark.parametrize("form", STORED)
@given(frames=FRAMES)
def test_mf4_reads_payloads_from_a_signal(form: str, frames: list[Said]) -> None:
    found, faults = parse(signal_file(frames, form).bytes(START_NS))
    assert not faults
    assert_is(found, frames)


@pytest.mark.parametrize("is_compiled", PATHS)
@pytest.mark.parametrize("id_bytes", [1, 2, 4, 8])
@given(frames=FRAMES, form=st.sampled_from(STORED), is_payload_first=st.booleans())
def test_mf4_reads_mixed_records(
    is_compiled: bool, id_bytes: int, frames: list[Said], form: str, is_payload_first: bool
) -> None:
    file = unsorted_file(frames, form, id_bytes=id_bytes, is_payload_first=is_payload_first)
    found, faults = parse(file.bytes(START_NS), is_compiled=is_compiled)
    assert not faults
    assert_is(found, frames)


@pytest.mark.parametrize("is_payload_first", [True, False])
@pytest.mark.parametrize("is_compiled", PATHS)
def test_mf4_reads_payloads_that_lie_in_another_chunk(
    monkeypatch: pytest.MonkeyPatch, is_compiled: bool, is_payload_first: bool
) -> None:
    monkeypatch.setattr("contactor.can.readers.mf4.CHUNK_BYTES", 100)
    monkeypatch.setattr("contactor.can.readers.mf4.LEAST_CHUNK_BYTES", 100)
    frames = [Said(row, 1, row, False, False, bytes([row % 256] * 8)) for row in range(2000)]
    file = unsorted_file(frames, is_payload_first=is_payload_first)
    found, faults = parse(file.bytes(START_NS), is_compiled=is_compiled)
    assert not faults
    assert_is(found, frames)


def test_mf4_is_recognised_and_counts_from_its_start_in_utc(tmp_path: Path) -> None:
    log = tmp_path / "drive.bin"
    log.write_bytes(sorted_file([Said(5, 2, 0x123, False, False, b"\1")]).bytes(START_NS))
    reading = read_log(log)
    assert reading.format == "mf4"
    assert reading.time_source is TimeSource.UTC
    assert reading.frames[0].ts == START_NS + 5


def test_mf4_without_a_start_has_no_date(tmp_path: Path) -> None:
    log = tmp_path / "drive.mf4"
    frames = [Said(ts, 1, 1, False, False, b"") for ts in (700, 900)]
    log.write_bytes(sorted_file(frames).bytes())
    reading = read_log(log)
    assert reading.time_source is TimeSource.START
    assert reading.frames.ts.tolist() == [0, 200]


@pytest.mark.parametrize(
    ("form", "kind", "conversion", "raw", "expected"),
    [
        (FLOAT, MASTER, None, struct.pack("<d", 1.5), 1_500_000_000),
        (FLOAT, MASTER, (2.0, 1.0), struct.pack("<d", 1.5), 4_000_000_000),
        (UNSIGNED_BIG, MASTER, (1e-6, 0.0), struct.pack(">Q", 7), 7_000),
        (SIGNED_BIG, MASTER, (1e-9, 1.0), struct.pack(">q", -7), 999_999_993),
        (0, MASTER, (2.5e-10, 0.0), struct.pack("<Q", 10), 2),
        (0, VIRTUAL_MASTER, (0.25, 0.5), bytes(8), 500_000_000),
    ],
)
def test_mf4_clocks_become_nanoseconds(
    form: int, kind: int, conversion: tuple[float, float] | None, raw: bytes, expected: int
) -> None:
    file = Mf4File()
    inner = file.channel("CAN_DataFrame.ID", 8, 32)
    inner = file.channel("CAN_DataFrame.DataBytes", 12, 32, form=10, after=inner)
    rule = file.linear(*conversion) if conversion else 0
    clock = file.channel("t", 0, 64, form=form, kind=kind, after=inner, conversion=rule)
    group = file.group(clock, number=0, size=16, cycles=1)
    data = raw + struct.pack("<I", 0x8000_0123) + b"abcd"
    file.first = file.data_group(group, file.stored(data, "block"))
    frames, faults = parse(file.bytes(START_NS))
    assert not faults
    assert frames[0].ts == START_NS + expected
    assert (frames[0].can_id, frames[0].is_extended, frames[0].data) == (0x123, True, b"abcd")


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e300, -1e-9, 0.0])
def test_mf4_of_a_clock_that_is_none_refuses_its_frames(factor: float) -> None:
    file = Mf4File()
    inner = file.channel("CAN_DataFrame.DataBytes", 12, 32, form=10)
    inner = file.channel("CAN_DataFrame.ID", 8, 32, after=inner)
    rule = file.linear(factor)
    clock = file.channel("t", 0, 64, form=FLOAT, kind=MASTER, after=inner, conversion=rule)
    group = file.group(clock, number=0, size=16, cycles=3)
    stamps = [struct.pack("<d", stamp) for stamp in (float("inf"), float("nan"), 1e300)]
    data = b"".join(stamp + bytes(8) for stamp in stamps)
    file.first = file.data_group(group, file.stored(data, "block"))
    frames, faults = parse(file.bytes(START_NS))
    is_still = factor == 0.0
    assert len(frames) == int(is_still)
    assert [(fault.cause, fault.count) for fault in faults] == [(Cause.TIME, 3 - is_still)]


def test_mf4_numbers_may_be_written_high_byte_first() -> None:
    file = Mf4File()
    inner = file.channel("CAN_DataFrame.ID", 8, 29, bit=2, form=UNSIGNED_BIG)
    inner = file.channel("CAN_DataFrame.DLC", 12, 4, bit=3, after=inner)
    inner = file.channel("CAN_DataFrame.DataBytes", 13, 64, form=10, after=inner)
    clock = file.channel("t", 0, 64, kind=MASTER, after=inner, conversion=file.linear(1e-9))
    group = file.group(clock, number=0, size=21, cycles=1)
    data = bytes(8) + struct.pack(">I", 0x0ABC_DEF1 << 2) + bytes([0x98]) + b"abcdefgh"
    file.first = file.data_group(group, file.stored(data, "block"))
    frames, faults = parse(file.bytes(START_NS))
    assert not faults
    assert (frames[0].can_id, frames[0].data) == (0x0ABC_DEF1, b"abc")


def test_mf4_groups_are_merged_by_time_and_tell_frames_apart() -> None:
    file = Mf4File()
    after = 0
    for kind, stamps in (
        ("Data", (1, 4, 4, 9)),
        ("Remote", (2, 4)),
        ("Error", (3,)),
        ("Overload", (1,)),
    ):
        raw = b"".join(record(ts, 0x10 + ts, b"\1", dlc=3, length=1, width=8) for ts in stamps)
        channels = frame_channels(file, kind=kind, payload_bits=64)
        group = file.group(channels, number=0, size=NARROW, cycles=len(stamps))
        after = file.data_group(group, file.stored(raw, "block"), after=after)
    file.first = after
    frames, faults = parse(file.bytes(START_NS))
    assert not faults
    assert (frames.ts - START_NS).tolist() == [1, 2, 3, 4, 4, 4, 9]
    # Data groups come last to first in the file: at the same time remote frames are first.
    assert frames.is_remote.tolist() == [False, True, False, True, False, False, False]
    assert frames.is_error.tolist() == [False, False, True, False, False, False, False]
    assert frames.length.tolist() == [1, 3, 1, 3, 1, 1, 1]
    assert frames[1].data == b""
    assert frames[2].data == b"\1"


@given(
    stamps=st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=12), min_size=2, max_size=4)
)
def test_mf4_merges_stably_whatever_the_chunks(stamps: list[list[int]]) -> None:
    file = Mf4File()
    after = 0
    expected = []
    for number, times in reversed(list(enumerate(map(sorted, stamps)))):
        raw = b"".join(record(ts, number, b"", width=8) for ts in times)
        group = file.group(
            frame_channels(file, payload_bits=64), number=0, size=NARROW, cycles=len(times)
        )
        after = file.data_group(group, file.stored(raw, "block"), after=after)
        expected += [(ts, number) for ts in times]
    file.first = after
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contactor.can.readers.mf4.LEAST_CHUNK_BYTES", 50)
        patch.setattr("contactor.can.readers.mf4.CHUNK_BYTES", 50)
        frames, _ = parse(file.bytes(START_NS))
    found = list(zip((frames.ts - START_NS).tolist(), frames.can_id.tolist(), strict=True))
    assert found == sorted(expected)


def test_mf4_of_a_group_whose_time_runs_backwards_keeps_its_order() -> None:
    file = Mf4File()
    after = 0
    for number, times in ((1, [5, 1, 6]), (0, [2, 5, 7])):
        raw = b"".join(record(ts, number, b"", width=8) for ts in times)
        group = file.group(frame_channels(file, payload_bits=64), number=0, size=NARROW, cycles=3)
        after = file.data_group(group, file.stored(raw, "block"), after=after)
    file.first = after
    frames, _ = parse(file.bytes(START_NS))
    assert (frames.ts - START_NS).tolist() == [2, 5, 5, 1, 6, 7]


@pytest.mark.parametrize("is_compiled", PATHS)
def test_mf4_unfinished_goes_to_the_end_of_the_file(is_compiled: bool) -> None:
    frames = [Said(row, 1, row, False, False, b"\1\2") for row in range(5)]
    for make in (sorted_file, unsorted_file):
        whole = make(frames)  # type: ignore[operator]
        data = bytearray(whole.bytes(START_NS, unfinished=0x25))
        data[:8] = b"UnFinMF "
        start = data.index(b"##DT")
        block = data[start:]
        # Data come last in an unfinished file, and nobody has counted them.
        size = struct.unpack_from("<Q", block, 8)[0]
        moved = data + bytes(-len(data) % 8)
        place = len(moved)
        moved += block[:8] + struct.pack("<Q", 24) + block[16:size]
        group = moved.index(b"##DG")
        moved[group + 24 + 16 : group + 24 + 24] = struct.pack("<Q", place)
        cycles = moved.index(b"##CG", moved.index(b"CAN_DataFrame"))
        moved[cycles + 24 + 48 + 8 : cycles + 24 + 48 + 16] = bytes(8)
        found, faults = parse(bytes(moved), is_compiled=is_compiled)
        assert not faults
        assert_is(found, frames)
        found, faults = parse(bytes(moved[:-20]), is_compiled=is_compiled)
        assert_is(found, frames[:4])
        if make is unsorted_file:
            assert [fault.cause for fault in faults] == [Cause.CUT_RECORD]


def test_mf4_of_fewer_records_than_stated_says_so() -> None:
    frames = [Said(row, 1, row, False, False, b"") for row in range(3)]
    found, faults = parse(sorted_file(frames, cycles=5).bytes(START_NS))
    assert_is(found, frames)
    assert faults == [Fault(Cause.CUT_RECORD, 1, 4, "3 whole records")]


def test_mf4_refuses_frames_that_cannot_be() -> None:
    file = Mf4File()
    records = [
        record(1, 1, b"", length=0),
        record(2, 2, b"", length=65),
        record(2**63 - 1, 3, b""),
        record(4, 4, b"abc", length=3),
    ]
    group = file.group(frame_channels(file), number=0, size=WIDE, cycles=4)
    file.first = file.data_group(group, file.stored(b"".join(records), "block"))
    frames, faults = parse(file.bytes(START_NS))
    assert frames.can_id.tolist() == [1, 4]
    found = {(fault.cause, fault.count, fault.first) for fault in faults}
    assert found == {(Cause.LENGTH, 1, 2), (Cause.TIME, 1, 3)}


@pytest.mark.parametrize("is_signal", [True, False])
def test_mf4_refuses_frames_whose_payload_is_not_there(is_signal: bool) -> None:
    frames = [Said(row, 1, row, False, False, b"\1\2") for row in range(4)]
    file = signal_file(frames, "block") if is_signal else unsorted_file(frames)
    data = bytearray(file.bytes(START_NS))
    for row, wrong in ((1, 2**40), (3, 2**63)):
        place = data.index(frames[row].record(0)[:16]) + 16
        data[place : place + 8] = struct.pack("<Q", wrong)
    found, faults = parse(bytes(data))
    assert found.can_id.tolist() == [0, 2]
    assert [(fault.cause, fault.count, fault.first) for fault in faults] == [(Cause.SHORT, 2, 2)]


def test_mf4_of_an_unknown_record_gives_what_came_before() -> None:
    file = Mf4File()
    known = b"\1" + record(1, 5, b"", width=8)
    group = file.group(frame_channels(file, payload_bits=64), number=1, size=NARROW)
    data = file.stored(known + known + b"\x07" + known, "block")
    file.first = file.data_group(group, data, id_bytes=1)
    frames, faults = parse(file.bytes(START_NS))
    assert len(frames) == 2
    assert [(fault.cause, fault.first) for fault in faults] == [(Cause.GARBLED, 3)]
    assert "unknown id 7" in faults[0].text


def test_mf4_of_damaged_packed_data_gives_what_came_before() -> None:
    frames = [Said(row, 1, row, False, False, bytes(8)) for row in range(40)]
    data = bytearray(sorted_file(frames, "packed").bytes(START_NS))
    second = data.index(b"##DZ", data.index(b"##DZ") + 1)
    data[second + 60 : second + 64] = b"\xff\xff\xff\xff"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contactor.can.readers.mf4.CHUNK_BYTES", WIDE * 5)
        patch.setattr("contactor.can.readers.mf4.LEAST_CHUNK_BYTES", WIDE * 5)
        found, faults = parse(bytes(data))
    assert_is(found, frames[:20])
    assert [(fault.cause, fault.first) for fault in faults] == [(Cause.GARBLED, 21)]


def cut_in_order(form: str) -> tuple[bytes, int]:
    """A file of two groups, the second behind the data of the first, and where the data end."""
    file = Mf4File()
    raw = b"".join(one.record(one.data) for one in MANY)
    group = file.group(frame_channels(file), number=0, size=WIDE, cycles=len(MANY))
    first = file.data_group(group, 0)
    data = file.stored(raw, form, width=WIDE)
    end = len(file.raw)
    second = file.group(frame_channels(file), number=0, size=WIDE, cycles=1)
    after = file.data_group(second, file.stored(MANY[0].record(MANY[0].data), "block"))
    file.raw[first + 24 : first + 24 + 8] = struct.pack("<Q", after)
    file.raw[first + 40 : first + 48] = struct.pack("<Q", data)
    file.first = first
    return file.bytes(START_NS), end


MANY = [Said(row, 1, row, False, False, bytes([row] * 8)) for row in range(60)]


@pytest.mark.parametrize("form", STORED)
def test_mf4_cut_off_gives_what_is_whole(form: str) -> None:
    data, end = cut_in_order(form)
    whole, faults = parse(data)
    assert (len(whole), faults) == (61, [])
    # Between the data and the end, all of the first group is there, wherever the cut is.
    for size in (end, end + 100, len(data) - 1, len(data) - WIDE - 1):
        found, faults = parse(data[:size])
        assert_is(found, MANY)
        assert [(one.cause, one.count) for one in faults] == [(Cause.CUT_RECORD, 1)]
        assert faults[0].text.startswith(f"the file is cut off at byte {size}: MF4 ")
        assert len(faults[0].text) <= 80


@pytest.mark.parametrize("is_list_cut", [False, True])
def test_mf4_cut_off_within_data_gives_their_whole_records(is_list_cut: bool) -> None:
    file = Mf4File()
    group = file.group(frame_channels(file), number=0, size=WIDE, cycles=len(MANY))
    first = file.data_group(group, 0)
    raw = b"".join(one.record(one.data) for one in MANY)
    blocks = [file.block(b"DT", [], raw[: 20 * WIDE])]
    if not is_list_cut:
        links = file.block(b"DL", [0, blocks[0], 0], struct.pack("<B3xIQQ", 0, 2, 0, 0))
        blocks.append(file.block(b"DT", [], raw[20 * WIDE :]))
        file.raw[links + 24 + 16 : links + 24 + 24] = struct.pack("<Q", blocks[1])
        size, whole = blocks[1] + 24 + 5 * WIDE + 7, 25
    else:
        blocks.append(file.block(b"DT", [], raw[20 * WIDE :]))
        links = file.block(b"DL", [0, *blocks], struct.pack("<B3xIQQ", 0, 2, 0, 0))
        size, whole = links + 24 + 8 + 8 + 3, 20
    file.raw[first + 40 : first + 48] = struct.pack("<Q", links)
    file.first = first
    found, faults = parse(file.bytes(START_NS)[:size])
    assert_is(found, MANY[:whole])
    assert [(one.cause, one.first) for one in faults] == [(Cause.CUT_RECORD, whole + 1)]
    assert "cut off at byte" in faults[0].text


@pytest.mark.parametrize("is_transposed", [False, True])
def test_mf4_cut_off_within_packed_data_gives_their_whole_records(is_transposed: bool) -> None:
    randomness = random.Random(4)
    frames = [Said(row, 1, row, False, False, randomness.randbytes(8)) for row in range(60)]
    raw = b"".join(one.record(one.data) for one in frames)
    file = Mf4File()
    group = file.group(frame_channels(file), number=0, size=WIDE, cycles=60)
    file.first = file.data_group(group, 0)
    place = file.packed(raw, width=WIDE if is_transposed else 0)
    file.raw[file.first + 40 : file.first + 48] = struct.pack("<Q", place)
    cut = file.bytes(START_NS)[: (place + len(file.raw)) // 2]
    if is_transposed:
        with pytest.raises(LogError, match=f"cut off at byte {len(cut)}: MF4 data"):
            parse(cut)
        return
    found, faults = parse(cut)
    assert 20 < len(found) < 60
    assert_is(found, frames[: len(found)])
    assert [(one.cause, one.first) for one in faults] == [(Cause.CUT_RECORD, len(found) + 1)]


def test_mf4_cut_off_within_payloads_gives_the_frames_that_have_theirs() -> None:
    signal = b"".join(struct.pack("<I", 8) + one.data for one in MANY)
    raw = b"".join(one.record(12 * row) for row, one in enumerate(MANY))
    # Where the payloads go is known once all else is written.
    payloads = 1
    for _ in range(2):
        file = Mf4File()
        channels = frame_channels(file, signal=payloads)
        group = file.group(channels, number=0, size=OFFSET, cycles=len(MANY))
        file.first = file.data_group(group, file.stored(raw, "block"))
        payloads = file.block(b"SD", [], signal)
    whole = file.bytes(START_NS)
    assert_is(parse(whole)[0], MANY)
    found, faults = parse(whole[: payloads + 24 + 12 * 40 + 5])
    assert_is(found, MANY[:40])
    assert [(one.cause, one.count, one.first) for one in faults] == [(Cause.CUT_RECORD, 20, 41)]
    with pytest.raises(LogError, match=f"the file is cut off at byte {payloads}: MF4 link"):
        parse(whole[:payloads])


def test_mf4_cut_off_anywhere_makes_up_no_frame() -> None:
    for form in STORED:
        for make in (sorted_file, signal_file, unsorted_file):
            data = make(MANY[:6], form).bytes(START_NS)
            for size in range(64, len(data), 13):
                try:
                    found, faults = parse(data[:size])
                except LogError as error:
                    assert "the file is cut off at byte" in str(error)  # noqa: PT017
                    continue
                rows = found.can_id.tolist()
                assert_is(found, [MANY[row] for row in rows])
                assert faults or len(rows) == 6


def test_mf4_real_log_cut_off_gives_the_frames_before(shared_data: Path) -> None:
    log = shared_data / "can" / "css_mf4" / "gps_trip_164" / "00000001-60FE3F04.MF4"
    whole = log.read_bytes()
    # Its payloads are behind all records, from byte 1451656 on.
    with pytest.raises(LogError, match="the file is cut off at byte 1000003"):
        parse(whole[:1_000_003])
    found, faults = parse(whole[:2_000_001])
    expected = parse(whole)[0].take(slice(0, len(found)))
    assert len(found) == 46360
    assert np.array_equal(found.ts, expected.ts)
    assert np.array_equal(found.data, expected.data)
    assert {one.cause for one in faults} == {Cause.CUT_RECORD}
    assert sum(one.count for one in faults) == 65296 - 46360


def test_mf4_without_can_frames_says_what_it_holds(tmp_path: Path) -> None:
    log = tmp_path / "drive.mf4"
    file = Mf4File()
    clock = file.channel("t", 0, 64, form=FLOAT, kind=MASTER, after=file.channel("Speed", 8, 16))
    second = file.group(clock, number=2, size=10, cycles=12, name="Wheels")
    group = file.group(clock, number=1, size=10, cycles=7, after=second)
    file.first = file.data_group(group, file.stored(bytes(11), "block"), id_bytes=1)
    log.write_bytes(file.bytes(START_NS))
    message = (
        r"drive.mf4: .*without CAN frames: it holds Speed \(7 records\), Wheels \(12 records\)"
    )
    with pytest.raises(LogError, match=message):
        read_log(log)


def broken(change: Callable[[Mf4File, bytearray], None]) -> bytes:
    file = sorted_file([Said(1, 1, 1, False, False, b"")])
    data = bytearray(file.bytes(START_NS))
    change(file, data)
    return bytes(data)


def put(data: bytearray, block: bytes, at: int, number: int) -> None:
    place = data.index(block) + at
    data[place : place + 8] = struct.pack("<Q", number)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _, data: put(data, b"##HD", 24, 10**9), "link to byte 1000000000 leads out of it"),
        (lambda _, data: put(data, b"##HD", 24, 64), "is HD, where DG is expected"),
        (lambda _, data: put(data, b"##DG", 0, 0xF00A2323), r"is b'##\\n\\xf0', where DG is"),
        (lambda _, data: put(data, b"##HD", 8, 30), "HD at byte 64 states 30 bytes and 6 links"),
        (lambda file, data: put(data, b"##DG", 24, file.first), "chained in a circle"),
        (lambda _, data: put(data, b"##DG", 8, 2**40), "states 1099511627776 bytes"),
        (lambda _, data: put(data, b"##DG", 56, 3), "record ids of 3 bytes"),
        (lambda _, data: put(data, b"##CG", 24 + 48 + 24, 9), "in a record of 9 bytes"),
        (lambda _, data: data.__setitem__(slice(28, 30), b"\x4a\1"), "version 4.11; read is"),
        (lambda _, data: data.__delitem__(slice(60, None)), "ends within its identification"),
        (lambda _, data: data.__delitem__(slice(100, None)), "cut off at byte 100: MF4 block HD"),
    ],
)
def test_mf4_of_a_broken_structure_says_where(
    change: Callable[[Mf4File, bytearray], None], message: str
) -> None:
    with pytest.raises(LogError, match=message):
        parse(broken(change))


def test_mf4_refuses_to_unpack_more_than_packed_bytes_can_be() -> None:
    data = bytearray(sorted_file([Said(1, 1, 1, False, False, b"")], "packed").bytes(START_NS))
    place = data.index(b"##DZ") + 24 + 8
    data[place : place + 8] = struct.pack("<Q", 200 * 1024 * 1024)
    with pytest.raises(LogError, match="states 209715200 unpacked bytes"):
        parse(bytes(data))


def test_mf4_refuses_data_listed_again_and_again() -> None:
    file = Mf4File()
    block = file.block(b"DT", [], record(1, 1, b"", width=8) * 100)
    links = file.block(b"DL", [0, *[block] * 1000], struct.pack("<B3xIQ", 0, 1000, 0))
    group = file.group(frame_channels(file, payload_bits=64), number=0, size=NARROW)
    file.first = file.data_group(group, links)
    with pytest.raises(LogError, match="more than 4 times"):
        parse(file.bytes(START_NS))


@pytest.mark.parametrize("make", [sorted_file, signal_file, unsorted_file])
@pytest.mark.parametrize("form", ["block", "packed", "transposed"])
def test_mf4_of_changed_bytes_gives_a_result_or_a_log_error(
    make: Callable[[list[Said], str], Mf4File], form: str
) -> None:
    randomness = random.Random(form)
    frames = [Said(row, 1, row, False, True, randomness.randbytes(12)) for row in range(20)]
    whole = make(frames, form).bytes(START_NS)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(randomness.randint(1, 4)):
            data[randomness.randrange(len(data))] = randomness.choice(
                [0, 1, 255, randomness.randrange(256)]
            )
        data = data[: randomness.choice([len(data), len(data), randomness.randrange(len(data))])]
        try:
            found, _ = parse(bytes(data))
        except LogError:
            continue
        assert len(found) <= 2000


@pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
@given(
    data=st.lists(st.tuples(st.sampled_from([1, 2, 2, 3, 9]), st.binary(max_size=9))).map(
        lambda parts: b"".join(
            bytes([number]) + bytes([len(body)]) + body for number, body in parts
        )
    ),
    id_bytes=st.sampled_from([1, 2]),
)
def test_mf4_records_are_found_alike_by_both_paths(data: bytes, id_bytes: int) -> None:
    buffer = np.frombuffer(data + bytes(PAD), np.uint8)
    sizes = {1: 3, 2: 0, 3: -1, 513: 5, 2 + 2**8: 9}
    plain, fast = (
        Splitter(id_bytes, sizes, is_compiled=is_compiled).split(buffer, len(data))
        for is_compiled in (False, True)
    )
    assert plain.places.tolist() == fast.places.tolist()
    assert plain.numbers.tolist() == fast.numbers.tolist()
    assert (plain.used, plain.wrong) == (fast.used, fast.wrong)


@pytest.mark.parametrize("is_compiled", PATHS)
def test_mf4_real_logs_hold_the_frames_that_asammdf_finds(
    shared_data: Path, is_compiled: bool
) -> None:
    for name, count in REAL.items():
        data = (shared_data / "can" / "css_mf4" / name).read_bytes()
        frames, faults = parse(data, is_compiled=is_compiled)
        assert not faults
        assert len(frames) == count
        assert (np.diff(frames.ts) >= 0).all()


def test_mf4_real_frame_is_read_to_the_bit(shared_data: Path) -> None:
    frames = read_log(shared_data / "can" / "css_mf4" / "hkmc_bms_poll.MF4").frames
    assert str(frames[0]) == (
        "Frame(ts=1608041699326500000, bus=1, can_id=1979, is_extended=False, is_fd=False, "
        "is_remote=False, is_error=False, length=8, data=b'\\x10&b\\x01\\x00~P\\x07')"
    )
