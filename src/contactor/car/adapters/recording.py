"""A recording as a source of frames: its identity, and its frames on the calendar.

A log with no date is dated by `start_ns`, or so that it ends when its file was last written.

    recording = open_recording(Path("drive.log"), start_ns=None, now_ns=clock.now_ns())
    for frames in recording.frames():
        ...                                 # FrameTable, ts in ns UTC
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from contactor.can.frames import FrameTable
from contactor.can.log import LogFile, open_log
from contactor.can.reading import Progress, Refusal
from contactor.errors import LogError


@dataclass(frozen=True, slots=True)
class Recording:
    """A log file laid on the calendar: `shift_ns` is added to each of its stamps.

    `duration_ns` is known, and `is_dated_by_file` true, where neither the log nor the caller had a
    date for it.
    """

    log: LogFile
    first_ts: int
    shift_ns: int
    duration_ns: int | None = None

    @property
    def is_dated_by_file(self) -> bool:
        return self.duration_ns is not None

    def laid_from(self, first_ts: int) -> "Recording":
        """The same recording with its first frame at another instant (ns UTC)."""
        shift_ns = self.shift_ns + first_ts - self.first_ts
        return replace(self, first_ts=first_ts, shift_ns=shift_ns)

    def frames(self, on_progress: Progress | None = None) -> Iterator[FrameTable]:
        """The frames in file order, `ts` in ns UTC.

        Raises:
            LogError: the file can no longer be read.
        """
        for frames in self.log.chunks(on_progress):
            yield replace(frames, ts=frames.ts + self.shift_ns)

    @property
    def refused(self) -> list[Refusal]:
        """Lines that the reading so far has refused."""
        return self.log.refused


def open_recording(path: Path, *, start_ns: int | None, now_ns: int) -> Recording:
    """Recognise a log and lay it on the calendar.

    Args:
        start_ns: the instant of its first frame (ns UTC); None for its own date.
        now_ns: the present; a log without a date is never laid past it.

    Raises:
        UsageError: there is no such file.
        LogError: it is no log that can be read.
    """
    log = open_log(path)
    first = log.first_ts
    if start_ns is not None:
        return Recording(log, start_ns, start_ns - first)
    if log.has_date:
        return Recording(log, first, 0)
    last = max(int(frames.ts.max()) for frames in log.chunks())
    end_ns = min(path.stat().st_mtime_ns, now_ns)
    # Whole milliseconds: what is shown is what is stored.
    shift_ns = (end_ns - last) // 1_000_000 * 1_000_000
    return Recording(log, first + shift_ns, shift_ns, duration_ns=max(last - first, 0))


def source_hash(path: Path, *parts: str) -> "hashlib._Hash":
    """SHA-256 over a file's bytes and some words."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    for part in parts:
        digest.update(b"\0" + part.encode())
    return digest
