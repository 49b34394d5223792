"""A lake store in memory: for tests and for trying things out. Nothing survives the process.

store = MemoryStore()
store.commit(Flush(store.next_flush, {Group.DRIVE: frame}, [], [], []))
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import CODEBOOKS, STREAMS, Flush, StoredCodebook, StreamState
from contactor.cloud.lake.tables import (
    Table,
    check_number,
    codebooks,
    groups_with,
    part_of,
    states,
    tables_of,
)


class MemoryStore:
    """Keeps every table as a frame."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()

    @property
    def next_flush(self) -> int:
        return self._snapshot.flush + 1

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def streams(self) -> list[StreamState]:
        return states(read_all(self._snapshot, STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        return codebooks(read_all(self._snapshot, CODEBOOKS))

    def check(self) -> None:
        """It has no second writer."""

    def commit(self, flush: Flush) -> None:
        check_number(flush, self.next_flush)
        tables = list(tables_of(flush))
        groups = groups_with(self._snapshot.groups, tables)
        added = (part_of(table, table.frame) for table in tables)
        parts = (*self._snapshot.parts, *added)
        self._snapshot = replace(self._snapshot, flush=flush.number, parts=parts, groups=groups)

    def rewrite(
        self,
        replaced: Sequence[Part],
        tables: Iterable[Table],
        *,
        is_packed: bool = True,
        is_change: bool = False,
        kept_from: Mapping[str, date] | None = None,
    ) -> bool:
        if not set(self._snapshot.parts).issuperset(replaced):
            return False
        first = self._snapshot.parts.index(replaced[0])
        before = [part for part in self._snapshot.parts[:first] if part not in replaced]
        after = [part for part in self._snapshot.parts[first:] if part not in replaced]
        added = [part_of(table, table.frame, is_packed=is_packed) for table in tables]
        self._snapshot = replace(
            self._snapshot,
            parts=(*before, *added, *after),
            kept_from={**self._snapshot.kept_from, **(kept_from or {})},
        )
        return True

    def vacuum(self, *, older_than_s: float) -> int:
        return 0
