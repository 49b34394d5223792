"""The loops of `scan` and `sums`, compiled as they stand."""

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
