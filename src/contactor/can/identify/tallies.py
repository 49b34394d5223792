"""How often each byte of each id had each value, and each bit flipped from one frame to the next.

tallies = Tallies()
tallies.add(slots, payloads, lengths, flips)
tallies.bit_flips(slot)               # int64 (w, 8), bit 7 first
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES

VALUES = 256
# Which bits each value of a byte has, bit 7 first: (256, 8).
BITS = np.unpackbits(np.arange(VALUES, dtype=np.uint8)[:, None], axis=1).astype(np.int64)


class Tallies:
    """Counts of the payloads of many ids, in their slots from 0 on."""

    def __init__(self) -> None:
        self._values = np.zeros((0, CLASSIC_BYTES, VALUES), np.int64)
        self._flips = np.zeros((0, CLASSIC_BYTES, 8), np.int64)

    def add(
        self,
        slots: NDArray[np.int64],
        payloads: NDArray[np.uint8],
        lengths: NDArray[np.uint8],
        changes: NDArray[np.uint8],
        common: NDArray[np.uint8],
    ) -> None:
        """Count n payloads.

        Args:
            slots: (n,), whose they are.
            payloads: (n, w).
            lengths: (n,), bytes of each payload that mean something.
            changes: (n, w), the exclusive or with the frame before.
            common: (n,), bytes that the frame before had as well.
        """
        if not len(slots):
            return
        count = int(slots.max()) + 1
        width = int(lengths.max())
        self._reserve(count, width)
        base = slots * VALUES
        for byte in range(width):
            self._values[:count, byte] += _counted(base, payloads[:, byte], lengths > byte, count)
            changed = _counted(base, changes[:, byte], common > byte, count)
            self._flips[:count, byte] += changed @ BITS

    def values(self, slot: int) -> NDArray[np.int64]:
        """How often each byte had each value: (w, 256)."""
        counts: NDArray[np.int64] = self._values[slot]
        return counts

    def bit_flips(self, slot: int) -> NDArray[np.int64]:
        """How often each bit flipped: (w, 8), bit 7 first."""
        counts: NDArray[np.int64] = self._flips[slot]
        return counts

    def _reserve(self, slots: int, width: int) -> None:
        have, wide, _ = self._values.shape
        if slots > have or width > wide:
            more = (0, max(slots, 2 * have) - have if slots > have else 0)
            wider = (0, FD_BYTES - wide if width > wide else 0)
            self._values = np.pad(self._values, (more, wider, (0, 0)))
            self._flips = np.pad(self._flips, (more, wider, (0, 0)))


def _counted(
    base: NDArray[np.int64], column: NDArray[np.uint8], is_there: NDArray[np.bool_], count: int
) -> NDArray[np.int64]:
    """How often each value stands in a column, for each slot: (count, 256)."""
    if is_there.all():
        places = base + column
    else:
        rows = np.flatnonzero(is_there)
        places = base[rows] + column[rows]
    return np.bincount(places, minlength=count * VALUES).reshape(count, VALUES)
