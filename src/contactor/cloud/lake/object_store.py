"""The lake in an object storage (S3): each flush one commit, which the storage makes durable.

    s3://BUCKET/PREFIX/
    ├── _delta_log/00000000000000000042.json
    └── group=drive/day=2024-05-01/part-000000000040-1f0c....parquet      written by flush 40

    store = ObjectStore("s3://fleet/lake")
    store.commit(Flush(store.next_flush, tables, streams, gaps, quarantined))

The table is that of a folder (`local`), and may be copied there and back. A log entry is put on the
condition that there is none of its name: of two writers one wins, and the other looks anew. An
entry that follows another of the same marks is refused: the fence against a second writer. The
storage has to know conditional puts (`If-None-Match`).
"""

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final

from contactor.cloud.lake.delta import CONFLICT, FAILURES, TelemetryTable
from contactor.cloud.lake.failures import one_line
from contactor.cloud.lake.object_files import ObjectFiles
from contactor.cloud.lake.object_url import check_url
from contactor.cloud.lake.parts import in_order, number_of
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import CODEBOOKS, STREAMS, Flush, StoredCodebook, StreamState
from contactor.cloud.lake.tables import (
    Table,
    check_number,
    codebooks,
    groups_with,
    states,
    tables_of,
)
from contactor.cloud.lake.translation import reading, writing
from contactor.cloud.lake.writers import Fence, number_in
from contactor.errors import StaleWriter

logger = logging.getLogger(__name__)

_MAX_STREAM_FILES: Final = 20
_ATTEMPTS: Final = 20
_ON_THEIR_WAY_S: Final = 3_600.0


class ObjectStore:
    """The writer of the lake at a url: the only one, or that of some of the vehicles.

    Commits exclude each other; `snapshot` and `streams` may be asked by any thread at any time.
    """

    def __init__(
        self, url: str, *, parts: Collection[int] | None = None, checkpoint_every: int = 20
    ) -> None:
        """Open the lake at `url`, or make one.

        Args:
            parts: the parts of the vehicles that this writer is for, beside others; whoever wrote
                any of them before is refused from now on. None for the only writer.
            checkpoint_every: commits between two checkpoints.

        Raises:
            UsageError: that is no url of a lake.
            LakeError: the storage does not answer, or holds something else there.
        """
        self._url, self._checkpoint_every = check_url(url), checkpoint_every
        self._fence = Fence(parts)
        self._lock = threading.Lock()
        self._is_stale = False
        with reading(self._url):
            self._files = ObjectFiles(self._url)
            self._open()

    @property
    def next_flush(self) -> int:
        return self._flush + 1

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def streams(self) -> list[StreamState]:
        return states(read_all(self._snapshot, STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        return codebooks(read_all(self._snapshot, CODEBOOKS))

    def stored_bytes(self) -> int:
        """What the files of rows take that the newest version names."""
        names = {self._files.name_of(part) for part in self._snapshot.parts}
        with reading(self._url):
            return sum(one.bytes for one in self._files.objects.list() if one.name in names)

    def check(self) -> None:
        with self._lock, writing(self._url):
            self._catch_up()

    def commit(self, flush: Flush) -> None:
        with self._lock:
            with writing(self._url):
                self._catch_up()
                check_number(flush, self.next_flush)
                self._store(flush)
            self._keep_house()

    def rewrite(
        self,
        replaced: Sequence[Part],
        tables: Iterable[Table],
        *,
        is_packed: bool = True,
        is_change: bool = False,
        kept_from: Mapping[str, date] | None = None,
    ) -> bool:
        newest = max(number_of(self._files.name_of(part)) for part in replaced)
        with writing(self._url):
            written = self._files.write(tables, newest, is_packed=is_packed)
        with self._lock:
            with writing(self._url):
                is_done = self._swap(
                    replaced, written, is_change=is_change, kept_from=kept_from or {}
                )
            self._keep_house()
        return is_done

    def vacuum(self, *, older_than_s: float) -> int:
        if self._fence.is_shared:  # the newest may be on their way from another writer
            older_than_s = max(older_than_s, _ON_THEIR_WAY_S)
        before = math.inf if older_than_s <= 0 else time.time() - older_than_s
        with writing(self._url):
            with self._lock:
                self._catch_up()
                if before == math.inf:
                    self._checkpoint()  # without it the entries behind are needed
            found = list(self._files.objects.list())
            with self._lock:
                self._catch_up()
                needed = {self._files.name_of(part) for part in self._snapshot.parts}
            return self._files.vacuum(needed, found, before_s=before)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        if not TelemetryTable.exists(self._url):
            try:
                TelemetryTable.create(self._url)
            except FAILURES:
                if not TelemetryTable.exists(self._url):  # else another was faster
                    raise
        self._reopen()
        self._repeat(lambda: self._table.add_missing() if self._table.missing else None)
        self._since_checkpoint = self._checkpoint_every
        self._flush = number_in(self._table.marks().values())
        if self._fence.must_claim(self._table.marks()):
            self._repeat(self._claim)
        self._snapshot = self._table.snapshot()

    def _claim(self) -> None:
        """Refuse whoever wrote what we write, by an empty commit under all those marks."""
        marks = self._table.marks()
        number = number_in(marks.values()) + 1
        self._table.enter(number, uuid.uuid4().hex, (), (), marks=self._fence.claimed(marks))
        self._flush = number

    def _repeat(self, change: Callable[[], None]) -> None:
        """Make one entry that rests on what the table is now, however many others do so too."""
        for attempt in range(_ATTEMPTS):
            try:
                change()
            except CONFLICT:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._reopen()
            else:
                return

    def _reopen(self) -> None:
        self._table = TelemetryTable.open(self._url, size_of=self._files.size_of)
        self._snapshot = self._table.snapshot()
        self._is_unsure = False

    def _catch_up(self) -> None:
        """Take in what others have committed, and end if one of them wrote what we write."""
        before = self._table.version
        if self._is_unsure:
            self._reopen()
        else:
            self._table.update()
        if self._table.version != before:
            self._snapshot = self._table.snapshot()
            self._is_stale |= self._fence.is_passed(
                self._table.marks(self._fence.marks), self._flush
            )
        if self._is_stale:
            raise StaleWriter(
                f"another ingest writes '{self._url}': its flush is {self._snapshot.flush},"
                f" the last one from here was {self._flush}"
            )

    # ── one commit ───────────────────────────────────────────────────────────────────────────────

    def _store(self, flush: Flush) -> None:
        replaced = self._stream_parts_to_merge()
        known = read_all(Snapshot(parts=replaced), STREAMS) if replaced else None
        tables = list(tables_of(flush, known))
        self._label_columns(tables)
        written = self._files.write(tables, flush.number)
        base = self._commit(
            written,
            lambda commit: self._table.enter(
                flush.number, commit, written, replaced, marks=self._fence.marks
            ),
        )
        self._flush = flush.number
        self._show(base, written, replaced)

    def _swap(
        self,
        replaced: Sequence[Part],
        written: Sequence[Part],
        *,
        is_change: bool,
        kept_from: Mapping[str, date],
    ) -> bool:
        try:
            self._catch_up()
            held = {part.source for part in self._snapshot.parts}
        except BaseException:
            self._files.discard(written)
            raise
        if not held.issuperset(part.source for part in replaced):
            self._files.discard(written)
            return False
        base = self._commit(
            written,
            lambda commit: self._table.enter_rewrite(
                commit, written, replaced, is_change=is_change, kept_from=kept_from
            ),
        )
        self._show(base, written, replaced)
        kept = {**self._snapshot.kept_from, **kept_from}
        self._snapshot = replace(self._snapshot, kept_from=kept)
        return True

    def _commit(self, written: Sequence[Part], enter: Callable[[str], None]) -> int:
        """Write the log entry; `written` is gone if that fails for certain.

        Args:
            enter: writes the entry, with the name that it is given.

        Returns:
            the version that the entry follows.
        """
        before, commit = self._table.version, uuid.uuid4().hex
        try:
            base = self._enter(commit, enter)
        except BaseException:
            if not self._files.is_entered(before, commit):
                self._files.discard(written)
            raise
        self._files.settle(written)
        return base

    def _enter(self, commit: str, enter: Callable[[str], None]) -> int:
        for attempt in range(_ATTEMPTS):
            base, self._is_unsure = self._table.version, True
            try:
                enter(commit)
            except FAILURES as error:
                # The answer to a put that went well may have been lost on its way.
                if self._files.is_entered(base, commit):
                    self._reopen()
                    return base
                self._catch_up()
                if attempt == _ATTEMPTS - 1 or not isinstance(error, CONFLICT):
                    raise
            else:
                return base
        raise AssertionError("the last attempt returns or raises")

    def _stream_parts_to_merge(self) -> tuple[Part, ...]:
        parts = tuple(part for part in self._snapshot.parts if part.group == STREAMS)
        is_due = self._fence.keeps_house and len(parts) >= _MAX_STREAM_FILES * self._fence.writers
        return parts if is_due else ()

    def _label_columns(self, tables: Sequence[Table]) -> None:
        """Make each signal a column of the table, which says what groups hold it."""
        for attempt in range(_ATTEMPTS):
            known, wanted = self._snapshot.groups, groups_with(self._snapshot.groups, tables)
            changes: list[Callable[[], None]] = [
                partial(self._table.label_column, path, wanted[path])
                for path in known
                if wanted[path] != known[path]
            ]
            added = {path: wanted[path] for path in wanted if path not in known}
            if added:
                changes.insert(0, partial(self._table.add_columns, added))
            try:
                for change in changes:
                    self._is_unsure = True
                    change()
            except CONFLICT:
                self._catch_up()
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                self._is_unsure = False
                self._snapshot = replace(self._snapshot, groups=wanted)
                return

    def _show(self, base: int, written: Sequence[Part], replaced: Sequence[Part]) -> None:
        if self._table.version == base + 1:
            gone = {part.source for part in replaced}
            parts = [part for part in self._snapshot.parts if part.source not in gone]
            shown = in_order([*parts, *written])
            self._snapshot = replace(self._snapshot, flush=self._flush, parts=shown)
        else:
            self._snapshot = self._table.snapshot()
        self._is_unsure = False

    # ── after the commit ─────────────────────────────────────────────────────────────────────────

    def _keep_house(self) -> None:
        """Write a checkpoint when one is due; the flush is stored, so nothing here may fail it."""
        self._since_checkpoint += 1
        if self._fence.keeps_house and self._since_checkpoint >= self._checkpoint_every:
            try:
                self._checkpoint()
            except FAILURES as error:
                logger.warning("lake house-keeping failed error=%s", one_line(error))

    def _checkpoint(self) -> None:
        self._table.checkpoint()
        self._since_checkpoint = 0
        self._table = TelemetryTable.open(self._url, size_of=self._files.size_of)
