"""Several processes write one lake: whose turn it is, and who has been replaced.

    one instance      mark "ingest"
    ingest 1/2        marks "ingest-00" ... "ingest-31"     one for each part of the vehicles
    ingest 2/2        marks "ingest-32" ... "ingest-63"

A commit carries its number under every mark of its writer. A writer that begins claims its marks
with an empty commit of a greater number than any; from then on one that holds any of them finds
another number there than its own last one, and is refused: the newer wins, whatever the number of
writers was before. Writers whose marks differ are in each other's way only for the log entry.

    fence = Fence(frozenset(range(32)))
    with turn:                                  # one at a time, threads and processes
        fence.claim(table.marks())              # the marks to write, and the number
"""

import fcntl
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

ALONE: Final = "ingest"
OF_PART: Final = tuple(f"ingest-{part:02d}" for part in range(64))
ALL_MARKS: Final = (ALONE, *OF_PART)


class Fence:
    """What one writer's marks must say for its next commit to be allowed.

    Args:
        parts: the parts of the vehicles that it writes; None for the one writer of a lake.
    """

    def __init__(self, parts: Collection[int] | None) -> None:
        self.is_shared = parts is not None
        self.marks = (ALONE,) if parts is None else tuple(OF_PART[part] for part in sorted(parts))
        self.keeps_house = parts is None or 0 in parts
        """Whether it does for all writers what one must do: merge stream rows, checkpoints."""
        self.writers = 1 if parts is None else len(OF_PART) // len(self.marks)
        """How many there are, all being alike."""

    def must_claim(self, marks: Mapping[str, int]) -> bool:
        """Whether somebody may still write who would not notice that we do."""
        return self.is_shared or number_in(marks.values()) > marks.get(ALONE, 0)

    def claimed(self, marks: Mapping[str, int]) -> tuple[str, ...]:
        """The marks to write with the first commit: ours, and those that overlap with ours."""
        others = (ALONE,) if self.is_shared else tuple(mark for mark in OF_PART if mark in marks)
        return (*self.marks, *others)

    def is_passed(self, marks: Mapping[str, int], number: int) -> bool:
        """Whether another has written what we write, since our commit `number`."""
        return any(marks.get(mark, 0) != number for mark in self.marks)


def number_in(numbers: Iterable[int]) -> int:
    """The number of the newest commit of any writer; 0 before the first."""
    return max(numbers, default=0)


class Turn:
    """A lock among the writers of a machine, by a file; it ends with its process in any case.

    Within a process one thread at a time may take it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
