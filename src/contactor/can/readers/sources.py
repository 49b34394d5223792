"""Where the bytes of logs come from: files, standard input, and what is packed inside them.

A source is opened as often as needed and gives plain bytes: gzip, zip, zstd, bzip2 and xz are
unpacked on the way, one inside another, and UTF-16 becomes UTF-8. Nothing is held whole.

    for source in sources_of(Path("drives.zip")):
        source.label                  # "drives.zip: monday.asc"
        with source.open() as stream:
            stream.readinto(buffer)
            stream.done               # bytes of the file read so far, packed as they lie there
"""

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from contactor.errors import LogError, UsageError

STANDARD_INPUT = "-"
MAX_LAYERS = 4
MAGIC_BYTES = 512
MAX_MEMBERS = 10_000
COPY_BYTES = 1024 * 1024
# What an unpacked binary log may weigh on disk, and what of a pipe is kept until it is known.
MAX_SPOOL_BYTES = 64 * 1024**3
MAX_PROBE_BYTES = 64 * 1024**2

_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ZIP = b"PK\x03\x04"
_PACKED_WRONG = (
    *(OSError, EOFError, ValueError, NotImplementedError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


class Stream(io.RawIOBase):
    """The plain bytes of a log, once from its start.

    `done` counts bytes of the file beneath; `damage` says why packed bytes ended early, where they
    did: what was unpacked until then stands.
    """

    def __init__(self, plain: BinaryIO, file: BinaryIO, *, is_packed: bool) -> None:
        super().__init__()
        self._plain = plain
        self._file = file
        self._is_packed = is_packed
        self.damage: str | None = None

    @property
    def done(self) -> int:
        return self._file.tell()

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
            except _wrong() as error:
                if not self._is_packed:
                    raise
                self.damage = " ".join(str(error).split()) or type(error).__name__
                break
            if not count:
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
        size: the file's bytes as they lie on disk, 0 where unknown.
    """

    label: str
    path: Path
    size: int
    _file: Callable[[bool], BinaryIO]
    _layers: "tuple[Layer, ...]" = ()

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
            raise LogError(f"{self.label} cannot be read: {error.strerror}") from error
        plain = file
        try:
            for unpack in self._layers:
                plain = unpack(plain)
        except _wrong() as error:
            file.close()
            raise LogError(f"{self.label} cannot be unpacked: {error}") from error
        stream = Stream(plain, file, is_packed=bool(self._layers))
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
                yield stream.plain, os.fstat(stream.plain.fileno()).st_size
                return
            with _spooled(self.label, stream) as spool:
                size = spool.tell()
                spool.seek(0)
                yield spool, size


Layer = Callable[[BinaryIO], BinaryIO]


def sources_of(path: Path | str) -> list[Source]:
    """The logs that a file holds: one, or as many as a zip archive has files.

    Raises:
        UsageError: there is no such file, or it is a directory.
        LogError: it cannot be read, or is packed in a way that cannot be unpacked.
    """
    path = Path(path)
    if str(path) == STANDARD_INPUT:
        return _unpacked(_piped(os.dup(sys.stdin.fileno()), "standard input", path))
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a log")
    try:
        found = path.stat()
    except OSError as error:
        if not path.exists():
            raise UsageError(f"no such file: {path}") from error
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_ISREG(found.st_mode):
        return _unpacked(
            Source(str(path), path, found.st_size, lambda _: path.open("rb", buffering=0))
        )
    if stat.S_ISFIFO(found.st_mode):
        return _unpacked(_piped(os.open(path, os.O_RDONLY), str(path), path))
    raise UsageError(f"{path} is no regular file and no pipe")


def _unpacked(source: Source) -> list[Source]:
    """The source with the layers that its first bytes show, and a source per file of an archive."""
    for _ in range(MAX_LAYERS):
        head = source.head(MAGIC_BYTES) if source._layers else _raw_head(source)
        if head.startswith(_ZIP):
            return [inner for member in _members(source) for inner in _unpacked(member)]
        layer = _layer_of(head)
        if layer is None:
            return [source]
        source = Source(
            source.label, source.path, source.size, source._file, (*source._layers, layer)
        )
    raise LogError(f"{source.label} is packed more than {MAX_LAYERS} times")


def _raw_head(source: Source) -> bytes:
    with source.open(is_final=False) as stream:
        buffer = bytearray(MAGIC_BYTES)
        return bytes(buffer[: stream.readinto(buffer)])


def _layer_of(head: bytes) -> Layer | None:
    if head.startswith(b"\x1f\x8b"):
        return lambda file: cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd
    if head.startswith(b"BZh"):
        return lambda file: cast("BinaryIO", bz2.BZ2File(file))
    if head.startswith(b"\xfd7zXZ\0"):
        return lambda file: cast("BinaryIO", lzma.LZMAFile(file))
    encoding = _UTF_16.get(head[:2])
    if encoding is not None:
        return lambda file: cast("BinaryIO", _Recoded(file, encoding))
    return None


def _zstd(file: BinaryIO) -> BinaryIO:
    import zstandard  # here, for its 10 ms

    reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    return cast("BinaryIO", reader)


def _wrong() -> tuple[type[Exception], ...]:
    """What unpackers raise of damaged bytes."""
    zstandard: Any = sys.modules.get("zstandard")
    return (*_PACKED_WRONG, zstandard.ZstdError) if zstandard else _PACKED_WRONG


def _spooled(label: str, stream: Stream) -> BinaryIO:
    """All that a stream gives, in a file without a name, which is at its end."""
    spool = tempfile.TemporaryFile(prefix="contactor-")  # noqa: SIM115  # the caller closes it
    buffer = bytearray(COPY_BYTES)
    while count := stream.readinto(buffer):
        spool.write(memoryview(buffer)[:count])
        if spool.tell() > MAX_SPOOL_BYTES:
            spool.close()
            raise LogError(f"{label} unpacks to more than {MAX_SPOOL_BYTES} bytes")
    spool.flush()
    return cast("BinaryIO", spool)


def _members(source: Source) -> Iterator[Source]:
    """The files of a zip archive, in its order; one that cannot be sought is put on disk first."""
    with source.open(is_final=False) as stream:
        is_seekable = stream.plain is not None
    if not is_seekable:
        with source.open() as stream, _spooled(source.label, stream) as spool:
            source = _seekable_source(os.dup(spool.fileno()), source.label, source.path)
    with source.open() as stream:
        assert stream.plain is not None
        try:
            with zipfile.ZipFile(stream.plain) as archive:
                members = archive.infolist()
        except _PACKED_WRONG as error:
            raise LogError(f"{source.label} is a damaged zip archive: {error}") from error
    if len(members) > MAX_MEMBERS:
        raise LogError(f"{source.label} holds {len(members)} files, more than {MAX_MEMBERS}")
    for member in members:
        name = member.filename
        is_folder = not name or member.is_dir()
        if is_folder or Path(name).name.startswith(".") or name.startswith("__MACOSX/"):
            continue
        if member.flag_bits & 1:
            raise LogError(f"{source.label}: {name} is encrypted: unpack it first")
        yield Source(
            f"{source.label}: {name}",
            source.path,
            source.size,
            source._file,
            (_member_layer(name),),
        )


def _member_layer(name: str) -> Layer:
    return lambda file: cast("BinaryIO", zipfile.ZipFile(file).open(name))


class _Descriptor:
    """An open file without a name, closed when nobody needs it any more."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)

    def opened(self) -> BinaryIO:
        """A file that reads it; closing that leaves it open."""
        return cast("BinaryIO", os.fdopen(self.number, "rb", buffering=0, closefd=False))


def _piped(number: int, label: str, path: Path) -> Source:
    """A source of what can be read once; a regular file given as standard input is one as well."""
    if stat.S_ISREG(os.fstat(number).st_mode):
        return _seekable_source(number, label, path)
    return Source(label, path, 0, _Pipe(_Descriptor(number), label).view)


def _seekable_source(number: int, label: str, path: Path) -> Source:
    """A source of a file that is open already."""
    held = _Descriptor(number)

    def from_start(_: bool) -> BinaryIO:
        os.lseek(held.number, 0, os.SEEK_SET)
        return held.opened()

    return Source(label, path, os.fstat(number).st_size, from_start)


@dataclass(slots=True)
class _Pipe:
    """What was read of a pipe while its log was being recognised."""

    held: _Descriptor
    label: str
    kept: bytearray = field(default_factory=bytearray)
    is_spent: bool = False

    def view(self, is_final: bool) -> BinaryIO:
        """The pipe from its start."""
        if self.is_spent:
            raise LogError(f"{self.label} can be read only once")
        self.is_spent = is_final
        return cast("BinaryIO", _PipeView(self, is_kept=not is_final))


class _PipeView(io.RawIOBase):
    """A pipe from its start: first what is kept of it, then what comes."""

    def __init__(self, pipe: _Pipe, *, is_kept: bool) -> None:
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
            read = os.read(self._pipe.held.number, len(view))
            count = len(read)
            view[:count] = read
            if self._is_kept:
                kept += view[:count]
                if len(kept) > MAX_PROBE_BYTES:
                    raise LogError(
                        f"{self._pipe.label} holds no frame in its first {MAX_PROBE_BYTES} bytes"
                    )
        self._at += count
        return count


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8; what is no character becomes the replacement character."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while not self._rest:
            read = self._file.read(COPY_BYTES)
            self._rest = self._decoder.decode(read, final=not read).encode()
            if not read:
                break
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
