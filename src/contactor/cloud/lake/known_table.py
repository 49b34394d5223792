"""The lake's table as one of its writers knows it: what is in it, and whether it may still write.

    known = KnownTable("s3://fleet/lake", fence, find=lambda: TelemetryTable.open(url))
    known.reopen()                              # what others have committed is taken in
    known.check()                               # StaleWriter, if one of them wrote what we write
    base, known.is_unsure = known.version, True # from here on an entry of ours may be there
    known.handle.enter(43, "1f0c...", written, merged, marks=fence.marks)
    known.show(base, written, merged)           # now it is: the snapshot says so

How an entry is written, tried again and made durable is the store's: `LocalStore`, `ObjectStore`.
Not safe between threads, but for `snapshot`, which any may look at.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from contactor.cloud.lake.delta import TelemetryTable
from contactor.cloud.lake.parts import in_order
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import CODEBOOKS, STREAMS, StoredCodebook, StreamState
from contactor.cloud.lake.tables import codebooks, states
from contactor.cloud.lake.writers import Fence, number_in
from contactor.errors import StaleWriter

# Until then each flush adds a file of stream rows; then one file takes the place of all.
_MAX_STREAM_FILES: Final = 20


class KnownTable:
    """A handle on the table, the snapshot of what it holds, and the number of our last commit.

    Fields:
        handle: as of one version, by which entries are written.
        snapshot: of that version, or of an older one while `is_unsure`.
        flush: the number of the last commit from here.
        is_unsure: whether there may be an entry that the snapshot lacks.
        is_stale: whether another writes what we wrote: for good.
    """

    def __init__(
        self, place: Path | str, fence: Fence, *, find: Callable[[], TelemetryTable]
    ) -> None:
        """Look at the table.

        Args:
            place: its name, for messages.
            find: opens it at its newest version.
        """
        self._place, self._fence, self._find = place, fence, find
        self.flush, self.is_stale = 0, False
        self.reopen()
        self._checked = self.version

    @property
    def version(self) -> int:
        return self.handle.version

    def reopen(self) -> None:
        """Look at the table anew."""
        self.handle = self._find()
        self.snapshot = self.handle.snapshot()
        self.is_unsure = False

    def update(self) -> None:
        """Take in what was committed since, if anything was."""
        before = self.version
        self.handle.update()
        if self.version != before:
            self.snapshot = self.handle.snapshot()

    def renew(self) -> None:
        """Take a new handle: one grows slower with each commit that it has seen."""
        before = self.version
        self.handle = self._find()
        self.is_unsure |= self.version != before

    def check(self) -> None:
        """Return if no other has written what we write, as far as the table is known.

        Raises:
            StaleWriter: one has.
        """
        if self._checked != self.version:
            self.is_stale |= self._fence.is_passed(self.handle.marks(self._fence.marks), self.flush)
            self._checked = self.version
        if self.is_stale:
            raise StaleWriter(
                f"another ingest writes '{self._place}': its flush is {self.snapshot.flush},"
                f" the last one from here was {self.flush}"
            )

    def claim(self) -> None:
        """Refuse whoever wrote what we write, by an empty commit under all those marks."""
        marks = self.handle.marks()
        number = number_in(marks.values()) + 1
        claimed = self._fence.claimed(marks)
        self.handle.enter(number, uuid.uuid4().hex, (), (), marks=claimed)
        self.flush = number

    def show(
        self,
        base: int,
        written: Sequence[Part],
        replaced: Iterable[Part],
        *,
        kept_from: Mapping[str, date] | None = None,
    ) -> None:
        """Take in an entry of ours, which is there for certain.

        Args:
            base: the version that it follows.
            kept_from: what it notes besides, as in a snapshot.
        """
        if self.version == base + 1:
            gone = {part.source for part in replaced}
            parts = [part for part in self.snapshot.parts if part.source not in gone]
            shown = in_order([*parts, *written])
            kept = {**self.snapshot.kept_from, **(kept_from or {})}
            self.snapshot = replace(self.snapshot, flush=self.flush, parts=shown, kept_from=kept)
        else:
            self.snapshot = self.handle.snapshot()
        self._checked, self.is_unsure = self.version, False

    # ── what is in it ────────────────────────────────────────────────────────────────────────────

    def streams(self) -> list[StreamState]:
        """The newest state of every stream."""
        return states(read_all(self.snapshot, STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        """Every codebook, in the order in which they were stored."""
        return codebooks(read_all(self.snapshot, CODEBOOKS))

    def holds(self, parts: Iterable[Part]) -> bool:
        """Whether all these are in the snapshot."""
        held = {part.source for part in self.snapshot.parts}
        return held.issuperset(part.source for part in parts)

    def stream_parts_to_merge(self) -> tuple[Part, ...]:
        """The files of stream rows, if they have become so many that one is to replace them."""
        parts = tuple(part for part in self.snapshot.parts if part.group == STREAMS)
        is_due = self._fence.keeps_house and len(parts) >= _MAX_STREAM_FILES * self._fence.writers
        return parts if is_due else ()

    def column_changes(self, wanted: Mapping[str, frozenset[str]]) -> list[Callable[[], None]]:
        """What makes each signal a column, and each column say what groups hold it.

        Each of them writes one entry.
        """
        known = self.snapshot.groups
        added = {path: wanted[path] for path in wanted if path not in known}
        changes = [
            partial(self.handle.label_column, path, wanted[path])
            for path in known
            if wanted[path] != known[path]
        ]
        return [partial(self.handle.add_columns, added), *changes] if added else [*changes]

    def show_columns(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Take in those changes, which are there for certain."""
        self.snapshot = replace(self.snapshot, groups=wanted)
        self.is_unsure = False
