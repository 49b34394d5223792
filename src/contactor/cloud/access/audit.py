"""What was done, in a file that only grows: a line each, chained by hashes.

    {"number":2,"ts":"2026-11-27T06:50:00Z","who":"Mia","what":"command","vehicle_id":"leaf",
     "outcome":"accepted","detail":{...},"previous":"<hash of line 1>","hash":"<of this line>"}

    log = AuditLog.open(folder / "audit.jsonl")
    log.append(Entry(ts=now_ns, who="Mia", what="command", outcome="accepted", vehicle_id="leaf"))
    verify(folder / "audit.jsonl").head

The hash is the SHA-256 of the line up to it: `{...,"previous":"..."}`. So a line that is altered,
left out, put in or moved breaks the chain there, which anybody can check without us. Who could
rewrite the whole file could make another chain, or cut its end off: `head`, noted elsewhere, tells.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import msgspec

from contactor.clock import from_iso, to_iso
from contactor.errors import AuditBroken, FolderError

NOBODY: Final = "0" * 64
"""What comes before the first line."""
MAX_LINE_BYTES: Final = 16_384
MAX_TEXT: Final = 1_024
_SEAL: Final = b',"hash":"'
_HASH_CHARACTERS: Final = 64
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done or refused.

    Fields:
        ts: ns UTC.
        who: a person's name, or a part of the instance.
        what: a word for it.
        outcome: how it ended.
        detail: whatever else tells it; no secrets.
    """

    ts: int
    who: str
    what: str
    outcome: str
    vehicle_id: str | None = None
    detail: Mapping[str, str | float | bool | None] = field(
        default_factory=lambda: MappingProxyType({})
    )


@dataclass(frozen=True, slots=True)
class Chain:
    """A log that is as it was written: how many lines, the last one's hash."""

    count: int
    head: str


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line without its hash; the fields stand in this order."""

    number: int
    ts: str
    who: str
    what: str
    vehicle_id: str | None
    outcome: str
    detail: dict[str, str | float | bool | None]
    previous: str


_decoder = msgspec.json.Decoder(_Line)


class AuditLog:
    """Appends to one file; used from any thread, by one process."""

    def __init__(self, path: Path, chain: Chain) -> None:
        self.path, self._chain = path, chain
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a log, or begin one. A line that a crash cut off was never acknowledged: it goes.

        Raises:
            AuditBroken: its last line is not as it was written.
            FolderError: it cannot be read or written.
        """
        try:
            _drop_torn_line(path)
            return cls(path, _chain_at_end(path))
        except OSError as error:
            raise FolderError(f"{path.name}: {error.strerror}") from error

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._chain.head

    def append(self, entry: Entry) -> None:
        """Write a line; it is on disk when this returns.

        Raises:
            FolderError: it cannot be written; the log is as before.
        """
        with self._lock:
            chain = self._chain
            line, head = _sealed(entry, chain)
            try:
                _append(self.path, line)
            except OSError as error:
                raise FolderError(f"{self.path.name}: {error.strerror}") from error
            self._chain = Chain(chain.count + 1, head)


def verify(path: Path, *, head: str | None = None) -> Chain:
    """Check every line of a log against the one before; reads it once, a line at a time.

    Args:
        head: the hash that a line of it must have, as it was noted once.

    Raises:
        AuditBroken: a line is not as it was written, or none has that hash.
        FolderError: it cannot be read.
    """
    chain, is_met = Chain(0, NOBODY), head is None
    for _, chain in _checked(path):
        is_met = is_met or chain.head == head
    if not is_met:
        raise AuditBroken(f"{path.name}: no line has the hash {head}; its end was cut off")
    return chain


def entries(path: Path) -> Iterator[Entry]:
    """Every entry of a log, as `verify` checks it.

    Raises:
        AuditBroken: a line is not as it was written.
        FolderError: it cannot be read.
    """
    for line, _ in _checked(path):
        yield _entry(line)


def newest(path: Path, *, before: int | None = None) -> Iterator[tuple[int, Entry]]:
    """Entries and their numbers, the newest first; each as its own hash says, not the chain.

    Args:
        before: only those of a lower number.

    Raises:
        AuditBroken: a line is not as it was written.
        FolderError: it cannot be read.
    """
    try:
        for text in _backwards(path):
            line, _ = _own(text, path.name)
            if before is None or line.number < before:
                yield line.number, _entry(line)
    except OSError as error:
        raise FolderError(f"{path.name}: {error.strerror}") from error


def _backwards(path: Path) -> Iterator[bytes]:
    """The lines of a file, the last first."""
    if not path.exists():
        return
    with path.open("rb") as file:
        left, tail = file.seek(0, os.SEEK_END), b""
        while left:
            step = min(left, MAX_LINE_BYTES)
            left -= step
            file.seek(left)
            lines = (file.read(step) + tail).splitlines(keepends=True)
            tail = lines.pop(0) if left else b""
            yield from reversed(lines)


def _own(text: bytes, name: str) -> tuple[_Line, Chain]:
    """A line whose hash is right, and the chain up to it, by what it says itself."""
    body, _, _ = text.rpartition(_SEAL)
    try:
        line = _decoder.decode(body + b"}")
    except msgspec.MsgspecError as error:
        raise AuditBroken(f"{name}: no line of the log") from error
    return _next(text, Chain(line.number - 1, line.previous), name)


def _entry(line: _Line) -> Entry:
    return Entry(
        ts=from_iso(line.ts),
        who=line.who,
        what=line.what,
        outcome=line.outcome,
        vehicle_id=line.vehicle_id,
        detail=line.detail,
    )


def _checked(path: Path) -> Iterator[tuple[_Line, Chain]]:
    chain = Chain(0, NOBODY)
    try:
        with path.open("rb") as file:
            while text := file.readline(MAX_LINE_BYTES + 1):
                line, chain = _next(text, chain, path.name)
                yield line, chain
    except OSError as error:
        raise FolderError(f"{path.name}: {error.strerror}") from error


def _next(text: bytes, before: Chain, name: str) -> tuple[_Line, Chain]:
    where = f"{name}, line {before.count + 1}"
    body, seal, rest = text.rpartition(_SEAL)
    if not seal or len(rest) != _HASH_CHARACTERS + 3 or not rest.endswith(b'"}\n'):
        raise AuditBroken(f"{where}: no line of the log")
    found = _hash(body)
    if rest[:_HASH_CHARACTERS].decode("latin-1") != found:
        raise AuditBroken(f"{where}: altered; its hash is {found}")
    try:
        line = _decoder.decode(body + b"}")
        from_iso(line.ts)
    except (msgspec.MsgspecError, ValueError) as error:
        raise AuditBroken(f"{where}: {error}") from error
    if line.previous != before.head or line.number != before.count + 1:
        raise AuditBroken(
            f"{where}: says that it is line {line.number} after {line.previous[:12]}…, "
            f"but {before.head[:12]}… is before it; lines were left out, put in or moved"
        )
    return line, Chain(line.number, found)


def _sealed(entry: Entry, chain: Chain) -> tuple[bytes, str]:
    line = _Line(
        number=chain.count + 1,
        ts=to_iso(entry.ts),
        who=entry.who[:MAX_TEXT],
        what=entry.what[:MAX_TEXT],
        vehicle_id=entry.vehicle_id,
        outcome=entry.outcome[:MAX_TEXT],
        detail={
            key: value[:MAX_TEXT] if isinstance(value, str) else value
            for key, value in entry.detail.items()
        },
        previous=chain.head,
    )
    body = msgspec.json.encode(line)[:-1]
    if len(body) > MAX_LINE_BYTES - _HASH_CHARACTERS - len(_SEAL) - 3:
        raise FolderError(f"an entry of {len(body)} bytes; the limit is {MAX_LINE_BYTES}")
    head = _hash(body)
    return body + _SEAL + head.encode() + b'"}\n', head


def _hash(body: bytes) -> str:
    return hashlib.sha256(body + b"}").hexdigest()


def _append(path: Path, line: bytes) -> None:
    """Write a whole line at the end, or nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, line)
            if written != len(line):
                raise OSError(28, "no space left")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        begin = max(size - MAX_LINE_BYTES, 0)
        file.seek(begin)
        tail = file.read()
        end = begin + tail.rfind(b"\n") + 1
        if end == size:
            return
        _log.warning("audit log: a line that was cut off is dropped bytes=%d", size - end)
        file.truncate(end)
        os.fsync(file.fileno())


def _chain_at_end(path: Path) -> Chain:
    """Where the next line goes on, by the last one."""
    if not path.exists() or not path.stat().st_size:
        return Chain(0, NOBODY)
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - MAX_LINE_BYTES, 0))
        text = file.read()[:-1].rpartition(b"\n")[2] + b"\n"
    return _own(text, path.name)[1]
