"""Signals: runs of bits that move like one number.

In a number the higher bit flips less than the lower one. So bits are read from the highest down,
and a run goes on while flips do not fall; a whole byte may go on into the next (big endian) or into
the one before (little endian).

    flips of one byte     0  1  3  9 | 2  5 | 0 | 7        bit 7 first
    runs                  ----------   ----       -

Which of both byte orders, and whether the number has a sign, is told by what glides: the mean step
over the range that was seen.

Source: the flips of neighbouring bits as boundaries, after M. Marchetti and D. Stabili, "READ:
Reverse engineering of automotive data frames", IEEE TIFS 14(4), 2019.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.bits import Field, Payloads, Values

BYTE_BITS = 8
LEAST_BITS, MOST_BITS = 3, 16
# Flips that fall by more than this end a number.
FALL = 0.8
# Above it the bits do not glide: states, noise, or several things.
MOST_ROUGH = 0.25
LEAST_SIGN_BITS = 4


@dataclass(frozen=True, slots=True)
class Signal:
    """A number, and how it moved in a window."""

    field: Field
    least: int
    most: int
    roughness: float


def find_signals(
    window: Payloads,
    flips: NDArray[np.int64],
    taken: set[tuple[int, int]],
    values: NDArray[np.int64],
) -> list[Signal]:
    """The numbers in payloads that came in a row.

    Args:
        window: (n, w).
        flips: how often each bit flipped, (w, 8), bit 7 first.
        taken: bits that are known to be something else.
        values: how often each byte had each value in all frames, (w, 256).
    """
    width = window.shape[1]
    flat = flips[:width].astype(np.float64).reshape(-1).copy()
    for byte, bit in taken:
        if byte < width:
            flat[byte * BYTE_BITS + 7 - bit] = 0
    runs = _runs(flat)
    fields = [_field(run) for run in runs]
    fields = _joined_little(fields, flat)
    found = []
    for field in fields:
        if not LEAST_BITS <= field.length <= 2 * MOST_BITS:
            continue
        signal = _best_sign(window, field, values)
        if signal and signal.roughness <= MOST_ROUGH:
            found.append(signal)
    return found


def _runs(flips: NDArray[np.float64]) -> list[range]:
    """Bits in reading order that make one number where it is big endian."""
    runs: list[range] = []
    first: int | None = None
    for place, flip in enumerate(flips.tolist()):
        if first is not None and (
            flip == 0 or flip < FALL * flips[place - 1] or place - first >= MOST_BITS
        ):
            runs.append(range(first, place))
            first = None
        if first is None and flip > 0:
            first = place
    if first is not None:
        runs.append(range(first, len(flips)))
    return runs


def _field(run: range) -> Field:
    byte, place = divmod(run[-1], BYTE_BITS)
    return Field(byte, 7 - place, len(run), is_little=False)


def _joined_little(fields: list[Field], flips: NDArray[np.float64]) -> list[Field]:
    """Join a byte whose highest bit flips to bits that begin the next byte and flip less."""
    joined: list[Field] = []
    for field in fields:
        low = joined[-1] if joined else None
        if low and _goes_on(low, field, flips):
            length = low.length + field.length
            joined[-1] = Field(low.byte, low.shift, length, is_little=True)
        else:
            joined.append(field)
    return joined


def _goes_on(low: Field, high: Field, flips: NDArray[np.float64]) -> bool:
    """Whether `high` holds the higher bits of a little endian number that begins with `low`."""
    fills_to_the_top = low.shift + low.length == BYTE_BITS
    begins_next = high.byte == low.byte + 1 and high.shift == 0 and high.length <= BYTE_BITS
    if not (fills_to_the_top and begins_next):
        return False
    top = flips[low.byte * BYTE_BITS]
    bottom = flips[high.byte * BYTE_BITS + 7]
    return bool(0 < bottom <= top / FALL)


def _best_sign(window: Payloads, field: Field, values: NDArray[np.int64]) -> Signal | None:
    """Signed where that glides clearly better, or where values lie on both sides of zero."""
    plain = _seen(window, field)
    signed = _seen(window, Field(field.byte, field.shift, field.length, field.is_little, True))
    if plain is None or signed is None:
        return None
    glides = signed.least < 0 < signed.most and 2 * signed.travel < plain.travel
    is_signed = glides or _lies_around_zero(field, values)
    best = signed if is_signed else plain
    return Signal(best.field, best.least, best.most, best.roughness)


def _lies_around_zero(field: Field, values: NDArray[np.int64]) -> bool:
    """Whether the highest bits are near all zeros and near all ones, and never between.

    One value of all ones is no proof: so a car says "not available".
    """
    byte, bit = field.top()
    length = min(bit + 1, field.length)
    if length < LEAST_SIGN_BITS or byte >= len(values):
        return False
    tops = np.arange(256) >> (bit + 1 - length) & ((1 << length) - 1)
    counts = np.bincount(tops, weights=values[byte], minlength=1 << length)
    half, eighth = 1 << (length - 1), 1 << (length - 3) >> 1
    ends = counts[0] > 0 and counts[-1] > 0 and counts[-2] > 0
    return bool(ends and counts[half - eighth : half + eighth].sum() == 0)


@dataclass(frozen=True, slots=True)
class _Seen:
    field: Field
    least: int
    most: int
    travel: float
    roughness: float


def _seen(window: Payloads, field: Field) -> "_Seen | None":
    values: Values = field.of(window)
    least, most = int(values.min()), int(values.max())
    if least == most:
        return None
    travel = float(np.abs(np.diff(values)).mean())
    return _Seen(field, least, most, travel, travel / (most - least))
