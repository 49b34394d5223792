"""Looks at a stretch of rows: a level at both its ends, and where the car stood.

Each takes the first and the last row of a stretch, both included.
"""

import math

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Location
from contactor.history.loops import Loops


def level_ends(
    level: Floats | None, loops: Loops, first: int, last: int
) -> tuple[float | None, float | None]:
    """A level at both ends of a stretch, None where it is not known."""
    if level is None:
        return None, None
    begin = loops.first_known(level, first, last)
    if begin < 0:
        return None, None
    return float(level[begin]), float(level[loops.last_known(level, begin, last)])


def first_location(columns: Columns, loops: Loops, first: int, last: int) -> Location | None:
    """Where a car was when a stretch began."""
    return _location(columns, loops, first, last, 1)


def last_location(columns: Columns, loops: Loops, first: int, last: int) -> Location | None:
    """Where a car was when a stretch ended."""
    return _location(columns, loops, first, last, -1)


def _location(columns: Columns, loops: Loops, first: int, last: int, step: int) -> Location | None:
    latitude, longitude = columns.latitude_deg, columns.longitude_deg
    if latitude is None or longitude is None:
        return None
    lat, lon = loops.place(columns.ts, latitude, longitude, first, last, step)
    return None if math.isnan(lat) else Location(lat, lon)
