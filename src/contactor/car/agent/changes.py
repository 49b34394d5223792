"""Sampling of events: a row whenever a signal says something else than before.

read     ON  ON  OFF  OFF  ON
row      *       *         *
"""

from collections.abc import Mapping

import numpy as np

from contactor.car.agent.instants import rows_of
from contactor.car.agent.rules import SignalRule
from contactor.car.agent.series import Series
from contactor.signals.groups import Group
from contactor.signals.record import Rows, no_rows

NOTHING = slice(0, 0)


class ChangeSampler:
    """Owns the last reading of each signal of one group."""

    def __init__(self, group: Group, rules: Mapping[str, SignalRule]) -> None:
        self._group = group
        self._rules = rules
        self._last: dict[str, Series] = {}

    def feed(self, by_path: Mapping[str, Series], newest_ns: int) -> Rows:
        """The readings of this group that differ from the one before, each at its instant."""
        news = [self._news(by_path[path]) for path in self._rules if path in by_path]
        news = [one for one in news if len(one.ts)]
        return rows_of(self._group, news) if news else no_rows(self._group)

    def close(self) -> Rows:
        """Nothing is ever held back."""
        return no_rows(self._group)

    def _news(self, read: Series) -> Series:
        last = self._last.get(read.path)
        if last is not None and len(read.ts) == 1 and _is_same(read, last):
            return read.take(NOTHING)
        self._last[read.path] = read.take(slice(-1, None))
        values, state = read.values, read.state
        differs = np.ones(len(read.ts), np.bool_)
        differs[1:] = (values[1:] != values[:-1]) | (state[1:] != state[:-1])
        if last is not None:
            differs[0] = bool(values[0] != last.values[0]) or bool(state[0] != last.state[0])
        return read.take(np.flatnonzero(differs))


def _is_same(one: Series, other: Series) -> bool:
    """Whether the first readings of both say the same."""
    return bool(one.state[0] == other.state[0]) and bool(one.values[0] == other.values[0])
