"""What unpacks the bytes of logs: gzip, zstd, bzip2, xz, and UTF-16, told by their first bytes.

Every layer reads as much as it is asked for, whatever the packed bytes claim; what ends before its
end raises EOFError.

    layer = layer_of(b"\\x1f\\x8b\\x08...")
    layer.unpack(file).read1(65536)
"""

import bz2
import codecs
import gzip
import io
import lzma
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from contactor.can.readers.held import COPY_BYTES

_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# Without its mark UTF-16 is told by so many bytes at least, of which so much must be plain text.
WIDE_LEAST_BYTES = 16
WIDE_SHARE = 0.9
_PACKED_WRONG = (
    *(OSError, EOFError, ValueError, NotImplementedError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of unpacking; `is_packing` is False where it only changes how text is coded."""

    unpack: Callable[[BinaryIO], BinaryIO]
    is_packing: bool = True


def layer_of(head: bytes) -> Layer | None:
    """The layer that a file's first bytes show; None where they are plain, or a zip archive."""
    if head.startswith(b"\x1f\x8b"):
        return Layer(lambda file: cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return Layer(lambda file: cast("BinaryIO", _Zstd(file)))
    if head.startswith(b"BZh"):
        return Layer(lambda file: cast("BinaryIO", bz2.BZ2File(file)))
    if head.startswith(b"\xfd7zXZ\0"):
        return Layer(lambda file: cast("BinaryIO", lzma.LZMAFile(file)))
    encoding = _UTF_16.get(head[:2]) or _unmarked(head)
    if encoding is not None:
        return Layer(lambda file: cast("BinaryIO", _Recoded(file, encoding)), is_packing=False)
    return None


def _unmarked(head: bytes) -> str | None:
    """The coding of UTF-16 without a byte order mark: every other byte is zero, the rest is text.

    Binary data may have zeros in every other byte, but nothing readable between them.
    """
    if len(head) < WIDE_LEAST_BYTES:
        return None
    for low, high, encoding in (
        (head[::2], head[1::2], "utf-16-le"),
        (head[1::2], head[::2], "utf-16-be"),
    ):
        if high.count(0) > WIDE_SHARE * len(high) and not low.count(0):
            plain = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in low)
            return encoding if plain > WIDE_SHARE * len(low) else None
    return None


def unpacking_errors() -> tuple[type[Exception], ...]:
    """What unpackers raise of damaged bytes."""
    zstandard: Any = sys.modules.get("zstandard")
    return (*_PACKED_WRONG, zstandard.ZstdError) if zstandard else _PACKED_WRONG


class _Zstd(io.RawIOBase):
    """Unpacked zstd, one frame after another; the library alone is silent of a cut frame."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        import zstandard  # here, for its 10 ms

        self._followed = _FollowedFrames(file)
        self._reader = zstandard.ZstdDecompressor().stream_reader(
            cast("BinaryIO", self._followed), read_across_frames=True, closefd=False
        )

    def readable(self) -> bool:
        return True

    def read1(self, size: int = COPY_BYTES) -> bytes:
        read = self._reader.read1(size)
        if not read and size and self._followed.is_within:
            raise EOFError("packed data ended before the end of its zstd frame")
        return read

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        read = self.read1(len(view))
        view[: len(read)] = read
        return len(read)


class _FollowedFrames:
    """Packed zstd on its way to the library, followed from frame to frame and block to block.

        frame      magic 4, descriptor 1, window 0-1, dictionary 0-4, size 0-8, blocks, checksum 0-4
        block      head 3: is last, kind, size; then its bytes
        skippable  magic 4, size 4, its bytes

    Source:
        RFC 8878, 3.1.1 and 3.1.2.
    """

    MAGIC = 0xFD2FB528
    SKIPPABLE_MAGIC = 0x184D2A50
    DICTIONARY_BYTES = (0, 1, 2, 4)
    CONTENT_SIZE_BYTES = (0, 2, 4, 8)
    REPEATED_BYTE = 1

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._part = bytearray()
        self._skip = 0
        self._checksum_bytes = 0
        self._next: Callable[[bytes], None] | None = self._magic
        self._needed = 4

    @property
    def is_within(self) -> bool:
        """Whether the bytes so far end within a frame."""
        is_between = self._next == self._magic and not self._part and not self._skip
        return not is_between and self._next is not None

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._follow(data)
        return data

    def _follow(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._next is not None:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            taken = data[at : at + self._needed - len(self._part)]
            self._part += taken
            at += len(taken)
            if len(self._part) == self._needed:
                part, self._part = bytes(self._part), bytearray()
                self._next(part)

    def _then(self, step: Callable[[bytes], None], needed: int, *, skip: int = 0) -> None:
        self._next, self._needed, self._skip = step, needed, skip

    def _magic(self, part: bytes) -> None:
        magic = int.from_bytes(part, "little")
        if magic == self.MAGIC:
            self._then(self._descriptor, 1)
        elif magic & ~0xF == self.SKIPPABLE_MAGIC:
            self._then(self._skippable, 4)
        else:
            self._next = None  # no frame: the library says so

    def _skippable(self, part: bytes) -> None:
        self._then(self._magic, 4, skip=int.from_bytes(part, "little"))

    def _descriptor(self, part: bytes) -> None:
        is_single = part[0] >> 5 & 1
        content_size = self.CONTENT_SIZE_BYTES[part[0] >> 6] or is_single
        self._checksum_bytes = 4 * (part[0] >> 2 & 1)
        rest = (1 - is_single) + self.DICTIONARY_BYTES[part[0] & 3] + content_size
        self._then(self._block, 3, skip=rest)

    def _block(self, part: bytes) -> None:
        head = int.from_bytes(part, "little")
        size = 1 if head >> 1 & 3 == self.REPEATED_BYTE else head >> 3
        if head & 1:
            self._then(self._magic, 4, skip=size + self._checksum_bytes)
        else:
            self._then(self._block, 3, skip=size)


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8; what is no character becomes the replacement character."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__()
        # An unpacker's `read1` keeps what it unpacked before it fails, its `read` does not.
        self._read_some = getattr(file, "read1", file.read)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while not self._rest:
            read = self._read_some(COPY_BYTES)
            self._rest = self._decoder.decode(read, final=not read).encode()
            if not read:
                break
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
