"""The data of a group or a signal as one run of bytes, however it is divided and packed.

    DT, SD, DV: bytes      DZ: the same by zlib, columns first if transposed
    DL, LD: a list of those      HL: what leads to a list

    data = DataBytes(blocks, link, RECORDS)
    data.size
    for piece in data.pieces(2**20): ...
    data.read(place, size)

A block whose end is missing (an unfinished file states no length for the last one) goes to the end
of the file. Packed blocks are unpacked one at a time, to what they state and no more. The data of a
file that is cut off end where the first byte of them is missing.

Source: ASAM MDF 4.1, chapters on DT, SD, DL, HL and DZ blocks.
"""

import bisect
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from contactor.can.readers.mf4.blocks import HEAD, LIST, Blocks, CutOffError, named
from contactor.errors import LogError

VALUES = b"##DV"
RECORDS = (b"##DT", VALUES)
SIGNALS = (b"##SD",)
PACKED = b"##DZ"
LISTS = (LIST, b"##LD")
HEADER_LIST = b"##HL"
# The kind that is packed, how, by what width, unpacked and packed bytes.
ZIP = struct.Struct("<2sBxIQQ")
COUNT = struct.Struct("<4xI")
DEFLATE, TRANSPOSED = 0, 1
MAX_UNPACKED = 256 * 1024 * 1024
# What zlib can make of a byte.
MAX_RATIO = 1032


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of bytes: its place in the file, and whether these are packed."""

    place: int
    size: int
    is_packed: bool


class DataBytes:
    """The bytes behind one link.

    Attributes:
        size: how many there are.
        is_cut: whether the file is cut off within or before some of them.
        is_bare: whether invalidation bytes are kept elsewhere (DV blocks).
    """

    def __init__(
        self,
        blocks: Blocks,
        link: int,
        kinds: tuple[bytes, ...],
        *,
        is_unfinished: bool = False,
    ) -> None:
        """Find all segments; raises LogError where a block is not what it has to be."""
        self.is_cut = self.is_bare = False
        self._blocks = blocks
        self._kinds = kinds
        self._is_unfinished = is_unfinished
        self._segments: list[Segment] = []
        self._ends: list[int] = []
        self._unpacked: tuple[Segment, bytes] | None = None
        self.size = 0
        try:
            if link:
                self._find(link)
        except CutOffError as error:
            self.is_cut = True
            with suppress(CutOffError):
                for place in filter(None, error.links[1:]):
                    self._add(place)

    def pieces(self, piece_bytes: int) -> Iterator[bytes]:
        """All bytes in order."""
        for start in range(0, self.size, piece_bytes):
            yield self.read(start, piece_bytes)

    def read(self, place: int, size: int) -> bytes:
        """Bytes from a place on, fewer at the end; raises LogError where they are damaged."""
        end = min(place + size, self.size)
        parts = []
        while place < end:
            number = bisect.bisect_right(self._ends, place)
            segment = self._segments[number]
            within = place - (self._ends[number] - segment.size)
            count = min(end - place, segment.size - within)
            if segment.is_packed:
                part = self._whole(segment)[within : within + count]
            else:
                part = self._blocks.read(segment.place + within, count)
                self._blocks.read_bytes += len(part)
            if len(part) < count:
                raise LogError(f"MF4 data at byte {segment.place} is cut")
            parts.append(part)
            place += count
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _find(self, link: int) -> None:
        kind, _, _ = self._blocks.head(link, *self._kinds, PACKED, *LISTS, HEADER_LIST)
        if kind == HEADER_LIST:
            link = self._blocks.block(link, HEADER_LIST).link(0)
            if not link:
                return
            kind, _, _ = self._blocks.head(link, *LISTS)
        if kind not in LISTS:
            self._add(link)
            return
        for block in self._blocks.chain(link, *LISTS):
            count = block.unpack(COUNT)[0] if kind == LISTS[1] else len(block.links) - 1
            for place in block.links[1 : 1 + count]:
                if place:
                    self._add(place)

    def _add(self, place: int) -> None:
        kind, length, links = self._blocks.head(place, *self._kinds, PACKED)
        start = place + HEAD.size + 8 * links
        self.is_bare |= kind == VALUES
        if kind == PACKED:
            size, is_cut = self._unpacked_size(place, start)
            segment = Segment(place, size, is_packed=True)
        else:
            size = place + length - start
            room = max(self._blocks.size - start, 0)
            if self._is_unfinished and size == 0:
                size = room
            is_cut = size > room
            segment = Segment(start, min(size, room), is_packed=False)
            self._blocks.claim(place, segment.size)
        if segment.size > 0:
            self.size += segment.size
            self._segments.append(segment)
            self._ends.append(self.size)
        if is_cut:
            raise self._blocks.cut_off(f"MF4 data at byte {place} are not whole")

    def _unpacked_size(self, place: int, start: int) -> tuple[int, bool]:
        """The unpacked bytes of a packed block that are there, and whether it is cut."""
        head = self._blocks.read(start, ZIP.size)
        if len(head) < ZIP.size:
            raise self._blocks.cut_off(f"MF4 block DZ at byte {place} is not whole")
        kind, method, width, size, packed = ZIP.unpack(head)
        if b"##" + kind not in self._kinds:
            raise LogError(f"MF4 block DZ at byte {place} holds {named(b'##' + kind)}")
        if method not in {DEFLATE, TRANSPOSED}:
            raise LogError(f"MF4 block DZ at byte {place} is packed by unknown method {method}")
        if size > MAX_UNPACKED:
            raise LogError(
                f"MF4 block DZ at byte {place} states {size} unpacked bytes; at most "
                f"{MAX_UNPACKED} are read"
            )
        if method == TRANSPOSED and width < 1:
            raise LogError(f"MF4 block DZ at byte {place} is transposed by width {width}")
        if size > packed * MAX_RATIO + 1:
            raise LogError(
                f"MF4 block DZ at byte {place} states {size} unpacked bytes of {packed} packed ones"
            )
        room = self._blocks.size - start - ZIP.size
        self._blocks.claim(place, min(packed, room))
        self.is_bare |= b"##" + kind == VALUES
        if packed <= room:
            return int(size), False
        # Columns come first in transposed data: without the last of them no record is whole.
        if method == TRANSPOSED:
            return 0, True
        return len(self._inflated(place, start + ZIP.size, room, size)), True

    def _inflated(self, place: int, start: int, packed: int, size: int) -> bytes:
        """What the packed bytes of the block at `place` hold, `size` bytes at most."""
        data = self._blocks.read(start, packed)
        try:
            return zlib.decompressobj().decompress(data, max(size, 1))
        except zlib.error as error:
            raise LogError(f"MF4 block DZ at byte {place} is damaged: {error}") from error

    def _whole(self, segment: Segment) -> bytes:
        """The bytes of a packed block; the last one is kept."""
        if self._unpacked is not None and self._unpacked[0] is segment:
            return self._unpacked[1]
        _, _, links = self._blocks.head(segment.place, PACKED)
        start = segment.place + HEAD.size + 8 * links
        _, method, width, _, packed = ZIP.unpack(self._blocks.read(start, ZIP.size))
        size = segment.size
        plain = self._inflated(segment.place, start + ZIP.size, packed, size)
        self._blocks.read_bytes += min(packed, self._blocks.size - start - ZIP.size)
        if len(plain) < size:
            raise LogError(
                f"MF4 block DZ at byte {segment.place} unpacks to {len(plain)} bytes of {size}"
            )
        if method == TRANSPOSED:
            rows = size // width
            table = np.frombuffer(plain, np.uint8, rows * width).reshape(width, rows)
            plain = table.T.tobytes() + plain[rows * width :]
        self._unpacked = (segment, plain)
        return plain
