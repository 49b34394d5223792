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

A group of which nothing is known any more is written once, then silent. Events have no clock: each
is written when it changes, at its own instant.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.changes import ChangeSampler
from contactor.car.agent.rules import SignalRule
from contactor.car.agent.series import Series, merge_series
from contactor.car.agent.ticks import SignalTicks
from contactor.clock import NS_PER_S
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Rows, State, join_rows

TICKS_AT_ONCE = 1_000
_NEVER = -(2**62)


class ProfileSampler:
    """Turns readings into rows by the rules above; owns the state of one car's clocks.

    Args:
        rules: a rule per signal that the car gives.
        origin_ns: the instant that the ticks are counted from: 0 for a live car, the first
            instant for a recording, whose rows then do not depend on when it is played.
    """

    def __init__(self, rules: Mapping[str, SignalRule], *, origin_ns: int = 0) -> None:
        self._origin_ns = origin_ns
        self._members: dict[Group, dict[str, SignalRule]] = defaultdict(dict)
        for path, rule in rules.items():
            self._members[rule.group][path] = rule
        self._clocks = self._new_clocks()

    def feed(self, series: Sequence[Series]) -> list[Rows]:
        """The rows that became due; readings up to the newest instant are now known.

        A reading older than the last tick counts for the next one.
        """
        if not series:
            return []
        by_path = {one.path: one for one in series}
        newest = max(int(one.ts[-1]) for one in series)
        return [rows for clock in self._clocks if len(rows := clock.feed(by_path, newest))]

    def finish(self) -> list[Rows]:
        """The rows under way, when the source has ended or its clock was set back.

        Nothing is known afterwards: what is fed next begins anew.
        """
        rows = [rows for clock in self._clocks if len(rows := clock.close())]
        self._clocks = self._new_clocks()
        return rows

    def _new_clocks(self) -> list["_GroupClock | ChangeSampler"]:
        return [
            ChangeSampler(group, rules)
            if group is Group.EVENTS
            else _GroupClock(group, rules, self._origin_ns)
            for group, rules in sorted(self._members.items())
        ]


class _GroupClock:
    """The ticks of one group, and its readings that lie after the last tick."""

    def __init__(self, group: Group, rules: Mapping[str, SignalRule], origin_ns: int) -> None:
        rule = GROUP_RULES[group]
        self._group = group
        self._period_ns = round(rule.period_s * NS_PER_S)
        self._heartbeat_ns = round(rule.heartbeat_s * NS_PER_S)
        self._origin_ns = origin_ns
        self._signals = [
            SignalTicks(path, stale_ns=rule.stale_ns, is_mean=rule.is_mean)
            for path, rule in rules.items()
        ]
        self._waiting: dict[str, list[Series]] = {}
        self._next = _NEVER
        self._written_ns: int | None = None
        self._was_written = True
        self._is_silent = True

    def feed(self, by_path: Mapping[str, Series], newest_ns: int) -> Rows:
        """Rows of every tick before `newest_ns`, after taking in this group's readings."""
        parts: list[Rows] = []
        for signal in self._signals:
            if signal.path in by_path:
                self._wait(by_path[signal.path])
        while True:
            if self._is_silent:
                # Nothing is known: the ticks go on where readings begin.
                self._next = max(self._next, self._tick_at(self._earliest(newest_ns)))
            last = self._tick_at(newest_ns) - self._period_ns
            if last < self._next:
                return join_rows(self._group, parts)
            parts.append(self._run(min(last, self._next + TICKS_AT_ONCE * self._period_ns)))

    def close(self) -> Rows:
        """The tick under way, early, and the last tick if it was not written."""
        parts: list[Rows] = []
        while self._waiting:
            newest = max(int(one.ts[-1]) for parts in self._waiting.values() for one in parts)
            last = max(self._next, self._tick_at(newest))
            parts.append(self._run(min(last, self._next + TICKS_AT_ONCE * self._period_ns)))
        if not self._was_written and not self._is_silent:
            parts.append(self._last_row())
        return join_rows(self._group, parts)

    def _wait(self, new: Series) -> None:
        """Keep readings for their ticks; a late one counts for the next tick."""
        least_ns = self._next - self._period_ns + 1
        if new.ts[0] < least_ns:
            new = replace(new, ts=np.maximum(new.ts, least_ns))
        self._waiting.setdefault(new.path, []).append(new)

    def _earliest(self, otherwise_ns: int) -> int:
        parts = (one for parts in self._waiting.values() for one in parts)
        return min((int(one.ts[0]) for one in parts), default=otherwise_ns)

    def _last_row(self) -> Rows:
        """The cells of the last tick that was run."""
        ts = np.array([self._next - self._period_ns], np.int64)
        return Rows(self._group, ts, tuple(signal.last_cell for signal in self._signals))

    def _take_due(self, last_tick_ns: int) -> dict[str, Series]:
        """Remove and return the waiting readings up to the tick."""
        due: dict[str, Series] = {}
        rest: dict[str, list[Series]] = {}
        for path, parts in self._waiting.items():
            one = merge_series(parts)
            cut = int(np.searchsorted(one.ts, last_tick_ns, side="right"))
            if cut:
                due[path] = one.take(slice(None, cut))
            if cut < len(one.ts):
                rest[path] = [one.take(slice(cut, None))]
        self._waiting = rest
        return due

    def _run(self, last_tick_ns: int) -> Rows:
        """The rows of the ticks up to `last_tick_ns`, which is not before the next one."""
        ticks = np.arange(self._next, last_tick_ns + 1, self._period_ns, dtype=np.int64)
        due = self._take_due(last_tick_ns)
        before = self._last_row()
        self._next = int(ticks[-1]) + self._period_ns
        changed = np.zeros(len(ticks), np.bool_)
        silent = np.ones(len(ticks), np.bool_)
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
