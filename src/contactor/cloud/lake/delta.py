"""One Delta table as the lake uses it; the only file that knows deltalake.

    table = TelemetryTable.open(root)
    table.enter(42, "1f0c...", written, merged)     # one log entry, visible when this returns
    table.snapshot()

Nothing here is durable: deltalake never calls fsync. `local` sees to that.

Statistics are kept of `vehicle_id` and `ts` alone, and the table says so
(`delta.dataSkippingStatsColumns`): without that deltalake's pyarrow dataset takes a column without
statistics for one without values, and its filters drop rows.

Source: Delta Transaction Log Protocol.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
from deltalake import (
    CommitProperties,
    DeltaTable,
    Field,
    PostCommitHookProperties,
    Schema,
    Transaction,
)
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from contactor.clock import NS_PER_MS
from contactor.cloud.lake.log import FILES_ADDED, FILES_REMOVED, MARKS
from contactor.cloud.lake.object_url import options_of
from contactor.cloud.lake.parts import in_order, is_packed
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.schema import (
    BASE,
    HOUR,
    MINUTE,
    OLDEST,
    PARTITION,
    RAW,
    is_signal,
    storage_type,
)
from contactor.cloud.lake.writers import ALL_MARKS, ALONE
from contactor.errors import LakeError
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group

# What deltalake raises, and what it raises when another writer was faster.
FAILURES: Final = (DeltaError, OSError)
CONFLICT: Final = CommitFailedError

_KEPT: Final = "kept from: "
_COMMIT: Final = "contactor.commit"
_GROUPS: Final = "contactor.groups"
_LOOKS: Final = 3
_NO_HOOK: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_CONFIGURATION: Final[dict[str, str | None]] = {"delta.dataSkippingStatsColumns": "vehicle_id,ts"}

Root = Path | str
SizeOf = Callable[[Root, str], int]


def _size_of_file(root: Root, name: str) -> int:
    return Path(root, name).stat().st_size


class TelemetryTable:
    """A handle on the table at `root`, as of one version."""

    def __init__(self, root: Root, table: DeltaTable, size_of: SizeOf) -> None:
        self._root, self._table, self._size_of = root, table, size_of

    @classmethod
    def exists(cls, root: Root) -> bool:
        """Whether there is a Delta table."""
        return DeltaTable.is_deltatable(str(root), storage_options=options_of(root))

    @classmethod
    def create(cls, root: Root) -> None:
        """Make an empty table where there is none."""
        DeltaTable.create(
            str(root),
            schema=Schema.from_arrow(pl.Schema(BASE)),
            partition_by=list(PARTITION),
            configuration=_CONFIGURATION,
            storage_options=options_of(root),
        )

    @classmethod
    def open(
        cls, root: Root, version: int | None = None, *, size_of: SizeOf = _size_of_file
    ) -> "TelemetryTable":
        """The table at `root`, a folder or a url, at its newest or the given version.

        Args:
            size_of: how many bytes a file has whose name below `root` is given; for a url.

        Raises:
            LakeError: it is no table of ours.
        """
        table = DeltaTable(str(root), version=version, storage_options=options_of(root))
        columns = {field.name for field in table.schema().fields}
        is_ours = table.metadata().partition_columns == list(PARTITION)
        if not is_ours or not columns.issuperset(OLDEST):
            raise LakeError(f"no lake in '{root}': it is a Delta table of another schema")
        return cls(root, table, size_of)

    @property
    def version(self) -> int:
        return self._table.version()

    def update(self) -> None:
        """Take in what was committed since."""
        self._table.update_incremental()

    def snapshot(self) -> Snapshot:
        """The files of this version, in the order in which they were stored."""
        files = pl.DataFrame(self._table.get_add_actions(flatten=True))
        parts = in_order(self._part(row) for row in files.iter_rows(named=True))
        fields = self._table.schema().fields
        groups = {field.name: _groups(field) for field in fields if is_signal(field.name)}
        flush = self.marks([ALONE]).get(ALONE, 0)
        return Snapshot(flush, parts, groups, self._kept_from())

    def _kept_from(self) -> dict[str, date]:
        days = {tier: self._table.transaction_version(_KEPT + tier) for tier in (RAW, MINUTE, HOUR)}
        return {tier: date.fromordinal(day) for tier, day in days.items() if day}

    def marks(self, names: Iterable[str] = ALL_MARKS) -> dict[str, int]:
        """The number of the newest commit under each of those marks that was ever written.

        Each takes deltalake half a millisecond: ask for no more than are needed.
        """
        numbers = {mark: self._table.transaction_version(mark) for mark in names}
        return {mark: number for mark, number in numbers.items() if number is not None}

    @property
    def missing(self) -> list[str]:
        """The columns of `BASE` that the table lacks: it was made by an older version."""
        held = {field.name for field in self._table.schema().fields}
        return [name for name in BASE if name not in held]

    def add_missing(self) -> None:
        """Add them; one log entry."""
        fields = Schema.from_arrow(pl.Schema({name: BASE[name] for name in self.missing})).fields
        self._table.alter.add_columns(fields, post_commithook_properties=_NO_HOOK)

    def add_columns(self, groups: Mapping[str, frozenset[str]]) -> None:
        """Add a column per signal, which says what groups hold it; one log entry."""
        fields = [_field(path, groups[path]) for path in groups]
        self._table.alter.add_columns(fields, post_commithook_properties=_NO_HOOK)

    def label_column(self, path: str, groups: frozenset[str]) -> None:
        """Make a signal's column say what groups hold it; one log entry."""
        self._table.alter.set_column_metadata(
            path, _groups_text(groups), post_commithook_properties=_NO_HOOK
        )

    def enter(
        self,
        number: int,
        commit: str,
        written: Sequence[Part],
        replaced: Iterable[Part],
        *,
        marks: Iterable[str],
    ) -> None:
        """Write the log entry of flush `number`, which adds and removes those files.

        Args:
            commit: a name of its own, by which the entry can be found again.
            marks: under which the number is written (`writers`).
        """
        self._table.create_write_transaction(
            [
                *(self._removal(part, is_change=True) for part in replaced),
                *(self._addition(part, is_change=True) for part in written),
            ],
            mode="append",
            schema=self._table.schema(),
            partition_by=list(PARTITION),
            commit_properties=CommitProperties(
                custom_metadata={FILES_ADDED: str(len(written)), _COMMIT: commit},
                app_transactions=[Transaction(mark, number) for mark in marks],
            ),
            post_commithook_properties=_NO_HOOK,
        )
        self._table.update_incremental()

    def enter_rewrite(
        self,
        commit: str,
        written: Sequence[Part],
        replaced: Sequence[Part],
        *,
        is_change: bool,
        kept_from: Mapping[str, date],
    ) -> None:
        """Write the log entry that puts `written` in the place of `replaced`; it is no flush.

        Args:
            is_change: whether the rows are others than before (Delta's `dataChange`).
            kept_from: noted as transaction marks, each with the number of its day.
        """
        self._table.create_write_transaction(
            [
                *(self._removal(part, is_change=is_change) for part in replaced),
                *(self._addition(part, is_change=is_change) for part in written),
            ],
            mode="append",
            schema=self._table.schema(),
            partition_by=list(PARTITION),
            commit_properties=CommitProperties(
                custom_metadata={
                    FILES_ADDED: str(len(written)),
                    FILES_REMOVED: str(len(replaced)),
                    MARKS: str(len(kept_from)),
                    _COMMIT: commit,
                },
                app_transactions=[
                    Transaction(_KEPT + tier, day.toordinal()) for tier, day in kept_from.items()
                ],
            ),
            post_commithook_properties=_NO_HOOK,
        )
        self._table.update_incremental()

    def checkpoint(self) -> None:
        """Write the sum of all entries up to this version."""
        self._table.create_checkpoint()

    def _part(self, row: Mapping[str, Any]) -> Part:
        low, high = row.get("min.vehicle_id"), row.get("max.vehicle_id")
        return Part(
            group=row["partition.group"],
            day=row["partition.day"],
            row_count=row["num_records"],
            vehicles=None if low is None or high is None else (low, high),
            ts=(row["min.ts"], row["max.ts"]),
            source=self._source(row["path"]),
            is_packed=is_packed(row["path"]),
        )

    def _addition(self, part: Part, *, is_change: bool) -> AddAction:
        name = self._name(part)
        least: dict[str, int | str] = {"ts": part.ts[0]}
        greatest: dict[str, int | str] = {"ts": part.ts[1]}
        if part.vehicles is not None:
            least["vehicle_id"], greatest["vehicle_id"] = part.vehicles
        statistics = {
            "numRecords": part.row_count,
            "minValues": least,
            "maxValues": greatest,
            "nullCount": dict.fromkeys(least, 0),
        }
        return AddAction(
            name,
            self._size_of(self._root, name),
            _partition(part),
            _now_ms(),
            is_change,
            json.dumps(statistics),
        )

    def _removal(self, part: Part, *, is_change: bool) -> RemoveAction:
        name = self._name(part)
        size = self._size_of(self._root, name)
        return RemoveAction(name, is_change, _now_ms(), size, _partition(part))

    def _source(self, name: str) -> Path | str:
        return self._root / name if isinstance(self._root, Path) else f"{self._root}/{name}"

    def _name(self, part: Part) -> str:
        """Its name below the root."""
        assert not isinstance(part.source, pl.DataFrame)
        return str(part.source)[len(str(self._root)) + 1 :]


def look(find: Callable[[], TelemetryTable]) -> tuple[TelemetryTable, Snapshot]:
    """A table that is read beside its writer, and what is in it.

    An erasure or a vacuum may remove the log entries that are about to be read; then the table is
    looked for again, a few times.

    Args:
        find: opens the table as it is now.

    Raises:
        FAILURES: it cannot be read.
    """
    for _ in range(_LOOKS - 1):
        with suppress(*FAILURES):
            table = find()
            return table, table.snapshot()
    table = find()
    return table, table.snapshot()


def _field(path: str, groups: frozenset[str]) -> Field:
    dtype = storage_type(catalogue()[path].datatype)
    stored = Schema.from_arrow(pl.Schema({path: dtype})).fields[0]
    return Field(path, stored.type, nullable=True, metadata=_groups_text(groups))


def _groups_text(groups: frozenset[str]) -> dict[str, str]:
    return {_GROUPS: ",".join(sorted(groups))}


def _groups(field: Field) -> frozenset[str]:
    text = field.metadata.get(_GROUPS)
    return frozenset(text.split(",")) if text else frozenset(Group)


def _partition(part: Part) -> dict[str, str | None]:
    return {"group": part.group, "day": part.day.isoformat()}


def _now_ms() -> int:
    return time.time_ns() // NS_PER_MS
