"""What the lake asks of a store. Drivers: `MemoryStore`, `LocalStore`, `ObjectStore`.

To read alone there are `LocalReader` and `ObjectReader`.

store.commit(Flush(store.next_flush, tables, streams, gaps, quarantined))
store.rewrite(parts, tables)        # `LakeKeeper`: what the upkeep asks besides
snapshot = store.snapshot()         # from now on this instant, whatever is committed later
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

import polars as pl

from contactor.cloud.lake.schema import Flush, StoredCodebook, StreamState


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One stored file, or frame in memory: rows of one group and day, by vehicle and ts.

    Fields:
        vehicles: the least and greatest vehicle id in it; None where that is not known.
        ts: the least and greatest instant in it, ns.
        source: a Parquet file, by path or url, or the rows themselves.
        is_packed: whether it is written to stay, and its rows are in the tiers.
    """

    group: str
    day: date
    row_count: int
    vehicles: tuple[str, str] | None
    ts: tuple[int, int]
    source: Path | str | pl.DataFrame
    is_packed: bool = False

    def may_hold(self, vehicle_id: str | None, start: int | None, end: int | None) -> bool:
        """Whether a row of that vehicle and of [start, end) may be in it."""
        if vehicle_id is not None and self.vehicles is not None:
            low, high = self.vehicles
            if not low <= vehicle_id <= high:
                return False
        return (start is None or self.ts[1] >= start) and (end is None or self.ts[0] < end)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The lake at one instant.

    Fields:
        flush: the number of the newest flush in it; 0 before the first.
        parts: in the order in which they were stored.
        groups: for each signal with a column of its own, the groups that hold it.
        kept_from: for a tier, or `raw` for the rows themselves, the day before which none are kept.
    """

    flush: int = 0
    parts: tuple[Part, ...] = ()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kept_from: Mapping[str, date] = field(default_factory=dict)


class LakeReader(Protocol):
    """What is stored, as of the newest commit."""

    def snapshot(self) -> Snapshot:
        """The newest committed instant.

        Raises:
            LakeError: the lake cannot be read.
        """
        ...

    def streams(self) -> list[StreamState]:
        """The newest state of every stream."""
        ...

    def codebooks(self) -> list[StoredCodebook]:
        """Every codebook, in the order in which they were stored."""
        ...


class LakeStore(LakeReader, Protocol):
    """Stores flushes, each whole or not at all. One writer at a time."""

    @property
    def next_flush(self) -> int:
        """The number that the next flush must have."""
        ...

    def check(self) -> None:
        """Return if the next flush would be taken from here.

        Raises:
            StaleWriter: somebody else writes now what this writer wrote.
            LakeError: the lake cannot be read.
        """
        ...

    def commit(self, flush: Flush) -> None:
        """Store `flush`; when this returns, everything in it survives a power cut.

        Raises:
            FolderFull: no space left.
            StaleWriter: `flush` is not the next one: somebody else has written meanwhile.
            LakeError: it could not be stored.
            After any of these nothing of `flush` is stored.
        """
        ...
