"""Writer of Vector BLF logs: objects in containers packed by zlib.

    LOGG head (144 bytes): sizes, number of objects, start and end as SYSTEMTIME (UTC)
    LOBJ container (type 10): zlib of up to 128 KiB of whole objects
        CAN_MESSAGE2 (86)     56 bytes    classic frames, data and remote
        CAN_FD_MESSAGE (100) 116 bytes    CAN FD frames
        CAN_ERROR_EXT (73)    64 bytes    error frames with their id and payload

Stamps are nanoseconds after the start. Buses count from 1. A log without a date starts at nothing
but zeros. The head is written again at the end, so the target must be seekable.

Source: Vector, "Binary Logging File format", object layouts as published in vector_blf's headers;
python-can 4.6 as reader.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, FrameTable
from contactor.can.writers.asc import dlc_of
from contactor.can.writers.losses import Losses
from contactor.can.writers.start import Start, with_first_ts
from contactor.clock import NS_PER_MS, NS_PER_S

HEAD_BYTES = 144
HEAD = struct.Struct("<4sLBBBBBBBBQQLL8H8H")
CONTAINER = struct.Struct("<4sHHLLH6xL4x")
CONTAINER_TYPE, ZLIB = 10, 2
CONTAINER_BYTES = 128 * 1024
# Little slower than the fastest, and half the size.
LEVEL = 3
EXTENDED_FLAG = 1 << 31
REMOTE_FLAG = 0x80
FD_FLAG = 1
STAMPS_IN_NS = 2

_OBJECT = [
    ("signature", "S4"),
    ("head_bytes", "<u2"),
    ("head_version", "<u2"),
    ("object_bytes", "<u4"),
    ("type", "<u4"),
    ("flags", "<u4"),
    ("client", "<u2"),
    ("version", "<u2"),
    ("ts", "<u8"),
    ("channel", "<u2"),
]
CLASSIC = np.dtype(
    [
        *_OBJECT,
        ("can_flags", "u1"),
        ("dlc", "u1"),
        ("id", "<u4"),
        ("data", "u1", (CLASSIC_BYTES,)),
        ("frame_ns", "<u4"),
        ("bits", "u1"),
        ("reserved", "u1", (3,)),
    ]
)
FD = np.dtype(
    [
        *_OBJECT,
        ("can_flags", "u1"),
        ("dlc", "u1"),
        ("id", "<u4"),
        ("frame_ns", "<u4"),
        ("bits", "u1"),
        ("fd_flags", "u1"),
        ("valid_bytes", "u1"),
        ("reserved", "u1", (5,)),
        ("data", "u1", (FD_BYTES,)),
    ]
)
ERROR = np.dtype(
    [
        *_OBJECT,
        ("length", "<u2"),
        ("can_flags", "<u4"),
        ("code", "u1"),
        ("position", "u1"),
        ("dlc", "u1"),
        ("reserved", "u1"),
        ("frame_ns", "<u4"),
        ("id", "<u4"),
        ("extended_flags", "<u2"),
        ("reserved2", "<u2"),
        ("data", "u1", (CLASSIC_BYTES,)),
    ]
)
TYPES = ((CLASSIC, 86), (FD, 100), (ERROR, 73))
OBJECT_HEAD_BYTES = 32


def write_blf(
    tables: Iterable[FrameTable], target: BinaryIO, losses: Losses, least_ts: int | None
) -> None:
    """Write the head and the containers of all tables."""
    first_ts, tables = with_first_ts(tables)
    start = Start(first_ts, least_ts, step_ns=NS_PER_MS)
    at = target.tell()
    target.write(bytes(HEAD_BYTES))
    size = unpacked = HEAD_BYTES
    count, last_ts = 0, start.ts
    for table in tables:
        count += len(table)
        last_ts = max(last_ts, int(table.ts.max()))
        for objects in _parts(table, start, losses):
            packed = _container(objects)
            target.write(packed)
            size += len(packed)
            unpacked += CONTAINER.size + len(objects)
    target.seek(at)
    target.write(_head(size, unpacked, count, start, last_ts))
    target.seek(at + size)


def _head(size: int, unpacked: int, count: int, start: Start, last_ts: int) -> bytes:
    times = (*_system_time(start.ts), *_system_time(last_ts)) if start.is_dated else (0,) * 16
    head = HEAD.pack(
        b"LOGG", HEAD_BYTES, 0, 0, 0, 0, 2, 6, 8, 1, size, unpacked, count, count, *times
    )
    return head.ljust(HEAD_BYTES, b"\0")


def _system_time(ts: int) -> tuple[int, ...]:
    at = datetime.fromtimestamp(ts // NS_PER_S, UTC)
    ms = ts % NS_PER_S // NS_PER_MS
    weekday = at.isoweekday() % 7
    return (at.year, at.month, weekday, at.day, at.hour, at.minute, at.second, ms)


def _container(objects: bytes) -> bytes:
    packed = zlib.compress(objects, LEVEL)
    size = CONTAINER.size + len(packed)
    head = CONTAINER.pack(b"LOBJ", 16, 1, size, CONTAINER_TYPE, ZLIB, len(objects))
    return head + packed + bytes(size % 4)


def _parts(frames: FrameTable, start: Start, losses: Losses) -> Iterator[bytes]:
    """The objects of all frames in their order, in parts of whole objects."""
    kinds = np.where(frames.is_error, 2, np.where(frames.is_fd, 1, 0))
    sizes = np.array([dtype.itemsize for dtype, _ in TYPES])[kinds]
    ends = np.cumsum(sizes)
    offsets_ns = start.offsets_ns(frames, losses)
    first = 0
    while first < len(frames):
        before = int(ends[first] - sizes[first])
        last = int(np.searchsorted(ends, before + CONTAINER_BYTES, side="right"))
        part = slice(first, last)
        yield _objects(frames.take(part), kinds[part], ends[part] - before, offsets_ns[part])
        first = last


def _objects(
    frames: FrameTable,
    kinds: NDArray[np.int64],
    ends: NDArray[np.int64],
    offsets_ns: NDArray[np.int64],
) -> bytes:
    present = np.unique(kinds)
    if len(present) == 1:
        return _objects_of(int(present[0]), frames, offsets_ns).tobytes()
    out = np.empty(int(ends[-1]), np.uint8)
    for kind in present.tolist():
        rows = np.flatnonzero(kinds == kind)
        size = TYPES[kind][0].itemsize
        objects = _objects_of(kind, frames.take(rows), offsets_ns[rows])
        places = ends[rows, None] - size + np.arange(size)
        out[places] = objects.view(np.uint8).reshape(len(rows), size)
    return out.tobytes()


def _objects_of(kind: int, frames: FrameTable, offsets_ns: NDArray[np.int64]) -> np.ndarray:
    """The objects of frames that are all of one kind."""
    dtype, number = TYPES[kind]
    objects = np.zeros(len(frames), dtype)
    objects["signature"] = b"LOBJ"
    objects["head_bytes"] = OBJECT_HEAD_BYTES
    objects["head_version"] = 1
    objects["object_bytes"] = dtype.itemsize
    objects["type"] = number
    objects["flags"] = STAMPS_IN_NS
    objects["ts"] = offsets_ns
    objects["channel"] = frames.bus.astype(np.uint16) + 1
    objects["id"] = frames.can_id | np.where(
        frames.is_extended, np.uint32(EXTENDED_FLAG), np.uint32(0)
    )
    lengths = frames.length.astype(np.int64)
    width = min(objects["data"].shape[1], frames.data.shape[1])
    objects["data"][:, :width] = frames.data[:, :width]
    if dtype is ERROR:
        objects["length"] = ERROR.itemsize - OBJECT_HEAD_BYTES
        objects["dlc"] = np.minimum(lengths, CLASSIC_BYTES)
        return objects
    objects["can_flags"] = np.where(frames.is_remote, REMOTE_FLAG, 0)
    if dtype is FD:
        objects["dlc"] = dlc_of(lengths)
        objects["fd_flags"] = FD_FLAG
        objects["valid_bytes"] = np.where(frames.is_remote, 0, lengths)
    else:
        objects["dlc"] = lengths
    return objects
