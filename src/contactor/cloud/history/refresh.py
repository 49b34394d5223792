"""Facts of a vehicle brought up to the newest commit, in proportion to what is new.

    refresher = Refresher(store, reader, clock=clock)
    refresher.refresh("leaf")            # Refreshed(rows_read=..., from_ns=...)

           kept ────────────┬─ restart ───────────── last row
    facts  stay             │  found anew from the rows after it
                  late row ─┘

Long histories are read span by span, each kept before the next: memory stays bounded, and a refresh
that is cut off goes on where it was. What lies before the first row that the lake still keeps stays
as it was found.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import numpy as np

from contactor.clock import NS_PER_DAY, NS_PER_S, TS_RANGE, Clock
from contactor.cloud.history.changes import Change, change_of
from contactor.cloud.history.coding import Coded, Fact, Kind, coded, coded_curves, coded_evidence
from contactor.cloud.history.rows import groups_read, read_cells, read_columns
from contactor.cloud.history.store import FactStore, Known
from contactor.cloud.lake.ports import LakeReader, Part, Snapshot
from contactor.cloud.lake.reading import View
from contactor.cloud.lake.schema import RAW
from contactor.history.battery import CellVoltages, gather
from contactor.history.columns import Columns
from contactor.history.facts import Charge, Facts, Trip
from contactor.history.find import find, restart_ns

SPAN_ROWS: Final = 4_000_000
"""Rows of the parts that are read at a time, about."""
STRETCH_NS: Final = 3 * NS_PER_DAY
"""How much history one piece of evidence about the battery is of, at least."""
LOOK_BACK_NS: Final = 14 * NS_PER_DAY
"""Facts so long before a change are looked at first for where to start again."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did.

    Fields:
        from_ns: the first instant whose rows were read; None where nothing was new.
        rows_read: how many.
    """

    from_ns: int | None = None
    rows_read: int = 0


class Refresher:
    """Keeps the facts of vehicles; one vehicle is refreshed by one thread at a time."""

    def __init__(
        self, store: FactStore, reader: LakeReader, *, clock: Clock, span_rows: int = SPAN_ROWS
    ) -> None:
        self._store, self._reader, self._clock = store, reader, clock
        self._span_rows = span_rows
        self._stopped = threading.Event()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def stop(self) -> None:
        """End what is under way after the span that it is at; the next refresh goes on there."""
        self._stopped.set()

    def refresh(self, vehicle_id: str, *, on_progress: OnProgress | None = None) -> Refreshed:
        """Find what is new.

        Raises:
            LakeError: the lake cannot be read.
            FolderError: the facts cannot be kept.
        """
        with self._locks[vehicle_id]:
            view = View(self._reader.snapshot())
            before = self._store.known(vehicle_id)
            change = change_of(view.snapshot, vehicle_id, before, groups_read(view))
            if before is None:
                change = replace(change, known=replace(change.known, dirty_ns=None))
            run = _Run(self._store, view, vehicle_id, self._span_rows, self._clock.now_ns())
            return run.bring(before, change, on_progress, self._stopped.is_set)

    def rebuild(self, vehicle_id: str, *, on_progress: OnProgress | None = None) -> Refreshed:
        """Find everything anew that the lake still has rows for.

        Raises:
            LakeError, FolderError: as `refresh`.
        """
        with self._locks[vehicle_id]:
            known = self._store.known(vehicle_id)
            if known is not None:
                self._store.note(vehicle_id, replace(known, dirty_ns=TS_RANGE.start))
        return self.refresh(vehicle_id, on_progress=on_progress)


class _Run:
    """One refresh of one vehicle."""

    def __init__(
        self,
        store: FactStore,
        view: View,
        vehicle_id: str,
        span_rows: int,
        now_ns: int,
    ) -> None:
        self._store, self._view, self._vehicle_id = store, view, vehicle_id
        self._span_rows, self._now_ns = span_rows, now_ns

    def bring(
        self,
        before: Known | None,
        change: Change,
        on_progress: OnProgress | None,
        is_stopped: Callable[[], bool],
    ) -> Refreshed:
        """Look at all that is new or was left over."""
        starts = [one for one in (change.from_ns, change.known.dirty_ns) if one is not None]
        if not starts:
            if change.known != before:
                self._store.note(self._vehicle_id, change.known)
            return Refreshed()
        dirty_ns = max(min(starts), self._floor_ns(min(starts)))
        facts = Facts(intervals=(), trips=(), charges=(), stands=())
        if before is None:
            self._store.replace(
                self._vehicle_id,
                replace(change.known, dirty_ns=dirty_ns),
                facts_from_ns=None,
                evidence_from_ns=None,
                found=(),
            )
        else:
            facts = self._facts_about(dirty_ns)
        rows_read, first = 0, None
        ends = list(self._span_ends(dirty_ns))
        for number, end_ns in enumerate(ends):
            known = replace(change.known, dirty_ns=end_ns)
            from_ns, count = self._span(facts, dirty_ns, end_ns, known)
            first = from_ns if first is None else min(first, from_ns)
            rows_read += count
            if on_progress is not None:
                on_progress(number + 1, len(ends))
            if is_stopped():
                break
            if end_ns is not None:
                dirty_ns = end_ns
                facts = self._facts_about(dirty_ns)
        return Refreshed(first, rows_read)

    def _span(
        self, facts: Facts, dirty_ns: int, end_ns: int | None, known: Known
    ) -> tuple[int, int]:
        """Find what rows before `end_ns` tell, and keep it."""
        restart = max(restart_ns(facts, dirty_ns), self._floor_ns(dirty_ns))
        stretch = self._store.stretch_of(self._vehicle_id, restart)
        begin = restart if stretch is None else min(stretch, restart)
        columns = read_columns(self._view, self._vehicle_id, begin, end_ns)
        found = find(_from(columns, restart), now_ns=self._now_ns)
        every = _joined(self._store.facts(self._vehicle_id, begin, restart), found, restart)
        cells = read_cells(self._view, self._vehicle_id, begin, end_ns)
        evidence = evidence_of(columns, every, cells, begin)
        self._store.replace(
            self._vehicle_id,
            known,
            facts_from_ns=restart,
            evidence_from_ns=begin,
            found=[
                *map(coded, singles_of(found)),
                *coded_curves(columns, found.charges),
                *evidence,
            ],
        )
        return begin, len(columns)

    def _facts_about(self, at_ns: int) -> Facts:
        """Facts in which an instant is found, with all before it that it may depend on."""
        since = max(at_ns - LOOK_BACK_NS, TS_RANGE.start)
        facts = self._store.facts(self._vehicle_id, since, None)
        if facts.intervals and restart_ns(facts, at_ns) > since:
            return facts
        return self._store.facts(self._vehicle_id)

    def _floor_ns(self, at_ns: int) -> int:
        """Before that, rows are no longer kept; what was found of them stays.

        It is the end of the last fact that begins before the first day of rows.
        """
        day = self._view.snapshot.kept_from.get(RAW)
        if day is None:
            return TS_RANGE.start
        floor = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS_PER_S
        if at_ns > floor + LOOK_BACK_NS:
            return floor
        kinds = (Kind.TRIP, Kind.CHARGE)
        last = [self._store.tail(self._vehicle_id, kind, floor, 1) for kind in kinds]
        return max([floor, *(one.end_ns for some in last for one in some)])

    def _span_ends(self, dirty_ns: int) -> Iterator[int | None]:
        """Where to stop between, in whole days; None is the end of all."""
        days = _rows_by_day(self._view.snapshot, self._vehicle_id, groups_read(self._view))
        rows = 0
        for day in sorted(days):
            end_ns = (day + 1) * NS_PER_DAY
            if end_ns <= dirty_ns:
                continue
            if rows and rows + days[day] > self._span_rows:
                yield day * NS_PER_DAY
                rows = 0
            rows += days[day]
        yield None


def evidence_of(
    columns: Columns, facts: Facts, cells: CellVoltages | None, begin: int
) -> Iterator[Coded]:
    """What rows tell of the battery, in stretches from `begin` on, cut where the car stands."""
    if not len(columns):
        return
    cuts = [begin, *_cuts(facts, max(begin, int(columns.ts[0]))), int(columns.ts[-1]) + 1]
    for start, end in pairwise(cuts):
        some = _between(columns, start, end)
        if not len(some):
            continue
        told = None
        if cells is not None:
            held = slice(*np.searchsorted(cells.ts, (start, end)))
            told = CellVoltages(cells.ts[held], cells.volts[held])
        evidence = gather(some, _within(facts, start, end), cells=told)
        yield coded_evidence(start, end, evidence)


def singles_of(facts: Facts) -> list[Fact]:
    """Facts one by one."""
    return [*facts.intervals, *facts.trips, *facts.charges, *facts.stands]


def _rows_by_day(snapshot: Snapshot, vehicle_id: str, groups: frozenset[str]) -> dict[int, int]:
    """How many rows parts hold of each UTC day, of this and other vehicles."""
    found: dict[int, int] = defaultdict(int)
    for part in snapshot.parts:
        if part.group in groups and part.may_hold(vehicle_id, None, None):
            found[part.ts[0] // NS_PER_DAY] += _share(part, vehicle_id)
    return found


def _share(part: Part, vehicle_id: str) -> int:
    """How many rows of a part may be the vehicle's; of a fleet's, some."""
    is_its = part.vehicles == (vehicle_id, vehicle_id)
    return part.row_count if is_its else part.row_count // 2


def _from(columns: Columns, start_ns: int) -> Columns:
    return _between(columns, start_ns, TS_RANGE.stop - 1)


def _between(columns: Columns, start_ns: int, end_ns: int) -> Columns:
    """The rows in [start_ns, end_ns)."""
    first, last = np.searchsorted(columns.ts, (start_ns, end_ns))
    if first == 0 and last == len(columns):
        return columns
    held = slice(int(first), int(last))
    given = {field.name: getattr(columns, field.name) for field in fields(columns)}
    return replace(columns, **{name: one[held] for name, one in given.items() if one is not None})


def _joined(before: Facts, found: Facts, restart: int) -> Facts:
    """Facts kept before an instant, and those found after it."""
    return Facts(
        intervals=(*(one for one in before.intervals if one.end_ns <= restart), *found.intervals),
        trips=(*(one for one in before.trips if one.end_ns <= restart), *found.trips),
        charges=(*(one for one in before.charges if one.end_ns <= restart), *found.charges),
        stands=(*(one for one in before.stands if one.end_ns <= restart), *found.stands),
    )


def _within(facts: Facts, start_ns: int, end_ns: int) -> Facts:
    """The facts that begin in [start_ns, end_ns)."""
    return Facts(
        intervals=tuple(one for one in facts.intervals if start_ns <= one.start_ns < end_ns),
        trips=tuple(one for one in facts.trips if start_ns <= one.start_ns < end_ns),
        charges=tuple(one for one in facts.charges if start_ns <= one.start_ns < end_ns),
        stands=tuple(one for one in facts.stands if start_ns <= one.start_ns < end_ns),
    )


def _cuts(facts: Facts, begin: int) -> list[int]:
    """Instants between drives and charges, at least a stretch apart."""
    events: list[Trip | Charge] = sorted(
        [*facts.trips, *facts.charges], key=lambda one: one.start_ns
    )
    cuts, last, free_from = [], begin, begin
    for event in events:
        middle = free_from + (event.start_ns - free_from) // 2
        if event.start_ns > free_from and middle - last >= STRETCH_NS:
            cuts.append(middle)
            last = middle
        free_from = max(free_from, event.end_ns)
    return cuts
