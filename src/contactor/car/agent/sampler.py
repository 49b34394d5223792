"""Sampling by the rules of the groups: `--sampling profile`, and always for a live car.

Each group has a clock that ticks every period. A tick's cells are, for each signal of the group,

    mean signals     the mean of every reading since the previous tick, if there was any
    all others       the last reading
    either           null once the last reading is older than the signal's stale limit

and a tick becomes a row when a cell differs from the tick before, or when the heartbeat is due. So
that a held value never blurs what follows, the tick before a change is written too:

    tick     1    2    3    4    5    6
    cell     7    7    7    7    9    9
    row      *              *    *               (a heartbeat later: another)

A group of which nothing is known any more is written once, then silent.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.series import Series, join_rows, merge_series, no_rows
from contactor.car.agent.ticks import SignalTicks
from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Rows, State

MAX_TICKS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class SignalRule:
    """How one signal is sampled: its group, how long it stays known, mean or last."""

    group: Group
    stale_ns: int
    is_mean: bool


class ProfileSampler:
    """Turns readings into rows by the rules above; owns the state of one car's clocks.

    Args:
        rules: a rule per signal that the car gives.
        origin_ns: the instant that the ticks are counted from: 0 for a live car, the first
            instant for a recording, whose rows then do not depend on when it is played.
    """

    def __init__(self, rules: Mapping[str, SignalRule], *, origin_ns: int = 0) -> None:
        members: dict[Group, dict[str, SignalRule]] = defaultdict(dict)
        for path, rule in rules.items():
            members[rule.group][path] = rule
        self._groups = [
            _GroupClock(group, rules, origin_ns) for group, rules in sorted(members.items())
        ]
        self._frontier: int | None = None

    def feed(self, series: Sequence[Series]) -> list[Rows]:
        """The rows that became due; readings up to the newest instant are now known.

        A reading older than the last tick counts for the next one.
        """
        if not series:
            return []
        by_path = {one.path: one for one in series}
        newest = max(int(one.ts[-1]) for one in series)
        self._frontier = newest if self._frontier is None else max(self._frontier, newest)
        return [rows for clock in self._groups if len(rows := clock.feed(by_path, newest))]

    def advance(self, now_ns: int) -> list[Rows]:
        """The rows due by `now_ns` if nothing more was read: heartbeats, what became stale."""
        return [rows for clock in self._groups if len(rows := clock.feed({}, now_ns))]

    def finish(self) -> list[Rows]:
        """The row of the tick under way, when the source has ended."""
        if self._frontier is None:
            return []
        return [rows for clock in self._groups if len(rows := clock.close(self._frontier))]


class _GroupClock:
    """The ticks of one group, and its readings that lie after the last tick."""

    def __init__(self, group: Group, rules: Mapping[str, SignalRule], origin_ns: int) -> None:
        rule = GROUP_RULES[group]
        self._group = group
        self._period_ns = max(round(rule.period_s * NS_PER_S), NS_PER_MS)
        self._heartbeat_ns = round(rule.heartbeat_s * NS_PER_S)
        self._origin_ns = origin_ns
        self._signals = [
            SignalTicks(path, stale_ns=rule.stale_ns, is_mean=rule.is_mean)
            for path, rule in rules.items()
        ]
        self._quiet_ns = max(rule.stale_ns for rule in rules.values()) + 2 * self._period_ns
        self._waiting: dict[str, Series] = {}
        self._next: int | None = None
        self._written_ns: int | None = None
        self._was_written = True
        self._is_silent = True

    def feed(self, by_path: Mapping[str, Series], newest_ns: int) -> Rows:
        """Rows of every tick before `newest_ns`, after taking in this group's readings."""
        parts = []
        if self._next is not None and newest_ns < self._next - self._quiet_ns:
            parts.append(self._start_over(newest_ns))
        for signal in self._signals:
            if signal.path in by_path:
                self._wait(by_path[signal.path])
        if self._next is None:
            if not self._waiting:
                return join_rows(self._group, parts)
            self._next = self._tick_at(self._earliest(newest_ns))
        while True:
            earliest = self._earliest(newest_ns)
            if earliest - self._next > 2 * self._quiet_ns:
                # A long silence: let everything grow stale, then go on where readings begin.
                parts.append(self._run(self._next, self._next + self._quiet_ns))
                self._next = self._tick_at(earliest)
            last = self._tick_at(newest_ns) - self._period_ns
            if last < self._next:
                return join_rows(self._group, parts)
            most = self._next + MAX_TICKS_AT_ONCE * self._period_ns
            parts.append(self._run(self._next, min(last, most, self._silence())))

    def close(self, newest_ns: int) -> Rows:
        """The tick under way, early, if anything was read since the last one."""
        if self._next is None or not self._waiting:
            return no_rows(self._group)
        return self._run(self._next, max(self._next, self._tick_at(newest_ns)))

    def _start_over(self, newest_ns: int) -> Rows:
        """The source's clock was set back: write what is under way, forget it, follow the clock."""
        waiting = [int(one.ts[-1]) for one in self._waiting.values()]
        rows = self.close(max(waiting, default=newest_ns))
        for signal in self._signals:
            signal.forget()
        self._next = self._written_ns = None
        self._was_written = self._is_silent = True
        return rows

    def _wait(self, new: Series) -> None:
        old = self._waiting.get(new.path)
        self._waiting[new.path] = new if old is None else merge_series(old, new)

    def _earliest(self, otherwise_ns: int) -> int:
        return min((int(one.ts[0]) for one in self._waiting.values()), default=otherwise_ns)

    def _silence(self) -> int:
        """The tick that begins the first long silence in the readings that wait."""
        if not self._waiting:
            return 2**62
        ts = np.unique(np.concatenate([one.ts for one in self._waiting.values()]))
        silences = np.flatnonzero(np.diff(ts) > 3 * self._quiet_ns)
        return self._tick_at(int(ts[silences[0]])) if len(silences) else 2**62

    def _take_due(self, last_tick_ns: int) -> dict[str, Series]:
        """Remove and return the waiting readings up to the tick."""
        due, rest = {}, {}
        for path, one in self._waiting.items():
            cut = int(np.searchsorted(one.ts, last_tick_ns, side="right"))
            if cut:
                due[path] = one.take(slice(None, cut))
            if cut < len(one.ts):
                rest[path] = one.take(slice(cut, None))
        self._waiting = rest
        return due

    def _run(self, first_tick_ns: int, last_tick_ns: int) -> Rows:
        """The rows of the ticks from one to another; the tick after becomes the next."""
        ticks = np.arange(first_tick_ns, last_tick_ns + 1, self._period_ns, dtype=np.int64)
        if not len(ticks):
            return no_rows(self._group)
        due = self._take_due(int(ticks[-1]))
        self._next = int(ticks[-1]) + self._period_ns
        changed = np.zeros(len(ticks), np.bool_)
        silent = np.ones(len(ticks), np.bool_)
        before = Rows(
            self._group,
            ticks[:1] - self._period_ns,
            tuple(signal.last_cell for signal in self._signals),
        )
        columns = []
        for signal in self._signals:
            column, differs = signal.run(ticks, due.get(signal.path))
            changed |= differs
            silent &= column.state == State.UNKNOWN
            columns.append(column)
        return self._choose(Rows(self._group, ticks, tuple(columns)), changed, silent, before)

    def _choose(
        self, rows: Rows, changed: NDArray[np.bool_], silent: NDArray[np.bool_], before: Rows
    ) -> Rows:
        """The ticks that become rows: changes, the tick before each, and heartbeats."""
        chosen = changed.copy()
        chosen[:-1] |= changed[1:]
        needs_before = bool(changed[0]) and not self._was_written and not self._is_silent
        self._beat(rows.ts, chosen)
        was_silent = np.concatenate([[self._is_silent], silent[:-1]])
        chosen &= ~(silent & was_silent)
        self._was_written, self._is_silent = bool(chosen[-1]), bool(silent[-1])
        return join_rows(self._group, [before] * needs_before + [rows.take(chosen)])

    def _beat(self, ticks: NDArray[np.int64], chosen: NDArray[np.bool_]) -> None:
        """Mark the ticks at which nothing was written for a heartbeat."""
        written = int(ticks[0]) if self._written_ns is None else self._written_ns
        for mark in [*np.flatnonzero(chosen).tolist(), len(ticks)]:
            end = int(ticks[mark]) if mark < len(ticks) else int(ticks[-1]) + 1
            while written + self._heartbeat_ns < end:
                due = int(np.searchsorted(ticks, written + self._heartbeat_ns))
                chosen[due] = True
                written = int(ticks[due])
            if mark < len(ticks):
                written = int(ticks[mark])
        self._written_ns = written

    def _tick_at(self, ts: int) -> int:
        """The first tick at or after `ts`."""
        return self._origin_ns - ((self._origin_ns - ts) // self._period_ns) * self._period_ns
