"""The signals of a codebook as arrays by code.

SignalTable.of(codebook.entries)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.ingest.arrays.tables import LIST, NUMBER, OTHER, TEXT
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype


@dataclass(frozen=True, slots=True, eq=False)
class SignalTable:
    """The signals of a codebook, by code; None for one that the catalogue has not, or not so.

    Fields:
        kinds, widths: int64 (codes,): NUMBER, TEXT, LIST or OTHER; bytes of a number or element.
    """

    signals: tuple[Signal | None, ...]
    kinds: NDArray[np.int64]
    widths: NDArray[np.int64]

    @classmethod
    def of(cls, entries: Sequence[tuple[str, Datatype]]) -> Self:
        """The table of the paths and data types of a codebook."""
        known = catalogue()
        signals = tuple(
            known[path] if path in known and known[path].datatype is datatype else None
            for path, datatype in entries
        )
        return cls(
            signals,
            np.array([_kind(one) for one in signals], np.int64),
            np.array([_width(one) for one in signals], np.int64),
        )


def _kind(signal: Signal | None) -> int:
    if signal is None:
        return OTHER
    if signal.datatype.is_array:
        return OTHER if signal.datatype.is_text else LIST
    return TEXT if signal.datatype.is_text else NUMBER


def _width(signal: Signal | None) -> int:
    if signal is None or signal.datatype.is_text:
        return 0
    return signal.datatype.dtype.itemsize
