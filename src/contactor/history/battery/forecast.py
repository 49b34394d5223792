"""What a battery's capacity will be, if the car goes on being used as it was.

A battery of this kind loses about two percent a year. How fast this one does is believed between
that and what its own history shows, by how long the history is; the band grows with the years.
"""

import math

import numpy as np

from contactor.history.battery.capacity import Capacity
from contactor.history.battery.report import ForecastPoint

YEAR_NS = 365.25 * 86_400e9
# The loss of a year as a part of the new capacity: usual, and how far batteries differ from it.
USUAL_LOSS, USUAL_LOSS_SIGMA = 0.018, 0.012
YEARS = (0.5, 1.0, 2.0, 3.0, 5.0)
# What a capacity measured at one time is worth beside another: it is not white from day to day.
SCATTER = 0.004


def forecast_of(points: list[Capacity], new_kwh: float) -> tuple[ForecastPoint, ...]:
    """The capacity in some years, from the capacities so far, which are by time."""
    now = points[-1]
    loss, sigma = _loss_per_year(points, new_kwh)
    ahead = []
    for years in YEARS:
        kwh = max(now.kwh - loss * new_kwh * years, 0.0)
        half = 1.96 * math.hypot(now.kwh_sigma, sigma * new_kwh * years)
        ahead.append(
            ForecastPoint(
                ts_ns=now.ts_ns + int(years * YEAR_NS),
                capacity_kwh=kwh,
                low_kwh=max(kwh - half, 0.0),
                high_kwh=kwh + half,
            )
        )
    return tuple(ahead)


def _loss_per_year(points: list[Capacity], new_kwh: float) -> tuple[float, float]:
    """Part of the new capacity, and its standard deviation: usual and seen, by their weights."""
    years = np.array([(one.ts_ns - points[0].ts_ns) / YEAR_NS for one in points])
    part = np.array([one.kwh / new_kwh for one in points])
    # One point a month counts: those between are of the same filter.
    months = np.unique((years * 12).astype(np.int64), return_index=True)[1]
    years, part = years[months], part[months]
    away = years - years.mean()
    leverage = float(away @ away)
    if leverage == 0:
        return USUAL_LOSS, USUAL_LOSS_SIGMA
    seen, seen_precision = -float(away @ part) / leverage, leverage / SCATTER**2
    usual_precision = USUAL_LOSS_SIGMA**-2
    precision = seen_precision + usual_precision
    loss = (seen * seen_precision + USUAL_LOSS * usual_precision) / precision
    return max(loss, 0.0), precision**-0.5
