"""The presence of the twin's cars, in the twin's order: one array operation for all of them.

hearing = Hearing(presence, cells)
hearing.codes(now_ns)           # (vehicles,), indices into CONNECTIVITIES
"""

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.ingest.presence import ASLEEP, NOT_HELD, Presence
from contactor.cloud.twin.cells import Cells

UNHEARD = -1


class Hearing:
    """Knows which row of the presence each row of the cells is."""

    def __init__(self, presence: Presence, cells: Cells) -> None:
        self._presence, self._cells = presence, cells
        self._rows = np.empty(0, np.intp)
        self._heard = 0

    def codes(self, now_ns: int) -> NDArray[np.uint8]:
        """Where each vehicle stands; one that was never heard is asleep."""
        codes = np.append(self._presence.codes(now_ns), ASLEEP)
        found: NDArray[np.uint8] = codes[self._places()]
        return found

    def held_from(self, now_ns: int) -> NDArray[np.int64]:
        """From which stamp on each vehicle's newest row holds though it is old."""
        held = np.append(self._presence.held_from(now_ns), NOT_HELD)
        found: NDArray[np.int64] = held[self._places()]
        return found

    def _places(self) -> NDArray[np.intp]:
        """The presence's row of each vehicle; `UNHEARD`, which is the last, where it has none."""
        known, heard = self._cells.vehicles, self._presence.vehicles
        before = len(self._rows)
        for place in range(self._heard, len(heard)):
            row = self._cells.find(heard[place])
            if row is not None and row < before:
                self._rows[row] = place
        self._heard = len(heard)
        if before < len(known):
            self._rows = np.append(self._rows, self._presence.rows_of(known[before:]))
        return self._rows
