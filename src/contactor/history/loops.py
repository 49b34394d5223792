"""Which loops are run: compiled ones where Numba is and the rows are many, else as they stand.

    loops_for(len(ts)).flow(ts, power_w, first, last)

Both give the same, to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contactor.can.kernels import are_wanted
from contactor.history import sums
from contactor.history.scan import scan


@dataclass(frozen=True, slots=True)
class Loops:
    """Every loop over rows; `sums` and `scan` say what each does."""

    scan: Callable[..., Any]
    flow: Callable[..., tuple[float, float, float]]
    product_flow: Callable[..., tuple[float, float, float]]
    counted: Callable[..., tuple[float, float]]
    drive: Callable[..., tuple[float, float, float, float]]
    odometer_way: Callable[..., tuple[float, float]]
    position_way: Callable[..., tuple[float, float]]
    climb: Callable[..., float]
    mean_of: Callable[..., float]
    greatest_of: Callable[..., float]
    first_known: Callable[..., int]
    last_known: Callable[..., int]
    place: Callable[..., tuple[float, float]]


PLAIN = Loops(
    scan,
    sums.flow,
    sums.product_flow,
    sums.counted,
    sums.drive,
    sums.odometer_way,
    sums.position_way,
    sums.climb,
    sums.mean_of,
    sums.greatest_of,
    sums.first_known,
    sums.last_known,
    sums.place,
)


def loops_for(rows: int) -> Loops:
    """The faster loops for so many rows."""
    if not are_wanted(rows):
        return PLAIN
    from contactor.history import kernels

    return Loops(
        kernels.scan,
        kernels.flow,
        kernels.product_flow,
        kernels.counted,
        kernels.drive,
        kernels.odometer_way,
        kernels.position_way,
        kernels.climb,
        kernels.mean_of,
        kernels.greatest_of,
        kernels.first_known,
        kernels.last_known,
        kernels.place,
    )
