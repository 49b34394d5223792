"""The containers of a BLF log, unpacked: what is in them is one stream of objects.

    containers = Containers(file, size, at=144)
    for piece in containers.pieces():        # bytes, or BREAK where some are missing
        ...
    containers.faults, containers.is_cut

A container whose stated size ends where no object begins is taken for garbled: what its packed
bytes themselves say counts, and the next object is looked for behind them.

Of a damaged container nothing is used: where the checksum of the packed bytes is wrong, nobody
knows which of them were right. One that the file ends within gives what is there, up to where it
shows that it is damaged.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from contactor.can.readers.blf_certain import certain_bytes
from contactor.can.readers.blf_objects import BASE_BYTES, MAX_OBJECT, MAX_PADDING, SIGNATURE
from contactor.can.readers.inflate import inflated

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

    def pieces(self) -> Iterator[bytes | None]:
        """The unpacked bytes, some at a time; `BREAK` where bytes are missing between pieces."""
        while self.at < self._size or self._back < self._size:
            head = self._read(self.at, HEADS)
            if not head.startswith(SIGNATURE):
                found = self._next_object()
                if found < 0:
                    return
                is_missing = found - (self.at if self.at <= found else self._back) > MAX_PADDING
                self.at = self._back = found
                if is_missing:
                    yield BREAK
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
        piece = inflated(memoryview(packed)[: end - start], expected=stated)
        return piece if piece is not None and len(piece) == stated else None

    def _inflated(self, start: int, end: int, stated: int) -> Iterator[bytes | None]:
        """What zlib gives of the bytes from start to end, once all of it is known to be right.

        zlib finds damage late: what it gave before may be wrong already. So what is too long to be
        kept is unpacked twice.
        """
        kept, given = list[bytes](), 0
        unpacker = _Unpacker(self._read, start, min(end, self._size), stated)
        for piece in unpacker.pieces():
            given += len(piece)
            if given <= PIECE_BYTES:
                kept.append(piece)
        if unpacker.is_damaged or (end <= self._size and not unpacker.is_whole):
            what = f"is damaged: its {stated} bytes are lost"
            if given > unpacker.limit:
                what = f"unpacks to more than {unpacker.limit} bytes: all are lost"
            self.faults.append(f"container at byte {self.at} {what}")
            self._ended(end, whole=start)
            yield BREAK
            return
        if unpacker.is_whole and given != stated:
            self.faults.append(
                f"container at byte {self.at} holds {given} bytes, not {stated} as stated"
            )
        if given > PIECE_BYTES:
            unpacker = _Unpacker(self._read, start, min(end, self._size), stated)
            yield from unpacker.pieces()
        elif unpacker.is_whole:
            yield from kept
        else:
            yield from self._certain(b"".join(kept))
        self._ended(end, whole=unpacker.at if unpacker.is_whole else end)

    def _certain(self, unpacked: bytes) -> Iterator[bytes | None]:
        """Of a container that the file ends within, what comes before any damage that shows."""
        count = certain_bytes(unpacked)
        yield unpacked[:count]
        if count < len(unpacked):
            self.faults.append(
                f"container at byte {self.at} is damaged: {len(unpacked) - count} bytes are lost"
            )
            yield BREAK

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


class _Unpacker:
    """A packed stream, unpacked step by step within limits.

    Attributes:
        at: the place up to which its bytes are used.
        is_whole: whether it ended, its checksum being right.
        is_damaged: whether it is none, or longer than the limit.
        limit: how many bytes it may unpack to.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], start: int, end: int, stated: int
    ) -> None:
        self.at = start
        self.is_whole = self.is_damaged = False
        self.limit = max(stated, UNSTATED_BYTES)
        self._read = read
        self._end = end
        # Room for what is stated and the end of the stream in one piece.
        self._piece_bytes = min(stated + HEADS, PIECE_BYTES)

    def pieces(self) -> Iterator[bytes]:
        """The unpacked bytes, no more than a piece above the limit."""
        unpacker, given = zlib.decompressobj(), 0
        for place in range(self.at, self._end, READ_BYTES):
            packed = self._read(place, min(READ_BYTES, self._end - place))
            self.at = place + len(packed)
            while packed and not unpacker.eof:
                try:
                    piece = unpacker.decompress(packed, self._piece_bytes)
                except zlib.error:
                    self.is_damaged = True
                    return
                given += len(piece)
                yield piece
                if given > self.limit:
                    self.is_damaged = True
                    return
                packed = unpacker.unconsumed_tail
            if unpacker.eof:
                self.at -= len(unpacker.unused_data)
                self.is_whole = True
                return
