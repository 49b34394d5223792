"""Signals out of payload words: the frames of each place, then the values of each signal.

Arithmetic is that of the NumPy path, operation by operation: raw · scale + offset in float64, never
fused or reordered.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.flat_plan import (
    ALL,
    LONG,
    PLACE,
    SIGNAL,
    SIGNED_32,
    SIGNED_64,
    UNSIGNED_31,
    UNSIGNED_63,
)
from contactor.can.kernels.jit import kernel

u64 = np.uint64


@kernel
def swapped(word: np.uint64) -> np.uint64:
    """The word's bytes in the other order."""
    word = ((word & u64(0x00FF00FF00FF00FF)) << u64(8)) | (
        (word >> u64(8)) & u64(0x00FF00FF00FF00FF)
    )
    word = ((word & u64(0x0000FFFF0000FFFF)) << u64(16)) | (
        (word >> u64(16)) & u64(0x0000FFFF0000FFFF)
    )
    return (word << u64(32)) | (word >> u64(32))


@kernel
def word_at(words: NDArray[np.uint64], width: int, row: int, first_byte: int) -> np.uint64:
    """Eight bytes of a frame from `first_byte` on; `width` words are a frame's payload."""
    at = row * width + first_byte // 8
    shift = u64(8 * (first_byte % 8))
    if shift == u64(0):
        return u64(words[at])
    return u64((words[at] >> shift) | (words[at + 1] << (u64(64) - shift)))


@kernel
def choose(
    words: NDArray[np.uint64],
    width: int,
    length: NDArray[np.uint8],
    order: NDArray[np.int32],
    group_start: NDArray[np.int64],
    group_count: NDArray[np.int64],
    group_places: NDArray[np.int64],
    group_first: NDArray[np.int64],
    places: NDArray[np.void],
    ids: NDArray[np.int64],
    start: NDArray[np.int64],
    count: NDArray[np.int64],
    is_picked: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """The frames of each place of each group.

    Args:
        group_start, group_count: where each group's rows lie in `order`.
        group_places: the first of its message's `places`.
        group_first: where each group's places begin in `start`, `count` and `is_picked`, which are
            filled: `count` rows from `start` on, in `order` or among the rows returned.
    """
    picked = np.empty(1024, np.int32)
    used = 0
    longest = 8 * width
    for group in range(group_start.shape[0]):
        here = group_first[group]
        shortest = np.int64(longest)
        for at in range(group_start[group], group_start[group] + group_count[group]):
            shortest = min(shortest, np.int64(length[order[at]]))
        for number in range(group_first[group + 1] - here):
            place = places[group_places[group] + number]
            if place["kind"] == ALL:
                start[here], count[here] = group_start[group], group_count[group]
                is_picked[here] = False
                continue
            base = here + place["base"]
            begin, rows = start[base], count[base]
            if place["kind"] == LONG and shortest >= place["bytes"]:
                start[here + number], count[here + number] = begin, rows
                is_picked[here + number] = is_picked[base]
                continue
            if used + rows > picked.shape[0]:
                longer = np.empty(max(2 * picked.shape[0], used + rows), np.int32)
                longer[:used] = picked[:used]
                picked = longer
            first = used
            left, right = u64(place["left"]), u64(place["right"])
            for at in range(begin, begin + rows):
                row = picked[at] if is_picked[base] else order[at]
                if place["kind"] == LONG:
                    is_there = min(np.int64(length[row]), longest) >= place["bytes"]
                else:
                    word = word_at(words, width, row, place["first_byte"])
                    if not place["is_little"]:
                        word = swapped(word)
                    if place["is_signed"]:
                        raw = np.int64(word << left) >> np.int64(right)
                    else:
                        raw = np.int64((word << left) >> right)
                    is_there = False
                    for number_range in range(place["ids_start"], place["ids_end"]):
                        if ids[number_range, 0] <= raw <= ids[number_range, 1]:
                            is_there = True
                if is_there:
                    picked[used] = row
                    used += 1
            start[here + number], count[here + number] = first, used - first
            is_picked[here + number] = True
    return picked[:used]


@kernel
def unsigned_31(
    words: NDArray[np.uint64],
    is_little: bool,
    left: np.uint64,
    right: np.uint64,
    scale: float,
    offset: float,
    values: NDArray[np.float64],
) -> None:
    """Values of up to 31 bits, by way of 32 bit integers, which processors convert fastest."""
    if is_little:
        for row in range(words.shape[0]):
            values[row] = np.float64(np.int32((words[row] << left) >> right)) * scale + offset
    else:
        for row in range(words.shape[0]):
            word = swapped(words[row])
            values[row] = np.float64(np.int32((word << left) >> right)) * scale + offset


@kernel
def signed_32(
    words: NDArray[np.uint64],
    is_little: bool,
    left: np.uint64,
    right: np.int64,
    scale: float,
    offset: float,
    values: NDArray[np.float64],
) -> None:
    """Signed values of up to 32 bits."""
    if is_little:
        for row in range(words.shape[0]):
            raw = np.int64(words[row] << left) >> right
            values[row] = np.float64(np.int32(raw)) * scale + offset
    else:
        for row in range(words.shape[0]):
            raw = np.int64(swapped(words[row]) << left) >> right
            values[row] = np.float64(np.int32(raw)) * scale + offset


@kernel
def wide(
    words: NDArray[np.uint64],
    kind: int,
    is_little: bool,
    left: np.uint64,
    right: np.uint64,
    scale: float,
    offset: float,
    values: NDArray[np.float64],
) -> None:
    """Values of more bits."""
    for row in range(words.shape[0]):
        word = words[row] if is_little else swapped(words[row])
        if kind == SIGNED_64:
            number = np.float64(np.int64(word << left) >> np.int64(right))
        elif kind == UNSIGNED_63:
            number = np.float64(np.int64((word << left) >> right))
        else:
            number = np.float64((word << left) >> right)
        values[row] = number * scale + offset


@kernel
def decode(
    words: NDArray[np.uint64],
    width: int,
    order: NDArray[np.int32],
    picked: NDArray[np.int32],
    group_signals: NDArray[np.int64],
    group_first_signal: NDArray[np.int64],
    group_first_place: NDArray[np.int64],
    signals: NDArray[np.void],
    start: NDArray[np.int64],
    count: NDArray[np.int64],
    is_picked: NDArray[np.bool_],
    patterns: NDArray[np.uint64],
    value_start: NDArray[np.int64],
    mask_start: NDArray[np.int64],
    values: NDArray[np.float64],
    masks: NDArray[np.bool_],
) -> None:
    """The values of all signals of all groups.

    Args:
        group_signals: the first of its message's `signals`.
        group_first_signal: where each group's signals begin in `value_start` and `mask_start`.
        group_first_place: as `group_first` of `choose`, whose results these are.
        patterns: what means "not available".
        value_start: where each signal's readings of this table begin in `values`, which is filled.
        mask_start: the same in `masks`; -1 where the signal is always available.
    """
    scratch = np.empty(0, np.uint64)
    for group in range(group_signals.shape[0]):
        last_begin, last_rows, last_byte = np.int64(-1), np.int64(-1), -1
        was_picked = False
        for number in range(group_first_signal[group + 1] - group_first_signal[group]):
            here = group_first_signal[group] + number
            signal = signals[group_signals[group] + number]
            place = group_first_place[group] + signal["place"]
            begin, rows = start[place], count[place]
            # Places of which no frame is too short are the same frames.
            if (
                begin != last_begin
                or rows != last_rows
                or is_picked[place] != was_picked
                or signal["first_byte"] != last_byte
            ):
                if scratch.shape[0] < rows:
                    scratch = np.empty(rows, np.uint64)
                if width == 1:
                    if is_picked[place]:
                        for row in range(rows):
                            scratch[row] = words[picked[begin + row]]
                    else:
                        for row in range(rows):
                            scratch[row] = words[order[begin + row]]
                else:
                    for row in range(rows):
                        at = picked[begin + row] if is_picked[place] else order[begin + row]
                        scratch[row] = word_at(words, width, at, signal["first_byte"])
                last_begin, last_rows, last_byte = begin, rows, signal["first_byte"]
                was_picked = is_picked[place]
            taken = scratch[:rows]
            out = values[value_start[here] : value_start[here] + rows]
            left, right = u64(signal["left"]), u64(signal["right"])
            scale, offset = signal["scale"], signal["offset"]
            kind, is_little = signal["kind"], signal["is_little"]
            if kind == UNSIGNED_31:
                unsigned_31(taken, is_little, left, right, scale, offset, out)
            elif kind == SIGNED_32:
                signed_32(taken, is_little, left, np.int64(right), scale, offset, out)
            else:
                wide(taken, kind, is_little, left, right, scale, offset, out)
            if mask_start[here] >= 0:
                mask = masks[mask_start[here] : mask_start[here] + rows]
                for row in range(rows):
                    word = taken[row] if is_little else swapped(taken[row])
                    pattern = (word << left) >> right
                    is_marked = False
                    for known in range(signal["unavailable_start"], signal["unavailable_end"]):
                        if patterns[known] == pattern:
                            is_marked = True
                    mask[row] = is_marked


def warm() -> None:
    """Compile for the types that the engine calls with."""
    none, rows = np.zeros(0, np.int64), np.zeros(0, np.int32)
    words, flags, firsts = np.zeros(1, np.uint64), np.zeros(1, np.bool_), np.zeros(1, np.int64)
    length, ids = np.zeros(1, np.uint8), np.zeros((0, 2), np.int64)
    places, signals = np.zeros(1, PLACE), np.zeros(1, SIGNAL)
    values = np.zeros(0, np.float64)
    choose(words, 1, length, rows, none, none, none, firsts, places, ids, none, none, flags)
    decode(
        words,
        1,
        rows,
        rows,
        none,
        firsts,
        firsts,
        signals,
        none,
        none,
        flags,
        words,
        none,
        none,
        values,
        flags,
    )
