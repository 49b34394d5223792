"""Values to bit patterns, and bit patterns to payloads, in machine code.

Arithmetic is that of the NumPy path, operation by operation (raw_numbers.py, payload_bits.py).
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel
from contactor.can.payload_bits import BYTE_TABLE

u64 = np.uint64
# The greatest finite number of 32 bits (IEEE 754).
GREATEST_32 = float(np.finfo(np.float32).max)


@kernel
def convert(
    values: NDArray[np.float64],
    offset: NDArray[np.float64],
    scale: NDArray[np.float64],
    low: NDArray[np.float64],
    beyond: NDArray[np.float64],
    high: NDArray[np.float64],
    masks: NDArray[np.uint64],
    float_bits: NDArray[np.int64],
    is_wide: NDArray[np.bool_],
    has_silence: NDArray[np.bool_],
    silence: NDArray[np.uint64],
    saturate: bool,
    patterns: NDArray[np.uint64],
    is_refused: NDArray[np.bool_],
) -> None:
    """Physical values as bit patterns.

    Args:
        values: (n, signals); NaN is not available.
        low, beyond, high: the ends of raw numbers, `beyond` the first that is too high.
        float_bits: 32 or 64 of a float, 0 of an integer.
        is_wide: whether a signal has 64 bits without sign.
        patterns, is_refused: (n, signals), filled.
    """
    single, double = np.zeros(1, np.float32), np.zeros(1, np.float64)
    single_bits, double_bits = single.view(np.uint32), double.view(np.uint64)
    for row in range(values.shape[0]):
        for place in range(values.shape[1]):
            value = values[row, place]
            exact = (value - offset[place]) / scale[place]
            is_silent = np.isnan(value)
            refused = False
            pattern = u64(0)
            if is_silent and has_silence[place]:
                pattern = silence[place]
            elif float_bits[place] == 64:
                double[0] = exact
                pattern = double_bits[0]
            elif float_bits[place] == 32:
                single[0] = np.float32(exact)
                if np.isinf(single[0]) and np.isfinite(exact):
                    single[0] = np.float32(np.copysign(GREATEST_32, exact))
                    refused = not saturate
                pattern = u64(single_bits[0])
            elif is_silent:
                refused = True
            else:
                raw = np.rint(exact)
                if not (raw >= low[place] and raw < beyond[place]):
                    refused = not saturate
                    if np.isnan(raw):
                        raw = 0.0
                    raw = min(max(raw, low[place]), high[place])
                if is_wide[place]:
                    pattern = u64(raw)
                else:
                    pattern = u64(np.int64(raw)) & masks[place]
            patterns[row, place] = pattern
            is_refused[row, place] = refused


@kernel
def place(
    patterns: NDArray[np.uint64],
    table: NDArray[np.void],
    ids: NDArray[np.uint64],
    payloads: NDArray[np.uint8],
) -> None:
    """Bit patterns (n, signals) into payloads (n, length) of zeros.

    Args:
        table: of dtype `BYTE_TABLE`, a row a signal; each within `length`.
        ids: patterns of multiplexers; a signal's own are those between `ids_start` and `ids_end`.
    """
    count = patterns.shape[1]
    is_there = np.ones(count, np.bool_)
    for row in range(patterns.shape[0]):
        for number in range(count):
            signal = table[number]
            parent = signal["parent"]
            is_chosen = parent < 0
            if not is_chosen and is_there[parent]:
                for known in range(signal["ids_start"], signal["ids_end"]):
                    if ids[known] == patterns[row, parent]:
                        is_chosen = True
            is_there[number] = is_chosen
            if not is_chosen or signal["is_left_out"]:
                continue
            pattern = patterns[row, number]
            shift, at, step = u64(signal["shift"]), signal["low_byte"], signal["step"]
            payloads[row, at] |= np.uint8((pattern << shift) & u64(0xFF))
            for further in range(1, signal["bytes"]):
                bits = pattern >> (u64(8 * further) - shift)
                payloads[row, at + step * further] |= np.uint8(bits & u64(0xFF))


@kernel
def sum_up(
    payloads: NDArray[np.uint8],
    shares: NDArray[np.uint16],
    constant: np.uint16,
    is_sum: bool,
    sums: NDArray[np.uint16],
) -> None:
    """The checksums of payloads (n, length): the shares of all bytes, added or combined.

    Args:
        shares: (length, 256), what each value of each byte adds.
        is_sum: whether they are added, modulo 256.
        sums: (n,), filled.
    """
    for row in range(payloads.shape[0]):
        total = np.uint64(0) if is_sum else np.uint64(constant)
        for byte in range(payloads.shape[1]):
            share = np.uint64(shares[byte, payloads[row, byte]])
            total = total + share if is_sum else total ^ share
        sums[row] = np.uint16(total & u64(0xFF)) if is_sum else np.uint16(total)


def warm() -> None:
    """Compile for the types that the engine calls with."""
    numbers, words, flags = np.zeros(1), np.zeros(1, np.uint64), np.zeros(1, np.bool_)
    patterns = np.zeros((1, 1), np.uint64)
    convert(
        np.zeros((1, 1)),
        numbers,
        np.ones(1),
        numbers,
        np.ones(1),
        numbers,
        words,
        np.zeros(1, np.int64),
        flags,
        flags,
        words,
        False,
        patterns,
        np.zeros((1, 1), np.bool_),
    )
    table = np.zeros(1, BYTE_TABLE)
    table["parent"], table["bytes"] = -1, 1
    payloads = np.zeros((1, 8), np.uint8)
    place(patterns, table, words, payloads)
    shares = np.zeros((8, 256), np.uint16)
    sum_up(payloads, shares, np.uint16(0), False, np.zeros(1, np.uint16))
