"""The loops of history, compiled as they stand: `python -m contactor.history.kernels`."""

from dataclasses import fields

import numpy as np

from contactor.can.kernels.jit import kernel, part
from contactor.history import looks, sums, ways
from contactor.history.loops import PLAIN, Loops

for function in (*sums.PARTS, *ways.PARTS, *looks.PARTS):
    part(function)

COMPILED = Loops(*(kernel(getattr(PLAIN, field.name)) for field in fields(Loops)))


def warm() -> None:
    """Compile all for the types that the lake gives."""
    ts = np.arange(2, dtype=np.int64)
    single, double = np.zeros(2, np.float32), np.zeros(2, np.float64)
    flags = single, single, single, single, single
    spans = np.array([[0, 1]])
    COMPILED.scan(ts, *flags, double, double, double, single, single, single, single)
    COMPILED.product_flow(ts, single, single, spans)
    COMPILED.drive(ts, single, spans)
    COMPILED.position_way(ts, double, double, spans)
    COMPILED.climb(ts, double, spans)
    COMPILED.means(single, spans, 0.0, 1.0)
    COMPILED.greatest(single, single, spans)
    COMPILED.places(ts, double, double, spans, 1)
    COMPILED.cable_in(single, spans, spans)
    for column in (single, double):
        COMPILED.flow(ts, column, spans)
        COMPILED.gated_flow(ts, column, single, spans)
        COMPILED.counted(ts, column, spans, 1.0, 1.0)
        COMPILED.known_ends(column, spans)


if __name__ == "__main__":
    from contactor.history.kernels import warm as warm_as_imported

    warm_as_imported()
