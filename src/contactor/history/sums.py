"""Sums over a stretch of rows: plain loops, compiled as they stand where Numba is (`loops`).

    into_j, out_j, known_s = flow(ts, power_w, first, last)

Each takes the first and the last row of a stretch, both included, and uses no row outside of it. A
row speaks for the time since the last row that was known, within limits (`rules`): as the mean of
that time where it is short, both ends alike where it is long. For means that an agent made, and for
instants, the sums are the same but for the very ends.
"""

import math

import numpy as np
from numpy.typing import NDArray

from contactor.history.rules import (
    CLIMB_MIN_M,
    COUNTER_MAX_KW,
    COUNTER_TICK_KWH,
    FRESH_NS,
    GAP_NS,
    HOLD_NS,
    MAX_MPS,
    MOVING_KMH,
    ODOMETER_TICK_M,
    POSITION_AGREED,
    POSITION_MOVED_M,
    POSITION_SLOW_NS,
    SPEED_GAIN_MAX_KMH_PER_S,
    SPEED_MAX_KMH,
)

S_PER_NS = 1e-9
S_PER_HOUR = 3600.0
M_PER_DEG = 111_195.0
# On the way, a receiver's wandering is no way; over this it is.
WAY_STEP_M = 15.0
# So many fixes say where a car stands.
PLACE_FIXES = 9

Stamps = NDArray[np.int64]
Floats = NDArray[np.float32] | NDArray[np.float64]


def flow(ts: Stamps, power: Floats, first: int, last: int) -> tuple[float, float, float]:
    """What flowed in and out, and for how many seconds it is known: W become J."""
    into, out, known_s = 0.0, 0.0, 0.0
    before, before_ns = 0.0, ts[first] - GAP_NS - 1
    for i in range(first, last + 1):
        value = float(power[i])
        if np.isnan(value):
            continue
        apart = ts[i] - before_ns
        if apart <= GAP_NS:
            seconds = apart * S_PER_NS
            work = (value if apart <= HOLD_NS else (value + before) / 2) * seconds
            if work > 0:
                into += work
            else:
                out -= work
            known_s += seconds
        before, before_ns = value, ts[i]
    return into, out, known_s


def product_flow(
    ts: Stamps, voltage: Floats, current: Floats, first: int, last: int
) -> tuple[float, float, float]:
    """As `flow`, of voltage times current; the two may stand in different rows."""
    into, out, known_s = 0.0, 0.0, 0.0
    before, before_ns = 0.0, ts[first] - GAP_NS - 1
    volts, volts_ns = 0.0, before_ns
    for i in range(first, last + 1):
        now = ts[i]
        if not np.isnan(voltage[i]):
            volts, volts_ns = float(voltage[i]), now
        amperes = float(current[i])
        if np.isnan(amperes) or now - volts_ns > FRESH_NS:
            continue
        value = volts * amperes
        apart = now - before_ns
        if apart <= GAP_NS:
            seconds = apart * S_PER_NS
            work = (value if apart <= HOLD_NS else (value + before) / 2) * seconds
            if work > 0:
                into += work
            else:
                out -= work
            known_s += seconds
        before, before_ns = value, now
    return into, out, known_s


def counted(ts: Stamps, counter: Floats, first: int, last: int) -> tuple[float, float]:
    """How far a counter of kWh went, resets and spikes left out, and over how many seconds."""
    total = 0.0
    before, before_ns, begin_ns = -1.0, ts[first], ts[first]
    is_known = False
    for i in range(first, last + 1):
        value = float(counter[i])
        if np.isnan(value):
            continue
        if not is_known:
            begin_ns, is_known = ts[i], True
        else:
            step = value - before
            hours = (ts[i] - before_ns) * S_PER_NS / S_PER_HOUR
            if 0 < step <= COUNTER_MAX_KW * hours + COUNTER_TICK_KWH:
                total += step
        before, before_ns = value, ts[i]
    return total, (before_ns - begin_ns) * S_PER_NS if is_known else 0.0


def drive(ts: Stamps, speed: Floats, first: int, last: int) -> tuple[float, float, float, float]:
    """What a speed in km/h says of a trip, spikes left out.

    Returns:
        Way in m, seconds with wheels turning, greatest speed in km/h, seconds known.
    """
    way_m, moving_s, known_s, greatest = 0.0, 0.0, 0.0, -1.0
    before, before_ns = 0.0, ts[first] - GAP_NS - 1
    doubt = -1.0
    for i in range(first, last + 1):
        value = float(speed[i])
        if not 0 <= value <= SPEED_MAX_KMH:
            continue
        now = ts[i]
        apart = now - before_ns
        if apart <= GAP_NS:
            seconds = apart * S_PER_NS
            far = SPEED_GAIN_MAX_KMH_PER_S * seconds + 10.0
            if abs(value - before) > far and not (doubt >= 0 and abs(value - doubt) <= far):
                doubt = value  # the next one says whether it was a spike
                continue
            mean = value if apart <= HOLD_NS else (value + before) / 2
            way_m += mean / 3.6 * seconds
            known_s += seconds
            if mean > MOVING_KMH:
                moving_s += seconds
        before, before_ns, doubt = value, now, -1.0
        greatest = max(greatest, value)
    return way_m, moving_s, greatest, known_s


def odometer_way(ts: Stamps, odometer: Floats, first: int, last: int) -> tuple[float, float]:
    """How far an odometer went, resets left out, and its finest step; both m, -1 if unknown."""
    way_m, finest_m = -1.0, math.inf
    before, before_ns = -1.0, ts[first]
    for i in range(first, last + 1):
        value = float(odometer[i])
        if np.isnan(value):
            continue
        if way_m < 0:
            way_m = 0.0
        else:
            step = value - before
            far_m = MAX_MPS * (ts[i] - before_ns) * S_PER_NS + ODOMETER_TICK_M
            if 0 < step <= far_m:
                way_m += step
                finest_m = min(finest_m, step)
        before, before_ns = value, ts[i]
    return way_m, finest_m


def position_way(
    ts: Stamps, latitude: Floats, longitude: Floats, first: int, last: int
) -> tuple[float, float]:
    """How far a receiver went, its spikes left out, in m, and seconds with it on the move."""
    way_m, moving_s = 0.0, 0.0
    start_ns = ts[first]
    lat, lon, here_ns, new_ns, turn_ns, scale = 0.0, 0.0, start_ns, start_ns, start_ns, 1.0
    maybe_lat, maybe_lon, maybe_ns, maybe_new_ns, agreed = 0.0, 0.0, start_ns, start_ns, 0
    is_known, is_way = False, False
    for i in range(first, last + 1):
        new_lat, new_lon, now = float(latitude[i]), float(longitude[i]), ts[i]
        if not (abs(new_lat) <= 90 and abs(new_lon) <= 180) or (new_lat == 0 and new_lon == 0):
            continue
        if not is_known:
            is_known, lat, lon, here_ns, new_ns, turn_ns = True, new_lat, new_lon, now, now, now
            scale = math.cos(math.radians(lat))
            continue
        if agreed > 0 and new_lat == maybe_lat and new_lon == maybe_lon:
            maybe_ns = now
            continue
        north, east = new_lat - lat, (new_lon - lon) * scale
        step_m = M_PER_DEG * math.sqrt(north * north + east * east)
        if step_m > MAX_MPS * (now - here_ns) * S_PER_NS + POSITION_MOVED_M:
            north, east = new_lat - maybe_lat, (new_lon - maybe_lon) * scale
            near_m = M_PER_DEG * math.sqrt(north * north + east * east)
            slow_ns = max(now - maybe_ns, min(now - maybe_new_ns, POSITION_SLOW_NS))
            if agreed == 0 or near_m > MAX_MPS * slow_ns * S_PER_NS + POSITION_MOVED_M:
                slow_ns = min(now - new_ns, POSITION_SLOW_NS)
                is_way = step_m <= MAX_MPS * slow_ns * S_PER_NS + POSITION_MOVED_M
                agreed, maybe_lat, maybe_lon, maybe_ns, maybe_new_ns = 1, new_lat, new_lon, now, now
                continue
            agreed += 1
            if not is_way and agreed < POSITION_AGREED:
                maybe_lat, maybe_lon, maybe_ns, maybe_new_ns = new_lat, new_lon, now, now
                continue
            if is_way:  # the one before was true: a receiver that tells a fix now and then
                north, east = maybe_lat - lat, (maybe_lon - lon) * scale
                way_m += M_PER_DEG * math.sqrt(north * north + east * east)
                if now - turn_ns <= GAP_NS:
                    moving_s += (maybe_new_ns - turn_ns) * S_PER_NS
                lat, lon, turn_ns, step_m = maybe_lat, maybe_lon, maybe_new_ns, near_m
                if near_m > MAX_MPS * (now - maybe_ns) * S_PER_NS + POSITION_MOVED_M:
                    here_ns, new_ns, agreed = maybe_ns, maybe_new_ns, 1
                    maybe_lat, maybe_lon, maybe_ns, maybe_new_ns = new_lat, new_lon, now, now
                    continue
            else:  # what it said before was wrong: the way between was never driven
                lat, lon, turn_ns, step_m = new_lat, new_lon, now, 0.0
            scale = math.cos(math.radians(lat))
        if new_lat != lat or new_lon != lon:
            new_ns = now
        here_ns, agreed = now, 0
        if step_m >= WAY_STEP_M:
            way_m += step_m
            if now - turn_ns <= GAP_NS:
                moving_s += (now - turn_ns) * S_PER_NS
            lat, lon, turn_ns = new_lat, new_lon, now
            scale = math.cos(math.radians(lat))
        elif step_m < WAY_STEP_M / 3:
            turn_ns = now
    return way_m if is_known else -1.0, moving_s


def climb(ts: Stamps, altitude: Floats, first: int, last: int) -> float:
    """What a road rose in all, m; what is less than a receiver wavers is left out; -1 if unknown.

    A step that no road makes moves the ground under it and is no climb.
    """
    gain_m = 0.0
    low = high = before = math.nan
    before_ns = ts[first]
    is_rising = False
    for i in range(first, last + 1):
        value = float(altitude[i])
        if not -500 <= value <= 9000:
            continue
        if np.isnan(before):
            low = high = value
        else:
            step = value - before
            if abs(step) > 15.0 + 10.0 * (ts[i] - before_ns) * S_PER_NS:
                low, high = low + step, high + step
        before, before_ns = value, ts[i]
        if is_rising:
            if value > high:
                high = value
            elif value < high - CLIMB_MIN_M:
                gain_m += high - low
                is_rising, low = False, value
        elif value < low:
            low = value
        elif value > low + CLIMB_MIN_M:
            is_rising, high = True, value
    if is_rising:
        gain_m += high - low
    return -1.0 if np.isnan(before) else gain_m


def mean_of(values: Floats, first: int, last: int, low: float, high: float) -> float:
    """The mean of what lies within bounds, NaN if nothing does."""
    total, count = 0.0, 0
    for i in range(first, last + 1):
        value = float(values[i])
        if low <= value <= high:
            total += value
            count += 1
    return total / count if count else math.nan


def greatest_of(values: Floats, first: int, last: int) -> float:
    """The greatest of what is known but for a lone spike: the second in a row; NaN if none."""
    greatest, before = math.nan, math.nan
    for i in range(first, last + 1):
        value = float(values[i])
        if np.isnan(value):
            continue
        steady = value if np.isnan(before) else min(value, before)
        if not np.isnan(before) and (np.isnan(greatest) or steady > greatest):
            greatest = steady
        before = value
    return before if np.isnan(greatest) else greatest


def first_known(values: Floats, first: int, last: int) -> int:
    """The first row in which a value is known, -1 if none."""
    for i in range(first, last + 1):
        if not np.isnan(values[i]):
            return i
    return -1


def last_known(values: Floats, first: int, last: int) -> int:
    """The last row in which a value is known, -1 if none."""
    for i in range(last, first - 1, -1):
        if not np.isnan(values[i]):
            return i
    return -1


def place(
    ts: Stamps, latitude: Floats, longitude: Floats, first: int, last: int, step: int
) -> tuple[float, float]:
    """Where a stretch began (step 1) or ended (step -1): degrees, NaN if unknown.

    Of the fixes of some seconds it is the middle one by latitude and by longitude: a lone spike is
    no place.
    """
    lats, lons = np.empty(PLACE_FIXES), np.empty(PLACE_FIXES)
    count, begin_ns = 0, 0
    i = first if step > 0 else last
    while first <= i <= last and count < PLACE_FIXES:
        lat, lon = float(latitude[i]), float(longitude[i])
        if abs(lat) <= 90 and abs(lon) <= 180 and (lat != 0 or lon != 0):
            if count == 0:
                begin_ns = ts[i]
            elif abs(ts[i] - begin_ns) > FRESH_NS:
                break
            lats[count], lons[count] = lat, lon
            count += 1
        i += step
    if count == 0:
        return math.nan, math.nan
    middle = (count - 1) // 2
    return float(np.sort(lats[:count])[middle]), float(np.sort(lons[:count])[middle])
