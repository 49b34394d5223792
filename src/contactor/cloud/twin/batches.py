"""What of a batch of rows is newest: for each vehicle and column its last cell that is told. Pure.

vehicle  ts   Speed  Gear
leaf      1    41.5    1
leaf      2    42.0    .        Speed 42.0 of 2, Gear 1 of 1
elm       2      na    .        Speed "not available" of 2, no Gear

block = last_cells(batch, columns, words)
block.vehicles, block.numbers       # ('leaf', 'elm'), float64 (columns, vehicles)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.twin.words import Words
from contactor.signals.batch import BatchColumn, ListColumn, RowsBatch, TextColumn
from contactor.signals.record import State, Value

LONG = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The last told cell of c columns of m vehicles.

    Fields:
        vehicles: each that has rows, once.
        newest: int64 (m,), the stamp of each vehicle's newest row.
        numbers: float64 (c, m): number, code of a text or length of an array; NaN for none.
        stamps: int64 (c, m).
        is_told: (c, m); the others' numbers and stamps mean nothing.
        places: (c, m), the row of the batch that each cell stands in.
    """

    vehicles: list[str]
    newest: NDArray[np.int64]
    numbers: NDArray[np.float64]
    stamps: NDArray[np.int64]
    is_told: NDArray[np.bool_]
    places: NDArray[np.intp]


def last_cells(batch: RowsBatch, words: Sequence[Words]) -> Block:
    """The last told cells of a batch that has rows and columns; of equal stamps the later row.

    Args:
        words: those of each column, which learn the texts of the batch.
    """
    vehicle, ts = batch.vehicle, batch.ts
    states = np.stack([column.state for column in batch.columns])
    order = _order(vehicle, ts)
    if order is not None:
        vehicle, ts, states = vehicle[order], ts[order], states[:, order]
    starts = np.flatnonzero(np.concatenate([[True], vehicle[1:] != vehicle[:-1]]))
    ends = np.append(starts[1:], len(ts)) - 1
    is_told = states != State.UNKNOWN
    if is_told.all():
        shape = len(states), len(starts)
        is_told, last = np.broadcast_to(True, shape), np.broadcast_to(ends, shape)
        stamps = np.broadcast_to(ts[ends], shape)
        valid = states if len(ends) == len(ts) else states[:, ends]
        is_valid = valid == State.VALID
    else:
        places = np.where(is_told, np.arange(len(ts)), -1)
        places = np.maximum.reduceat(places, starts, axis=1)
        is_told, last = places >= 0, np.maximum(places, 0)
        stamps = ts[last]
        is_valid = np.take_along_axis(states, last, axis=1) == State.VALID
    if order is not None:
        last = order[last]
    numbers = np.empty(last.shape)
    for place, column in enumerate(batch.columns):
        numbers[place] = _numbers(column, last[place], words[place])
    if not is_valid.all():
        numbers[~is_valid] = np.nan
    names = batch.vehicles
    told = [names[place] for place in vehicle[starts].tolist()]
    return Block(told, ts[ends], numbers, stamps, is_told, last)


def values_at(column: BatchColumn, places: NDArray[np.intp]) -> list[Value | None]:
    """The values of a column at those rows, None where it is not available."""
    is_valid = (column.state[places] == State.VALID).tolist()
    if isinstance(column, ListColumn):
        ends = column.ends[places].tolist()
        begins = np.where(places > 0, column.ends[places - 1], 0).tolist()
        cells = [
            tuple(column.elements[begin:end].tolist())
            for begin, end in zip(begins, ends, strict=True)
        ]
    else:
        cells = column.values[places].tolist()
    return [
        cast("Value", cell) if valid else None for cell, valid in zip(cells, is_valid, strict=True)
    ]


def may_lie_beside(column: BatchColumn, numbers: NDArray[np.float64]) -> bool:
    """Whether the matrix cannot hold all values of a column: arrays and very long integers."""
    if column.datatype.is_array:
        return True
    is_long = column.datatype.is_integer and column.datatype.dtype.itemsize == 8
    return is_long and bool((np.abs(numbers) >= LONG).any())


def _order(vehicle: NDArray[np.int32], ts: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """The rows by vehicle, then ts, then as they came; None where they are so already."""
    if len(ts) < 2:
        return None
    is_same = vehicle[1:] == vehicle[:-1]
    is_sorted = (vehicle[1:] > vehicle[:-1]) | (is_same & (ts[1:] >= ts[:-1]))
    return None if is_sorted.all() else np.lexsort((ts, vehicle))


def _numbers(
    column: BatchColumn, places: NDArray[np.intp], words: Words
) -> NDArray[np.float64] | NDArray[np.generic]:
    if isinstance(column, TextColumn):
        codes = np.array(words.codes(column.words), np.float64)
        return codes[column.codes[places]] if codes.size else np.zeros(len(places))
    if isinstance(column, ListColumn):
        begins = np.where(places > 0, column.ends[places - 1], 0)
        return (column.ends[places] - begins).astype(np.float64)
    values = column.values[places]
    if column.datatype.is_array:
        return np.array([len(value) for value in values.tolist()], np.float64)
    if column.datatype.is_text:
        return np.array(words.codes(values.tolist()), np.float64)
    return values
