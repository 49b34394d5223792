"""Rows on their way into one flush: kept as they came, made into frames once, when asked for.

buffer = Buffer(number=7)
buffer.add("leaf", rows)
buffer.pending()            # for queries: PendingFrame(7, Group.DRIVE, frame)
buffer.tables()             # for the commit; may be asked in another thread
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from contactor.cloud.lake.frames import merge, rows_to_frames
from contactor.cloud.lake.reading import PendingFrame
from contactor.signals.groups import Group
from contactor.signals.record import Rows, join_rows


class Buffer:
    """The rows of flush `number`; what was made into frames is not made again."""

    def __init__(self, *, number: int) -> None:
        self.number = number
        self._lock = threading.Lock()
        self._rows: dict[Group, list[tuple[str, Rows]]] = defaultdict(list)
        self._frames: dict[Group, list[pl.DataFrame]] = defaultdict(list)

    def add(self, vehicle_id: str, rows: Rows) -> None:
        """Take in checked rows of one vehicle."""
        with self._lock:
            self._rows[rows.group].append((vehicle_id, rows))

    def tables(self) -> Mapping[Group, pl.DataFrame]:
        """Everything taken in, a frame in lake schema per group."""
        with self._lock:
            self._make_frames()
            return {group: merge(frames) for group, frames in self._frames.items()}

    def pending(self) -> Sequence[PendingFrame]:
        """Everything taken in, for queries that come before the commit."""
        with self._lock:
            self._make_frames()
            return [
                PendingFrame(self.number, group, frame)
                for group, frames in self._frames.items()
                for frame in frames
            ]

    def _make_frames(self) -> None:
        for group, taken in self._rows.items():
            alike: dict[tuple[str, ...], list[Rows]] = defaultdict(list)
            for vehicle_id, rows in taken:
                alike[vehicle_id, *(column.path for column in rows.columns)].append(rows)
            self._frames[group] += [
                rows_to_frames(key[0], join_rows(group, parts)) for key, parts in alike.items()
            ]
        self._rows.clear()
