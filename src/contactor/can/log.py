"""Read a CAN log of any known text format, chosen by what it holds, in chunks of bounded memory.

Nothing is dropped in silence: a line that is neither a frame nor a known header or comment is
refused, counted, and shown. Row order is the order of the file, even where time runs backwards.

    log = open_log(Path("EV-CANeplus2.log"))
    log.format, log.has_date                     # ("leaf-tab", False)
    for frames in log.chunks():
        ...
    log.refused                                  # [Refusal("truncated line", 1, 25833, "1 0 18")]
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from contactor.can.frames import FrameTable
from contactor.can.readers.blocks import line_end_of, read_head, read_lines
from contactor.can.readers.foreign import what_it_is
from contactor.can.readers.lines import Lines
from contactor.can.readers.parsed import Cause, Parsed
from contactor.can.readers.table import READERS, Reader, reader_of
from contactor.errors import LogError, UsageError

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 2 * 1024 * 1024
SHOWN_CHARACTERS = 80
# 2001-09-09: a stamp from then on is an instant, an earlier one counts from some start.
FIRST_DATE_NS = 10**18
# Told how many bytes of how many have been read.
Progress: TypeAlias = Callable[[int, int], None]

HALF_BYTE_AT_END = re.compile(rb"[^0-9A-Fa-f][0-9A-Fa-f]$")


class TimeSource(StrEnum):
    """Where the stamps of a log come from."""

    UTC = "utc"
    START = "since the start"
    ASSUMED = "assumed, 1 ms a frame"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Lines that were refused for one reason: how many, and the first of them (from line 1)."""

    reason: str
    count: int
    first_line: int
    first_text: str


@dataclass(frozen=True, slots=True, eq=False)
class LogReading:
    """A whole log: its frames in file order, and what was refused."""

    format: str
    time_source: TimeSource
    frames: FrameTable
    refused: tuple[Refusal, ...]

    @property
    def has_date(self) -> bool:
        """Whether `ts` are instants in UTC; otherwise they count from the first frame."""
        return self.time_source is TimeSource.UTC


class LogFile:
    """A log that has been recognised; see `open_log`.

    Attributes:
        path: the file.
        size: its bytes when it was opened.
        first_ts: the first frame's stamp, as `chunks` gives it.
        time_source: where stamps come from.
    """

    def __init__(self, path: Path, *, reader: Reader, head: bytes) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._reader = reader
        self._head = head
        self._refused: dict[Cause, Refusal] = {}
        first_ns, is_stamped = self._first_stamp()
        if not is_stamped:
            self.time_source = TimeSource.ASSUMED
        else:
            self.time_source = TimeSource.UTC if first_ns >= FIRST_DATE_NS else TimeSource.START
        self._origin_ns = 0 if self.has_date else first_ns
        self.first_ts = first_ns - self._origin_ns

    @property
    def format(self) -> str:
        """The format's name."""
        return self._reader.name

    @property
    def has_date(self) -> bool:
        """Whether `ts` are instants in UTC; otherwise they count from the first frame."""
        return self.time_source is TimeSource.UTC

    @property
    def refused(self) -> list[Refusal]:
        """What the reading so far has refused, in the order of first lines."""
        return sorted(self._refused.values(), key=lambda refusal: refusal.first_line)

    def chunks(self, on_progress: Progress | None = None) -> Iterator[FrameTable]:
        """Read the log from its start; each table holds the frames of some megabytes of text.

        Args:
            on_progress: told the bytes read and the bytes in all, after each chunk.

        Raises:
            LogError: the file can no longer be read.
        """
        self._refused = {}
        parser = self._reader.parser(self._head)
        for lines in self._lines(CHUNK_BYTES, on_progress):
            parsed = self._without_cut_end(lines, parser.parse(lines))
            for cause, rows in parsed.refused().items():
                known = self._refused.get(cause) or _refusal(lines, cause, int(rows[0]))
                self._refused[cause] = replace(known, count=known.count + len(rows))
            if len(parsed.frames):
                yield replace(parsed.frames, ts=parsed.frames.ts - self._origin_ns)

    def _first_stamp(self) -> tuple[int, bool]:
        """The first frame's stamp as it is written, and whether stamps are written at all."""
        parser = self._reader.parser(self._head)
        for lines in self._lines(HEAD_BYTES):
            frames = self._without_cut_end(lines, parser.parse(lines)).frames
            if len(frames):
                return int(frames.ts[0]), parser.is_stamped
        raise LogError(f"{self.path} has the form of a {self.format} log but holds no frame")

    def _lines(self, chunk_bytes: int, on_progress: Progress | None = None) -> Iterator[Lines]:
        return read_lines(
            self.path,
            line_end=line_end_of(self._head),
            chunk_bytes=chunk_bytes,
            on_progress=on_progress,
        )

    def _without_cut_end(self, lines: Lines, parsed: Parsed) -> Parsed:
        """Refuse the last line where the file stops within it."""
        if not lines.is_last_open:
            return parsed
        if parsed.last_is_refused:
            return parsed.with_last_refused(Cause.CUT)
        if not parsed.last_is_frame:
            return parsed
        is_half = HALF_BYTE_AT_END.search(lines.line(len(lines) - 1)) is not None
        is_short = not self._reader.states_length and _ends_short(parsed.frames)
        return parsed.with_last_refused(Cause.CUT) if is_half or is_short else parsed


def open_log(path: Path | str) -> LogFile:
    """Recognise a log by what it holds.

    Raises:
        UsageError: there is no such file, or it is a directory.
        LogError: it cannot be read, is of no known format, or holds no frame; the message names
            the file and says what it is.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a log")
    if not path.exists():
        raise UsageError(f"no such file: {path}")
    if not path.is_file():
        raise UsageError(f"{path} is no regular file")
    head = read_head(path, HEAD_BYTES)
    reader = reader_of(head)
    if reader is None:
        names = ", ".join(reader.name for reader in READERS)
        raise LogError(f"{path} is {what_it_is(head)}; formats read: {names}")
    return LogFile(path, reader=reader, head=head)


def read_log(path: Path | str, on_progress: Progress | None = None) -> LogReading:
    """Read a whole log into memory; raises as `open_log` and `LogFile.chunks` do."""
    log = open_log(path)
    frames = FrameTable.concat(log.chunks(on_progress))
    return LogReading(log.format, log.time_source, frames, tuple(log.refused))


def _ends_short(frames: FrameTable) -> bool:
    """Whether the last frame is shorter than the one before it with its id: it may be cut."""
    if frames.is_remote[-1]:
        return False
    is_same = (frames.can_id == frames.can_id[-1]) & (frames.bus == frames.bus[-1])
    lengths = frames.length[is_same & ~frames.is_remote]
    return bool(lengths[-1] == 0 if len(lengths) == 1 else lengths[-1] < lengths[-2])


def _refusal(lines: Lines, cause: Cause, row: int) -> Refusal:
    """A refusal of no line yet, which shows the line at `row`."""
    text = lines.line(row).decode("utf-8", "replace")
    shown = "".join(character if character.isprintable() else " " for character in text).strip()
    return Refusal(cause.value, 0, lines.first_number + row, shown[:SHOWN_CHARACTERS])
