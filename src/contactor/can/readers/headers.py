"""The columns of a table of frames, found by the names in its header.

Case, blanks, underscores and quotes in a name do not matter, nor do further columns.

    columns = Columns.of(b'"Time Stamp";ID;Ext;Bus;LEN;D1;D2', b";")
    columns.place("len")                # 4
"""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np

from contactor.can.readers.lines import PAD, Fields, Spans

DRESSING = re.compile(r"[\s\"'=_]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column of a table is, by its plain name (`timestamp`, `id`, `d1`)."""

    places: dict[str, int]

    @classmethod
    def of(cls, header: bytes, delimiter: bytes) -> Self:
        """The columns of a header line; of two with one name the first counts."""
        names = header.decode("latin-1").split(delimiter.decode("latin-1"))
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            places.setdefault(DRESSING.sub("", name).lower(), place)
        return cls(places)

    def place(self, *names: str) -> int | None:
        """The place of the first of these names that there is."""
        return next((self.places[name] for name in names if name in self.places), None)

    def spans(self, cells: Fields, *names: str) -> Spans:
        """The cells of the column of the first of these names; empty where there is no such one."""
        place = self.place(*names)
        if place is not None:
            return cells.at(place)
        nowhere = np.full(len(cells.first) - 1, PAD)
        return Spans(nowhere, nowhere)
