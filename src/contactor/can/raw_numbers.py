"""Physical values to the bit patterns that a payload holds: (v - offset) / scale, half to even.

The arithmetic is that of cantools for the same values. What a signal cannot hold is told by a mask,
or moved to the nearest that it can; NaN is the raw value that means "not available".

    converter = RawConverter(plan.messages[0].signals)
    patterns, is_refused = converter.patterns(values)            # values: float64 (n, signals)
    exact_pattern(signal, 2**63 + 1)                             # what no float64 holds
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.decode import FLOAT_WORDS, FLOATS
from contactor.can.kernels import are_wanted
from contactor.can.plan import WORD_BITS, SignalPlan

Mask: TypeAlias = NDArray[np.bool_]
Patterns: TypeAlias = NDArray[np.uint64]
Values: TypeAlias = NDArray[np.float64]

HALF_FLOAT_BITS = 16
FLOAT_ENDS = {
    16: float(np.finfo(np.float16).max),
    32: float(np.finfo(np.float32).max),
    64: float(np.finfo(np.float64).max),
}


class RawConverter:
    """Physical values of some signals to bit patterns, all signals in the same few array steps.

    Args:
        signals: what to convert, in the order of the matrix's columns.
    """

    def __init__(self, signals: Sequence[SignalPlan]) -> None:
        self._signals = tuple(signals)
        ends = [raw_range(signal) for signal in signals]
        self._offset = np.array([float(signal.offset) for signal in signals])
        self._scale = np.array([float(signal.scale) for signal in signals])
        self._low = np.array([float(low) for low, _ in ends])
        # exclusive: the highest of 64 bits is no float64, what follows it is
        self._beyond = np.array([float(high + 1) for _, high in ends])
        self._high = np.minimum(self._beyond - 1, np.nextafter(self._beyond, 0.0))
        self._masks = np.array([(1 << signal.length) - 1 for signal in signals], np.uint64)
        self._is_integer = np.array([not signal.is_float for signal in signals], np.bool_)
        self._floats = np.flatnonzero(~self._is_integer).tolist()
        self._float_bits = np.array(
            [signal.length if signal.is_float else 0 for signal in signals], np.int64
        )
        self._is_wide = np.array(
            [
                signal.length == WORD_BITS and not signal.is_signed and not signal.is_float
                for signal in signals
            ],
            np.bool_,
        )
        self._wide = np.flatnonzero(self._is_wide).tolist()
        self._has_silence = np.array([bool(signal.unavailable) for signal in signals], np.bool_)
        self._silence = np.array(
            [signal.unavailable[-1] if signal.unavailable else 0 for signal in signals], np.uint64
        )
        self._can_be_silent = self._has_silence | ~self._is_integer
        self._is_compilable = HALF_FLOAT_BITS not in self._float_bits

    def patterns(self, values: Values, *, saturate: bool = False) -> tuple[Patterns, Mask]:
        """Convert `values` (n, signals).

        Returns:
            The bit patterns (n, signals) in the low bits, and which values cannot be sent.
        """
        if self._is_compilable and are_wanted(len(values)):
            return self._compiled(values, saturate)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            exact = (values - self._offset) / self._scale
        is_silent = np.isnan(values)
        raw = np.where(is_silent | ~self._is_integer, 0.0, np.rint(exact))
        is_refused = ~((raw >= self._low) & (raw < self._beyond)) & self._is_integer & ~is_silent
        if is_refused.any():
            raw = np.clip(np.where(np.isnan(raw), 0.0, raw), self._low, self._high)
            is_refused &= not saturate
        is_refused |= is_silent & ~self._can_be_silent
        wide = [raw[:, place].astype(np.uint64) for place in self._wide]
        raw[:, self._wide] = 0.0
        patterns = raw.astype(np.int64).view(np.uint64) & self._masks
        for place, column in zip(self._wide, wide, strict=True):
            patterns[:, place] = column
        for place in self._floats:
            column, is_beyond = _float_patterns(exact[:, place], self._signals[place].length)
            patterns[:, place] = column
            if not saturate:
                is_refused[:, place] |= is_beyond
        if is_silent.any():
            np.copyto(patterns, self._silence, where=is_silent & self._has_silence)
        return patterns, is_refused

    def _compiled(self, values: Values, saturate: bool) -> tuple[Patterns, Mask]:
        from contactor.can.kernels.encode import convert

        patterns = np.empty(values.shape, np.uint64)
        is_refused = np.empty(values.shape, np.bool_)
        convert(
            np.ascontiguousarray(values),
            self._offset,
            self._scale,
            self._low,
            self._beyond,
            self._high,
            self._masks,
            self._float_bits,
            self._is_wide,
            self._has_silence,
            self._silence,
            saturate,
            patterns,
            is_refused,
        )
        return patterns, is_refused


def raw_range(signal: SignalPlan) -> tuple[int, int]:
    """The least and greatest raw number, without those at the ends that say "not available"."""
    beyond = 1 << signal.length
    low, high = (-(beyond >> 1), (beyond >> 1) - 1) if signal.is_signed else (0, beyond - 1)
    while low < high and low & (beyond - 1) in signal.unavailable:
        low += 1
    while low < high and high & (beyond - 1) in signal.unavailable:
        high -= 1
    return low, high


def exact_pattern(signal: SignalPlan, value: int) -> int | None:
    """The bit pattern of a whole number of any size, None where the signal cannot hold it.

    A number that a float64 rounds is divided in whole numbers, as cantools does.
    """
    if not signal.scale:
        return None
    try:
        moved = value - signal.offset
        whole, rest = divmod(moved, signal.scale)
        raw = round(moved / signal.scale) if rest else int(whole)
    except OverflowError:
        return None
    low, high = raw_range(signal)
    return raw & ((1 << signal.length) - 1) if low <= raw <= high else None


def _float_patterns(numbers: Values, length: int) -> tuple[Patterns, Mask]:
    """IEEE 754 bits, and which finite numbers lie beyond the greatest; those become it."""
    greatest = FLOAT_ENDS[length]
    with np.errstate(over="ignore", invalid="ignore"):
        cells = numbers.astype(FLOATS[length])
    is_beyond = np.isinf(cells) & np.isfinite(numbers)
    if is_beyond.any():
        cells = np.where(is_beyond, np.copysign(greatest, numbers), cells).astype(FLOATS[length])
    return cells.view(FLOAT_WORDS[length]).astype(np.uint64), is_beyond
