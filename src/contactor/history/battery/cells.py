"""The cells of a battery against each other, at rest.

A look is what the cells were on one day, the median over the rows where hardly any current flowed:
each cell's distance from the median cell. A cell far from what the spread of the others explains is
an outlier; one that moves away from year to year is told with its pace.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue
from contactor.history.battery.counting import Counted
from contactor.history.battery.evidence import CellLook, Floats
from contactor.history.battery.report import CellOutlier, CellSpread
from contactor.history.columns import Columns

DAY_NS = 86_400 * 10**9
YEAR_NS = 365.25 * DAY_NS
# At rest: less than this part of the greatest current.
REST_PART = 0.02
# How old the current beside a row of cells may be.
BESIDE_NS = 60 * 10**9
# In standard deviations of the other cells, and at least so far.
OUTLIER, OUTLIER_MV = 4.5, 6.0
LOOKS_NOW = 7
TREND_NS = 30 * DAY_NS


@dataclass(frozen=True, slots=True)
class CellVoltages:
    """The voltage of each cell in series: ts (n,), sorted; volts (n, cells), NaN where unknown."""

    ts: NDArray[np.int64]
    volts: NDArray[np.float32] | NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.volts.ndim != 2 or len(self.volts) != len(self.ts):
            raise InvalidValue(f"cells have shape {self.volts.shape}, ts has {self.ts.shape}")


def looks_of(cells: CellVoltages, columns: Columns, counted: Counted) -> list[CellLook]:
    """One look for each UTC day on which the battery was seen at rest."""
    volts = cells.volts.astype(np.float64)
    is_whole = np.isfinite(volts).all(axis=1) & _at_rest(cells.ts, columns, counted)
    looks = []
    day = cells.ts // DAY_NS
    for one in np.unique(day[is_whole]):
        rows = np.flatnonzero(is_whole & (day == one))
        away = volts[rows] - np.median(volts[rows], axis=1, keepdims=True)
        looks.append(
            CellLook(
                ts_ns=int(cells.ts[rows[0]]),
                away_mv=tuple((np.median(away, axis=0) * 1000).round(3).tolist()),
                state_of_charge_pct=_charge_at(columns, int(cells.ts[rows[0]])),
            )
        )
    return looks


def _at_rest(ts: NDArray[np.int64], columns: Columns, counted: Counted) -> NDArray[np.bool_]:
    current = counted.current_a
    if current is None or not len(columns):
        return np.ones(len(ts), bool)
    place = np.searchsorted(columns.ts, ts, side="right") - 1
    near = (place >= 0) & (ts - columns.ts[np.maximum(place, 0)] <= BESIDE_NS)
    size = np.abs(current)
    most = float(np.nanmax(size)) if np.isfinite(size).any() else 0.0
    beside = size[np.maximum(place, 0)]
    return ~near | ~(beside > REST_PART * most)


def _charge_at(columns: Columns, ts_ns: int) -> float | None:
    if columns.state_of_charge_pct is None or not len(columns):
        return None
    place = max(int(np.searchsorted(columns.ts, ts_ns, side="right")) - 1, 0)
    charge = float(columns.state_of_charge_pct[place])
    return charge if math.isfinite(charge) else None


def spread_of(looks: tuple[CellLook, ...]) -> CellSpread | None:
    """What the looks tell; of the number of cells that the last one has."""
    if not looks:
        return None
    count = len(looks[-1].away_mv)
    alike = [look for look in looks if len(look.away_mv) == count]
    away = np.array([look.away_mv for look in alike])
    now = np.median(away[-LOOKS_NOW:], axis=0)
    spreads = away.max(axis=1) - away.min(axis=1)
    middle = np.median(now)
    deviation = max(1.4826 * float(np.median(np.abs(now - middle))), 1e-3)
    far = np.flatnonzero(np.abs(now - middle) > max(OUTLIER * deviation, OUTLIER_MV))
    pace = _pace(alike, away)
    return CellSpread(
        cells=count,
        spread_mv=float(np.median(spreads[-LOOKS_NOW:])),
        deviation_mv=float(now.std()),
        away_mv=tuple(now.round(3).tolist()),
        outliers=tuple(
            CellOutlier(
                cell=int(cell) + 1,
                away_mv=float(now[cell]),
                change_mv_per_year=None if pace is None else float(pace[cell]),
            )
            for cell in far
        ),
        history=tuple((look.ts_ns, float(one)) for look, one in zip(alike, spreads, strict=True)),
    )


def _pace(looks: list[CellLook], away: Floats) -> Floats | None:
    """How fast each cell moves away, mV a year."""
    ts = np.array([look.ts_ns for look in looks], np.float64)
    if ts[-1] - ts[0] < TREND_NS:
        return None
    years = (ts - ts.mean()) / YEAR_NS
    pace: Floats = years @ (away - away.mean(axis=0)) / float(years @ years)
    return pace
