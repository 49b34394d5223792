"""The names of network interfaces as bus numbers.

    can0 → 0, vcan1 → 1, slcan → the lowest number that is free

A name keeps its number for the whole log.
"""

import re

import numpy as np

from contactor.can.frames import BUSES
from contactor.can.readers.lines import Positions, Spans, Text, window

NAME_BYTES = 16
TRAILING_NUMBER = re.compile(rb"(\d{1,3})$")


class InterfaceNumbers:
    """Gives out bus numbers, in the order in which names appear."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def numbers(self, text: Text, names: Spans) -> Positions:
        """The bus number of each name, (n,); a number above 255 where there are too many."""
        is_inside = np.arange(NAME_BYTES) < names.lengths[:, None]
        padded = np.where(is_inside, window(text, names.starts, NAME_BYTES), 0).astype(np.uint8)
        words = padded.view(np.uint64)
        result = np.full(len(padded), BUSES, np.int64)
        is_open = np.ones(len(padded), np.bool_)
        while is_open.any() and not self.is_full:
            first = int(is_open.argmax())
            is_same = (words[:, 0] == words[first, 0]) & (words[:, 1] == words[first, 1])
            result[is_same] = self.learnt(padded[first].tobytes().rstrip(b"\0"))
            is_open &= ~is_same
        return result

    @property
    def is_full(self) -> bool:
        """Whether every number is given out."""
        return len(self._numbers) >= BUSES

    def known(self, name: bytes) -> int | None:
        """The number that a name has, if it has one."""
        return self._numbers.get(name)

    def learnt(self, name: bytes) -> int:
        """The number of a name, given out now if it has none; there are `BUSES`."""
        if name not in self._numbers:
            wanted = TRAILING_NUMBER.search(name)
            taken = set(self._numbers.values())
            free = [number for number in range(BUSES) if number not in taken]
            number = int(wanted.group()) if wanted else -1
            self._numbers[name] = number if number in free else free[0]
        return self._numbers[name]
