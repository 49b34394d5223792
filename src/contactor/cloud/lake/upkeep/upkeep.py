"""The lake's upkeep, done: one rewrite after another, each whole or not at all.

    upkeep = Upkeep(store, ages=Ages(raw_days=365))
    upkeep.run(now_ns=clock.now_ns(), on_progress=print)

Runs beside the ingest: what is read was committed, and only a rewrite's log entry waits for its
turn between two commits. Killed at any moment it has done some of its rewrites, and the rest is due
again. What a rewrite replaced is deleted when nobody who looked half an hour ago can need it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.reading import columns_of
from contactor.cloud.lake.tables import Table
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.merge import by_vehicles, filled, joined, vehicles_of
from contactor.cloud.lake.upkeep.plan import MAX_CELLS, TIERS, Kind, Task, due
from contactor.cloud.lake.upkeep.tiers import ORDER, combine, tier_tables
from contactor.signals.groups import Group

KEPT_S: Final = 1800.0
"""How long replaced files stay for those who look at an older snapshot."""

OnProgress = Callable[[int, int], None]
"""Is told how many rows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run came to."""

    rewrites: int = 0
    parts_before: int = 0
    parts_after: int = 0
    files_deleted: int = 0


class _Stopped(Exception):  # no error: somebody wants to go home
    """The run was told to stop."""


class Upkeep:
    """Keeps one lake in order."""

    def __init__(
        self,
        store: LakeKeeper,
        *,
        ages: Ages | None = None,
        max_cells: int = MAX_CELLS,
        kept_s: float = KEPT_S,
    ) -> None:
        """An upkeep of `store`.

        Args:
            ages: how long rows and sums are kept; for ever unless they say otherwise.
            max_cells: rows x columns that are held at once, about.
            kept_s: how long replaced files stay.
        """
        self._store, self._ages = store, ages or Ages()
        self._max_cells, self._kept_s = max_cells, kept_s

    def run(
        self,
        *,
        now_ns: int,
        is_thorough: bool = False,
        on_progress: OnProgress | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Done:
        """Do all that is due.

        Args:
            is_thorough: also what is only a little untidy.
            is_stopped: asked now and then; what is begun is then given up.

        Raises:
            FolderFull, StaleWriter, LakeError: as the store.
        """
        before, rewrites = self._store.snapshot(), 0
        # What the first pass sums up is combined by the second.
        for _ in range(2 if is_thorough else 1):
            done = 0
            tasks = due(
                self._store.snapshot(), now_ns=now_ns, ages=self._ages, is_thorough=is_thorough
            )
            total = sum(task.row_count for task in tasks)
            for task in tasks:
                if is_stopped():
                    break
                with suppress(_Stopped):
                    rewrites += self._do(task, is_stopped)
                    done += task.row_count
                    if on_progress is not None:
                        on_progress(done, total)
        deleted = self._store.vacuum(older_than_s=self._kept_s)
        return Done(rewrites, len(before.parts), len(self._store.snapshot().parts), deleted)

    def _do(self, task: Task, is_stopped: Callable[[], bool]) -> bool:
        parts, tables = self._of(task)

        def until_stopped() -> Iterator[Table]:
            for table in tables:
                if is_stopped():
                    raise _Stopped
                yield table

        return self._store.rewrite(
            parts,
            until_stopped(),
            is_packed=task.kind is not Kind.MERGE,
            is_change=task.kind is Kind.RETIRE,
            kept_from=task.kept_from,
        )

    def _of(self, task: Task) -> tuple[Sequence[Part], Iterator[Table]]:
        """What is replaced, and by what."""
        if task.kind is Kind.MERGE:
            return task.parts, self._merged(task)
        if task.kind is Kind.RETIRE:
            loose = [part for part in task.parts if not part.is_packed]
            return task.parts, self._sums(loose)
        if task.group in TIERS:
            return task.parts, self._combined(task)
        if task.group not in tuple(Group):
            return task.parts, self._joined(task)
        loose = [part for part in task.parts if not part.is_packed]
        packed = [part for part in task.parts if part.is_packed]
        touched = self._touched(loose, packed)
        return [*touched, *loose], self._packed(task, touched, loose)

    def _merged(self, task: Task) -> Iterator[Table]:
        for rows in by_vehicles(task.parts, max_cells=2 * self._max_cells):
            yield Table(task.group, task.day, rows)

    def _packed(
        self, task: Task, touched: Sequence[Part], loose: Sequence[Part]
    ) -> Iterator[Table]:
        for rows in by_vehicles([*touched, *loose], max_cells=self._max_cells):
            yield Table(task.group, task.day, rows)
        yield from self._sums(loose)

    def _sums(self, loose: Sequence[Part]) -> Iterator[Table]:
        """The tiers of rows that are in none yet."""
        if loose and loose[0].group in tuple(Group):
            for rows in by_vehicles(loose, max_cells=self._max_cells):
                for tier in TIERS:
                    yield from tier_tables(rows, tier)

    def _combined(self, task: Task) -> Iterator[Table]:
        for sums in by_vehicles(task.parts, max_cells=self._max_cells, order=ORDER):
            yield Table(task.group, task.day, filled(combine([sums])))

    def _joined(self, task: Task) -> Iterator[Table]:
        yield Table(task.group, task.day, joined(task.parts))

    def _touched(self, loose: Sequence[Part], packed: Sequence[Part]) -> list[Part]:
        """Those of the packed parts that may hold a vehicle of the loose ones, or are small."""
        if not packed:
            return []
        vehicles = vehicles_of(loose)["vehicle_id"].to_list()
        width = len(columns_of(packed[:1]))
        return [
            part
            for part in packed
            if part.row_count * width < self._max_cells // 8
            or any(part.may_hold(vehicle_id, None, None) for vehicle_id in vehicles)
        ]
