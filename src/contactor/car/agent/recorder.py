"""Rows become the batches that one message each carries.

A batch holds at most `BATCH_NS` of the source's own time and stays under the size of a message.
The cuts depend on the source alone: reading a recording again makes the same batches.

    for groups in cut_batches(rows, origin_ns=first_ts):
        outbox.append(stream, [groups])
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.signals.record import Column, Rows

CUT_VERSION = 1
"""Part of the number of every stream that can be made again. Raise it when the same source would be
cut into other messages than before: sampling, groups, batches, sizes, the reading's chunks."""
BATCH_NS = NS_PER_S
MAX_BATCH_BYTES = 500_000


def cut_batches(
    groups: Sequence[Rows], *, origin_ns: int, batch_ns: int = BATCH_NS
) -> Iterator[tuple[Rows, ...]]:
    """The rows in batches, in time order.

    Args:
        groups: rows of different groups, each in time order.
        origin_ns: the instant that batches are counted from.
    """
    if not groups:
        return
    slots = [(rows.ts - origin_ns) // batch_ns for rows in groups]
    for slot in np.unique(np.concatenate(slots)).tolist():
        batch = [
            rows.take(slice(*np.searchsorted(marks, (slot, slot + 1)).tolist()))
            for rows, marks in zip(groups, slots, strict=True)
        ]
        yield from _within_size([_filled(rows) for rows in batch if len(rows)])


def _filled(rows: Rows) -> Rows:
    """Without the columns of which nothing is known or unavailable."""
    columns = tuple(column for column in rows.columns if column.state.any())
    return Rows(rows.group, rows.ts, columns)


def _within_size(batch: list[Rows]) -> Iterator[tuple[Rows, ...]]:
    """The batch, in as many parts as its size demands."""
    sizes = [_row_bytes(rows) for rows in batch]
    if sum(int(size.sum()) for size in sizes) <= MAX_BATCH_BYTES:
        yield tuple(batch)
        return
    for rows, size in zip(batch, sizes, strict=True):
        part = (np.cumsum(size) - size) // MAX_BATCH_BYTES
        for number in np.unique(part).tolist():
            yield (rows.take(part == number),)


def _row_bytes(rows: Rows) -> NDArray[np.int64]:
    """About how many bytes each row takes in a message, (n,)."""
    total = np.full(len(rows), 8, np.int64)
    for column in rows.columns:
        total += _cell_bytes(column)
    return total


def _cell_bytes(column: Column) -> NDArray[np.int64] | int:
    datatype = column.datatype
    if datatype.is_array:
        each = [4 + sum(_element_bytes(element) for element in cell) for cell in column.values]
        return np.array(each, np.int64) + 5
    if datatype.is_text:
        return np.array([_element_bytes(cell) for cell in column.values], np.int64) + 5
    return datatype.dtype.itemsize + 1


def _element_bytes(element: object) -> int:
    return 4 * len(element) + 9 if isinstance(element, str) else 8
