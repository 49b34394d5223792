"""A cell that drifts away from the others: its voltage against their median, day by day.

    day by day      deviation of each cell from the row's median, its median over the day
    odd             it has moved further from where it was in its first days than the cells do
                    among each other; or it lies far below the others from the beginning

Small differences of size and resistance show as a deviation that comes and goes with charge and
load, but of all cells alike: so what is odd is judged by the spread of all cells that day.

    days = cell_days(ts, volts)         # parts may be joined: CellDays.joined(parts)
    drifting_cells(days)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind
from contactor.history.anomalies.robust import MAD_TO_SIGMA, SPREADS, days_of

LEAST_CELLS = 8
LEAST_ROWS = 20
"""Of a day, for its median to say anything: 200 s at the clock of the cells."""
FIRST_DAYS = 5
CONFIRMED_DAYS = 2
DRIFT_V = 0.015
"""Sensors of cells are good for about 2 mV; what a driver should know of is several times that."""
FAR_V, FAR_SPREADS = 0.030, 8.0
GRAVE_V = 0.080


@dataclass(frozen=True, slots=True, eq=False)
class CellDays:
    """How far each cell lay from the median cell, day by day.

    Fields:
        ts: int64 (d,), each day's midnight UTC, ns.
        deviation_v: (d, cells).
    """

    ts: NDArray[np.int64]
    deviation_v: Floats

    @classmethod
    def joined(cls, parts: Sequence["CellDays"]) -> "CellDays":
        """Days of several parts, by time; all have the same number of cells."""
        return cls(
            np.concatenate([part.ts for part in parts]),
            np.concatenate([part.deviation_v for part in parts]),
        )


def cell_days(ts: NDArray[np.int64], volts: Floats) -> CellDays:
    """The days of some rows.

    Args:
        ts: int64 (n,) ns UTC, sorted.
        volts: (n, cells), NaN where unknown.
    """
    whole = np.isfinite(volts).all(axis=1) & (volts > 0).all(axis=1)
    ts, volts = ts[whole], volts[whole]
    away = volts - np.median(volts, axis=1, keepdims=True) if len(volts) else volts
    days, begins = days_of(ts)
    kept = [day for day in range(len(days)) if begins[day + 1] - begins[day] >= LEAST_ROWS]
    medians = [np.median(away[begins[day] : begins[day + 1]], axis=0) for day in kept]
    shape = (len(kept), volts.shape[1])
    return CellDays(days[kept], np.array(medians, np.float64).reshape(shape))


def drifting_cells(days: CellDays) -> list[Anomaly]:
    """Cells that are odd on each of the last days."""
    count, cells = days.deviation_v.shape
    if cells < LEAST_CELLS or count < CONFIRMED_DAYS:
        return []
    expected = np.zeros(cells)
    width = np.maximum(FAR_SPREADS * _spread(days.deviation_v), FAR_V)
    is_odd = days.deviation_v < -width[:, None]
    if count > FIRST_DAYS:
        expected = np.median(days.deviation_v[:FIRST_DAYS], axis=0)
        moved = days.deviation_v - expected
        width = np.maximum(SPREADS * _spread(moved), DRIFT_V)
        is_odd = is_odd | (np.abs(moved) > width[:, None])
    odd = np.flatnonzero(is_odd[-CONFIRMED_DAYS:].all(axis=0))
    return [_anomaly(days, int(cell), is_odd[:, cell], expected[cell], width) for cell in odd]


def _spread(values: Floats) -> Floats:
    """Of the cells among each other, per day."""
    middle = np.median(values, axis=1, keepdims=True)
    found: Floats = MAD_TO_SIGMA * np.median(np.abs(values - middle), axis=1)
    return found


def _anomaly(
    days: CellDays, cell: int, is_odd: NDArray[np.bool_], expected_v: float, width_v: Floats
) -> Anomaly:
    deviation_v = days.deviation_v[:, cell]
    since = int(np.flatnonzero(~is_odd)[-1]) + 1 if not is_odd.all() else 0
    now_v = float(deviation_v[-1])
    where = "below" if now_v < 0 else "above"
    return Anomaly(
        Kind.DRIFTING_CELL,
        str(cell + 1),
        int(days.ts[since]),
        Severity.CRITICAL if abs(now_v) >= GRAVE_V else Severity.WARNING,
        f"cell {cell + 1} lies {abs(now_v) * 1000:.0f} mV {where} the median cell",
        Evidence.of(
            f"cell {cell + 1} against the median cell",
            "mV",
            days.ts,
            deviation_v * 1000,
            low=(expected_v - width_v) * 1000,
            high=(expected_v + width_v) * 1000,
        ),
    )
