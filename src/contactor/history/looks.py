"""What stands at the ends of stretches of rows, and what is greatest in them: loops as of `sums`.

rows = known_ends(level, spans)        # of each stretch the first and last that are known
"""

import math

import numpy as np
from numpy.typing import NDArray

from contactor.history.rules import FRESH_NS
from contactor.history.sums import Doubles, Floats, Spans, Stamps

# So many fixes say where a car stands.
PLACE_FIXES = 9


def known_ends(values: Floats, spans: Spans) -> NDArray[np.int64]:
    """The first and the last row in which a value is known, -1 where none: (n, 2)."""
    found = np.full((len(spans), 2), -1, np.int64)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        while first <= last and np.isnan(values[first]):
            first += 1
        while last > first and np.isnan(values[last]):
            last -= 1
        if first <= last:
            found[n, 0], found[n, 1] = first, last
    return found


def greatest(voltage: Floats, current: Floats, spans: Spans) -> Doubles:
    """The greatest voltage times current but for a lone spike, NaN where none: (n,).

    Of two values that follow each other it is the lesser; a voltage holds until the next one.

    Args:
        voltage: V; without rows where `current` is a power already, W.
    """
    found = np.empty(len(spans))
    for n in range(len(spans)):
        most, before = math.nan, math.nan
        factor = math.nan if len(voltage) > 0 else 1.0
        for i in range(spans[n, 0], spans[n, 1] + 1):
            if len(voltage) > 0 and np.isfinite(voltage[i]):
                factor = float(voltage[i])
            value = factor * float(current[i])
            if np.isnan(value):
                continue
            steady = min(value, before)
            if not np.isnan(before) and (np.isnan(most) or steady > most):
                most = steady
            before = value
        found[n] = before if np.isnan(most) else most
    return found


def places(ts: Stamps, latitude: Floats, longitude: Floats, spans: Spans, step: int) -> Doubles:
    """Where each stretch began (step 1) or ended (step -1), degrees, NaN where unknown: (n, 2).

    Of the fixes of some seconds it is the middle one by latitude and by longitude: a lone spike is
    no place.
    """
    found = np.full((len(spans), 2), math.nan)
    lats, lons = np.empty(PLACE_FIXES), np.empty(PLACE_FIXES)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        count, begin_ns = 0, ts[first]
        i = first if step > 0 else last
        while first <= i <= last and count < PLACE_FIXES:
            lat, lon = float(latitude[i]), float(longitude[i])
            if abs(lat) <= 90 and abs(lon) <= 180 and (lat != 0 or lon != 0):
                if count == 0:
                    begin_ns = ts[i]
                elif abs(ts[i] - begin_ns) > FRESH_NS:
                    break
                insert(lats, count, lat)
                insert(lons, count, lon)
                count += 1
            i += step
        if count > 0:
            middle = (count - 1) // 2
            found[n, 0], found[n, 1] = lats[middle], lons[middle]
    return found


def cable_in(plugged: Floats, spans: Spans, around: Spans) -> NDArray[np.int64]:
    """Between which rows the cable was in, as far as is told, -1 where nothing tells: (n, 2).

    From the first row that says so after it was out; to the row that says that it is out again,
    or, where none does, to the last that says that it is in.

    Args:
        around: for each stretch that in which the car stood.
    """
    found = np.full((len(spans), 2), -1, np.int64)
    for n in range(len(spans)):
        begin, end = spans[n, 0], spans[n, 1]
        first, last = around[n, 0], around[n, 1]
        while begin >= first and not plugged[begin] < 0.5:
            begin -= 1
        while end <= last and not plugged[end] < 0.5:
            end += 1
        first_in, last_in = begin + 1, end - 1
        while first_in < end and not plugged[first_in] >= 0.5:
            first_in += 1
        while last_in > first_in and not plugged[last_in] >= 0.5:
            last_in -= 1
        if first_in < end:
            found[n, 0], found[n, 1] = first_in, end if end <= last else last_in
    return found


def insert(values: Doubles, count: int, value: float) -> None:
    """Put a value where it belongs among some in order."""
    k = count
    while k > 0 and values[k - 1] > value:
        values[k] = values[k - 1]
        k -= 1
    values[k] = value


PARTS = (insert,)
