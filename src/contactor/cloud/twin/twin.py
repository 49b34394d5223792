"""The twin: the last reported and the desired values of every car. Owned by the cloud's process.

    twin = Twin(presence=presence, clock=clock)
    twin.take_batch(batch)              # checked rows of any number of cars, once, from the ingest
    twin.signals("leaf")["Vehicle.Speed"]           # SignalNow(value=41.5, ...)
    twin.select(parse("Vehicle.Speed > 100 and connectivity == 'online'"), limit=10)
    twin.tick()                         # once a second: tells what became stale, who was lost

Rules: the newer stamp wins, of equal ones the later told. A cell that is unknown changes nothing;
one that the car calls "not available" makes the value null. What is stale: see `staleness`.
"""

import bisect
from collections.abc import Collection, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from contactor.clock import Clock, to_iso
from contactor.cloud.ingest.presence import (
    ASLEEP,
    CONNECTIVITIES,
    LOST,
    NOT_HELD,
    PAUSE_NS,
    Connectivity,
    Presence,
)
from contactor.cloud.twin.batches import last_cells, may_lie_beside, values_at
from contactor.cloud.twin.cells import GROUP_INDEX, NEVER, Cells
from contactor.cloud.twin.events import Change, ConnectivityChange, Desired, Event, Stale
from contactor.cloud.twin.feed import Feed, Subscription
from contactor.cloud.twin.hearing import Hearing
from contactor.cloud.twin.query import Query
from contactor.cloud.twin.select import where
from contactor.cloud.twin.staleness import LIMITS_NS, is_stale, stale_before
from contactor.signals.batch import RowsBatch
from contactor.signals.catalogue import Kind
from contactor.signals.groups import Group
from contactor.signals.record import Record, Value

TICK_S = 1.0


class SignalNow(msgspec.Struct, frozen=True):
    """The last value of one signal; stale once it is older than its limit."""

    value: object
    unit: str | None
    ts: str | None
    desired: object
    stale: bool


class Twin:
    """The state of every car that ever told a value; lives on one loop."""

    def __init__(self, *, presence: Presence, clock: Clock) -> None:
        self.cells = Cells()
        self.presence = presence
        self.feed = Feed(retell=self._retell, vehicles=lambda: self.cells.vehicles)
        self._clock = clock
        self._hearing = Hearing(presence, self.cells)
        self._was_stale: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._was: NDArray[np.uint8] = np.empty(0, np.uint8)

    @property
    def vehicles(self) -> Sequence[str]:
        """Every vehicle that has a value, in the order in which they came."""
        return self.cells.vehicles

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def take(self, record: Record) -> None:
        """Take in the newest cell of each column of a checked record."""
        for rows in record.groups:
            self.take_batch(RowsBatch.of(record.vehicle_id, rows))

    def take_batch(self, batch: RowsBatch) -> None:
        """Take in the newest cell of each vehicle and column of checked rows, in any order."""
        if not len(batch) or not batch.columns:
            return
        cells = self.cells
        columns = cells.columns([column.path for column in batch.columns])
        block = last_cells(batch, [cells.words[column] for column in columns])
        rows = np.array(cells.rows(block.vehicles), np.intp)
        cells.note_rows(rows, batch.group, block.newest)
        is_newer = cells.merge(
            rows,
            np.array(columns, np.intp),
            block.numbers,
            block.stamps,
            block.is_told,
            group=batch.group,
        )
        for place, (column, told) in enumerate(zip(columns, batch.columns, strict=True)):
            if may_lie_beside(told, block.numbers[place]) or cells.beside[column]:
                picked = np.flatnonzero(is_newer[place])
                values = values_at(told, block.places[place][picked])
                cells.lay_beside(column, rows[picked].tolist(), values)
            elif told.datatype.is_text:
                cells.forget_words(column)
        if self.feed.is_heard:
            self._tell(batch.group, rows, columns, block.stamps, is_newer)

    def put(
        self, vehicle_id: str, path: str, value: Value | None, *, ts: int, group: Group
    ) -> None:
        """Take in one value, None for "not available"; as when the twin is restored."""
        row = self.cells.row(vehicle_id)
        [column] = self.cells.columns([path])
        self.cells.note_rows(np.array([row]), group, np.array([ts]))
        self.cells.put(row, column, value, ts=ts, group=group)

    def want(self, vehicle_id: str, path: str, value: Value | None) -> None:
        """Set what an actuator is asked to be; None once that is settled."""
        row = self.cells.row(vehicle_id)
        [column] = self.cells.columns([path])
        self.cells.want(row, column, value)
        self.feed.publish(Desired(vehicle_id, {path: value}))

    def _tell(
        self,
        group: Group,
        rows: NDArray[np.intp],
        columns: Sequence[int],
        stamps: NDArray[np.int64],
        is_newer: NDArray[np.bool_],
    ) -> None:
        """Publish what a batch changed, and at once what of it is old already."""
        newcomers = self._grow_history()
        limit_ns = self._clock.now_ns() - int(LIMITS_NS[GROUP_INDEX[group]])
        where = np.ix_(np.array(columns, np.intp), rows)
        self._was_stale[where] = np.where(is_newer, stamps < limit_ns, self._was_stale[where])
        names = [self.cells.vehicles[row] for row in rows.tolist()]
        wanted = self.feed.wanted
        if wanted is not None:
            is_newer = is_newer & np.array([name in wanted for name in names], np.bool_)
        for one, ts, changed in self._changed(rows, columns, stamps, is_newer):
            self.feed.publish(Change.of(names[one], ts, changed))
            if ts < limit_ns:
                self.feed.publish(Stale(names[one], tuple(changed)))
        self._introduce(newcomers)

    def _changed(
        self,
        rows: NDArray[np.intp],
        columns: Sequence[int],
        stamps: NDArray[np.int64],
        is_newer: NDArray[np.bool_],
    ) -> Iterator[tuple[int, int, dict[str, Value | None]]]:
        """The place in `rows`, the stamp and the values of each change, by place, then stamp."""
        paths = [self.cells.signals[column].path for column in columns]
        is_whole = is_newer.all(axis=0) & (stamps == stamps[0]).all(axis=0)
        whole = np.flatnonzero(is_whole)
        values = [self.cells.values_of(column, rows[whole]) for column in columns]
        for one, ts, *cells in zip(whole.tolist(), stamps[0, whole].tolist(), *values, strict=True):
            yield one, ts, dict(zip(paths, cells, strict=True))
        told: dict[int, dict[int, dict[str, Value | None]]] = {}
        for place, column in enumerate(columns):
            picked = np.flatnonzero(is_newer[place] & ~is_whole)
            values_of = self.cells.values_of(column, rows[picked])
            instants: list[int] = stamps[place, picked].tolist()
            for one, ts, value in zip(picked.tolist(), instants, values_of, strict=True):
                told.setdefault(one, {}).setdefault(ts, {})[paths[place]] = value
        for one, by_ts in told.items():
            for ts, changed in sorted(by_ts.items()):
                yield one, ts, changed

    # ── what time does ───────────────────────────────────────────────────────────────────────────

    def tick(self) -> None:
        """Tell subscribers what became stale, or known again, and whose connectivity changed."""
        if not self.feed.is_heard:
            return
        self.feed.tick()
        newcomers = self._grow_history()
        now_ns = self._clock.now_ns()
        codes, before = self._hearing.codes(now_ns), self._was_stale
        self._was_stale = stale = is_stale(self.cells, self.stale_before(now_ns, codes))
        for row in self._wanted_rows((stale != before).any(axis=0)):
            self._tell_stale(row, before[:, row], stale[:, row])
        changed = codes != self._was
        self._was = codes
        for row in self._wanted_rows(changed):
            self._tell_connectivity(row)
        self._introduce(newcomers)

    def subscribe(
        self, *, vehicles: frozenset[str] | None = None, paths: frozenset[str] | None = None
    ) -> Subscription:
        """Hear of those vehicles and paths, None for all, from now on."""
        if not self.feed.is_heard:  # nobody kept what was told
            now_ns = self._clock.now_ns()
            self._was = self._hearing.codes(now_ns)
            self._was_stale = is_stale(self.cells, self.stale_before(now_ns, self._was))
        return self.feed.subscribe(vehicles=vehicles, paths=paths)

    def stale_before(self, now_ns: int, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(groups, vehicles): the stamp before which a value is stale."""
        held_from = self._hearing.held_from(now_ns)
        return stale_before(self.cells.newest, held_from, codes == LOST, now_ns)

    def _tell_stale(self, row: int, before: NDArray[np.bool_], now: NDArray[np.bool_]) -> None:
        vehicle_id, signals = self.cells.vehicles[row], self.cells.signals
        became: list[int] = np.flatnonzero(now & ~before).tolist()
        if became:
            self.feed.publish(Stale(vehicle_id, tuple(signals[column].path for column in became)))
        for change in self._changes(row, np.flatnonzero(before & ~now).tolist()):
            self.feed.publish(change)

    def _tell_connectivity(self, row: int) -> None:
        connectivity = CONNECTIVITIES[self._was[row]]
        self.feed.publish(ConnectivityChange(self.cells.vehicles[row], connectivity))

    def _wanted_rows(self, mask: NDArray[np.bool_]) -> list[int]:
        """The rows of a mask (vehicles,) that anybody wants to hear of."""
        wanted, found = self.feed.wanted, np.flatnonzero(mask).tolist()
        if wanted is None:
            return found
        return [row for row in found if self.cells.vehicles[row] in wanted]

    def _grow_history(self) -> range:
        """Make what subscribers were told as large as the twin; the rows that are new."""
        shape, known = self.cells.shape, len(self._was)
        if self._was_stale.shape != shape:
            grown = np.zeros(shape, np.bool_)
            columns, rows = self._was_stale.shape
            grown[:columns, :rows] = self._was_stale
            self._was_stale = grown
        if known < shape[1]:
            self._was = np.append(self._was, np.full(shape[1] - known, ASLEEP))
            self._was[known:] = self._hearing.codes(self._clock.now_ns())[known:]
        return range(known, shape[1])

    def _introduce(self, newcomers: range) -> None:
        """Tell where cars that are new stand."""
        wanted = self.feed.wanted
        for row in newcomers:
            if wanted is None or self.cells.vehicles[row] in wanted:
                self._tell_connectivity(row)

    def _changes(self, row: int, columns: Sequence[int]) -> list[Event]:
        """The values of a vehicle as changes, by stamp."""
        by_ts: dict[int, dict[str, Value | None]] = {}
        for column in columns:
            ts = int(self.cells.stamps[column, row])
            if ts != NEVER:
                path = self.cells.signals[column].path
                by_ts.setdefault(ts, {})[path] = self.cells.value(row, column)
        vehicle_id = self.cells.vehicles[row]
        return [Change.of(vehicle_id, ts, values) for ts, values in sorted(by_ts.items())]

    def _retell(self, vehicle_id: str, paths: frozenset[str] | None) -> list[Event]:
        """The state of a vehicle as events, as far as subscribers were told."""
        self._introduce(self._grow_history())
        row, signals = self.cells.find(vehicle_id), self.cells.signals
        if row is None:
            return []
        asked = [c for c, one in enumerate(signals) if paths is None or one.path in paths]
        events = self._changes(row, asked)
        stale = tuple(signals[column].path for column in asked if self._was_stale[column, row])
        if stale:
            events.append(Stale(vehicle_id, stale))
        desired = {
            signals[column].path: self.cells.wanted(row, column)
            for column in asked
            if signals[column].kind is Kind.ACTUATOR
        }
        if desired:
            events.append(Desired(vehicle_id, desired))
        return [*events, ConnectivityChange(vehicle_id, CONNECTIVITIES[self._was[row]])]

    # ── what is known ────────────────────────────────────────────────────────────────────────────

    def where(self, query: Query) -> NDArray[np.bool_]:
        """(vehicles,): of which of `vehicles` a question is true now."""
        now_ns = self._clock.now_ns()
        return where(
            query,
            self.cells,
            codes=lambda: self._hearing.codes(now_ns),
            stale_before=lambda: self.stale_before(now_ns, self._hearing.codes(now_ns)),
        )

    def select(
        self,
        query: Query,
        *,
        limit: int,
        after: str | None = None,
        among: Collection[str] | None = None,
    ) -> list[str]:
        """At most `limit` vehicles of which a question is true now, by id.

        Args:
            after: those whose id comes after it.
            among: of these only.
        """
        mask = self.where(query)
        if among is not None:
            named = np.zeros_like(mask)
            named[[row for name in among if (row := self.cells.find(name)) is not None]] = True
            mask &= named
        names, rows = self.cells.by_id()
        first = 0 if after is None else bisect.bisect_right(names, after)
        found = np.flatnonzero(mask[rows[first:]])[:limit]
        return [names[first + place] for place in found.tolist()]

    def signals(self, vehicle_id: str, paths: frozenset[str] | None = None) -> dict[str, SignalNow]:
        """The last value of each signal of a vehicle, or of those named; none of a stranger."""
        row, cells = self.cells.find(vehicle_id), self.cells
        if row is None:
            return {}
        before = self._stale_before_of(vehicle_id, row)
        found = {}
        for column in cells.told(row):
            signal, ts = cells.signals[column], int(cells.stamps[column, row])
            if paths is not None and signal.path not in paths:
                continue
            found[signal.path] = SignalNow(
                value=cells.value(row, column),
                unit=signal.unit,
                ts=None if ts == NEVER else to_iso(ts),
                desired=cells.wanted(row, column),
                stale=ts < before[cells.group_code(row, column)],
            )
        return dict(sorted(found.items()))

    def _stale_before_of(self, vehicle_id: str, row: int) -> list[int]:
        """By group, the stamp before which a value of one vehicle is stale."""
        now_ns = self._clock.now_ns()
        since = self.presence.awake_since(vehicle_id, now_ns)
        held_from = NOT_HELD if since is None else since - PAUSE_NS
        is_lost = self.presence.of(vehicle_id, now_ns) is Connectivity.LOST
        newest = self.cells.newest[:, row : row + 1]
        before = stale_before(newest, np.array([held_from]), np.array([is_lost]), now_ns)
        found: list[int] = before[:, 0].tolist()
        return found
