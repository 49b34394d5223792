"""Batches as one, by vehicle and ts: what a commit writes is put in order as it is joined.

    order = Order.of([batch, more])
    for column in order.columns([batch, more]):
        ...             # one after another, so that little is held twice

Rows come vehicle after vehicle and mostly in time. So it is their runs that are sorted, and single
rows only where the runs of a vehicle overlap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.signals.batch import BatchColumn, RowsBatch, joined_column
from contactor.signals.record import Column, State

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The rows of some batches by vehicle and ts; where both are the same, as they came.

    Fields:
        names: the vehicles, sorted.
        vehicle: int32 (n,), each row's vehicle, an index into `names`. ts: int64 (n,) ns.
        rows: (n,), which of the rows of all batches each is; None where they are in order.
    """

    names: tuple[str, ...]
    vehicle: NDArray[np.int32]
    ts: Places
    rows: Places | None

    @classmethod
    def of(cls, batches: Sequence[RowsBatch]) -> Self:
        """The order of `batches`, at least one."""
        names = tuple(sorted({name for batch in batches for name in batch.vehicles}))
        places = {name: place for place, name in enumerate(names)}
        vehicle = np.concatenate(
            [
                np.array([places[name] for name in batch.vehicles], np.int32)[batch.vehicle]
                for batch in batches
            ]
        )
        ts = np.concatenate([batch.ts for batch in batches])
        rows = _in_order(vehicle, ts)
        if rows is None:
            return cls(names, vehicle, ts, None)
        return cls(names, vehicle[rows], ts[rows], rows)

    def columns(self, batches: Sequence[RowsBatch]) -> Iterator[BatchColumn]:
        """The columns of `batches`, which have the same, each in this order."""
        valid = np.full(len(self.ts), State.VALID, np.uint8)
        for columns in zip(*(batch.columns for batch in batches), strict=True):
            if all(isinstance(one, Column) and _is_valid(one) for one in columns):
                values = np.concatenate([one.values for one in columns])
                values = values if self.rows is None else values.take(self.rows)
                yield Column(columns[0].path, columns[0].datatype, values, valid)
            else:
                whole = joined_column(columns)
                yield whole if self.rows is None else whole.take(self.rows)


def _is_valid(column: Column) -> bool:
    return bool(np.all(column.state == State.VALID))


def _in_order(vehicle: NDArray[np.int32], ts: Places) -> Places | None:
    """The rows by vehicle and ts; None where they are so already."""
    is_first = np.ones(len(ts), np.bool_)
    is_first[1:] = (vehicle[1:] != vehicle[:-1]) | (ts[1:] < ts[:-1])
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(ts))
    turns = np.lexsort((ts[starts], vehicle[starts]))
    starts, ends = starts[turns], ends[turns]
    waited = ts[starts[1:]] - ts[ends[:-1] - 1]
    is_apart = (waited > 0) | ((waited == 0) & (turns[1:] > turns[:-1]))
    if not np.all(is_apart | (vehicle[starts[1:]] != vehicle[starts[:-1]])):
        return np.lexsort((ts, vehicle))
    if np.all(turns[1:] > turns[:-1]):
        return None
    lengths = ends - starts
    moves = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    rows: Places = np.arange(len(ts)) + moves
    return rows
