"""Frames of several runs in the order of time, in bounded memory.

Each run keeps its own order: where its time runs backwards, its frames count as no earlier than the
latest before them. At the same time, frames of an earlier run come first.

    for frames, faults in merged([first.tables(2**20), second.tables(2**20)]):
        ...
"""

from collections.abc import Iterator, Sequence

import numpy as np

from contactor.can.frames import FrameTable
from contactor.can.readers.mf4.runs import Tables
from contactor.can.readers.parsed import Fault

EARLIEST = np.iinfo(np.int64).min


class _Head:
    """The frames of a run that are next, and their keys: the latest time up to each."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._latest = EARLIEST
        self.faults: list[Fault] = []
        self.frames = FrameTable.empty()
        self.keys = self.frames.ts
        self.refill()

    def refill(self) -> None:
        """Go on to frames where there are none left, if any come."""
        while not len(self.frames):
            item = next(self._tables, None)
            if item is None:
                return
            self.frames, faults = item
            self.faults += faults
            self.keys = np.maximum(np.maximum.accumulate(self.frames.ts), self._latest)
            if len(self.keys):
                self._latest = int(self.keys[-1])

    def take(self, count: int) -> FrameTable:
        """The next frames, removed."""
        taken = self.frames.take(slice(0, count))
        self.frames = self.frames.take(slice(count, None))
        self.keys = self.keys[count:]
        self.refill()
        return taken


def merged(runs: Sequence[Tables]) -> Iterator[tuple[FrameTable, tuple[Fault, ...]]]:
    """The frames of all runs, and what was refused among them until then."""
    if len(runs) == 1:
        yield from runs[0]
        return
    heads = [_Head(run) for run in runs]
    while True:
        active = [head for head in heads if len(head.frames)]
        if not active:
            break
        # The run whose frames at hand end first says how far all others may go.
        ends = [int(head.keys[-1]) for head in active]
        first = int(np.argmin(ends))
        parts, keys = [], []
        for number, head in enumerate(active):
            side = "right" if number <= first else "left"
            count = int(np.searchsorted(head.keys, ends[first], side=side))  # type: ignore[call-overload]
            if count:
                keys.append(head.keys[:count])
                parts.append(head.take(count))
        order = np.argsort(np.concatenate(keys), kind="stable")
        yield FrameTable.concat(parts).take(order), _faults(heads)
    faults = _faults(heads)
    if faults:
        yield FrameTable.empty(), faults


def _faults(heads: Sequence[_Head]) -> tuple[Fault, ...]:
    found = tuple(fault for head in heads for fault in head.faults)
    for head in heads:
        head.faults.clear()
    return found
