"""Where records begin in a run of them, each behind its id.

    split = Splitter(1, {1: 22, 2: -1}, is_compiled=False).split(buffer, size)
    split.places, split.numbers, split.used

What follows a record is known from its id alone, or from the length that it states (u4), so the way
leads from record to record. By columns it is found by doubling: from where each byte would lead if
a record began there, to where two records lead, and four, until the whole way is known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.readers.lines import Positions

Octets = NDArray[np.uint8]
LENGTH_BYTES = 4
PAD = 128
# By columns every byte costs work, for each doubling: so a run goes in small parts.
WINDOW_BYTES = 32 * 1024
MAX_RECORD_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The records of a buffer.

    Fields:
        places: int64 (n,), where whole records begin, with their ids.
        numbers: int64 (n,), their ids.
        used: the bytes used up; the rest comes again before the next buffer.
        wrong: why nothing more can be read, "" if it can.
    """

    places: Positions
    numbers: Positions
    used: int
    wrong: str


class Splitter:
    """Splits buffers of one run."""

    def __init__(self, id_bytes: int, sizes: dict[int, int], *, is_compiled: bool) -> None:
        """Take the bytes of an id, and those of records by their id, -1 where they state them."""
        self._id_bytes = id_bytes
        self._ids = np.array(sorted(sizes), np.int64)
        self._sizes = np.array([sizes[number] for number in sorted(sizes)], np.int64)
        self._is_compiled = is_compiled

    def split(self, buffer: Octets, size: int) -> Split:
        """The whole records of a buffer of `size` bytes, with `PAD` zeros behind them."""
        if self._is_compiled:
            from contactor.can.kernels.mf4 import split_records

            places, numbers, used = split_records(
                buffer, size, self._id_bytes, self._ids, self._sizes
            )
        else:
            places, numbers, used = self._split(buffer, size)
        wrong = ""
        if used + self._id_bytes <= size:
            here = np.array([used])
            number, end = (int(one[0]) for one in self._step(buffer, here))
            if end < 0:
                wrong = f"record of the unknown id {number}: what follows cannot be read"
            elif end - used > MAX_RECORD_BYTES:
                wrong = f"record of {end - used} bytes: what follows cannot be read"
        return Split(places, numbers, used, wrong)

    def _step(self, buffer: Octets, places: Positions) -> tuple[Positions, Positions]:
        """The ids of records at places, and where these records end; -1 where no id is known."""
        numbers = np.zeros(len(places), np.int64)
        for step in range(self._id_bytes):
            numbers |= buffer[places + step].astype(np.int64) << (8 * step)
        rows = np.minimum(np.searchsorted(self._ids, numbers), len(self._ids) - 1)
        sizes = self._sizes[rows]
        stated = np.zeros(len(places), np.int64)
        for step in range(LENGTH_BYTES):
            stated |= buffer[places + self._id_bytes + step].astype(np.int64) << (8 * step)
        ends = places + self._id_bytes + np.where(sizes < 0, LENGTH_BYTES + stated, sizes)
        return numbers, np.where(self._ids[rows] == numbers, ends, -1)

    def _split(self, buffer: Octets, size: int) -> tuple[Positions, Positions, int]:
        """By columns; see the top of the module."""
        ways, used = [], 0
        while used < size:
            window = np.arange(used, min(used + WINDOW_BYTES, size))
            _, ends = self._step(buffer, window)
            # A place outside leads to itself: there the way ends.
            is_whole = (ends >= 0) & (ends <= size)
            stop = len(window)
            leads = np.append(np.where(is_whole, np.minimum(ends - used, stop), stop), stop)
            way = np.zeros(1, np.int64)
            while way[-1] < stop:
                way = np.concatenate((way, leads[way]))
                leads = leads[leads]
            way = way[: int(np.searchsorted(way, stop))]
            is_record = is_whole[way]
            ways.append(way[is_record] + used)
            if not is_record.all():
                used = int(window[way[-1]])
                break
            used = int(ends[way[-1]])
        places = np.concatenate(ways) if ways else np.zeros(0, np.int64)
        return places, self._step(buffer, places)[0], used
