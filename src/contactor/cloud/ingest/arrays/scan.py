"""One pass over the bytes of many records: everything is checked for size and form.

Source: docs/reference/wire.md.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel
from contactor.cloud.ingest.arrays.tables import (
    CELLS,
    CELLS_AT,
    CODE,
    COLUMNS,
    CONSTANT,
    DELTAS_AT,
    EACH_STATE,
    ELEMENTS,
    FIRST_COLUMN,
    FIRST_NS,
    FORM,
    GROUP,
    LAYOUT,
    LIST,
    NO_CELLS,
    NUMBER,
    OTHER,
    RECORD,
    ROWS,
    SIZE,
    STATES_AT,
    STATES_MASK,
    STEP,
    TEXT,
    UNIT_NS,
    WORDS_AT,
    WORDS_HASH,
)
from contactor.signals.wire.limits import (
    MAX_BLOCKS,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNIT,
)

Bytes = NDArray[np.uint8]
Table = NDArray[np.int64]
Number: TypeAlias = int | np.signedinteger[Any]

LATEST_NS = 2**63 - 1
GROUPS = 5
FNV_START = -3750763034362895579
FNV_PRIME = 1099511628211


@kernel
def u16(data: Bytes, at: Number) -> Number:
    """The 16 bits at a place."""
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@kernel
def u32(data: Bytes, at: Number) -> Number:
    """The 32 bits at a place."""
    return u16(data, at) | u16(data, at + 2) << 16


@kernel
def i64(data: Bytes, at: Number) -> Number:
    """The 64 bits at a place, signed."""
    return u32(data, at) | u32(data, at + 4) << 32


@kernel
def hashed(data: Bytes, start: Number, end: Number) -> Number:
    """The FNV-1a of some bytes."""
    found = np.int64(FNV_START)
    for at in range(start, end):
        found = (found ^ np.int64(data[at])) * FNV_PRIME
    return found


@kernel
def after_deltas(
    data: Bytes, at: Number, end: Number, count: Number, unit: Number, first: Number
) -> Number:
    """Where `count` deltas end; -1 where one is cut off or leads beyond the last instant."""
    ts = first
    for _ in range(count):
        delta, shift = np.int64(0), 0
        while True:
            if at >= end or shift > 56:
                return -1
            byte = np.int64(data[at])
            at += 1
            delta |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if delta > (LATEST_NS - max(ts, 0)) // unit:
            return -1
        ts += delta * unit
    return at


@kernel
def after_words(data: Bytes, at: Number, end: Number) -> tuple[Number, Number]:
    """Where a list of words ends, and how many there are; -1 where it is cut off."""
    if at + 2 > end:
        return -1, 0
    count = u16(data, at)
    at += 2
    for _ in range(count):
        if at + 2 > end:
            return -1, 0
        at += 2 + u16(data, at)
    return at if at <= end else -1, count


@kernel
def after_column(
    data: Bytes,
    at: Number,
    end: Number,
    rows: Number,
    kinds: Table,
    widths: Table,
    columns: Table,
    row: Number,
) -> Number:
    """Where the column at `at` ends, and what it is; -1 where it is wrong or not read here."""
    if at + 3 > end:
        return -1
    code, form = u16(data, at), np.int64(data[at + 2])
    at += 3
    if code >= len(kinds) or kinds[code] == OTHER or form > (CONSTANT | STATES_MASK):
        return -1
    states = form & STATES_MASK
    if states > EACH_STATE:
        return -1
    columns[row, CODE], columns[row, FORM] = code, form
    columns[row, STATES_AT] = at
    if states == EACH_STATE:
        at += (rows + 3) // 4
    cells = 1 if form & CONSTANT else rows
    columns[row, WORDS_AT] = columns[row, CELLS_AT] = at
    columns[row, SIZE] = columns[row, WORDS_HASH] = 0
    if states == NO_CELLS:
        return at if at <= end else -1
    kind, width = kinds[code], widths[code]
    if kind == NUMBER:
        at += cells * width
    elif kind == TEXT:
        after, count = after_words(data, at, end)
        if after < 0:
            return -1
        columns[row, WORDS_HASH] = hashed(data, at, after)
        columns[row, SIZE] = count
        columns[row, CELLS_AT] = after
        at = after + cells * (1 if count <= 256 else 2)
    elif kind == LIST:
        if at + 1 > end:
            return -1
        is_each = np.int64(data[at])
        at += 1
        columns[row, WORDS_AT] = at
        elements: Number = np.int64(0)
        if is_each == 0:
            if at + 2 > end:
                return -1
            elements = u16(data, at) * cells
            columns[row, SIZE] = -1 - u16(data, at)
            at += 2
        elif is_each == 1:
            if at + 2 * cells > end:
                return -1
            for cell in range(cells):
                elements += u16(data, at + 2 * cell)
            columns[row, SIZE] = elements
            at += 2 * cells
        else:
            return -1
        columns[row, CELLS_AT], columns[row, ELEMENTS] = at, elements
        at += elements * width
    return at if at <= end else -1


@kernel
def elements_of(columns: Table, row: Number, times: Number, kinds: Table) -> Number:
    """How many elements the arrays of a column hold, each told `times` times."""
    if kinds[columns[row, CODE]] != LIST or columns[row, FORM] & STATES_MASK == NO_CELLS:
        return 0
    found: Number = columns[row, ELEMENTS] * times
    return found


@kernel
def scan_block(
    data: Bytes,
    at: Number,
    end: Number,
    kinds: Table,
    widths: Table,
    block: Table,
    columns: Table,
    used: Number,
    seen: Table,
    mark: Number,
) -> Number:
    """Where the block at `at` ends; -1 where it is wrong or not read here."""
    if at + 16 > end:
        return -1
    group, time = np.int64(data[at]), np.int64(data[at + 1])
    count, rows, first = u16(data, at + 2), u32(data, at + 4), i64(data, at + 8)
    at += 16
    unit_power = time & 0x0F
    if group >= GROUPS or time & 0x70 or unit_power > MAX_UNIT:
        return -1
    if not 1 <= rows <= MAX_ROWS or count > MAX_COLUMNS or used + count > len(columns):
        return -1
    unit = np.int64(1)
    for _ in range(unit_power):
        unit *= 10
    block[GROUP], block[ROWS], block[FIRST_NS], block[UNIT_NS] = group, rows, first, unit
    block[COLUMNS], block[FIRST_COLUMN], block[DELTAS_AT] = count, used, at
    if time & 0x80:
        block[STEP] = -1
        at = after_deltas(data, at, end, rows - 1, unit, first)
        if at < 0:
            return -1
    else:
        if at + 8 > end:
            return -1
        step = i64(data, at)
        at += 8
        if step < 0 or step > (LATEST_NS - max(first, 0)) // unit // max(rows - 1, 1):
            return -1
        block[STEP] = step
    layout, cells = np.int64((FNV_START ^ group) * FNV_PRIME), rows * count
    if cells > MAX_CELLS:
        return -1
    for number in range(count):
        at = after_column(data, at, end, rows, kinds, widths, columns, used + number)
        if at < 0:
            return -1
        code = columns[used + number, CODE]
        if seen[code] == mark:
            return -1
        seen[code] = mark
        layout = (layout ^ code) * FNV_PRIME
        if columns[used + number, FORM] & CONSTANT:
            many = rows
        else:
            many = 1
        cells += elements_of(columns, used + number, many, kinds)
        if cells > MAX_CELLS:
            return -1
    block[LAYOUT], block[CELLS] = layout, cells
    return at


@kernel
def scan(
    data: Bytes,
    starts: Table,
    ends: Table,
    kinds: Table,
    widths: Table,
    blocks: Table,
    columns: Table,
    is_odd: NDArray[np.bool_],
) -> tuple[Number, Number]:
    """Find the blocks and columns of records; how many of each there are.

    Args:
        data: the bytes of all records.
        starts, ends: (records,), where the blocks of each begin, and its end.
        kinds, widths: (codes,), of each signal of the codebook: what its cells are, and the bytes
            of a number.
        blocks, columns: (capacity, ...), see `tables`; written.
        is_odd: (records,), set for those that are damaged or hold what is not read here.
    """
    block_count, column_count = 0, 0
    seen = np.full(len(kinds), -1, np.int64)
    mark = 0
    for record in range(len(starts)):
        at, end = starts[record], ends[record]
        first_block, first_column = block_count, column_count
        is_wrong = at >= end or not 1 <= data[at] <= MAX_BLOCKS
        cells = 0
        if not is_wrong:
            count = np.int64(data[at])
            at += 1
            for _ in range(count):
                if block_count == len(blocks):
                    is_wrong = True
                    break
                block = blocks[block_count]
                at = scan_block(
                    data, at, end, kinds, widths, block, columns, column_count, seen, mark
                )
                mark += 1
                if at < 0:
                    is_wrong = True
                    break
                block[RECORD] = record
                cells += block[CELLS]
                if cells > MAX_CELLS:
                    is_wrong = True
                    break
                block_count += 1
                column_count += block[COLUMNS]
            is_wrong |= at != end
        if is_wrong:
            block_count, column_count = first_block, first_column
            is_odd[record] = True
    return block_count, column_count
