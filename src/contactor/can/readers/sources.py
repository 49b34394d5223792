"""Where the bytes of logs come from: files, standard input, and what is packed inside them.

A source is opened as often as needed and gives plain bytes: gzip, zip, zstd, bzip2 and xz are
unpacked on the way, one inside another, and UTF-16 becomes UTF-8. Nothing is held whole.

    for source in sources_of(Path("drives.zip")):
        source.label                  # "drives.zip: monday.asc"
        with source.open() as stream:
            stream.readinto(buffer)
            stream.done               # bytes of the file read so far, packed as they lie there
"""

import codecs
import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from contactor.can.readers.archives import SHOWN_CHARACTERS, ZIP_MAGIC, directory_of, members_of
from contactor.can.readers.held import COPY_BYTES, Held, Pipe, Span, Spool, pieces_of
from contactor.can.readers.layers import Layer, layer_of, unpacking_errors
from contactor.errors import LogError, UsageError

STANDARD_INPUT = "-"
MAGIC_BYTES = 512
# How deep what is given as one log may be packed, and how many files all archives in it may hold.
MAX_LAYERS = 4
MAX_MEMBERS = 10_000


class Stream(io.RawIOBase):
    """The plain bytes of a log, once from its start.

    `done` counts bytes of the file beneath, all `size` of them once packed bytes have ended;
    `damage` says why those ended early, where they did: what was unpacked until then stands.
    """

    def __init__(self, plain: BinaryIO, file: BinaryIO, *, size: int, is_packed: bool) -> None:
        super().__init__()
        self._plain = plain
        self._file = file
        self._size = size
        self._is_packed = is_packed
        self._is_over = False
        self.damage: str | None = None

    @property
    def done(self) -> int:
        done = self._file.tell()
        return max(done, self._size) if self._is_over and self._is_packed else done

    @property
    def plain(self) -> BinaryIO | None:
        """The file itself where nothing is packed and it can be sought."""
        return None if self._is_packed or not self._file.seekable() else self._file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is room for; 0 at the end."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self.damage is None:
            try:
                count = self._read_once(view[filled:])
            except unpacking_errors() as error:
                if not self._is_packed:
                    raise
                self.damage = _in_one_line(error)
                count = 0
            if not count:
                self._is_over = True
                break
            filled += count
        return filled

    def _read_once(self, view: memoryview) -> int:
        """One read of what is beneath: an unpacker that fails keeps what it unpacked before."""
        read_some = getattr(self._plain, "read1", None) if self._is_packed else None
        if read_some is None:
            return cast("io.BufferedIOBase", self._plain).readinto(view) or 0
        read = read_some(min(len(view), COPY_BYTES))
        view[: len(read)] = read
        return len(read)

    def close(self) -> None:
        if not self.closed:
            self._plain.close()
            self._file.close()
        super().close()


@dataclass(frozen=True, slots=True)
class Source:
    """One log as bytes.

    Fields:
        label: how messages call it.
        path: the file it lies in; `-` for standard input.
        size: its bytes as they lie on disk or, of one in an archive, in there; 0 where unknown.
    """

    label: str
    path: Path
    size: int
    _file: Callable[[bool], BinaryIO]
    _layers: tuple[Layer, ...] = ()

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are not those of the log, so that a place in it can only be read to."""
        return bool(self._layers)

    @contextmanager
    def open(self, *, is_final: bool = True) -> Iterator[Stream]:
        """The bytes from the start.

        Args:
            is_final: False for a look before the reading; a pipe gives what was looked at again,
                and can be read but once after that.

        Raises:
            LogError: the file cannot be read, or the packed bytes are of no known form.
        """
        try:
            file = self._file(is_final)
        except OSError as error:
            raise LogError(f"{self.label} cannot be read: {error.strerror or error}") from error
        except unpacking_errors() as error:  # of an archive's file, where it should lie
            raise LogError(f"{self.label} cannot be unpacked: {_in_one_line(error)}") from error
        plain = file
        try:
            for layer in self._layers:
                plain = layer.unpack(plain)
        except unpacking_errors() as error:
            file.close()
            raise LogError(f"{self.label} cannot be unpacked: {_in_one_line(error)}") from error
        stream = Stream(plain, file, size=self.size, is_packed=bool(self._layers))
        try:
            yield stream
        except OSError as error:
            raise LogError(f"{self.label} cannot be read: {error.strerror or error}") from error
        finally:
            stream.close()

    def head(self, size: int) -> bytes:
        """The first bytes, without a byte order mark."""
        with self.open(is_final=False) as stream:
            buffer = bytearray(size)
            count = stream.readinto(buffer)
            if not count and stream.damage is not None:
                raise LogError(f"{self.label} cannot be unpacked: {stream.damage}")
        return bytes(buffer[:count]).removeprefix(codecs.BOM_UTF8)

    @contextmanager
    def seekable(self, *, is_final: bool = True) -> Iterator[tuple[BinaryIO, int]]:
        """The bytes as a file that can be sought, and their number; unpacked to disk if need be."""
        with self.open(is_final=is_final) as stream:
            if stream.plain is not None:
                size = stream.plain.seek(0, os.SEEK_END)
                stream.plain.seek(0)
                yield stream.plain, size
                return
            with tempfile.TemporaryFile(prefix="contactor-") as spool:
                for piece in pieces_of(self.label, stream):
                    spool.write(piece)
                size = spool.tell()
                spool.seek(0)
                yield cast("BinaryIO", spool), size


def sources_of(path: Path | str) -> list[Source]:
    """The logs that a file holds: one, or as many as a zip archive has files.

    Raises:
        UsageError: there is no such file, or it is a directory.
        LogError: it cannot be read, is packed in a way that cannot be unpacked, or holds more
            archives and files than MAX_LAYERS and MAX_MEMBERS allow.
    """
    return list(_Unpacking().logs_in(_source_of(Path(path)), depth=0))


def _source_of(path: Path) -> Source:
    """What a path names, as it lies there."""
    if str(path) == STANDARD_INPUT:
        return _piped(_standard_input(), "standard input", path)
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a log")
    try:
        found = path.stat()
    except OSError as error:
        if not path.exists():
            raise UsageError(f"no such file: {path}") from error
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_ISREG(found.st_mode):
        return Source(str(path), path, found.st_size, lambda _: path.open("rb", buffering=0))
    if stat.S_ISFIFO(found.st_mode):
        return _piped(os.open(path, os.O_RDONLY), str(path), path)
    raise UsageError(f"{path} is no regular file and no pipe")


def _standard_input() -> int:
    """A descriptor of our own of standard input."""
    try:
        if sys.stdin is not None:  # which Python sets where there is none
            return os.dup(sys.stdin.fileno())
    except (OSError, ValueError):
        pass
    raise UsageError("standard input is closed: give a file, or let another program write to it")


def _piped(number: int, label: str, path: Path) -> Source:
    """A source of what can be read once; a regular file given as standard input is one as well."""
    held = Held(number)
    if not held.is_regular:
        return Source(label, path, 0, Pipe(held, label).view)
    size = held.size
    return Source(label, path, size, lambda _: cast("BinaryIO", Span(held.read_at, size=size)))


@dataclass(slots=True)
class _Unpacking:
    """How what one path names is unpacked, within bounds that hold for all that lies in it."""

    members: int = 0
    spool: Spool = field(default_factory=Spool)

    def logs_in(self, source: Source, depth: int) -> Iterator[Source]:
        """The source with the layers that its first bytes show, and one per file of an archive."""
        while True:
            head = source.head(MAGIC_BYTES) if source._layers else _raw_head(source)
            is_archive, layer = head.startswith(ZIP_MAGIC), layer_of(head)
            depth += is_archive or (layer is not None and layer.is_packing)
            if depth > MAX_LAYERS:
                raise LogError(f"{source.label} is packed more than {MAX_LAYERS} times")
            if is_archive:
                for member in self._members(source):
                    yield from self.logs_in(member, depth)
                return
            if layer is not None:
                source = replace(source, _layers=(*source._layers, layer))
            if layer is None or not layer.is_packing:
                yield source
                return

    def _members(self, source: Source) -> Iterator[Source]:
        """The files of a zip archive, in its order."""
        archive = self._seekable(source)
        with archive.open() as stream:
            assert stream.plain is not None
            entries = directory_of(stream.plain, source.label)
        self.members += len(entries)
        if self.members > MAX_MEMBERS:
            raise LogError(
                f"{source.label} holds {len(entries)} files, which makes {self.members} in all; "
                f"at most {MAX_MEMBERS} are read"
            )
        for member in members_of(archive._file, entries, source.label):
            label = f"{source.label}: {member.name}"
            yield Source(label, source.path, member.size, member.open_file, (member.layer,))

    def _seekable(self, source: Source) -> Source:
        """The source itself, or as it lies on disk once it is unpacked."""
        with source.open(is_final=False) as stream:
            if stream.plain is not None:
                return source
        with source.open() as stream:
            size, opened = self.spool.add(source.label, stream)
        return Source(source.label, source.path, size, lambda _: opened())


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:SHOWN_CHARACTERS] or type(error).__name__


def _raw_head(source: Source) -> bytes:
    with source.open(is_final=False) as stream:
        buffer = bytearray(MAGIC_BYTES)
        return bytes(buffer[: stream.readinto(buffer)])
