"""The containers of a BLF log, unpacked: what is in them is one stream of objects.

    containers = Containers(file, size, at=144)
    for piece in containers.pieces():        # bytes, or BREAK where some are missing
        ...
    containers.faults, containers.is_cut

A container whose stated size ends where no object begins is taken for garbled: what its packed
bytes themselves say counts, and the next object is looked for behind them.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from contactor.can.readers.blf_objects import BASE_BYTES, MAX_OBJECT, MAX_PADDING, SIGNATURE

HEAD = struct.Struct("<4sHHII")
PACKED = struct.Struct("<H6xI4x")
HEADS = HEAD.size + PACKED.size
CONTAINER, STORED, ZLIB = 10, 0, 2
# Read, and unpacked, at a time.
READ_BYTES = 1024 * 1024
PIECE_BYTES = 4 * 1024 * 1024
# Packed bytes that are unpacked without a limit: zlib makes them 1032 times as many at most.
MAX_AT_ONCE = 128 * 1024
# What a container may unpack to if it states less: that may be a writer's mistake.
UNSTATED_BYTES = 64 * 1024 * 1024
# Packed bytes at a time where they are damaged, so that little is lost before the damage.
SALVAGE_BYTES = 64
BREAK: Final = None


class Containers:
    """The containers of one file.

    Attributes:
        at: where the next object is expected.
        faults: what was wrong since the list was cleared, in words.
        is_cut: whether the file ends within a container.
    """

    def __init__(self, file: BinaryIO, size: int, *, at: int, after: int) -> None:
        """Begin at `at`; where no object is there, look for one behind `after`."""
        self.at = at
        self.faults: list[str] = []
        self.is_cut = False
        self._file = file
        self._size = size
        self._back = after
        self._damaged_at = 0

    def pieces(self) -> Iterator[bytes | None]:
        """The unpacked bytes, some at a time; `BREAK` where bytes are missing between pieces."""
        while self.at < self._size or self._back < self._size:
            head = self._read(self.at, HEADS)
            if not head.startswith(SIGNATURE):
                found = self._next_object()
                if found < 0:
                    return
                self.at = self._back = found
                continue
            self._back = self.at + len(SIGNATURE)
            if len(head) < BASE_BYTES:
                self.is_cut = True
                return
            _, _, _, length, kind = HEAD.unpack_from(head)
            if kind == CONTAINER:
                yield from self._container(head, length)
            elif BASE_BYTES <= length <= MAX_OBJECT and self._is_followed(self.at + length):
                yield self._read(self.at, length)
                self.at += length
                self._back = self.at
            else:
                self._garbled(f"object of {length} bytes at byte {self.at}")
                yield BREAK

    def _container(self, head: bytes, length: int) -> Iterator[bytes | None]:
        start, end = self.at + HEADS, self.at + length
        if len(head) < HEADS:
            self.is_cut = True
            self.at = self._back = self._size
            return
        method, stated = PACKED.unpack_from(head, HEAD.size)
        if length < HEADS or (method == STORED and stated != length - HEADS):
            self._garbled(f"container of {length} bytes at byte {self.at}")
            yield BREAK
        elif method == STORED:
            yield from self._stored(start, min(end, self._size))
            self._ended(end, whole=end)
        elif method == ZLIB:
            piece = self._inflated_at_once(start, end, stated)
            if piece is None:
                yield from self._inflated(start, end, stated)
            else:
                yield piece
                self.at = self._back = end
        else:
            self.faults.append(f"container at byte {self.at} is packed by unknown method {method}")
            self._ended(end, whole=start)
            yield BREAK

    def _stored(self, start: int, end: int) -> Iterator[bytes]:
        for place in range(start, end, READ_BYTES):
            yield self._read(place, min(READ_BYTES, end - place))

    def _inflated_at_once(self, start: int, end: int, stated: int) -> bytes | None:
        """What a usual container holds, the fastest way; None where it has to go step by step."""
        if end - start > MAX_AT_ONCE or stated > PIECE_BYTES:
            return None
        packed = self._read(start, end - start + MAX_PADDING + len(SIGNATURE))
        if SIGNATURE not in packed[end - start :]:
            return None
        try:
            piece = zlib.decompress(memoryview(packed)[: end - start], bufsize=max(stated, 1))
        except zlib.error:
            return None
        return piece if len(piece) == stated else None

    def _inflated(self, start: int, end: int, stated: int) -> Iterator[bytes | None]:
        """What zlib gives of the bytes from start to end, within limits."""
        at, given = start, 0
        limit = max(stated, UNSTATED_BYTES)
        # Room for what is stated and the end of the stream in one piece.
        piece_bytes = min(stated + HEADS, PIECE_BYTES)
        unpacker = zlib.decompressobj()
        for place in range(start, min(end, self._size), READ_BYTES):
            packed = self._read(place, min(READ_BYTES, end - place))
            at = place + len(packed)
            while packed and not unpacker.eof:
                try:
                    piece = unpacker.decompress(packed, piece_bytes)
                except zlib.error as error:
                    self.faults.append(f"container at byte {self.at} is damaged: {error}")
                    yield from self._salvaged(start, at, given)
                    self._ended(end, whole=self._damaged_at)
                    yield BREAK
                    return
                given += len(piece)
                yield piece
                packed = unpacker.unconsumed_tail
                if given > limit:
                    self.faults.append(
                        f"container at byte {self.at} unpacks to more than {limit} bytes"
                    )
                    self._ended(end, whole=at)
                    yield BREAK
                    return
            if unpacker.eof:
                self._ended(end, whole=at - len(unpacker.unused_data))
                return
        if end <= self._size:
            self.faults.append(f"container at byte {self.at} is damaged: it ends too early")
            self._ended(end, whole=end)
            yield BREAK
        else:
            self._ended(end, whole=end)

    def _salvaged(self, start: int, end: int, given: int) -> Iterator[bytes]:
        """What comes before the damage, without the bytes that were given already."""
        unpacker, self._damaged_at = zlib.decompressobj(), end
        for place in range(start, end, SALVAGE_BYTES):
            packed = self._read(place, min(SALVAGE_BYTES, end - place))
            try:
                piece = unpacker.decompress(packed)
            except zlib.error:
                self._damaged_at = place + len(packed)
                return
            skipped = min(given, len(piece))
            given -= skipped
            if len(piece) > skipped:
                yield piece[skipped:]

    def _ended(self, end: int, *, whole: int) -> None:
        """Go on at the stated end of a container, or else behind what is known to be its own."""
        self.is_cut = end > self._size and whole >= end
        self.at = end
        self._back = min(whole, end)

    def _garbled(self, what: str) -> None:
        self.faults.append(what)
        self.at = self._back

    def _is_followed(self, end: int) -> bool:
        """Whether an object begins at an end, or the file ends there or before."""
        if end + MAX_PADDING >= self._size:
            return True
        return SIGNATURE in self._read(end, MAX_PADDING + len(SIGNATURE))

    def _next_object(self) -> int:
        """The next place of an object: at the padding behind `at`, or anywhere behind `_back`."""
        near = self._read(self.at, MAX_PADDING + len(SIGNATURE)).find(SIGNATURE)
        if near >= 0:
            return self.at + near
        if self.at + MAX_PADDING >= self._size >= self.at or self.is_cut:
            return -1
        found, place = -1, self._back
        while found < 0 and place < self._size:
            found = self._read(place, READ_BYTES).find(SIGNATURE)
            if found >= 0:
                found += place
            place += READ_BYTES - len(SIGNATURE) + 1
        self.faults.append(f"no object begins at byte {self.at}")
        return found

    def _read(self, place: int, size: int) -> bytes:
        if not 0 <= place < self._size:
            return b""
        self._file.seek(place)
        return self._file.read(size)
