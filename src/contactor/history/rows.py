"""Looks at stretches of rows: a level at both their ends, and where the car stood.

Each takes the first and the last row of every stretch, both included, (n, 2). A figure is NaN where
it is unknown; `known` makes None of it, as facts have it.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Location
from contactor.history.loops import Loops
from contactor.history.sums import S_PER_NS

Spans = NDArray[np.int64]
Figures = NDArray[np.float64]


def known(figures: Figures) -> list[float | None]:
    """Figures, None for NaN."""
    told = figures.astype(object)
    told[np.isnan(figures)] = None
    found: list[float | None] = told.tolist()
    return found


def seconds_of(columns: Columns, spans: Spans) -> Figures:
    """How long each stretch is, s: (n,)."""
    between_ns = columns.ts[spans[:, 1]] - columns.ts[spans[:, 0]]
    return between_ns.astype(np.float64) * S_PER_NS


def places_in(inner: Spans, outer: Spans) -> NDArray[np.int64]:
    """In which of some stretches, by time and apart, each of others lies, -1 where in none: (n,).

    Those that begin where one ends do not lie in it.
    """
    if len(outer) == 0:
        return np.full(len(inner), -1)
    place = np.searchsorted(outer[:, 0], inner[:, 0], side="right") - 1
    end = outer[place, 1]
    is_inside = (place >= 0) & (inner[:, 0] < end) & (inner[:, 1] <= end)
    return np.where(is_inside, place, -1)


def levels_at_ends(level: Floats | None, loops: Loops, spans: Spans) -> Figures:
    """A level at the first and the last row that knows it: (n, 2)."""
    if level is None:
        return np.full(spans.shape, np.nan)
    rows = loops.known_ends(level, spans)
    return np.where(rows >= 0, level[rows].astype(np.float64), np.nan)


def means_of(
    values: Floats | None, loops: Loops, spans: Spans, low: float, high: float
) -> list[float | None]:
    """The mean of what lies within bounds."""
    if values is None:
        return [None] * len(spans)
    return known(loops.means(values, spans, low, high))


def first_locations(columns: Columns, loops: Loops, spans: Spans) -> list[Location | None]:
    """Where a car was when each stretch began."""
    return _locations(columns, loops, spans, 1)


def last_locations(columns: Columns, loops: Loops, spans: Spans) -> list[Location | None]:
    """Where a car was when each stretch ended."""
    return _locations(columns, loops, spans, -1)


def _locations(columns: Columns, loops: Loops, spans: Spans, step: int) -> list[Location | None]:
    latitude, longitude = columns.latitude_deg, columns.longitude_deg
    if latitude is None or longitude is None:
        return [None] * len(spans)
    places = loops.places(columns.ts, latitude, longitude, spans, step)
    return [
        None if lat is None or lon is None else Location(lat, lon)
        for lat, lon in zip(known(places[:, 0]), known(places[:, 1]), strict=True)
    ]
