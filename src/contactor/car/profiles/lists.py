"""Arrays whose elements come in several frames, such as the voltages of all cells.

    frame      group 0    group 1   ...   group 23    group 0
    elements   0 1 2 3    4 5 6 7         92 .. 95    0 1 2 3
    reading                               complete, at this frame; then anew

A list is read when each of its elements has come since it was last read; of an element that came
twice the newer counts. Elements older than the entry's stale limit are forgotten. A list one of
whose elements is not available is not available; one with an impossible element is unknown.

    collector = ListCollector(profile.map.lists)
    collector.feed(frames.ts, columns)          # [Reading(".....CellVoltages", rows, values, ...)]
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.car.profiles.entry import MapEntry, Reading, typed_numbers
from contactor.clock import NS_PER_S
from contactor.signals.record import State, object_array

_NEVER = -(2**62)


class ListCollector:
    """Owns the elements of each list that have come since it was last read."""

    def __init__(self, entries: Sequence[MapEntry]) -> None:
        self._lists = [_List(entry) for entry in entries]

    def feed(self, ts: NDArray[np.int64], columns: Sequence[SignalColumn]) -> list[Reading]:
        """The lists that became complete.

        Args:
            ts: int64 (n,) ns, the instants that the columns' rows point into.
            columns: decoded, in any order.
        """
        by_name = {column.name: column for column in columns}
        readings = (one.feed(ts, by_name) for one in self._lists)
        return [reading for reading in readings if reading is not None]

    def clear(self) -> None:
        """Forget what has come, when the source's clock was set back."""
        for one in self._lists:
            one.clear()


class _List:
    def __init__(self, entry: MapEntry) -> None:
        self._entry = entry
        self._stale_ns = round(entry.stale_s * NS_PER_S)
        self._values = np.zeros(len(entry.sources))
        self._is_silent = np.zeros(len(entry.sources), np.bool_)
        self._ts = np.full(len(entry.sources), _NEVER, np.int64)
        self._place_of = {name: place for place, name in enumerate(entry.sources)}

    def clear(self) -> None:
        self._ts[:] = _NEVER

    def feed(self, ts: NDArray[np.int64], by_name: dict[str, SignalColumn]) -> Reading | None:
        names = by_name.keys() & self._place_of.keys()
        if not names:
            return None
        came_at = np.array(sorted(self._place_of[name] for name in names))
        found = [by_name[self._entry.sources[place]] for place in came_at.tolist()]
        rows = np.concatenate([column.rows for column in found])
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        places = np.repeat(came_at, [len(column.rows) for column in found])[order]
        values = np.concatenate([column.values for column in found])[order]
        if any(column.marks is not None for column in found):
            is_silent = np.concatenate([column.is_unavailable for column in found])[order]
        else:
            is_silent = np.zeros(len(rows), np.bool_)
        ends = np.flatnonzero(np.diff(rows, append=-1)) + 1
        complete: list[tuple[int, NDArray[np.float64], NDArray[np.bool_]]] = []
        start = 0
        for end in ends.tolist():
            row = int(rows[start])
            at, came = int(ts[row]), places[start:end]
            self._values[came] = values[start:end]
            self._is_silent[came] = is_silent[start:end]
            self._ts[came] = at
            start = end
            if int(self._ts.min()) >= at - self._stale_ns:
                complete.append((row, self._values.copy(), self._is_silent.copy()))
                self._ts[:] = _NEVER
        return self._reading(complete) if complete else None

    def _reading(
        self, complete: list[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]
    ) -> Reading:
        numbers = np.stack([values for _, values, _ in complete])
        is_silent = np.stack([silent for _, _, silent in complete])
        cells, is_wrong = typed_numbers(self._entry, np.where(is_silent, 0.0, numbers).ravel())
        is_unavailable = is_silent.any(axis=1)
        is_unknown: NDArray[np.bool_] = np.zeros(len(numbers), np.bool_)
        if is_wrong is not None:
            is_unknown = np.any(is_wrong.reshape(numbers.shape), axis=1) & ~is_unavailable
        state = np.full(len(complete), State.VALID, np.uint8)
        state[is_unknown] = State.UNKNOWN
        state[is_unavailable] = State.UNAVAILABLE
        lists = cells.reshape(numbers.shape).tolist()
        return Reading(
            path=self._entry.path,
            rows=np.array([row for row, _, _ in complete], np.int64),
            values=object_array(
                [
                    tuple(one) if known == State.VALID else ()
                    for one, known in zip(lists, state.tolist(), strict=True)
                ]
            ),
            state=state,
            refused=int(is_unknown.sum()),
        )
