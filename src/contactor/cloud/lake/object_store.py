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
from datetime import date
from typing import Final

from contactor.cloud.lake.delta import CONFLICT, FAILURES, TelemetryTable
from contactor.cloud.lake.failures import one_line
from contactor.cloud.lake.known_table import KnownTable
from contactor.cloud.lake.object_files import ObjectFiles
from contactor.cloud.lake.object_url import check_url
from contactor.cloud.lake.parts import number_of
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
from contactor.cloud.lake.writers import Fence, number_in

logger = logging.getLogger(__name__)

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
        with reading(self._url):
            self._files = ObjectFiles(self._url)
            self._open()

    @property
    def next_flush(self) -> int:
        return self._known.flush + 1

    def snapshot(self) -> Snapshot:
        return self._known.snapshot

    def streams(self) -> list[StreamState]:
        return self._known.streams()

    def codebooks(self) -> list[StoredCodebook]:
        return self._known.codebooks()

    def stored_bytes(self) -> int:
        """What the files of rows take that the newest version names."""
        names = {self._files.name_of(part) for part in self._known.snapshot.parts}
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
                needed = {self._files.name_of(part) for part in self._known.snapshot.parts}
            return self._files.vacuum(needed, found, before_s=before)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        if not TelemetryTable.exists(self._url):
            try:
                TelemetryTable.create(self._url)
            except FAILURES:
                if not TelemetryTable.exists(self._url):  # else another was faster
                    raise
        self._known = known = KnownTable(self._url, self._fence, find=self._find)
        self._repeat(lambda: known.handle.add_missing() if known.handle.missing else None)
        self._since_checkpoint = self._checkpoint_every
        known.flush = number_in(known.handle.marks().values())
        if self._fence.must_claim(known.handle.marks()):
            self._repeat(known.claim)
        known.snapshot = known.handle.snapshot()

    def _repeat(self, change: Callable[[], None]) -> None:
        """Make one entry that rests on what the table is now, however many others do so too."""
        for attempt in range(_ATTEMPTS):
            try:
                change()
            except CONFLICT:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._known.reopen()
            else:
                return

    def _find(self) -> TelemetryTable:
        return TelemetryTable.open(self._url, size_of=self._files.size_of)

    def _catch_up(self) -> None:
        """Take in what others have committed, and end if one of them wrote what we write."""
        if self._known.is_unsure:
            self._known.reopen()
        else:
            self._known.update()
        self._known.check()

    # ── one commit ───────────────────────────────────────────────────────────────────────────────

    def _store(self, flush: Flush) -> None:
        known = self._known
        replaced = known.stream_parts_to_merge()
        merged = read_all(Snapshot(parts=replaced), STREAMS) if replaced else None
        tables = list(tables_of(flush, merged))
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
        try:
            self._catch_up()
        except BaseException:
            self._files.discard(written)
            raise
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
        """Write the log entry; `written` is gone if that fails for certain.

        Args:
            enter: writes the entry, with the name that it is given.

        Returns:
            the version that the entry follows.
        """
        before, commit = self._known.version, uuid.uuid4().hex
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
            base, self._known.is_unsure = self._known.version, True
            try:
                enter(commit)
            except FAILURES as error:
                # The answer to a put that went well may have been lost on its way.
                if self._files.is_entered(base, commit):
                    self._known.renew()
                    return base
                self._catch_up()
                if attempt == _ATTEMPTS - 1 or not isinstance(error, CONFLICT):
                    raise
            else:
                return base
        raise AssertionError("the last attempt returns or raises")

    def _label_columns(self, tables: Sequence[Table]) -> None:
        """Make each signal a column of the table, which says what groups hold it."""
        known = self._known
        for attempt in range(_ATTEMPTS):
            wanted = groups_with(known.snapshot.groups, tables)
            try:
                for change in known.column_changes(wanted):
                    known.is_unsure = True
                    change()
            except CONFLICT:
                self._catch_up()
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                known.show_columns(wanted)
                return

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
        self._known.handle.checkpoint()
        self._since_checkpoint = 0
        self._known.renew()
