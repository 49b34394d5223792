"""How far a car went in stretches of its rows, and how high: loops as those of `sums`.

way_m, moving_s, greatest_kmh, known_s = drive(ts, speed_kmh, spans).T
"""

import math

import numpy as np

from contactor.history.rules import (
    CLIMB_MIN_M,
    GAP_NS,
    HOLD_NS,
    MAX_MPS,
    MOVING_KMH,
    POSITION_AGREED,
    POSITION_MOVED_M,
    POSITION_SLOW_NS,
    SPEED_GAIN_MAX_KMH_PER_S,
    SPEED_MAX_KMH,
)
from contactor.history.sums import BLOCK, S_PER_NS, Doubles, Floats, Spans, Stamps

M_PER_DEG = 111_195.0
KMH_PER_MPS = 3.6
# On the way, a receiver's wandering is no way; over this it is.
WAY_STEP_M = 15.0
# What a speed may jump by from one row to the next, whatever the time between, km/h.
JUMP_KMH = 10.0


def drive(ts: Stamps, speed: Floats, spans: Spans) -> Doubles:
    """What a speed in km/h says of a trip, spikes left out: (n, 4).

    Returns:
        Way in m, seconds with wheels turning, greatest speed in km/h, seconds known.
    """
    sums = np.empty((len(spans), 4))
    values, at = np.empty(BLOCK + 1), np.empty(BLOCK + 1, np.int64)
    way, greatest = np.empty(BLOCK), np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        way[:places], greatest[:places] = 0.0, -1.0
        moving_ns, known_ns = 0, 0
        values[0], at[0] = 0.0, ts[first] - GAP_NS - 1
        doubt = -1.0
        for begin in range(first, last + 1, BLOCK):
            end = min(begin + BLOCK, last + 1)
            now, block = ts[begin:end], speed[begin:end]
            for k in range(len(block)):
                values[k + 1], at[k + 1] = float(block[k]), now[k]
            count = 0
            for k in range(len(block)):
                value, apart = values[k + 1], at[k + 1] - at[k]
                far = SPEED_GAIN_MAX_KMH_PER_S * (S_PER_NS * apart) + JUMP_KMH
                is_near = (abs(value - values[k]) <= far) | (apart > GAP_NS)
                count += 1 if is_near & (value >= 0.0) & (value <= SPEED_MAX_KMH) else 0
            if count == len(block):
                doubt = -1.0
            else:
                count = 0
                for k in range(len(block)):
                    value, apart = float(block[k]), now[k] - at[count]
                    if not 0.0 <= value <= SPEED_MAX_KMH:
                        continue
                    far = SPEED_GAIN_MAX_KMH_PER_S * (S_PER_NS * apart) + JUMP_KMH
                    is_near = abs(value - values[count]) <= far or apart > GAP_NS
                    if not is_near and not (doubt >= 0.0 and abs(value - doubt) <= far):
                        doubt = value  # the next one says whether it was a spike
                        continue
                    count += 1
                    values[count], at[count], doubt = value, now[k], -1.0
            for k in range(count):
                apart = at[k + 1] - at[k]
                mean = values[k + 1] if apart <= HOLD_NS else (values[k + 1] + values[k]) * 0.5
                way[k] += mean * apart if apart <= GAP_NS else 0.0
                known_ns += apart if apart <= GAP_NS else 0
                moving_ns += apart if (apart <= GAP_NS) & (mean > MOVING_KMH) else 0
                greatest[k] = max(greatest[k], values[k + 1])
            values[0], at[0] = values[count], at[count]
        whole = 0.0
        for one in way[:places]:
            whole += one
        sums[n, 0], sums[n, 1] = whole / KMH_PER_MPS * S_PER_NS, moving_ns * S_PER_NS
        sums[n, 2], sums[n, 3] = greatest[:places].max(), known_ns * S_PER_NS
    return sums


def position_way(ts: Stamps, latitude: Floats, longitude: Floats, spans: Spans) -> Doubles:
    """How far a receiver went, m, -1 where unknown, and seconds with it on the move: (n, 2)."""
    found = np.empty((len(spans), 2))
    for n in range(len(spans)):
        way_m, moving_s = flown(ts, latitude, longitude, spans[n, 0], spans[n, 1])
        found[n, 0], found[n, 1] = way_m, moving_s
    return found


def climb(ts: Stamps, altitude: Floats, spans: Spans) -> Doubles:
    """What a road rose in all, m, NaN where unknown: (n,)."""
    found = np.empty(len(spans))
    for n in range(len(spans)):
        found[n] = risen(ts, altitude, spans[n, 0], spans[n, 1])
    return found


# ── of a stretch ─────────────────────────────────────────────────────────────────────────────────


def flown(
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


def risen(ts: Stamps, altitude: Floats, first: int, last: int) -> float:
    """What a road rose in all, m; what is less than a receiver wavers is left out; NaN if unknown.

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
    return math.nan if np.isnan(before) else gain_m


PARTS = (flown, risen)
