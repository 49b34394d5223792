"""Samples in JSON of one shape, from their bytes to cells, in machine code.

A message is an object, or an array of them. One that is not wholly of the shape leaves nothing.
Source of the grammar of numbers: RFC 8259, section 6.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel, load
from contactor.cloud.ingest.arrays.fill import UNAVAILABLE, VALID
from contactor.cloud.ingest.arrays.scan import Bytes, Number, Table
from contactor.cloud.ingest.shapes import Kind
from contactor.signals.wire.limits import MAX_CELLS, MAX_ROWS

FLOAT, INTEGER, BOOLEAN, TEXT, MILLISECONDS, INSTANT = (int(kind) for kind in Kind)
MAX_DIGITS = 18
WORD = 8
EXACT_POWERS = np.array([10.0**power for power in range(23)])
"""The powers of ten that a float64 holds exactly."""
EXACT_INTEGER = 2**53
SPLITTER = 2.0**27 + 1
ROUNDING = 2.0**-50

QUOTE, BACKSLASH, COMMA, MINUS, PLUS, POINT = (ord(one) for one in '"\\,-+.')
OPENS, CLOSES = ord("["), ord("]")
ZERO, NINE, SMALL_E, LARGE_E, SPACE = (ord(one) for one in "09eE ")
WORDS = np.frombuffer(b"nulltruefalse", np.uint8)
NULL_AT, TRUE_AT, FALSE_AT, WORDS_END = 0, 4, 8, 13
FIRST_OF_NULL = ord("n")


@kernel
def is_at(data: Bytes, at: Number, end: Number, text: Bytes, start: Number, stop: Number) -> bool:
    """Whether `text[start:stop]` stands at a place."""
    size = stop - start
    if at + size > end:
        return False
    place: Number = 0
    while place + WORD <= size:
        if load(data, at + place) != load(text, start + place):
            return False
        place += WORD
    while place < size:
        if data[at + place] != text[start + place]:
            return False
        place += 1
    return True


@kernel
def after_space(data: Bytes, at: Number, end: Number) -> Number:
    """Where white space ends."""
    while at < end and (data[at] == SPACE or data[at] == 9 or data[at] == 10 or data[at] == 13):
        at += 1
    return at


@kernel
def after_digits(data: Bytes, at: Number, end: Number) -> Number:
    """Where digits end."""
    while at < end and ZERO <= data[at] <= NINE:
        at += 1
    return at


@kernel
def read_number(data: Bytes, at: Number, end: Number) -> tuple[Number, Number, Number, bool]:
    """Where a number ends, its digits as an integer, its power of ten, whether these are all of it.

    The end is -1 where it is no number; the digits are without the sign.
    """
    if at < end and data[at] == MINUS:
        at += 1
    start = at
    at = after_digits(data, at, end)
    if at == start or (data[start] == ZERO and at > start + 1):
        return -1, 0, 0, False
    power: Number = 0
    digits: Number = 0
    stop = at
    if at < end and data[at] == POINT:
        stop = after_digits(data, at + 1, end)
        if stop == at + 1:
            return -1, 0, 0, False
        power = at + 1 - stop
    count: Number = 0
    for place in range(start, stop):
        if data[place] != POINT:
            digits = digits * 10 + (data[place] - ZERO)
            count += 1 if count > 0 or digits > 0 else 0  # beyond 18 they may turn negative
    at = stop
    if at < end and (data[at] == SMALL_E or data[at] == LARGE_E):
        at += 1
        is_negative = at < end and data[at] == MINUS
        if at < end and (data[at] == MINUS or data[at] == PLUS):
            at += 1
        stop = after_digits(data, at, end)
        if stop == at:
            return -1, 0, 0, False
        exponent: Number = 0
        for place in range(at, min(stop, at + MAX_DIGITS)):
            exponent = exponent * 10 + (data[place] - ZERO)
        power += -exponent if is_negative else exponent
        at = stop
    return at, digits, power, bool(count <= MAX_DIGITS)


@kernel
def scaled(digits: Number, power: Number) -> tuple[float, bool]:
    """digits x 10^power as the nearest float64, and whether it is known to be that.

    digits: 0 to 10^18. A quotient is taken with its remainder, in two float64 (Dekker 1971), and
    given only where it rounds to the same number anywhere within its error (Ziv 1991).
    """
    whole = np.float64(digits)
    if digits == 0:
        return 0.0, True
    if digits <= EXACT_INTEGER:
        if 0 <= power <= 22:
            return whole * EXACT_POWERS[power], True
        if -22 <= power < 0:
            return whole / EXACT_POWERS[-power], True
    if not -22 <= power <= 0:
        return 0.0, False
    rest = np.float64(digits - np.int64(whole))
    divisor = EXACT_POWERS[-power]
    quotient = whole / divisor
    bound = SPLITTER * quotient
    high = bound - (bound - quotient)
    low = quotient - high
    bound = SPLITTER * divisor
    high_divisor = bound - (bound - divisor)
    low_divisor = divisor - high_divisor
    product = quotient * divisor
    error = ((high * high_divisor - product) + high * low_divisor + low * high_divisor) + (
        low * low_divisor
    )
    left = (whole - product) - error
    more = (left + rest) / divisor
    doubt = (abs(left) + abs(rest)) * ROUNDING / divisor
    found = quotient + more
    return found, found == quotient + (more + doubt) and found == quotient + (more - doubt)


@kernel
def after_text(data: Bytes, at: Number, end: Number) -> Number:
    """Where a text without escapes ends, at its quote; -1 where it does not."""
    while at < end and data[at] != QUOTE:
        if data[at] == BACKSLASH or data[at] < SPACE:
            return -1
        at += 1
    return at if at < end else -1


@kernel
def scan_samples(
    data: Bytes,
    starts: Table,
    ends: Table,
    literals: Bytes,
    literal_ends: Table,
    kinds: Table,
    places: Table,
    cells: Table,
    numbers: NDArray[np.float64],
    state: Bytes,
    message: Table,
    longs: Table,
    is_read: NDArray[np.bool_],
) -> tuple[Number, Number]:
    """Read the messages that are not read yet and of the shape.

    Args:
        starts, ends: (messages,), where each lies in `data`.
        literal_ends: (cells + 1,), where each ends in `literals`.
        places: (cells,), the row of `cells` that a cell goes to; a text takes two, for its
            beginning and its end.
        cells, numbers: (places, capacity), the same memory; as many samples as can be.
        state: (cells, capacity).
        message: (capacity,), the message of each sample.
        longs: (any, 4), numbers left to somebody else: place, sample, beginning, end.

    Returns:
        How many samples were read, and how many numbers are left.
    """
    rows: Number = 0
    left: Number = 0
    for number in range(len(starts)):
        if is_read[number]:
            continue
        end = ends[number]
        at = after_space(data, starts[number], end)
        is_array = at < end and data[at] == OPENS
        if is_array:
            at = after_space(data, at + 1, end)
        row, left_before, is_good = rows, left, False
        while True:
            if row - rows >= MAX_ROWS or (row - rows + 1) * len(kinds) > MAX_CELLS:
                break
            at, left = read_sample(
                *(data, at, end, literals, literal_ends, kinds, places),
                *(cells, numbers, state, row, longs, left),
            )
            if at < 0:
                break
            message[row] = number
            row += 1
            at = after_space(data, at, end)
            if is_array and at < end and data[at] == COMMA:
                at = after_space(data, at + 1, end)
                continue
            if is_array:
                is_good = at < end and data[at] == CLOSES
                at += 1
            else:
                is_good = True
            is_good = is_good and after_space(data, at, end) == end
            break
        if is_good:
            rows = row
            is_read[number] = True
        else:
            left = left_before
    return rows, left


@kernel
def read_sample(
    data: Bytes,
    at: Number,
    end: Number,
    literals: Bytes,
    literal_ends: Table,
    kinds: Table,
    places: Table,
    cells: Table,
    numbers: NDArray[np.float64],
    state: Bytes,
    row: Number,
    longs: Table,
    left: Number,
) -> tuple[Number, Number]:
    """Where a sample ends, or -1 where it is of another shape; how many numbers are left by now."""
    begun = 0
    for cell in range(len(kinds)):
        if not is_at(data, at, end, literals, begun, literal_ends[cell]):
            return -1, left
        at += literal_ends[cell] - begun
        begun = literal_ends[cell]
        kind, place = kinds[cell], places[cell]
        state[cell, row] = VALID
        if kind in (TEXT, INSTANT):
            stop = after_text(data, at, end)
            if stop < 0:
                return -1, left
            cells[place, row], cells[place + 1, row] = at, stop
            at = stop
        elif kind != MILLISECONDS and at < end and data[at] == FIRST_OF_NULL:
            if not is_at(data, at, end, WORDS, NULL_AT, TRUE_AT):
                return -1, left
            state[cell, row] = UNAVAILABLE
            cells[place, row] = 0
            at += TRUE_AT - NULL_AT
        elif kind == BOOLEAN:
            is_true = is_at(data, at, end, WORDS, TRUE_AT, FALSE_AT)
            if not is_true and not is_at(data, at, end, WORDS, FALSE_AT, WORDS_END):
                return -1, left
            cells[place, row] = is_true
            at += FALSE_AT - TRUE_AT if is_true else WORDS_END - FALSE_AT
        else:
            start = at
            is_negative = at < end and data[at] == MINUS
            at, digits, power, is_whole = read_number(data, at, end)
            if at < 0:
                return -1, left
            if kind == FLOAT:
                value, is_exact = scaled(digits, power)
                numbers[place, row] = -value if is_negative else value
                if not (is_whole and is_exact):
                    if left == len(longs):
                        return -1, left
                    longs[left, 0], longs[left, 1] = place, row
                    longs[left, 2], longs[left, 3] = start, at
                    left += 1
            else:
                if not is_whole or at != after_digits(data, start + is_negative, end):
                    return -1, left
                cells[place, row] = -digits if is_negative else digits
    if not is_at(data, at, end, literals, begun, len(literals)):
        return -1, left
    return at + len(literals) - begun, left
