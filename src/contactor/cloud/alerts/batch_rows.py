"""Rows of a batch as rules read them: the cells of a few signals, by car and in order.

for vehicle_id, row in rows_of(batch, ["Vehicle.Speed"], picked): ...
"""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from contactor.history.alerts.events import Row
from contactor.signals.batch import RowsBatch
from contactor.signals.record import State, Value


def rows_of(
    batch: RowsBatch, paths: Collection[str], picked: NDArray[np.intp]
) -> Iterator[tuple[str, Row]]:
    """The picked rows with what they say of `paths`; those of a car by time."""
    columns = [column for column in batch.columns if column.path in paths]
    picked = picked[np.argsort(batch.ts[picked], kind="stable")]
    taken = [column.take(picked) for column in columns]
    cells = [(one.path, one.values.tolist(), one.state.tolist()) for one in taken]
    vehicles, stamps = batch.vehicle[picked].tolist(), batch.ts[picked].tolist()
    for place, (vehicle, ts) in enumerate(zip(vehicles, stamps, strict=True)):
        values: dict[str, Value | None] = {}
        for path, told, state in cells:
            if state[place] != State.UNKNOWN:
                values[path] = told[place] if state[place] == State.VALID else None
        yield batch.vehicles[vehicle], Row(ts, values)
