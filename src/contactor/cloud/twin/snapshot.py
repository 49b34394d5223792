"""The twin on disk, so that a restart need not search the lake: one file, whole or not there.

    CTTWIN 0 1 | CRC-32 of the rest | length of the header | header, MessagePack | arrays
    8 bytes      u32                  u32

    keep(kept_of(twin, now_ns, store.snapshot().parts), path)
    kept = kept_from(path)              # None where there is none

What is desired is not in it: the commands' own store knows what is still under way. The file is no
record of anything: without it, or with a damaged one, the lake is read.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from contactor.cloud.ingest.presence import Heard
from contactor.cloud.lake.ports import Part
from contactor.cloud.twin.cells import GROUPS
from contactor.cloud.twin.kept_cells import CellsState, state_of
from contactor.cloud.twin.twin import Twin
from contactor.errors import FolderError
from contactor.signals.catalogue import catalogue
from contactor.signals.record import Scalar

NAME = "twin/snapshot"
"""Below the data folder; the folder is its own, so that its drafts lie in nobody's way."""
MAGIC, VERSION = b"CTTWIN\0", 1
_HEAD = struct.Struct("<7sBII")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A twin at one instant.

    Fields:
        parts: uint64, sorted: the digests of the lake's files whose rows are all in it.
    """

    cells: CellsState
    heard: Heard
    parts: NDArray[np.uint64]


class _Header(msgspec.Struct, array_like=True):
    """All but the arrays; `signals` with their data types, which must be those of today."""

    taken_at: int
    groups: list[str]
    vehicles: list[str]
    signals: list[tuple[str, str]]
    words: list[list[str]]
    groups_of: list[int]
    beside: list[tuple[int, int, Scalar | list[Scalar]]]
    heard: list[str]
    parts: int


def kept_of(twin: Twin, now_ns: int, parts: Sequence[Part]) -> Kept:
    """A copy of the twin, of which the rows of `parts` have all been taken in."""
    return Kept(state_of(twin.cells), twin.presence.kept(now_ns), digests(parts))


def digests(parts: Sequence[Part]) -> NDArray[np.uint64]:
    """What tells the files of parts apart, sorted; parts without a file have none."""
    names = [str(part.source) for part in parts if _has_file(part)]
    whole = b"".join(digest(name) for name in names)
    return np.sort(np.frombuffer(whole, "<u8"))


def is_in(part: Part, parts: NDArray[np.uint64]) -> bool:
    """Whether the file of a part is one of those."""
    if not _has_file(part):
        return False
    [wanted] = np.frombuffer(digest(str(part.source)), "<u8")
    place = int(np.searchsorted(parts, wanted))
    return place < len(parts) and parts[place] == wanted


def digest(name: str) -> bytes:
    """Eight bytes for a file's own name, wherever its folder lies."""
    return hashlib.blake2b(name.rpartition("/")[2].encode(), digest_size=8).digest()


def keep(kept: Kept, path: Path) -> None:
    """Write a twin, durably, in place of the one before.

    Raises:
        FolderError: it cannot be written; the one before stays.
    """
    draft = path.with_name(f".{path.name}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encoded(kept))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FolderError(f"{path}: {error.strerror or error}") from error


def kept_from(path: Path) -> Kept | None:
    """The twin that was kept; None where there is none.

    Raises:
        FolderError: what is there cannot be read, or is of another version; the text says why.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FolderError(f"{path}: {error.strerror or error}") from error
    try:
        return decoded(data)
    except ValueError as error:
        raise FolderError(f"{path}: {error}") from error


def encoded(kept: Kept) -> bytes:
    """A twin as bytes."""
    cells, heard = kept.cells, kept.heard
    header = _Header(
        taken_at=heard.taken_at,
        groups=[str(group) for group in GROUPS],
        vehicles=list(cells.vehicles),
        signals=[(path, str(catalogue()[path].datatype)) for path in cells.paths],
        words=[list(words) for words in cells.words],
        groups_of=list(cells.groups_of),
        beside=[
            (column, row, list(value) if isinstance(value, tuple) else value)
            for column, row, value in cells.beside
        ],
        heard=list(heard.vehicles),
        parts=len(kept.parts),
    )
    text = msgspec.msgpack.encode(header)
    arrays = (
        cells.values.astype("<f8", copy=False),
        cells.stamps.astype("<i8", copy=False),
        cells.groups,
        cells.newest.astype("<i8", copy=False),
        heard.heard_at.astype("<i8", copy=False),
        heard.flags,
        kept.parts.astype("<u8", copy=False),
    )
    rest = b"".join([text, *(array.tobytes() for array in arrays)])
    return _HEAD.pack(MAGIC, VERSION, zlib.crc32(rest), len(text)) + rest


def decoded(data: bytes) -> Kept:
    """The twin in `data`.

    Raises:
        ValueError: it is none, damaged, or of another version.
    """
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise ValueError("not a twin")
    _, version, checksum, length = _HEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"version {version}; this Contactor reads {VERSION}")
    if zlib.crc32(memoryview(data)[_HEAD.size :]) != checksum:
        raise ValueError("damaged: its checksum is another")
    end = _HEAD.size + length
    header = msgspec.msgpack.decode(data[_HEAD.size : end], type=_Header)
    if header.groups != list(GROUPS):
        raise ValueError(f"groups {', '.join(header.groups)}; ours are {', '.join(GROUPS)}")
    for path, datatype in header.signals:
        if path not in catalogue() or catalogue()[path].datatype != datatype:
            raise ValueError(f"{path} is {datatype} in it, which is not the catalogue's")
    arrays = _Arrays(data, end)
    shape = len(header.signals), len(header.vehicles)
    cells = CellsState(
        vehicles=tuple(header.vehicles),
        paths=tuple(path for path, _ in header.signals),
        words=tuple(tuple(words) for words in header.words),
        groups_of=tuple(header.groups_of),
        beside=tuple(
            (column, row, tuple(value) if isinstance(value, list) else value)
            for column, row, value in header.beside
        ),
        values=arrays.next("<f8", shape).astype(np.float64, copy=False),
        stamps=arrays.next("<i8", shape).astype(np.int64, copy=False),
        groups=arrays.next("u1", shape).astype(np.uint8, copy=False),
        newest=arrays.next("<i8", (len(GROUPS), shape[1])).astype(np.int64, copy=False),
    )
    heard = (len(header.heard),)
    return Kept(
        cells=cells,
        heard=Heard(
            taken_at=header.taken_at,
            vehicles=tuple(header.heard),
            heard_at=arrays.next("<i8", heard).astype(np.int64, copy=False),
            flags=arrays.next("u1", heard).astype(np.uint8, copy=False),
        ),
        parts=arrays.next("<u8", (header.parts,)).astype(np.uint64, copy=False),
    )


class _Arrays:
    """Arrays one after another; what the checksum covers has the lengths it was written with."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data, self._offset = data, offset

    def next(self, dtype: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
        count = int(np.prod(shape))
        found = np.frombuffer(self._data, dtype, count, self._offset).reshape(shape)
        self._offset += found.nbytes
        return found


def _has_file(part: Part) -> bool:
    return isinstance(part.source, str | Path)
