"""The lake on a local folder: each flush one durable commit.

    DIR/lake/telemetry/
    ├── _delta_log/00000000000000000042.json
    └── group=drive/day=2024-05-01/part-000000000040-1f0c....parquet      written by flush 40

    store = LocalStore(Path("contactor-data"))
    store.commit(Flush(store.next_flush, tables, streams, gaps, quarantined))

A commit: write and sync each Parquet file, sync the folders that name them, write one log entry
that adds them all and carries the flush number, sync it and the log folder. What was written
before the entry is invisible until then, and afterwards there for good. An entry based on an older
flush than the newest is refused by its transaction mark: the fence against a second writer.

A rewrite is made the same way, without a flush number: files are written beside the commits, only
the entry waits for its turn. Several processes may write, each the vehicles of some parts
(`writers`): they take turns for the entry. What a rewrite replaced stays on disk until `vacuum`
finds it old enough.
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
from pathlib import Path
from typing import Final

from contactor.cloud.lake.delta import CONFLICT, FAILURES, TelemetryTable
from contactor.cloud.lake.failures import one_line
from contactor.cloud.lake.local_reader import table_folder
from contactor.cloud.lake.log import (
    Sync,
    checkpoint_files,
    entry,
    is_entered,
    newest_entry,
    repair,
    sync_path,
)
from contactor.cloud.lake.parts import PartFiles, in_order, number_of, path_of
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
from contactor.cloud.lake.vacuum import old_log_files, unneeded
from contactor.cloud.lake.writers import Fence, Turn, number_in
from contactor.errors import LakeError, StaleWriter

logger = logging.getLogger(__name__)

# Until then each flush adds a file of stream rows; then one file takes the place of all.
_MAX_STREAM_FILES: Final = 20
_ON_THEIR_WAY_S: Final = 3_600.0


class LocalStore:
    """The writer of the lake of a data folder: the only one, or that of some of the vehicles.

    Commits exclude each other; `snapshot` and `streams` may be asked by any thread at any time.
    """

    def __init__(
        self,
        data: Path,
        *,
        parts: Collection[int] | None = None,
        sync: Sync = sync_path,
        checkpoint_every: int = 20,
    ) -> None:
        """Open the lake in `data`, or make one; put right what a crash left behind.

        Args:
            parts: the parts of the vehicles that this writer is for, beside others; whoever wrote
                any of them before is refused from now on. None for the only writer.
            sync: makes a file's content, or a folder's names, survive a power cut.
            checkpoint_every: commits between two checkpoints.

        Raises:
            FolderError: `data` cannot be read or written, or is full (FolderFull).
            LakeError: what lies where the lake should be is none of ours.
        """
        self._data, self._root = data, table_folder(data)
        self._log = self._root / "_delta_log"
        self._sync, self._checkpoint_every = sync, checkpoint_every
        self._files = PartFiles(self._root, sync=sync)
        self._fence = Fence(parts)
        self._lock = threading.Lock()
        self._turn = Turn(self._root.with_name("writers.lock"))
        self._is_stale = False
        # What crashes left behind is known as such only to who writes alone.
        self._is_tidy = self._fence.is_shared
        with reading(data):
            is_new = not data.exists()
            self._root.parent.mkdir(parents=True, exist_ok=True)
            with self._turn:
                self._open(is_new=is_new)

    @property
    def next_flush(self) -> int:
        return self._flush + 1

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def streams(self) -> list[StreamState]:
        return states(read_all(self._snapshot, STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        return codebooks(read_all(self._snapshot, CODEBOOKS))

    def check(self) -> None:
        with self._lock, writing(self._data), self._turn:
            self._catch_up()

    def commit(self, flush: Flush) -> None:
        with self._lock:
            with writing(self._data):
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
        newest = max(number_of(path_of(part)) for part in replaced)
        with writing(self._data):
            written = self._files.write(tables, newest, is_packed=is_packed)
        with self._lock:
            with writing(self._data):
                try:
                    self._catch_up()
                except BaseException:
                    self._files.discard(written)
                    raise
                is_done = self._swap(
                    replaced, written, is_change=is_change, kept_from=kept_from or {}
                )
            self._keep_house()
        return is_done

    def vacuum(self, *, older_than_s: float) -> int:
        with writing(self._data):
            if self._fence.is_shared:  # the newest may be on their way from another writer
                older_than_s = max(older_than_s, _ON_THEIR_WAY_S)
            is_at_once = older_than_s <= 0
            before = math.inf if is_at_once else time.time() - older_than_s
            present = self._files.present()
            with self._lock, self._turn:
                self._catch_up()
                if is_at_once:
                    self._checkpoint()  # without it the entries behind are needed
                needed = {path_of(part) for part in self._snapshot.parts} | self._files.under_way
                unnamed = present - needed
                gone = unneeded(unnamed, self._root, before_s=before)
                gone_log = old_log_files(self._log, before_s=before)
            for path in (*gone, *gone_log):
                path.unlink(missing_ok=True)
            for folder in {path.parent for path in gone}:
                self._sync(folder)
            self._sync(self._log)
            self._files.remove_drafts(before_s=before)
            return len(gone)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────

    def _open(self, *, is_new: bool) -> None:
        removed = repair(self._log)
        if removed:
            logger.warning("lake repaired removed=%s", ",".join(removed))
        if newest_entry(self._log) is None:
            self._create()
        if is_new:
            self._sync(self._data.absolute().parent)
        self._reopen()
        if self._table.missing:
            self._alter(self._table.add_missing)
        for folder in (self._root, self._root.parent, self._data):
            self._sync(folder)
        checkpoint = next(iter(checkpoint_files(self._log)), None)
        self._checkpointed = int(checkpoint.name[:20]) if checkpoint else 0
        marks = self._table.marks()
        self._flush = self._first_flush = number_in(marks.values())
        if self._fence.must_claim(marks):
            self._claim(marks)

    def _claim(self, marks: Mapping[str, int]) -> None:
        """Refuse whoever wrote what we write, by an empty commit under all those marks."""
        before, number = self._table.version, self._flush + 1
        self._table.enter(number, uuid.uuid4().hex, (), (), marks=self._fence.claimed(marks))
        self._make_durable(before)
        self._flush = number
        self._show(before, (), ())

    def _create(self) -> None:
        held = self._root.iterdir() if self._root.exists() else ()
        foreign = [path.name for path in held if path != self._log]
        if foreign:
            raise LakeError(f"no lake in '{self._root}': it holds '{min(foreign)}'")
        self._root.mkdir(parents=True, exist_ok=True)
        TelemetryTable.create(self._root)

    def _reopen(self) -> None:
        """Look at the table anew, and make sure that what is seen will not vanish."""
        self._table = TelemetryTable.open(self._root)
        self._snapshot = self._table.snapshot()
        self._sync(entry(self._log, self._table.version))
        self._sync(self._log)
        self._is_unsure = False

    def _catch_up(self) -> None:
        """Take in what others have committed, and end if one of them wrote what we write."""
        if self._is_unsure or entry(self._log, self._table.version + 1).exists():
            self._reopen()
            self._is_stale |= self._fence.is_passed(
                self._table.marks(self._fence.marks), self._flush
            )
        if self._is_stale:
            raise StaleWriter(
                f"another ingest writes '{self._data}': its flush is {self._snapshot.flush},"
                f" the last one from here was {self._flush}"
            )

    # ── one commit ───────────────────────────────────────────────────────────────────────────────

    def _store(self, flush: Flush) -> None:
        with self._turn:
            self._catch_up()
        replaced = self._stream_parts_to_merge()
        known = read_all(Snapshot(parts=replaced), STREAMS) if replaced else None
        tables = list(tables_of(flush, known))
        with self._turn:
            self._catch_up()
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
        held = {path_of(part) for part in self._snapshot.parts}
        if not held.issuperset(map(path_of, replaced)):
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
        """Write the log entry and sync it; `written` is gone if that fails.

        Args:
            enter: writes the entry, with the name that it is given.

        Returns:
            the version that the entry follows.
        """
        before, commit = self._table.version, uuid.uuid4().hex
        try:
            with self._turn:
                self._catch_up()
                base = self._enter(commit, enter)
                self._make_durable(base)
        except BaseException:
            if not is_entered(self._log, before, commit):
                self._files.discard(written)
            raise
        self._files.settle(written)
        return base

    def _stream_parts_to_merge(self) -> tuple[Part, ...]:
        parts = tuple(part for part in self._snapshot.parts if part.group == STREAMS)
        is_due = self._fence.keeps_house and len(parts) >= _MAX_STREAM_FILES * self._fence.writers
        return parts if is_due else ()

    def _label_columns(self, tables: Sequence[Table]) -> None:
        """Make each signal a column of the table, which says what groups hold it."""
        known, wanted = self._snapshot.groups, groups_with(self._snapshot.groups, tables)
        if wanted == known:
            return
        added = {path: wanted[path] for path in wanted if path not in known}
        if added:
            self._alter(lambda: self._table.add_columns(added))
        for path in known:
            if wanted[path] != known[path]:
                self._alter(partial(self._table.label_column, path, wanted[path]))
        self._snapshot = replace(self._snapshot, groups=wanted)

    def _alter(self, change: Callable[[], None]) -> None:
        """One entry that changes the columns, durable before the next is begun."""
        before, self._is_unsure = self._table.version, True
        change()
        self._make_durable(before)
        self._is_unsure = False

    def _enter(self, commit: str, enter: Callable[[str], None]) -> int:
        """Write the log entry: at its end the commit is visible, though not yet durable.

        Returns:
            the version that the entry follows.
        """
        is_retry = False
        while True:
            base, self._is_unsure = self._table.version, True
            try:
                enter(commit)
                return base
            except FAILURES as error:
                if is_entered(self._log, base, commit):
                    self._table = TelemetryTable.open(self._root)
                    return base
                # A conflict with anybody but another ingest is none the second time.
                self._catch_up()
                if is_retry or not isinstance(error, CONFLICT):
                    raise
                is_retry = True

    def _make_durable(self, before: int) -> None:
        """Sync the entries after version `before`; if that fails, take ours out again."""
        versions = range(before + 1, self._table.version + 1)
        try:
            for version in versions:
                self._sync(entry(self._log, version))
            self._sync(self._log)
        except OSError:
            if len(versions) == 1:
                entry(self._log, before + 1).unlink(missing_ok=True)
            self._is_stale = len(versions) > 1
            raise

    def _show(self, base: int, written: Sequence[Part], replaced: Sequence[Part]) -> None:
        if self._table.version == base + 1:
            gone = {path_of(part) for part in replaced}
            parts = [part for part in self._snapshot.parts if path_of(part) not in gone]
            shown = in_order([*parts, *written])
            self._snapshot = replace(self._snapshot, flush=self._flush, parts=shown)
        else:
            self._snapshot = self._table.snapshot()
        self._is_unsure = False

    # ── after the commit ─────────────────────────────────────────────────────────────────────────

    def _keep_house(self) -> None:
        """Remove what crashes left behind, and write a checkpoint when one is due.

        The flush is stored: nothing here may fail it.
        """
        try:
            if not self._is_tidy:
                # Not before the first commit: only it proves that no other ingest is at work.
                kept = {path_of(part) for part in self._snapshot.parts}
                self._files.remove_orphans(kept, self._first_flush)
                self._is_tidy = True
            entries = self._table.version - self._checkpointed
            if self._fence.keeps_house and entries >= self._checkpoint_every:
                with self._turn:
                    self._checkpoint()
        except FAILURES as error:
            logger.warning("lake house-keeping failed error=%s", one_line(error))

    def _checkpoint(self) -> None:
        self._table.checkpoint()
        try:
            for path in checkpoint_files(self._log):
                self._sync(path)
            self._sync(self._log)
        except OSError:
            for path in checkpoint_files(self._log):
                path.unlink(missing_ok=True)
            raise
        self._table = TelemetryTable.open(self._root)
        self._checkpointed = self._table.version
