"""Read a CAN log of any known format, chosen by what it holds, in chunks of bounded memory.

Nothing is dropped in silence: a line that is neither a frame nor a known header or comment is
refused, counted, and shown. Row order is the order of the file, even where time runs backwards.

    log = open_log(Path("EV-CANeplus2.log"))
    log.format, log.has_date                     # ("leaf-tab", False)
    for frames in log.chunks():
        ...
    log.refused                                  # [Refusal("truncated line", 1, 25833, "1 0 18")]

`chunks` takes one thread; `begin` gives a reading that several can share (reading.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from contactor.can.clock_set import first_instant
from contactor.can.frames import FIRST_DATE_NS, FrameTable
from contactor.can.readers.foreign import binary_kind, packed_kind, what_it_is
from contactor.can.readers.sources import STANDARD_INPUT, Source, sources_of
from contactor.can.readers.table import (
    BINARY_READERS,
    READERS,
    BinaryReader,
    Reader,
    reader_of,
)
from contactor.can.reading import HEAD_BYTES, BinaryPass, Pass, Progress, Refusal, TextPass
from contactor.errors import LogError, UsageError

# How many reasons are told where a log holds no frame.
SHOWN_REASONS = 3
# How far into a packed log, whose end cannot be looked at, a first date is looked for.
MOST_LOOK_BYTES = 1024 * 1024


class TimeSource(StrEnum):
    """Where the stamps of a log come from."""

    UTC = "utc"
    START = "since the start"
    ASSUMED = "assumed, 1 ms a frame"


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
        label: how messages call the log; of one of several in an archive that is not its path.
        size: the file's bytes when it was opened, of one in an archive those that it takes there;
            0 where it is a pipe.
        first_ts: the first frame's stamp, as `chunks` gives it; the first that has a date where the
            clock was set on its way (clock_set.py).
        first_ns: the first frame's stamp, as the log has it.
        time_source: where stamps come from.
    """

    def __init__(self, source: Source, *, reader: Reader | BinaryReader, head: bytes) -> None:
        self.path = source.path
        self.label = source.label
        self.size = source.size
        self._source = source
        self._reader = reader
        self._head = head
        self._pass: Pass[Any, Any] | None = None
        self.first_ns, instant, is_stamped = self._first_stamps()
        if not is_stamped:
            self.time_source = TimeSource.ASSUMED
        else:
            self.time_source = TimeSource.START if instant is None else TimeSource.UTC
        self.origin_ns = 0 if self.has_date else self.first_ns
        self.first_ts = instant if self.has_date and instant is not None else 0

    @property
    def format(self) -> str:
        """The format's name."""
        return self._reader.name

    @property
    def name(self) -> str:
        """The label without folders."""
        path = str(self.path)
        if not self.label.startswith(path):  # standard input
            return self.label
        return self.path.name + self.label.removeprefix(path)

    @property
    def has_date(self) -> bool:
        """Whether `ts` are instants in UTC; otherwise they count from the first frame."""
        return self.time_source is TimeSource.UTC

    @property
    def off_clock(self) -> int:
        """Frames of the last reading so far whose stamps are of another clock than `time_source`.

        Of a log with dates those from before its clock was set, which keep the stamps they have; of
        one without those that have a date.
        """
        return self._pass.off_clock if self._pass else 0

    @property
    def refused(self) -> list[Refusal]:
        """What the last reading refused so far, in the order of first lines."""
        return self._pass.refused if self._pass else []

    def chunks(self, on_progress: Progress | None = None) -> Iterator[FrameTable]:
        """Read the log from its start; each table holds the frames of some megabytes of text.

        Args:
            on_progress: told the bytes read and the bytes in all, after each chunk.

        Raises:
            LogError: the file can no longer be read.
        """
        reading = self.begin(on_progress)
        for block in reading.blocks():
            frames = reading.settle(reading.parse(block))
            if len(frames):
                yield frames

    def begin(
        self, on_progress: Progress | None = None, *, are_kept: bool = False
    ) -> Pass[Any, Any]:
        """A reading from the start, block by block; raises as `chunks` does.

        Args:
            are_kept: whether all frames are kept in memory anyway, so that blocks may be larger.
        """
        self._pass = self._new_pass(
            origin_ns=self.origin_ns,
            is_dated=self.has_date,
            on_progress=on_progress,
            are_kept=are_kept,
        )
        return self._pass

    def _first_stamps(self) -> tuple[int, int | None, bool]:
        """The first frame's stamp, the first one with a date, and whether any are written."""
        reading = self._new_pass(is_final=False)
        first_ns, instant = None, None
        looked_at = 0
        for block in reading.blocks():
            frames = reading.settle(reading.parse(block))
            looked_at += HEAD_BYTES
            if not len(frames):
                continue
            first_ns = int(frames.ts[0]) if first_ns is None else first_ns
            if first_ns >= FIRST_DATE_NS:
                return first_ns, first_ns, reading.is_stamped
            instant = first_instant(frames.ts)
            if instant is not None or not self._source.is_packed or looked_at >= MOST_LOOK_BYTES:
                break
        if first_ns is not None:
            if instant is None and isinstance(reading, TextPass) and not self._source.is_packed:
                instant = reading.find_first_instant()
            return first_ns, instant, reading.is_stamped
        reasons = "".join(
            f"; refused {refusal.count}: {refusal.reason}, first in line {refusal.first_line}: "
            f"{refusal.first_text}"
            for refusal in reading.refused[:SHOWN_REASONS]
        )
        raise LogError(
            f"{self.label} has the form of a {self.format} log but holds no frame{reasons}"
        )

    def _new_pass(self, **options: Any) -> Pass[Any, Any]:
        """A reading with a parser of its own; options as of `Pass`."""
        reader = self._reader
        if isinstance(reader, BinaryReader):
            return BinaryPass(self._source, reader.parser(self._head), **options)
        return TextPass(
            self._source,
            reader.parser(self._head),
            head=self._head,
            states_length=reader.states_length,
            **options,
        )


def open_log(path: Path | str) -> LogFile:
    """Recognise a log by what it holds; `-` is standard input.

    Raises:
        UsageError: there is no such file, or it is a directory.
        LogError: it cannot be read, is of no known format, holds no frame, or is an archive of
            several logs; the message names the file and says what it is.
    """
    logs = open_logs([path])
    if len(logs) > 1:
        raise LogError(f"{path} holds {len(logs)} logs, not one: unpack it, and give one of them")
    return logs[0]


def open_logs(
    paths: Sequence[Path | str], on_skip: Callable[[str], None] | None = None
) -> list[LogFile]:
    """Recognise logs, those inside archives among them; raises as `open_log` does.

    Args:
        on_skip: told of each file in an archive that is no log, in one line; it is left out.

    Raises:
        UsageError: standard input is given more than once.
    """
    if sum(str(path) == STANDARD_INPUT for path in paths) > 1:
        raise UsageError("standard input can be given once")
    return [log for path in paths for log in _logs_in(path, on_skip or (lambda _: None))]


def _logs_in(path: Path | str, on_skip: Callable[[str], None]) -> list[LogFile]:
    sources = sources_of(path)
    if len(sources) == 1:
        return [_log_in(sources[0])]
    if document := packed_kind([source.label for source in sources]):
        raise LogError(f"{path} is {document}")
    logs: list[LogFile] = []
    for source in sources:
        try:
            logs.append(_log_in(source))
        except LogError as error:
            on_skip(f"left out: {error}")
    if not logs:
        raise LogError(f"{path} is an archive of {len(sources)} files, none of them a log")
    return logs


def _log_in(source: Source) -> LogFile:
    head = source.head(HEAD_BYTES)
    reader = None if binary_kind(head) else reader_of(head)
    if reader is None:
        known: tuple[Reader | BinaryReader, ...] = (*BINARY_READERS, *READERS)
        names = ", ".join(reader.name for reader in known)
        raise LogError(f"{source.label} is {what_it_is(head, names)}")
    return LogFile(source, reader=reader, head=head)


def read_log(path: Path | str, on_progress: Progress | None = None) -> LogReading:
    """Read a whole log into memory; raises as `open_log` and `LogFile.chunks` do."""
    log = open_log(path)
    frames = FrameTable.concat(log.chunks(on_progress))
    return LogReading(log.format, log.time_source, frames, tuple(log.refused))
