"""A lake store in memory: for tests and for trying things out. Nothing survives the process.

store = MemoryStore()
store.commit(Flush(store.next_flush, {Group.DRIVE: frame}, [], [], []))
"""

from contactor.cloud.lake.ports import Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import STREAMS, Flush, StreamState
from contactor.cloud.lake.tables import check_number, groups_with, part_of, states, tables_of


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

    def commit(self, flush: Flush) -> None:
        check_number(flush, self.next_flush)
        tables = list(tables_of(flush))
        groups = groups_with(self._snapshot.groups, tables)
        added = (part_of(table, table.frame) for table in tables)
        self._snapshot = Snapshot(flush.number, (*self._snapshot.parts, *added), groups)
