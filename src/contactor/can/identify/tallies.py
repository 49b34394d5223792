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
        self._values = np.zeros((0, CLASSIC_BYTES, VALUES), np.uint32)
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
            slots: (n,), whose they are, ascending.
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
        for byte in range(width):
            rows = _rows(lengths > byte)
            self._count(slots[rows], byte, payloads[rows, byte])
            rows = _rows(common > byte)
            self._count_flips(slots[rows], byte, changes[rows, byte], count)

    def values(self, slot: int) -> NDArray[np.int64]:
        """How often each byte had each value: (w, 256)."""
        return np.asarray(self._values[slot], np.int64)

    def bit_flips(self, slot: int) -> NDArray[np.int64]:
        """How often each bit flipped: (w, 8), bit 7 first."""
        counts: NDArray[np.int64] = self._flips[slot]
        return counts

    def _count(self, slots: NDArray[np.int64], byte: int, values: NDArray[np.uint8]) -> None:
        """Count values of one byte, all at once where ids are few for the frames."""
        count = int(slots[-1]) + 1 if len(slots) else 0
        if count * VALUES > 2 * len(slots):
            np.add.at(self._values[:, byte], (slots, values), 1)
            return
        counts = np.bincount(slots * VALUES + values, minlength=count * VALUES)
        self._values[:count, byte] += counts.reshape(count, VALUES).astype(np.uint32)

    def _count_flips(
        self, slots: NDArray[np.int64], byte: int, changes: NDArray[np.uint8], count: int
    ) -> None:
        if count * VALUES > 2 * len(slots):
            changed = np.flatnonzero(changes)
            np.add.at(self._flips[:, byte], slots[changed], BITS[changes[changed]])
            return
        counts = np.bincount(slots * VALUES + changes, minlength=count * VALUES)
        self._flips[:count, byte] += counts.reshape(count, VALUES) @ BITS

    def _reserve(self, slots: int, width: int) -> None:
        have, wide, _ = self._values.shape
        if slots > have or width > wide:
            more = (0, max(slots, 2 * have) - have if slots > have else 0)
            wider = (0, FD_BYTES - wide if width > wide else 0)
            self._values = np.pad(self._values, (more, wider, (0, 0)))
            self._flips = np.pad(self._flips, (more, wider, (0, 0)))


def _rows(is_there: NDArray[np.bool_]) -> slice | NDArray[np.int64]:
    """The rows of a mask; all of them at no cost."""
    return slice(None) if is_there.all() else np.flatnonzero(is_there)
