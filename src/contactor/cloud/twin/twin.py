"""The twin: the last reported and the desired values of every car. Owned by the cloud's process.

    twin = Twin(presence=presence, clock=clock)
    twin.take(record)                   # each checked record, once, from the ingest
    twin.signals("leaf")["Vehicle.Speed"]           # SignalNow(value=41.5, ...)
    twin.tick()                         # once a second: tells what became stale, who was lost

Rules: the newer stamp wins, of equal ones the later told. A cell that is unknown changes nothing;
one that the car calls "not available" makes the value null. A value is stale once it is older than
the limit of the group that it came in, and every value of a lost car is. But a car that is awake
and heard without a pause writes no row while nothing changes: what its newest row told still
holds, until the heartbeat that should have told it again is overdue.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.ingest.presence import PAUSE_NS, Connectivity, Presence
from contactor.cloud.twin.cells import GROUPS, NEVER, Cells
from contactor.cloud.twin.events import Change, ConnectivityChange, Desired, Stale
from contactor.cloud.twin.feed import Feed, Subscription
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Record, Rows, State, Value

TICK_S = 1.0
_LIMITS_NS = np.array([round(GROUP_RULES[group].stale_s * NS_PER_S) for group in GROUPS], np.int64)
_NOT_HELD = int(np.iinfo(np.int64).max)
_BEATS_NS = _LIMITS_NS + np.array(
    [round(GROUP_RULES[group].heartbeat_s * NS_PER_S) for group in GROUPS], np.int64
)


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
        self.feed = Feed()
        self._presence = presence
        self._clock = clock
        self._cells = Cells()
        self._was_stale: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._was: list[Connectivity] = []

    @property
    def vehicles(self) -> Sequence[str]:
        """Every vehicle that has a value, in the order in which they came."""
        return self._cells.vehicles

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def take(self, record: Record) -> None:
        """Take in the newest cell of each column of a checked record."""
        row = self._cells.row(record.vehicle_id)
        told: dict[int, dict[str, Value | None]] = {}
        for rows in record.groups:
            if len(rows) and rows.columns:
                self._take_rows(row, rows, told)
        if told:
            self._tell(row, told)

    def put(
        self, vehicle_id: str, path: str, value: Value | None, *, ts: int, group: Group
    ) -> None:
        """Take in one value, None for "not available"; as when the twin is restored."""
        row = self._cells.row(vehicle_id)
        [column] = self._cells.columns([path])
        self._cells.note_row(row, group, ts)
        if ts >= self._cells.stamps[row, column]:
            self._cells.put(row, [column], [value], np.array([ts]), group=group)

    def want(self, vehicle_id: str, path: str, value: Value | None) -> None:
        """Set what an actuator is asked to be; None once that is settled."""
        row = self._cells.row(vehicle_id)
        [column] = self._cells.columns([path])
        self._cells.want(row, column, value)
        self.feed.publish(Desired(vehicle_id, {path: value}))

    def _take_rows(self, row: int, rows: Rows, told: dict[int, dict[str, Value | None]]) -> None:
        self._cells.note_row(row, rows.group, int(rows.ts[-1]))
        paths = [column.path for column in rows.columns]
        columns = self._cells.columns(paths)
        states = np.stack([column.state for column in rows.columns])
        last = states.shape[1] - 1 - np.argmax(states[:, ::-1] != State.UNKNOWN, axis=1)
        state = states[np.arange(len(columns)), last]
        stamps = rows.ts[last]
        newer = (state != State.UNKNOWN) & (stamps >= self._cells.stamps[row, columns])
        chosen = np.flatnonzero(newer)
        if not chosen.size:
            return
        picked: list[int] = chosen.tolist()
        places: list[int] = last[chosen].tolist()
        valid: list[bool] = (state[chosen] == State.VALID).tolist()
        values = [
            cast("Value", rows.columns[pick].values.item(place)) if is_valid else None
            for pick, place, is_valid in zip(picked, places, valid, strict=True)
        ]
        targets = [columns[pick] for pick in picked]
        self._cells.put(row, targets, values, stamps[chosen], group=rows.group)
        if self.feed.is_heard:
            for pick, ts, value in zip(picked, stamps[chosen].tolist(), values, strict=True):
                told.setdefault(ts, {})[paths[pick]] = value

    def _tell(self, row: int, told: Mapping[int, Mapping[str, Value | None]]) -> None:
        """Publish what a record changed, and at once what of it is old already."""
        vehicle_id = self._cells.vehicles[row]
        now_ns = self._clock.now_ns()
        was_stale = self._history()[row]
        for ts, values in sorted(told.items()):
            self.feed.publish(Change.of(vehicle_id, ts, values))
            columns = self._cells.columns(list(values))
            limits = _LIMITS_NS[self._cells.groups[row, columns]]
            is_old = ts < now_ns - limits
            was_stale[columns] = is_old
            if is_old.any():
                old = [path for path, stale in zip(values, is_old.tolist(), strict=True) if stale]
                self.feed.publish(Stale(vehicle_id, tuple(old)))

    # ── what time does ───────────────────────────────────────────────────────────────────────────

    def tick(self) -> None:
        """Tell subscribers what became stale, or known again, and whose connectivity changed."""
        if not self.feed.is_heard:
            return
        now_ns = self._clock.now_ns()
        before = self._history()
        connectivity = [self._presence.of(name, now_ns) for name in self._cells.vehicles]
        for row, (old, new) in enumerate(zip(self._was, connectivity, strict=True)):
            if old is not new:
                self.feed.publish(ConnectivityChange(self._cells.vehicles[row], new))
        self._was = connectivity
        stale = self._stale(now_ns, connectivity)
        self._was_stale = stale
        for row in np.flatnonzero((stale != before).any(axis=1)).tolist():
            self._tell_stale(row, before[row], stale[row])

    def subscribe(
        self, *, vehicles: frozenset[str] | None = None, paths: frozenset[str] | None = None
    ) -> Subscription:
        """Hear of those vehicles and paths, None for all, from now on."""
        if not self.feed.is_heard:  # nobody kept what was told
            now_ns = self._clock.now_ns()
            self._was = [self._presence.of(name, now_ns) for name in self._cells.vehicles]
            self._was_stale = self._stale(now_ns, self._was)
        return self.feed.subscribe(vehicles=vehicles, paths=paths)

    def _tell_stale(self, row: int, before: NDArray[np.bool_], now: NDArray[np.bool_]) -> None:
        vehicle_id, signals = self._cells.vehicles[row], self._cells.signals
        became: list[int] = np.flatnonzero(now & ~before).tolist()
        if became:
            self.feed.publish(Stale(vehicle_id, tuple(signals[column].path for column in became)))
        known_again: dict[int, dict[str, Value | None]] = {}
        for column in np.flatnonzero(before & ~now).tolist():
            ts = int(self._cells.stamps[row, column])
            value = self._cells.value(row, column)
            known_again.setdefault(ts, {})[signals[column].path] = value
        for ts, values in sorted(known_again.items()):
            self.feed.publish(Change.of(vehicle_id, ts, values))

    def _stale(self, now_ns: int, connectivity: Sequence[Connectivity]) -> NDArray[np.bool_]:
        """(vehicles, signals): which cells hold a value that is no longer known to hold."""
        stamps, groups = self._cells.stamps, self._cells.groups
        newest = np.take_along_axis(self._cells.newest, groups.astype(np.intp), axis=1)
        since = np.array([self._held_from(name, now_ns) for name in self.vehicles], np.int64)
        is_lost = np.array([one is Connectivity.LOST for one in connectivity], np.bool_)
        is_old = _is_old(stamps, groups, newest, since[:, np.newaxis], now_ns)
        stale: NDArray[np.bool_] = (stamps != NEVER) & (is_old | is_lost[:, np.newaxis])
        return stale

    def _held_from(self, vehicle_id: str, now_ns: int) -> int:
        """From which stamp on the newest row of a car still holds though it is old."""
        since_ns = self._presence.awake_since(vehicle_id, now_ns)
        return _NOT_HELD if since_ns is None else since_ns - PAUSE_NS

    def _history(self) -> NDArray[np.bool_]:
        """What subscribers were told is stale, grown to the twin's size; new cars are told of."""
        shape = self._cells.stamps.shape
        if self._was_stale.shape != shape:
            grown = np.zeros(shape, np.bool_)
            rows, columns = self._was_stale.shape
            grown[:rows, :columns] = self._was_stale
            self._was_stale = grown
            now_ns = self._clock.now_ns()
            for name in self._cells.vehicles[len(self._was) :]:
                connectivity = self._presence.of(name, now_ns)
                self._was.append(connectivity)
                self.feed.publish(ConnectivityChange(name, connectivity))
        return self._was_stale

    # ── what is known ────────────────────────────────────────────────────────────────────────────

    def signals(self, vehicle_id: str, paths: frozenset[str] | None = None) -> dict[str, SignalNow]:
        """The last value of each signal of a vehicle, or of those named; none of a stranger."""
        row = self._cells.find(vehicle_id)
        if row is None:
            return {}
        now_ns = self._clock.now_ns()
        columns = [
            column
            for column in self._cells.told(row)
            if paths is None or self._cells.signals[column].path in paths
        ]
        is_lost = self._presence.of(vehicle_id, now_ns) is Connectivity.LOST
        stamps = self._cells.stamps[row, columns]
        groups = self._cells.groups[row, columns]
        since = self._held_from(vehicle_id, now_ns)
        old = _is_old(stamps, groups, self._cells.newest[row, groups], since, now_ns)
        found = {}
        for column, ts, is_old in zip(columns, stamps.tolist(), old.tolist(), strict=True):
            signal = self._cells.signals[column]
            found[signal.path] = SignalNow(
                value=self._cells.value(row, column),
                unit=signal.unit,
                ts=None if ts == NEVER else to_iso(ts),
                desired=self._cells.wanted(row, column),
                stale=is_old or is_lost,
            )
        return dict(sorted(found.items()))


def _is_old(
    stamps: NDArray[np.int64],
    groups: NDArray[np.uint8],
    newest: NDArray[np.int64],
    since: NDArray[np.int64] | int,
    now_ns: int,
) -> NDArray[np.bool_]:
    """Which cells, all of one shape, are past their limit and no longer held by a newest row.

    Args:
        newest: the newest row of each cell's vehicle and group.
        since: the least stamp that a car which is awake still stands by.
    """
    least = np.maximum(since, now_ns - _BEATS_NS[groups])
    is_held = (stamps == newest) & (stamps >= least)
    is_old: NDArray[np.bool_] = (stamps < now_ns - _LIMITS_NS[groups]) & ~is_held
    return is_old
