"""The loops of `scan` and `sums`, compiled as they stand: `python -m contactor.history.kernels`."""

import numpy as np

from contactor.can.kernels.jit import kernel
from contactor.history import scan as scanning
from contactor.history import sums

scan = kernel(scanning.scan)
flow = kernel(sums.flow)
product_flow = kernel(sums.product_flow)
counted = kernel(sums.counted)
drive = kernel(sums.drive)
odometer_way = kernel(sums.odometer_way)
position_way = kernel(sums.position_way)
climb = kernel(sums.climb)
mean_of = kernel(sums.mean_of)
greatest_of = kernel(sums.greatest_of)
first_known = kernel(sums.first_known)
last_known = kernel(sums.last_known)
place = kernel(sums.place)


def warm() -> None:
    """Compile all for the types that the lake gives."""
    ts = np.arange(2, dtype=np.int64)
    single, double = np.zeros(2, np.float32), np.zeros(2, np.float64)
    flags = single, single, single, single, single
    scan(ts, *flags, double, double, double, single, single, single, single)
    product_flow(ts, single, single, 0, 1)
    odometer_way(ts, double, 0, 1)
    position_way(ts, double, double, 0, 1)
    climb(ts, double, 0, 1)
    place(ts, double, double, 0, 1, 1)
    drive(ts, single, 0, 1)
    mean_of(single, 0, 1, 0.0, 1.0)
    for column in (single, double):
        flow(ts, column, 0, 1)
        counted(ts, column, 0, 1)
        greatest_of(column, 0, 1)
        first_known(column, 0, 1)
        last_known(column, 0, 1)


if __name__ == "__main__":
    from contactor.history.kernels import warm as warm_as_imported

    warm_as_imported()
