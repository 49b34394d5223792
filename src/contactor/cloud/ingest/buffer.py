"""Rows on their way into one flush: kept as they came, made into frames once, when asked for.

buffer = Buffer(number=7)
buffer.add(batch)
buffer.pending()            # for queries: PendingFrame(7, Group.DRIVE, frame)
buffer.tables()             # for the commit; may be asked in another thread
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from contactor.cloud.lake.frames import frame_in_order, merge
from contactor.cloud.lake.reading import PendingFrame
from contactor.signals.batch import RowsBatch
from contactor.signals.groups import Group


class Buffer:
    """The rows of flush `number`; what was made into frames is not made again."""

    def __init__(self, *, number: int) -> None:
        self.number = number
        self._lock = threading.Lock()
        self._batches: dict[Group, list[RowsBatch]] = defaultdict(list)
        self._frames: dict[Group, list[pl.DataFrame]] = defaultdict(list)

    def add(self, batch: RowsBatch) -> None:
        """Take in checked rows."""
        with self._lock:
            self._batches[batch.group].append(batch)

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
        for group, taken in self._batches.items():
            alike: dict[tuple[str, ...], list[RowsBatch]] = defaultdict(list)
            for batch in taken:
                alike[tuple(column.path for column in batch.columns)].append(batch)
            self._frames[group] += [frame_in_order(parts) for parts in alike.values()]
        self._batches.clear()
