"""Multiplexers: a byte with few values that decides what the other bytes mean.

    find_multiplexer(window, counted=mask, summed=mask)
    # Multiplexer(byte=0, values=(0, 1, 2), depending=(1, 2, 3))

Another byte depends on it where it changes from frame to frame, and hardly changes among the frames
that share the multiplexer's value.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.bits import Payloads

MOST_VALUES = 32
# A byte depends where it changes in so many steps, and within a value in so few of those.
LEAST_CHANGES, MOST_WITHIN = 0.3, 0.2
# One byte alone may be a checksum over a counter.
LEAST_DEPENDING = 2
# Each value must be seen so often on average.
LEAST_TIMES = 5


@dataclass(frozen=True, slots=True)
class Multiplexer:
    """A byte, its values, and the bytes that depend on it."""

    byte: int
    values: tuple[int, ...]
    depending: tuple[int, ...]


def find_multiplexer(
    window: Payloads, *, counted: NDArray[np.uint8], summed: NDArray[np.uint8]
) -> Multiplexer | None:
    """The multiplexer in payloads that came in a row, or None.

    Args:
        window: (n, w).
        counted, summed: masks (w,) of the bits of counters and checksums, which go on whatever a
            multiplexer says. A multiplexer may count itself; then more must depend on it.
    """
    own, others = window & ~summed, window & ~(counted | summed)
    own_changes = (own[1:] != own[:-1]).mean(axis=0)
    changes = (others[1:] != others[:-1]).mean(axis=0)
    best: Multiplexer | None = None
    for byte in np.flatnonzero(own_changes >= LEAST_CHANGES).tolist():
        column = own[:, byte]
        values = np.unique(column)
        if not 2 <= len(values) <= min(MOST_VALUES, len(window) // LEAST_TIMES):
            continue
        order = np.argsort(column, kind="stable")
        rows, chosen = others[order], column[order]
        is_same_value = chosen[1:] == chosen[:-1]
        within = (rows[1:] != rows[:-1])[is_same_value].mean(axis=0)
        is_depending = (changes >= LEAST_CHANGES) & (within <= MOST_WITHIN * changes)
        is_depending[byte] = False
        depending = tuple(np.flatnonzero(is_depending).tolist())
        least = LEAST_DEPENDING + (counted[byte] != 0)
        if len(depending) >= least and (best is None or len(depending) > len(best.depending)):
            best = Multiplexer(byte, tuple(values.tolist()), depending)
    return best
