"""Files that are open already: standard input, pipes, and what was unpacked to disk.

Several readings may share one of them, in any thread: each has its own place in it. It is closed
when nobody needs it any more.

    held = Held(os.dup(0))
    Span(held.read_at, size=held.size).read(512)
"""

import io
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from contactor.errors import LogError

COPY_BYTES = 1024 * 1024
# What unpacked logs and archives may weigh on disk, and what of a pipe is kept until it is known.
MAX_SPOOL_BYTES = 64 * 1024**3
MAX_PROBE_BYTES = 64 * 1024**2


class Held:
    """An open file without a name, closed when nobody needs it any more."""

    __slots__ = ("_lock", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._lock = threading.Lock()

    def __del__(self) -> None:
        os.close(self.number)

    @property
    def is_regular(self) -> bool:
        return stat.S_ISREG(os.fstat(self.number).st_mode)

    @property
    def size(self) -> int:
        """Its bytes so far."""
        return os.fstat(self.number).st_size

    def read_at(self, place: int, view: memoryview) -> int:
        """Read some of the bytes from a place; 0 at the end."""
        with self._lock:
            os.lseek(self.number, place, os.SEEK_SET)
            read = os.read(self.number, len(view))
        view[: len(read)] = read
        return len(read)

    def write_at(self, place: int, data: memoryview) -> None:
        """Write bytes to a place."""
        with self._lock:
            os.lseek(self.number, place, os.SEEK_SET)
            while data:
                data = data[os.write(self.number, data) :]


class Spool:
    """What had to be unpacked to disk, one after another in a file without a name."""

    def __init__(self) -> None:
        self._held: Held | None = None
        self._size = 0

    def add(self, label: str, stream: io.RawIOBase) -> tuple[int, Callable[[], BinaryIO]]:
        """Write all that a stream gives at its end; the number of those bytes, and their opener.

        Raises:
            LogError: it would hold more than MAX_SPOOL_BYTES.
        """
        if self._held is None:
            with tempfile.TemporaryFile(prefix="contactor-", buffering=0) as file:
                self._held = Held(os.dup(file.fileno()))
        held, start = self._held, self._size
        for piece in pieces_of(label, stream, most_bytes=MAX_SPOOL_BYTES - start):
            held.write_at(self._size, piece)
            self._size += len(piece)
        size = self._size - start
        return size, lambda: cast("BinaryIO", Span(held.read_at, start=start, size=size))


def pieces_of(
    label: str, stream: io.RawIOBase, *, most_bytes: int | None = None
) -> Iterator[memoryview]:
    """All that a stream gives, in pieces that are good until the next.

    Raises:
        LogError: it gives more than `most_bytes`, by default MAX_SPOOL_BYTES.
    """
    left = MAX_SPOOL_BYTES if most_bytes is None else most_bytes
    buffer = bytearray(COPY_BYTES)
    while count := stream.readinto(buffer):
        left -= count
        if left < 0:
            raise LogError(f"{label} unpacks to more than {MAX_SPOOL_BYTES} bytes")
        yield memoryview(buffer)[:count]


class Span(io.RawIOBase):
    """A part of a file, as a file of its own.

    Args:
        read_at: reads some bytes from a place in the whole file into a buffer, and gives their
            number.
        start: where the part begins in the whole file.
        size: its bytes.
        most_bytes: what one reading gives at most, 0 for no bound.
        on_close: what is to be done once it is closed.
    """

    def __init__(
        self,
        read_at: Callable[[int, memoryview], int],
        *,
        start: int = 0,
        size: int,
        most_bytes: int = 0,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._read_at = read_at
        self._start = start
        self._size = size
        self._most_bytes = most_bytes or size
        self._on_close = on_close
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise OSError(f"no place {origin + offset} in a file")
        self._at = origin + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read as much as there is, for those who ask for a size that nobody has checked."""
        left = max(self._size - self._at, 0)
        return super().read(left if size < 0 else min(size, left)) or b""

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        size = min(len(view), self._size - self._at, self._most_bytes)
        if size <= 0:
            return 0
        count = self._read_at(self._start + self._at, view[:size])
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed and self._on_close is not None:
            self._on_close()
        super().close()


@dataclass(slots=True)
class Pipe:
    """What was read of a pipe while its log was being recognised."""

    held: Held
    label: str
    kept: bytearray = field(default_factory=bytearray)
    is_spent: bool = False

    def view(self, is_final: bool) -> BinaryIO:
        """The pipe from its start; after a final view there is no other."""
        if self.is_spent:
            raise LogError(f"{self.label} can be read only once")
        self.is_spent = is_final
        return cast("BinaryIO", _PipeView(self, is_kept=not is_final))


class _PipeView(io.RawIOBase):
    """A pipe from its start: first what is kept of it, then what comes."""

    def __init__(self, pipe: Pipe, *, is_kept: bool) -> None:
        super().__init__()
        self._pipe = pipe
        self._is_kept = is_kept
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        kept = self._pipe.kept
        if self._at < len(kept):
            count = min(len(view), len(kept) - self._at)
            view[:count] = kept[self._at : self._at + count]
        else:
            count = self._read(view)
        self._at += count
        return count

    def _read(self, view: memoryview) -> int:
        """Read what comes; who reads for good needs nothing of what was kept."""
        read = os.read(self._pipe.held.number, len(view))
        view[: len(read)] = read
        if not self._is_kept:
            self._pipe.kept = bytearray()
            return len(read)
        self._pipe.kept += read
        if len(self._pipe.kept) > MAX_PROBE_BYTES:
            raise LogError(
                f"{self._pipe.label} holds no frame in its first {MAX_PROBE_BYTES} bytes"
            )
        return len(read)
