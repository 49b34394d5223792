"""Reader of Vector BLF logs: objects in containers, mostly packed by zlib.

    LOGG head: its bytes u4, ..., start and end as SYSTEMTIME
    LOBJ container (type 10): method u2 (0 stored, 2 zlib), unpacked bytes u4, the packed objects
    LOBJ container ...

Containers are cut without regard to objects, so their bytes are one stream; objects outside of any
container join it where they stand. Stamps count from the start in the head, which is taken as UTC;
where it is all zeros (or 1601, or no date) the log has no date. Frames of every CAN object are read
(data, remote, error, CAN FD), all other objects passed over; buses count from 0 as in python-can.

What is garbled is passed over up to the next object, and counted. Of a container that the file ends
within all is read that can be unpacked, of one that is damaged nothing. Memory is bounded whatever
sizes a file states: unpacked bytes come a batch at a time.

    for block in BlfParser().parse(file, size):
        block.frames, block.faults

Source: Vector, "Binary Logging File format", as published in vector_blf; python-can 4.6.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Self

import numpy as np

from contactor.can.kernels import are_wanted
from contactor.can.readers.blf_containers import BREAK, Containers
from contactor.can.readers.blf_objects import PAD, Scan, scan_objects
from contactor.can.readers.numbers import MAX_TS_NS
from contactor.can.readers.parsed import Block, Cause, Fault
from contactor.clock import from_datetime
from contactor.errors import LogError

FORM = re.compile(rb"\ALOGG")
MIN_HEAD_BYTES = 72
START = struct.Struct("<40x8H")
HEAD_SIZE = struct.Struct("<4xI")
# What tools write for no date: nothing, or the first instant of Windows.
NO_DATE_YEARS = (0, 1601)
# Unpacked bytes scanned at a time; the first are few, for the look at a log's first frame.
FIRST_BATCH_BYTES = 64 * 1024
BATCH_BYTES = 4 * 1024 * 1024
# The shortest packed frames that occur much: so many frames may a log of that size hold.
PACKED_FRAME_BYTES = 16


@dataclass(slots=True)
class BlfParser:
    """Parses one log; `is_compiled` says by which path, None chooses by its size."""

    is_compiled: bool | None = None
    is_stamped: bool = True

    @classmethod
    def of(cls, head: bytes) -> Self:
        """The parser for a log."""
        return cls()

    def parse(self, file: BinaryIO, size: int) -> Iterator[Block]:
        """The frames of all containers; raises LogError where the head is cut."""
        head = file.read(MIN_HEAD_BYTES)
        if len(head) < MIN_HEAD_BYTES:
            raise LogError(
                f"a BLF log that ends within its head: it has {size} bytes, a head alone has "
                f"{MIN_HEAD_BYTES} at least"
            )
        start_ns, fault = _start_of(head)
        containers = Containers(file, size, at=HEAD_SIZE.unpack_from(head)[0], after=MIN_HEAD_BYTES)
        is_compiled = self.is_compiled
        if is_compiled is None:
            is_compiled = are_wanted(size // PACKED_FRAME_BYTES)
        stream = _Stream(start_ns, is_compiled)
        faults = [fault] if fault else []
        for piece in containers.pieces():
            if piece is BREAK:
                block = stream.scan(is_last=True)
            else:
                stream.add(piece)
                if stream.waiting < stream.batch_bytes:
                    continue
                block = stream.scan(is_last=False)
            faults += stream.named(containers.faults)
            containers.faults.clear()
            yield Block(block.frames, (*faults, *block.faults), containers.at)
            faults = []
        block = stream.scan(is_last=True)
        faults += [*stream.named(containers.faults), *block.faults]
        if containers.is_cut and not any(fault.cause is Cause.CUT_RECORD for fault in faults):
            faults.append(Fault(Cause.CUT_RECORD, 1, stream.rows + 1, "the last container"))
        yield Block(block.frames, tuple(faults), size)


class _Stream:
    """The objects of all containers as one stream, scanned in batches.

    Attributes:
        waiting: the bytes that came since the last scan.
        rows: the frames scanned so far, refused ones too.
    """

    def __init__(self, start_ns: int, is_compiled: bool) -> None:
        self.batch_bytes = FIRST_BATCH_BYTES
        self.waiting = 0
        self.rows = 0
        self._start_ns = start_ns
        self._is_compiled = is_compiled
        self._buffer = np.zeros(FIRST_BATCH_BYTES, np.uint8)
        self._filled = 0
        self._is_lost = False

    def add(self, piece: bytes) -> None:
        """Add what comes next."""
        end = self._filled + len(piece)
        if end + PAD > len(self._buffer):
            longer = np.empty(max(end + PAD, 2 * len(self._buffer)), np.uint8)
            longer[: self._filled] = self._buffer[: self._filled]
            self._buffer = longer
        self._buffer[self._filled : end] = np.frombuffer(piece, np.uint8)
        self._filled = end
        self.waiting += len(piece)

    def scan(self, *, is_last: bool) -> Scan:
        """The frames that are whole; after the last scan the stream begins anew, within objects."""
        buffer, size = self._buffer, self._filled
        buffer[size : size + PAD] = 0
        scan = scan_objects(
            buffer,
            size,
            start_ns=self._start_ns,
            is_last=is_last,
            is_lost=self._is_lost,
            before=self.rows,
            is_compiled=self._is_compiled,
        )
        self._filled = 0 if is_last else size - scan.used
        buffer[: self._filled] = buffer[scan.used : scan.used + self._filled].copy()
        self._is_lost = is_last or scan.is_lost
        self.waiting = 0
        self.rows += scan.rows
        self.batch_bytes = BATCH_BYTES
        return scan

    def named(self, found: list[str]) -> list[Fault]:
        """Faults of containers, by the frames before them."""
        return [Fault(Cause.GARBLED, 1, self.rows + 1, text) for text in found]


def _start_of(head: bytes) -> tuple[int, Fault | None]:
    """What stamps count from, ns UTC; 0 without a date, and a fault where that is wrong."""
    year, month, _, day, hour, minute, second, ms = START.unpack_from(head)
    if year in NO_DATE_YEARS:
        return 0, None
    try:
        start = datetime(year, month, day, hour, minute, second, ms * 1000, tzinfo=UTC)
        ts = from_datetime(start)
    except ValueError:
        ts = -1
    if 0 <= ts <= MAX_TS_NS:
        return ts, None
    written = f"start of the log: {year}-{month}-{day} {hour}:{minute}:{second}.{ms}"
    return 0, Fault(Cause.TIME, 1, 1, written)
