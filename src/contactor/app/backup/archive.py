"""One file that holds many: a tar, packed with zstd or not, with the checksums of all in its end.

    contactor-2026-11-26.tar.zst
    ├── format.json
    ├── agent/outbox.db
    ├── lake/telemetry/...
    └── manifest.json           name, size and SHA-256 of each file above

    with ArchiveWriter(path) as archive:
        archive.add("agent/outbox.db", source)
        archive.finish(manifest_of)
    manifest = verify(path)                 # reads all of it; refuses what is cut or changed
    extract(path, manifest, folder)

The manifest is last, so a file that was cut has none. A packed one ends in a skippable frame that
tells its length; a plain one is a multiple of a tar's record. Any tar and zstd can unpack it.
"""

import contextlib
import hashlib
import io
import os
import re
import struct
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, cast

import msgspec
import zstandard

from contactor.errors import FolderError, UsageError

MANIFEST: Final = "manifest.json"
SUFFIXES: Final = (".tar.zst", ".tar")
_MAX_MANIFEST_BYTES: Final = 2**28
_PIECE_BYTES: Final = 2**20
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_LEVEL: Final = 3
_SKIPPABLE: Final = struct.Struct("<IIQ")  # magic, bytes that follow, the file's length before it
_SKIPPABLE_MAGIC: Final = 0x184D2A50
_PART = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9_.=%+-]{1,255}"
_NAME: Final = re.compile(rf"{_PART}(?:/{_PART}){{0,15}}\Z")
OnBytes = Callable[[int], None]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself.

    Args:
        format: of the data folder that it was made of.
        contactor: the version that made it.
        created_at: when, ISO 8601.
        lake_version, lake_flush: the commit of the lake that is in it; None without a lake.
    """

    format: int
    contactor: str
    created_at: str
    lake_version: int | None = None
    lake_flush: int | None = None
    files: tuple[File, ...] = ()

    @property
    def total_bytes(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self.files)


def check_name(path: Path) -> None:
    """Refuse a name that does not say what the file will be.

    Raises:
        UsageError: it ends otherwise than a backup does.
    """
    if not path.name.endswith(SUFFIXES) or path.name in SUFFIXES:
        raise UsageError(f"backup {path}: its name must end in {' or '.join(SUFFIXES)}")


class ArchiveWriter:
    """Writes a new file of that name; packed if it ends in .zst."""

    def __init__(self, path: Path, *, is_packed: bool) -> None:
        self._file: IO[bytes] = open(path, "xb", opener=_open_private)  # noqa: SIM115  # `__exit__` closes it
        self._packed = None
        if is_packed:
            compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
            self._packed = compressor.stream_writer(self._file, closefd=False)
        stream = self._packed or self._file
        self._tar = tarfile.open(fileobj=stream, mode="w|")  # noqa: SIM115  # `finish` closes it
        self._files: list[File] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._tar.close()  # it would write its end into a closed file later
        self._file.close()

    def add(self, name: str, source: IO[bytes], size: int, on_bytes: OnBytes) -> None:
        """Add `size` bytes of `source` as the file of that name.

        Raises:
            FolderError: there are fewer.
        """
        digest = hashlib.sha256()

        def on_piece(piece: bytes) -> None:
            digest.update(piece)
            on_bytes(len(piece))

        about = tarfile.TarInfo(name)
        about.size, about.mode = size, 0o600
        try:
            self._tar.addfile(about, _watched(source, on_piece))
        except OSError as error:
            if error.errno is not None:
                raise
            raise FolderError(f"{name} became shorter while it was read: {error}") from error
        self._files.append(File(name, size, digest.hexdigest()))

    def finish(self, manifest: Manifest) -> Manifest:
        """Add the manifest, with the checksums of all that was added; it is now on the disk."""
        whole = msgspec.structs.replace(manifest, files=tuple(self._files))
        text = msgspec.json.encode(whole)
        about = tarfile.TarInfo(MANIFEST)
        about.size, about.mode = len(text), 0o600
        self._tar.addfile(about, io.BytesIO(text))
        self._tar.close()
        if self._packed is not None:
            self._packed.flush(zstandard.FLUSH_FRAME)
            self._file.write(_SKIPPABLE.pack(_SKIPPABLE_MAGIC, 8, self._file.tell()))
        self._file.flush()
        os.fsync(self._file.fileno())
        return whole


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def verify(path: Path, on_bytes: OnBytes) -> Manifest:
    """Read a backup to its end and compare it with its manifest.

    Args:
        on_bytes: is told of the bytes of `path` that were read.

    Raises:
        FolderError: it is no backup, cut, or damaged.
    """
    found: dict[str, File] = {}
    manifest: Manifest | None = None
    with _opened(path, on_bytes) as tar:
        for about in tar:
            source = _checked(path, about, tar)
            if manifest is not None:
                raise _damaged(path, f"{about.name!r} stands after its manifest")
            if about.name == MANIFEST:
                manifest = _read_manifest(path, about, source)
                continue
            if about.name in found:
                raise _damaged(path, f"{about.name!r} stands in it twice")
            digest = hashlib.sha256()
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
            found[about.name] = File(about.name, about.size, digest.hexdigest())
    if manifest is None:
        raise _damaged(path, "its end is missing")
    _compare(path, manifest, found)
    return manifest


def extract(
    path: Path, manifest: Manifest, write: Callable[[File, IO[bytes]], None], on_bytes: OnBytes
) -> None:
    """Hand each file of a verified backup to `write`.

    Raises:
        FolderError: it has changed since it was verified.
    """
    expected = {file.name: file for file in manifest.files}
    with _opened(path, on_bytes) as tar:
        for about in tar:
            source = _checked(path, about, tar)
            if about.name == MANIFEST:
                continue
            file = expected.pop(about.name, None)
            if file is None or file.bytes != about.size:
                raise _damaged(path, f"{about.name!r} has changed since it was checked")
            write(file, source)
    if expected:
        raise _damaged(path, f"{min(expected)!r} has gone since it was checked")


@contextlib.contextmanager
def _opened(path: Path, on_bytes: OnBytes) -> Iterator[tarfile.TarFile]:
    """The tar in a file, read from its beginning to its end."""
    try:
        with path.open("rb") as file:
            is_packed = file.read(len(_ZSTD_MAGIC)) == _ZSTD_MAGIC
            if not _has_its_end(file, is_packed=is_packed):
                raise _damaged(path, "its end is missing")
            file.seek(0)
            counted = _watched(file, lambda piece: on_bytes(len(piece)))
            if is_packed:
                counted = zstandard.ZstdDecompressor().stream_reader(counted)
            with tarfile.open(fileobj=counted, mode="r|") as tar:
                yield tar
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _damaged(path, str(error)) from error
    except FileNotFoundError:
        raise UsageError(f"no backup {path}") from None
    except IsADirectoryError:
        raise UsageError(f"backup {path} is a folder; a backup is a file") from None


def _has_its_end(file: IO[bytes], *, is_packed: bool) -> bool:
    size = file.seek(0, os.SEEK_END)
    if not is_packed:
        return size % tarfile.RECORDSIZE == 0
    before = max(size - _SKIPPABLE.size, 0)
    file.seek(before)
    return file.read() == _SKIPPABLE.pack(_SKIPPABLE_MAGIC, 8, before)


class _Watched:
    """A file of which every piece is shown to somebody as it is read."""

    def __init__(self, file: IO[bytes], on_piece: Callable[[bytes], None]) -> None:
        self._file, self._on_piece = file, on_piece

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._on_piece(piece)
        return piece


def _watched(file: IO[bytes], on_piece: Callable[[bytes], None]) -> IO[bytes]:
    return cast("IO[bytes]", _Watched(file, on_piece))  # all that tar and zstd ask of a file


def _checked(path: Path, about: tarfile.TarInfo, tar: tarfile.TarFile) -> IO[bytes]:
    if about.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or about.sparse is not None:
        raise _damaged(path, f"{about.name[:100]!r} is no plain file")
    if not _NAME.match(about.name):
        raise _damaged(path, f"{about.name[:100]!r} is no name of a file in a data folder")
    source = tar.extractfile(about)
    assert source is not None
    return source


def _read_manifest(path: Path, about: tarfile.TarInfo, source: IO[bytes]) -> Manifest:
    if about.size > _MAX_MANIFEST_BYTES:
        raise _damaged(path, f"its manifest has {about.size} bytes")
    try:
        return msgspec.json.decode(source.read(), type=Manifest)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _damaged(path, f"its manifest cannot be read: {error}") from error


def _compare(path: Path, manifest: Manifest, found: dict[str, File]) -> None:
    told = {file.name: file for file in manifest.files}
    for name in sorted(told.keys() | found.keys()):
        if name not in found:
            raise _damaged(path, f"{name!r} is missing")
        if name not in told:
            raise _damaged(path, f"{name!r} is not in its manifest")
        if told[name] != found[name]:
            raise _damaged(path, f"{name!r} is not what its checksum says")
    if len(told) != len(manifest.files):
        raise _damaged(path, "its manifest names a file twice")


def _damaged(path: Path, why: str) -> FolderError:
    return FolderError(f"backup {path} is damaged or none: {why}")
