"""How far apart the frames of one id come, in bounded memory.

    pace = Pace()
    pace.add(np.array([10_000_000, 10_020_000]))
    pace.median_ms(), pace.jitter_ms()

Up to 4096 steps all are kept; of more, an even sample: a step stays where the hash of its number is
low enough, and "low" halves whenever there are too many. Every step has the same chance, whatever
its pattern.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_MS, NS_PER_S

MOST_STEPS = 4096
# Knuth's multiplicative hash: 2^32 over the golden ratio.
MULTIPLIER = np.uint64(2654435761)
EVERY = 1 << 32
SHARE_WITHIN = 90
# A cycle is kept where nine of ten steps are that close to it, or to a multiple: frames get lost.
CYCLIC_PART, CYCLIC_MS, MOST_PART = 0.25, 1.0, 0.4
LEAST_STEPS = 5


class Pace:
    """The steps between the frames of one id."""

    def __init__(self) -> None:
        self._kept = np.zeros(0, np.int64)
        self._hashes = np.zeros(0, np.uint64)
        self._below = EVERY
        self._count = 0
        self._longest_ns = 0

    def add(self, steps_ns: NDArray[np.int64]) -> None:
        """Take the next steps, in their order."""
        if not len(steps_ns):
            return
        numbers = np.arange(self._count, self._count + len(steps_ns), dtype=np.uint64)
        hashes = numbers * MULTIPLIER & np.uint64(EVERY - 1)
        self._count += len(steps_ns)
        self._longest_ns = max(self._longest_ns, int(steps_ns.max()))
        is_kept = hashes < self._below
        self._kept = np.concatenate([self._kept, steps_ns[is_kept]])
        self._hashes = np.concatenate([self._hashes, hashes[is_kept]])
        while len(self._kept) > MOST_STEPS:
            self._below //= 2
            is_kept = self._hashes < self._below
            self._kept, self._hashes = self._kept[is_kept], self._hashes[is_kept]

    def median_ms(self) -> float | None:
        """The median step; None of a single frame."""
        return float(np.median(self._kept)) / NS_PER_MS if self._count else None

    def jitter_ms(self) -> float | None:
        """90 % of the steps are that close to the median."""
        if not self._count:
            return None
        off = np.abs(self._kept - np.median(self._kept))
        return float(np.percentile(off, SHARE_WITHIN)) / NS_PER_MS

    def longest_ms(self) -> float | None:
        """The longest step."""
        return self._longest_ns / NS_PER_MS if self._count else None

    def rate_hz(self, first_ts: int, last_ts: int) -> float | None:
        """Steps over the time they took."""
        lasted_ns = last_ts - first_ts
        return self._count * NS_PER_S / lasted_ns if lasted_ns > 0 else None

    def sending(self) -> str | None:
        """Whether frames keep a cycle, or come when something happens."""
        if self._count < LEAST_STEPS:
            return None
        cycle_ns = float(np.median(self._kept))
        if cycle_ns <= 0:
            return "event"
        cycles = np.maximum(np.round(self._kept / cycle_ns), 1)
        off_ns = float(np.percentile(np.abs(self._kept - cycles * cycle_ns), SHARE_WITHIN))
        near_ns = min(CYCLIC_PART * cycle_ns + CYCLIC_MS * NS_PER_MS, MOST_PART * cycle_ns)
        return "cyclic" if off_ns <= near_ns else "event"
