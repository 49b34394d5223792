"""Looks at a stretch of rows: what is known first, last, and where the car stood.

Each takes the first and the last row of a stretch, both included.
"""

import numpy as np

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Location
from contactor.history.rules import FRESH_NS

# Values are mostly known: a look at a few rows finds one.
CHUNK = 256


def known_ends(values: Floats, first: int, last: int) -> tuple[int, int] | None:
    """The first and the last row in which a value is known; None if there is none."""
    begin = _first_known(values, first, last)
    return None if begin is None else (begin, _last_known(values, begin, last))


def _first_known(values: Floats, first: int, last: int) -> int | None:
    for start in range(first, last + 1, CHUNK):
        known = np.isfinite(values[start : min(start + CHUNK, last + 1)])
        if known.any():
            return start + int(known.argmax())
    return None


def _last_known(values: Floats, first: int, last: int) -> int:
    """The last; `first` is known."""
    for stop in range(last + 1, first, -CHUNK):
        known = np.isfinite(values[max(stop - CHUNK, first) : stop])
        if known.any():
            return stop - 1 - int(known[::-1].argmax())
    return first


def level_ends(level: Floats | None, first: int, last: int) -> tuple[float | None, float | None]:
    """A level at both ends of a stretch, None where it is not known."""
    ends = None if level is None else known_ends(level, first, last)
    if level is None or ends is None:
        return None, None
    return float(level[ends[0]]), float(level[ends[1]])


def first_location(columns: Columns, first: int, last: int) -> Location | None:
    """Where a car was when a stretch began."""
    return _location(columns, first, last, is_first=True)


def last_location(columns: Columns, first: int, last: int) -> Location | None:
    """Where a car was when a stretch ended."""
    return _location(columns, first, last, is_first=False)


def _location(columns: Columns, first: int, last: int, *, is_first: bool) -> Location | None:
    """The median of the fixes of some seconds: a lone spike is no place."""
    if columns.latitude_deg is None or columns.longitude_deg is None:
        return None
    starts = range(first, last + 1, CHUNK)
    for start in starts if is_first else reversed(starts):
        here = slice(start, min(start + CHUNK, last + 1))
        lat, lon = columns.latitude_deg[here], columns.longitude_deg[here]
        is_fix = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ((lat != 0) | (lon != 0))
        if not is_fix.any():
            continue
        ts = columns.ts[here]
        at = ts[is_fix][0 if is_first else -1]
        near = is_fix & (np.abs(ts - at) <= FRESH_NS)
        return Location(float(np.median(lat[near])), float(np.median(lon[near])))
    return None
