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
from datetime import date
from pathlib import Path
from typing import Final

from contactor.cloud.lake.delta import CONFLICT, FAILURES, TelemetryTable
from contactor.cloud.lake.failures import one_line
from contactor.cloud.lake.known_table import KnownTable
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
from contactor.cloud.lake.parts import PartFiles, number_of, path_of
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import STREAMS, Flush, StoredCodebook, StreamState
from contactor.cloud.lake.tables import (
    Table,
    check_number,
    groups_with,
    tables_of,
)
from contactor.cloud.lake.translation import reading, writing
from contactor.cloud.lake.vacuum import old_log_files, unneeded
from contactor.cloud.lake.writers import Fence, Turn, number_in
from contactor.errors import LakeError

logger = logging.getLogger(__name__)

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
        # What crashes left behind is known as such only to who writes alone.
        self._is_tidy = self._fence.is_shared
        with reading(data):
            is_new = not data.exists()
            self._root.parent.mkdir(parents=True, exist_ok=True)
            with self._turn:
                self._open(is_new=is_new)

    @property
    def next_flush(self) -> int:
        return self._known.flush + 1

    def snapshot(self) -> Snapshot:
        return self._known.snapshot

    def streams(self) -> list[StreamState]:
        return self._known.streams()

    def codebooks(self) -> list[StoredCodebook]:
        return self._known.codebooks()

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
                needed = {
                    path_of(part) for part in self._known.snapshot.parts
                } | self._files.under_way
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
        self._known = KnownTable(self._data, self._fence, find=self._find)
        if self._known.handle.missing:
            self._alter(self._known.handle.add_missing)
        for folder in (self._root, self._root.parent, self._data):
            self._sync(folder)
        checkpoint = next(iter(checkpoint_files(self._log)), None)
        self._checkpointed = int(checkpoint.name[:20]) if checkpoint else 0
        marks = self._known.handle.marks()
        self._known.flush = self._first_flush = number_in(marks.values())
        if self._fence.must_claim(marks):
            before = self._known.version
            self._known.claim()
            self._make_durable(before)
            self._known.show(before, (), ())

    def _create(self) -> None:
        held = self._root.iterdir() if self._root.exists() else ()
        foreign = [path.name for path in held if path != self._log]
        if foreign:
            raise LakeError(f"no lake in '{self._root}': it holds '{min(foreign)}'")
        self._root.mkdir(parents=True, exist_ok=True)
        TelemetryTable.create(self._root)

    def _find(self) -> TelemetryTable:
        """The newest version, made sure not to vanish."""
        table = TelemetryTable.open(self._root)
        self._sync(entry(self._log, table.version))
        self._sync(self._log)
        return table

    def _catch_up(self) -> None:
        """Take in what others have committed, and end if one of them wrote what we write."""
        if self._known.is_unsure or entry(self._log, self._known.version + 1).exists():
            self._known.reopen()
        self._known.check()

    # ── one commit ───────────────────────────────────────────────────────────────────────────────

    def _store(self, flush: Flush) -> None:
        known = self._known
        with self._turn:
            self._catch_up()
        replaced = known.stream_parts_to_merge()
        merged = read_all(Snapshot(parts=replaced), STREAMS) if replaced else None
        tables = list(tables_of(flush, merged))
        with self._turn:
            self._catch_up()
            self._label_columns(tables)
        written = self._files.write(tables, flush.number)
        base = self._commit(
            written,
            lambda commit: known.handle.enter(
                flush.number, commit, written, replaced, marks=self._fence.marks
            ),
        )
        known.flush = flush.number
        known.show(base, written, replaced)

    def _swap(
        self,
        replaced: Sequence[Part],
        written: Sequence[Part],
        *,
        is_change: bool,
        kept_from: Mapping[str, date],
    ) -> bool:
        known = self._known
        if not known.holds(replaced):
            self._files.discard(written)
            return False
        base = self._commit(
            written,
            lambda commit: known.handle.enter_rewrite(
                commit, written, replaced, is_change=is_change, kept_from=kept_from
            ),
        )
        known.show(base, written, replaced, kept_from=kept_from)
        return True

    def _commit(self, written: Sequence[Part], enter: Callable[[str], None]) -> int:
        """Write the log entry and sync it; `written` is gone if that fails.

        Args:
            enter: writes the entry, with the name that it is given.

        Returns:
            the version that the entry follows.
        """
        before, commit = self._known.version, uuid.uuid4().hex
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

    def _label_columns(self, tables: Sequence[Table]) -> None:
        """Make each signal a column of the table, which says what groups hold it."""
        wanted = groups_with(self._known.snapshot.groups, tables)
        for change in self._known.column_changes(wanted):
            self._alter(change)
        self._known.show_columns(wanted)

    def _alter(self, change: Callable[[], None]) -> None:
        """One entry that changes the columns, durable before the next is begun."""
        before, self._known.is_unsure = self._known.version, True
        change()
        self._make_durable(before)
        self._known.is_unsure = False

    def _enter(self, commit: str, enter: Callable[[str], None]) -> int:
        """Write the log entry: at its end the commit is visible, though not yet durable.

        Returns:
            the version that the entry follows.
        """
        is_retry = False
        while True:
            base, self._known.is_unsure = self._known.version, True
            try:
                enter(commit)
                return base
            except FAILURES as error:
                if is_entered(self._log, base, commit):
                    self._known.renew()
                    return base
                # A conflict with anybody but another ingest is none the second time.
                self._catch_up()
                if is_retry or not isinstance(error, CONFLICT):
                    raise
                is_retry = True

    def _make_durable(self, before: int) -> None:
        """Sync the entries after version `before`; if that fails, take ours out again."""
        versions = range(before + 1, self._known.version + 1)
        try:
            for version in versions:
                self._sync(entry(self._log, version))
            self._sync(self._log)
        except OSError:
            if len(versions) == 1:
                entry(self._log, before + 1).unlink(missing_ok=True)
            self._known.is_stale = len(versions) > 1
            raise

    # ── after the commit ─────────────────────────────────────────────────────────────────────────

    def _keep_house(self) -> None:
        """Remove what crashes left behind, and write a checkpoint when one is due.

        The flush is stored: nothing here may fail it.
        """
        try:
            if not self._is_tidy:
                # Not before the first commit: only it proves that no other ingest is at work.
                kept = {path_of(part) for part in self._known.snapshot.parts}
                self._files.remove_orphans(kept, self._first_flush)
                self._is_tidy = True
            entries = self._known.version - self._checkpointed
            if self._fence.keeps_house and entries >= self._checkpoint_every:
                with self._turn:
                    self._checkpoint()
        except FAILURES as error:
            logger.warning("lake house-keeping failed error=%s", one_line(error))

    def _checkpoint(self) -> None:
        self._known.handle.checkpoint()
        try:
            for path in checkpoint_files(self._log):
                self._sync(path)
            self._sync(self._log)
        except OSError:
            for path in checkpoint_files(self._log):
                path.unlink(missing_ok=True)
            raise
        self._known.renew()
        self._checkpointed = self._known.version
