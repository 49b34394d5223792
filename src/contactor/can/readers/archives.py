"""The files of a zip archive, each opened on its own.

Its directory is read once; a file is found by its entry there, not by its name, which two may
share. What an entry claims is checked against where the others lie, so that the files of an archive
are never more bytes than the archive.

    entries = directory_of(open_file(True), "drives.zip")
    for member in members_of(open_file, entries, "drives.zip"):
        member.name, member.size      # "monday.asc", its packed bytes
        member.layer.unpack(member.open_file(True)).read(512)
"""

import bz2
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from contactor.can.readers.held import Span
from contactor.can.readers.layers import Layer, unpacking_errors
from contactor.errors import LogError

ZIP_MAGIC = b"PK\x03\x04"
# Each entry takes 46 bytes and a name: room for far more than the files that are read.
MAX_DIRECTORY_BYTES = 16 * 1024**2
# LZMA packs up to 1:7000, and the standard library unpacks at once all that it is given.
LZMA_READ_BYTES = 4096
SHOWN_CHARACTERS = 200

# Signature, 22 bytes that the directory has as well, lengths of name and extra field.
# Source: APPNOTE.TXT 6.3.10, 4.3.7.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_IS_ENCRYPTED = 1 << 0
_IS_PATCH = 1 << 5


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive.

    Fields:
        name: with its folders, as it can be shown: short, in one line.
        size: its bytes as they lie in the archive.
        open_file: opens those bytes.
        layer: unpacks them.
    """

    name: str
    size: int
    open_file: Callable[[bool], BinaryIO]
    layer: Layer


def directory_of(file: BinaryIO, label: str) -> list[zipfile.ZipInfo]:
    """The entries of an archive, in its order, none of which overlaps another.

    Raises:
        LogError: it is damaged, or its directory is larger than MAX_DIRECTORY_BYTES.
    """
    try:
        with zipfile.ZipFile(cast("BinaryIO", _DirectoryFile(file, label))) as archive:
            entries = archive.infolist()
            end = archive.start_dir
    except unpacking_errors() as error:
        raise LogError(f"{label} is a damaged zip archive: {error}") from error
    for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
        room = end - entry.header_offset - _LOCAL_HEADER.size
        if entry.header_offset < 0 or entry.compress_size > room:
            raise LogError(
                f"{label} is a damaged zip archive: {entry.filename!r:.80} is said to have "
                f"{entry.compress_size} bytes, there is room for {max(room, 0)}"
            )
        end = entry.header_offset
    return entries


def members_of(
    open_file: Callable[[bool], BinaryIO], entries: list[zipfile.ZipInfo], label: str
) -> Iterator[Member]:
    """The files of an archive but hidden ones.

    Raises:
        LogError: one is encrypted.
    """
    for entry in entries:
        name = entry.filename
        is_folder = not name or entry.is_dir()
        if is_folder or Path(name).name.startswith(".") or name.startswith("__MACOSX/"):
            continue
        if entry.flag_bits & _IS_ENCRYPTED:
            raise LogError(f"{label}: {_shown(name)} is encrypted: unpack it first")
        yield Member(_shown(name), entry.compress_size, _opener(open_file, entry), _layer_of(entry))


def _opener(
    open_archive: Callable[[bool], BinaryIO], entry: zipfile.ZipInfo
) -> Callable[[bool], BinaryIO]:
    """What opens the packed bytes of a file."""

    def packed(_: bool) -> BinaryIO:
        archive = open_archive(True)
        try:
            start = _start_of(archive, entry)
        except BaseException:
            archive.close()
            raise

        def read_at(place: int, view: memoryview) -> int:
            archive.seek(place)
            return cast("Span", archive).readinto(view)

        is_lzma = entry.compress_type == zipfile.ZIP_LZMA
        span = Span(
            read_at,
            start=start,
            size=entry.compress_size,
            most_bytes=LZMA_READ_BYTES if is_lzma else 0,
            on_close=archive.close,
        )
        return cast("BinaryIO", span)

    return packed


def _start_of(archive: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where the packed bytes of a file begin."""
    if entry.flag_bits & _IS_PATCH:
        raise NotImplementedError("it is a patch for another file")
    archive.seek(entry.header_offset)
    head = archive.read(_LOCAL_HEADER.size)
    if len(head) < _LOCAL_HEADER.size or not head.startswith(ZIP_MAGIC):
        raise zipfile.BadZipFile(f"there is no file at byte {entry.header_offset}")
    _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)
    return entry.header_offset + _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)


def _shown(name: str) -> str:
    """A name that an archive gives, without what would upset a terminal."""
    end = "" if len(name) <= SHOWN_CHARACTERS else "..."
    return "".join(c if c.isprintable() else "?" for c in name[:SHOWN_CHARACTERS]) + end


def _layer_of(entry: zipfile.ZipInfo) -> Layer:
    if entry.compress_type == zipfile.ZIP_BZIP2:  # of which zipfile unpacks all at once
        return Layer(lambda file: cast("BinaryIO", bz2.BZ2File(file)))
    return Layer(lambda file: cast("BinaryIO", zipfile.ZipExtFile(file, "r", entry)))


class _DirectoryFile:
    """An archive for who reads its directory; that a large one is refused before it is read."""

    def __init__(self, file: BinaryIO, label: str) -> None:
        self._file = file
        self._label = label
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise LogError(
                f"{self._label} has a directory of {size} bytes, more than {MAX_DIRECTORY_BYTES}"
            )
        return self._file.read(size)
