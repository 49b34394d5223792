"""Counters: bits that go on by the same step from frame to frame, and begin again.

    find_counters(window)           # [Counter(Field(6, 0, 2), step=1, modulo=4)]

A bit that flips in every frame is a counter of modulo 2.
"""

from dataclasses import dataclass

import numpy as np

from contactor.can.identify.bits import Field, Payloads, Values

# So many of a window's steps must follow: frames get lost.
LEAST_SHARE = 0.9
# The lowest bit of a counter flips in most steps; of one to three, in two of three.
LEAST_FLIPS = 0.6
BYTE_BITS = 8


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter: its bits, its step (negative where it counts down), its number of values."""

    field: Field
    step: int
    modulo: int

    def held(self, payloads: Payloads) -> int:
        """How many of the n - 1 steps between payloads in a row follow."""
        steps = np.diff(self.field.of(payloads))
        return int(((steps - self.step) % self.modulo == 0).sum())


def find_counters(window: Payloads) -> list[Counter]:
    """The counters in payloads that came in a row, (n, w)."""
    changes = np.unpackbits(window[1:] ^ window[:-1], axis=1)
    flips = changes.mean(axis=0).reshape(window.shape[1], BYTE_BITS)[:, ::-1]
    found: list[Counter] = []
    for byte in range(window.shape[1]):
        shift = 0
        while shift < BYTE_BITS:
            counter = None
            if flips[byte, shift] >= LEAST_FLIPS:
                counter = _widest(window, byte, shift, flips[byte] > 0)
            if counter:
                found.append(_widened(window, counter))
            shift += counter.field.length if counter else 1
    return _without_parts(found)


def _widest(window: Payloads, byte: int, shift: int, has_flips: np.ndarray) -> Counter | None:
    """The counter whose lowest bit is there and that the most steps follow, then the widest."""
    best: tuple[float, Counter] | None = None
    for length in range(1, BYTE_BITS - shift + 1):
        if not has_flips[shift + length - 1]:
            break
        field = Field(byte, shift, length)
        values = field.of(window)
        spread = int(values.max() - values.min()) + 1
        for modulo in sorted({1 << length, spread}):
            if modulo < 2 or (length > 1 and modulo == 2):
                continue
            share, step = _usual_step(values, modulo)
            if step and share >= LEAST_SHARE and (best is None or share >= best[0]):
                best = (share, Counter(field, step, modulo))
    return best[1] if best else None


def _usual_step(values: Values, modulo: int) -> tuple[float, int]:
    """The most frequent step, and the share of the steps that are it."""
    steps = np.diff(values) % modulo
    counts = np.bincount(steps)
    step = int(counts.argmax())
    share = int(counts[step]) / len(steps)
    return share, step - modulo if step > modulo // 2 else step


def _widened(window: Payloads, counter: Counter) -> Counter:
    """With the next byte of higher bits, where a whole byte counts on into it."""
    field = counter.field
    if field.length < BYTE_BITS or counter.modulo < 1 << BYTE_BITS:
        return counter
    for is_little in (False, True):
        above = field.byte + (1 if is_little else -1)
        if not 0 <= above < window.shape[1] or (window[:, above] == window[0, above]).all():
            continue
        wide = Field(field.byte, 0, 2 * BYTE_BITS, is_little=is_little)
        share, step = _usual_step(wide.of(window), 1 << 2 * BYTE_BITS)
        if step == counter.step and share >= LEAST_SHARE:
            return Counter(wide, step, 1 << 2 * BYTE_BITS)
    return counter


def _without_parts(counters: list[Counter]) -> list[Counter]:
    """Without those that lie within another."""
    return [
        counter
        for counter in counters
        if not any(counter.field.bits() < other.field.bits() for other in counters)
    ]
