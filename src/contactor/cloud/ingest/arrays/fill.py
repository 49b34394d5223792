"""Cells of many blocks of one layout into columns.

`blocks` and `columns` are rows of the tables that `scan` made, one block after another; `offsets`
(blocks + 1) says which rows of the batch each block's are.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel
from contactor.cloud.ingest.arrays.scan import Bytes, Table, u16
from contactor.cloud.ingest.arrays.tables import (
    CELLS_AT,
    CODE,
    CONSTANT,
    DELTAS_AT,
    EACH_STATE,
    FIRST_NS,
    FORM,
    NO_CELLS,
    SIZE,
    STATES_AT,
    STATES_MASK,
    STEP,
    UNIT_NS,
    WORDS_AT,
)

UNKNOWN, VALID, UNAVAILABLE = 0, 1, 2


@kernel
def fill_times(data: Bytes, blocks: Table, offsets: Table, ts: Table) -> None:
    """The instants of each row, ns."""
    for place in range(len(blocks)):
        start, end = offsets[place], offsets[place + 1]
        now, unit, step = blocks[place, FIRST_NS], blocks[place, UNIT_NS], blocks[place, STEP]
        if step >= 0:
            for row in range(start, end):
                ts[row] = now
                now += step * unit
            continue
        at = blocks[place, DELTAS_AT]
        ts[start] = now
        for row in range(start + 1, end):
            delta, shift = np.int64(0), 0
            while True:
                byte = np.int64(data[at])
                at += 1
                delta |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            now += delta * unit
            ts[row] = now


@kernel
def fill_states(
    data: Bytes, columns: Table, offsets: Table, state: Bytes, is_odd: NDArray[np.bool_]
) -> None:
    """The state of each cell; blocks with one that is none are marked odd."""
    for place in range(len(columns)):
        start, end = offsets[place], offsets[place + 1]
        states = columns[place, FORM] & STATES_MASK
        if states != EACH_STATE:
            state[start:end] = UNAVAILABLE if states == NO_CELLS else VALID
            continue
        at = columns[place, STATES_AT]
        for row in range(end - start):
            found = (data[at + row // 4] >> 2 * (row % 4)) & 3
            is_odd[place] |= found > UNAVAILABLE
            state[start + row] = found


@kernel
def fill_numbers(
    data: Bytes, columns: Table, offsets: Table, code: int, width: int, cells: Bytes
) -> bool:
    """The bytes of each cell of a signal; False where a block has another signal there."""
    for place in range(len(columns)):
        if columns[place, CODE] != code:
            return False
        start, end = offsets[place] * width, offsets[place + 1] * width
        form, at = columns[place, FORM], columns[place, CELLS_AT]
        if form & STATES_MASK == NO_CELLS:
            cells[start:end] = 0
        elif form & CONSTANT:
            for row in range(start, end, width):
                for byte in range(width):
                    cells[row + byte] = data[at + byte]
        else:
            cells[start:end] = data[at : at + end - start]
    return True


@kernel
def settle_numbers(
    values: NDArray[np.generic],
    state: Bytes,
    offsets: Table,
    low: float,
    high: float,
    is_odd: NDArray[np.bool_],
) -> None:
    """Cells that are not VALID become 0; blocks with one outside low..high are marked odd."""
    for place in range(len(offsets) - 1):
        for row in range(offsets[place], offsets[place + 1]):
            if state[row] != VALID:
                values[row] = 0
            elif not low <= values[row] <= high:
                is_odd[place] = True


@kernel
def fill_codes(
    data: Bytes,
    columns: Table,
    offsets: Table,
    code: int,
    words: Table,
    state: Bytes,
    codes: NDArray[np.int32],
    is_odd: NDArray[np.bool_],
) -> bool:
    """The word of each cell of a text; False where a block has another signal there.

    Args:
        words: (blocks, widest): for each block's words their number among all; -1 for one that is
            not allowed.
    """
    for place in range(len(columns)):
        if columns[place, CODE] != code:
            return False
        start, end = offsets[place], offsets[place + 1]
        form, at, count = columns[place, FORM], columns[place, CELLS_AT], columns[place, SIZE]
        if form & STATES_MASK == NO_CELLS:
            codes[start:end] = 0
            continue
        step = 0 if form & CONSTANT else (1 if count <= 256 else 2)
        for row in range(start, end):
            index = np.int64(data[at]) if count <= 256 else u16(data, at)
            at += step
            if index >= max(count, 1):
                is_odd[place] = True
                codes[row] = 0
            elif state[row] != VALID:
                codes[row] = 0
            elif count == 0 or words[place, index] < 0:
                is_odd[place] = True
                codes[row] = 0
            else:
                codes[row] = words[place, index]
    return True


@kernel
def fill_ends(
    data: Bytes,
    columns: Table,
    offsets: Table,
    code: int,
    state: Bytes,
    lengths: Table,
    longest: int,
    is_odd: NDArray[np.bool_],
) -> bool:
    """The length of each array; False where a block has another signal there.

    Arrays that are not VALID have none.
    """
    for place in range(len(columns)):
        if columns[place, CODE] != code:
            return False
        form, at, size = columns[place, FORM], columns[place, WORDS_AT], columns[place, SIZE]
        step = 0 if form & CONSTANT else 2
        for row in range(offsets[place], offsets[place + 1]):
            if form & STATES_MASK == NO_CELLS:
                lengths[row] = 0
                continue
            length = -1 - size if size < 0 else u16(data, at)
            at += step
            if length > longest:
                is_odd[place] = True
            lengths[row] = length if state[row] == VALID else 0
    return True


@kernel
def fill_elements(
    data: Bytes,
    columns: Table,
    offsets: Table,
    width: int,
    state: Bytes,
    ends: Table,
    cells: Bytes,
) -> None:
    """The bytes of the elements of arrays that are VALID, one array after another."""
    for place in range(len(columns)):
        form, at, size = columns[place, FORM], columns[place, CELLS_AT], columns[place, SIZE]
        if form & STATES_MASK == NO_CELLS:
            continue
        lengths_at = columns[place, WORDS_AT]
        for row in range(offsets[place], offsets[place + 1]):
            length = (-1 - size if size < 0 else u16(data, lengths_at)) * width
            if state[row] == VALID:
                end = ends[row] * width
                cells[end - length : end] = data[at : at + length]
            if not form & CONSTANT:
                at += length
                lengths_at += 2


@kernel
def check_elements(
    elements: NDArray[np.generic],
    ends: Table,
    offsets: Table,
    low: float,
    high: float,
    is_odd: NDArray[np.bool_],
) -> None:
    """Blocks with an element outside low..high are marked odd."""
    start = np.int64(0)
    for place in range(len(offsets) - 1):
        end = ends[offsets[place + 1] - 1]
        for element in range(start, end):
            if not low <= elements[element] <= high:
                is_odd[place] = True
        start = end


@kernel
def same_bytes(
    data: Bytes, columns: Table, others: Table, start_of: int, end_of: int
) -> NDArray[np.bool_]:
    """Whether each column holds between two of its places what another one does."""
    is_same = np.ones(len(columns), np.bool_)
    for place in range(len(columns)):
        other = others[place]
        start, end = columns[place, start_of], columns[place, end_of]
        there = columns[other, start_of]
        if end - start != columns[other, end_of] - there:
            is_same[place] = False
            continue
        for byte in range(end - start):
            if data[start + byte] != data[there + byte]:
                is_same[place] = False
                break
    return is_same
