"""Which loops are run: compiled ones where Numba is and the rows are many, else as they stand.

    loops_for(len(ts)).flow(ts, power_w, spans)

Each takes all stretches of rows at once. Both give the same, to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels import are_wanted
from contactor.history import looks, sums, ways
from contactor.history.scan import scan

_Numbers = Callable[..., NDArray[np.float64]]
_Rows = Callable[..., NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Loops:
    """Every loop over rows; `scan`, `sums`, `ways` and `looks` say what each does."""

    scan: Callable[..., Any]
    flow: _Numbers
    product_flow: _Numbers
    gated_flow: _Numbers
    counted: _Numbers
    means: _Numbers
    drive: _Numbers
    position_way: _Numbers
    climb: _Numbers
    known_ends: _Rows
    greatest: _Numbers
    places: _Numbers
    cable_in: _Rows


PLAIN = Loops(
    scan,
    sums.flow,
    sums.product_flow,
    sums.gated_flow,
    sums.counted,
    sums.means,
    ways.drive,
    ways.position_way,
    ways.climb,
    looks.known_ends,
    looks.greatest,
    looks.places,
    looks.cable_in,
)


def loops_for(rows: int) -> Loops:
    """The faster loops for so many rows."""
    if not are_wanted(rows):
        return PLAIN
    from contactor.history import kernels

    return kernels.COMPILED
