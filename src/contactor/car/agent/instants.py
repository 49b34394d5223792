"""Sampling that keeps every instant of the source: `--sampling every`.

One row per group and instant at which the source gave anything; a cell holds what was read at that
very instant, null otherwise. Two readings of one signal at one instant make two rows.

    ts      speed frame   battery frame        drive rows
    10      41.5          -                    (10, 41.5, null)
    20      -             391.5                (20, null, 391.5)
    30      42.0, 42.5    392.0                (30, 42.0, 392.0), (30, 42.5, null)
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.series import Series
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, zero_of


class InstantSampler:
    """Turns readings into rows without leaving anything out; keeps no state between calls."""

    def __init__(self, group_of: Callable[[str], Group]) -> None:
        self._group_of = group_of

    def feed(self, series: Sequence[Series]) -> list[Rows]:
        """The rows of these readings, one `Rows` per group, each in time order."""
        by_group: dict[Group, list[Series]] = defaultdict(list)
        for one in series:
            by_group[self._group_of(one.path)].append(one)
        return [rows_of(group, members) for group, members in sorted(by_group.items())]

    def finish(self) -> list[Rows]:
        """Nothing is ever held back."""
        return []


def rows_of(group: Group, members: Sequence[Series]) -> Rows:
    """One row per instant at which any of `members` was read, in time order."""
    keys = np.concatenate([np.column_stack([one.ts, _repeats(one.ts)]) for one in members])
    rows, places = np.unique(keys, axis=0, return_inverse=True)
    columns, start = [], 0
    for one in members:
        end = start + len(one.ts)
        columns.append(_spread(one, places[start:end], len(rows)))
        start = end
    return Rows(group, np.ascontiguousarray(rows[:, 0]), tuple(columns))


def _repeats(ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many readings before this one, (k,), have the very same instant; `ts` is sorted."""
    return np.arange(len(ts), dtype=np.int64) - np.searchsorted(ts, ts, side="left")


def _spread(one: Series, places: NDArray[np.int64], rows: int) -> Column:
    """The readings put into a column of `rows` cells at `places` (k,)."""
    datatype = catalogue()[one.path].datatype
    values = np.empty(rows, one.values.dtype)
    zero = zero_of(datatype)
    if zero == ():
        values[:] = [()] * rows
    else:
        values[:] = zero
    values[places] = one.values
    state = np.zeros(rows, np.uint8)
    state[places] = one.state
    return Column(one.path, datatype, values, state)
