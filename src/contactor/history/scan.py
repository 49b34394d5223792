"""One pass over a car's rows: where it drove, where it was charged, where it was silent.

    events = scan(*scanned(columns))       # (k, 3): kind, first row, last row

`scan` is one plain function of arrays and numbers. Numba compiles it as it stands (`kernels`), and
without Numba it runs as it stands: slower, with the same answer.

Nothing that is known before a trip is used after its start: where a trip is found to have begun,
the pass goes back there and forgets all. So the rows from a trip's start on give the same facts
with the rows before as without them, which is what lets a history be continued (`find.restart_ns`).

    off ──────► ready ───────► moving ◄────► standing ──► off for 3 min, or charging, or silent
                ▲ a trip begins                           ▲ a trip ended where that began
"""

import math

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns
from contactor.history.rules import (
    BLIND_BRIDGE_NS,
    BRIDGE_NS,
    CHARGE_BRIDGE_NS,
    CHARGE_MIN_A,
    CHARGE_MIN_W,
    FLAG_FRESH_NS,
    FLOW_FRESH_NS,
    FRESH_NS,
    FROZEN_NS,
    GAP_NS,
    GAP_ODOMETER_MOVED_M,
    GAP_POSITION_MOVED_M,
    MAX_MPS,
    MOVING_KMH,
    ODOMETER_MOVED_M,
    ODOMETER_TICK_M,
    OFF_CUT_NS,
    ON_STOP_CUT_NS,
    PAUSE_NS,
    PIECE_MIN_KWH,
    PIECE_MIN_NS,
    PLUGGED_PAUSE_NS,
    POSITION_AGREED,
    POSITION_MOVED_M,
    POSITION_SLOW_NS,
    READY_MAX_NS,
    RISE_FRESH_NS,
    RISE_GAP_PCT,
    RISE_MOVED_PCT,
    RISE_PCT,
    STANDING_NS,
    STEADY_NS,
    STOP_CUT_NS,
    TOGETHER_NS,
    UNKNOWN_READY_MAX_NS,
    UNPLUGGED_PAUSE_NS,
)

# Kinds of events. A silence lies between its two rows.
TRIP, CHARGE, SILENCE, MOVED_SILENCE = 0, 1, 2, 3

NEVER = -(1 << 62)
# Rows that are looked at side by side.
BLOCK = 64
PARK = 126.0
M_PER_DEG = 111_195.0
J_PER_KWH = 3.6e6
NS_PER_S = 1e9

Single = NDArray[np.float32]
Double = NDArray[np.float64]
SINGLES = ("speed_kmh", "is_on", "gear", "is_plugged", "is_charging")
FLOWS = ("current_a", "voltage_v", "power_w", "state_of_charge_pct")


def scanned(columns: Columns) -> tuple[NDArray[np.generic], ...]:
    """The arguments of `scan`; a column that the car does not give has no rows."""
    return (
        columns.ts,
        *(_as(columns, name, np.float32) for name in SINGLES),
        *(_as(columns, name, np.float64) for name in ("odometer_m", "latitude_deg")),
        _as(columns, "longitude_deg", np.float64),
        *(_as(columns, name, np.float32) for name in FLOWS),
    )


def _as(columns: Columns, name: str, kind: type[np.floating]) -> NDArray[np.floating]:
    column = getattr(columns, name)
    return np.empty(0, kind) if column is None else np.ascontiguousarray(column, kind)


def scan(
    ts: NDArray[np.int64],
    speed: Single,
    on: Single,
    gear: Single,
    plugged: Single,
    charging: Single,
    odometer: Double,
    latitude: Double,
    longitude: Double,
    current: Single,
    voltage: Single,
    power: Single,
    charge: Single,
) -> NDArray[np.int64]:
    """Find trips, charges and silences.

    Returns:
        (k, 3) of kind, first row, last row; in no order.
    """
    rows = len(ts)
    events = np.empty((64, 3), np.int64)
    count = 0
    origin = 0
    while origin < rows:
        # ── all that is remembered from row to row ───────────────────────────────────────────────
        restart = rows
        base = last_gap = origin  # no trip begins before
        is_trip = False
        last_move, last_move_ns, off_row, ready_row = -1, NEVER, -1, -1
        was_moving = is_steady = False
        speed_ns, same_ns, last_speed, is_fast = NEVER, NEVER, np.float32(-1.0), False
        meters, meters_ns, meters_moved_ns = -1.0, NEVER, NEVER
        here_lat, here_lon, here_ns, new_ns, scale = 0.0, 0.0, NEVER, NEVER, 1.0
        maybe_lat, maybe_lon, maybe_ns, maybe_new_ns = 0.0, 0.0, NEVER, NEVER
        agreed, is_way, is_settled = 0, False, False
        on_flag, on_ns, gear_flag, gear_ns = -1, NEVER, -1, NEVER
        last_gear = np.float32(-99.0)
        plug_flag, plug_ns, says, says_ns = -1, NEVER, -1, NEVER
        volts, volts_ns, amperes_ns = 0.0, NEVER, NEVER
        is_in, flow_w, flow_ns, has_energy = False, 0.0, NEVER, False
        percent, rise_ns = -1.0, NEVER
        piece, piece_last, piece_kwh, is_sure, was_out = -1, -1, 0.0, False, False

        i = origin - 1
        while i + 1 < rows:
            i += 1
            now = ts[i]
            apart = now - ts[i - 1] if i > origin else 0
            is_gap = apart > GAP_NS

            was_ready = on_flag if on_flag >= 0 else gear_flag
            was_fast = is_fast

            # ── what the car tells ───────────────────────────────────────────────────────────────
            if len(speed) > 0:
                value = speed[i]
                if not np.isnan(value):
                    if value != last_speed:
                        same_ns = now
                        last_speed = value
                    speed_ns = now
                    is_fast = value > MOVING_KMH
                elif now - speed_ns > FRESH_NS:
                    is_fast = False
            if len(on) > 0 and not np.isnan(on[i]):
                on_flag, on_ns = (1 if on[i] > 0.5 else 0), now
            if len(gear) > 0 and not np.isnan(gear[i]):
                gear_ns, last_gear = now, gear[i]
                gear_flag = -1 if gear[i] == 0 else (0 if gear[i] == PARK else 1)
            if len(plugged) > 0 and not np.isnan(plugged[i]):
                plug_flag, plug_ns = (1 if plugged[i] > 0.5 else 0), now
            if len(charging) > 0 and not np.isnan(charging[i]):
                says, says_ns = (1 if charging[i] > 0.5 else 0), now

            ready = -1
            if on_flag >= 0 and now - on_ns <= FLAG_FRESH_NS:
                ready = on_flag
            elif gear_flag >= 0 and now - gear_ns <= FLAG_FRESH_NS:
                ready = gear_flag

            # ── has it moved? ────────────────────────────────────────────────────────────────────
            ticked = False
            gap_moved = -1  # over a silence: 1 yes, 0 no, -1 nothing tells
            if len(odometer) > 0 and not np.isnan(odometer[i]):
                value_m = odometer[i]
                step_m = value_m - meters
                far_m = MAX_MPS * (now - meters_ns) / NS_PER_S + ODOMETER_TICK_M
                if meters_ns == NEVER or step_m < 0 or step_m > far_m:
                    meters = value_m
                else:
                    if is_gap:
                        gap_moved = 1 if step_m >= GAP_ODOMETER_MOVED_M else 0
                    if step_m >= ODOMETER_MOVED_M:
                        # A lone tick beside a speed that says 0 makes up for a count that froze.
                        ticked = now - speed_ns > FRESH_NS or now - meters_moved_ns <= STANDING_NS
                        meters = value_m
                        meters_moved_ns = now
                meters_ns = now
            if len(latitude) > 0 and len(longitude) > 0:
                lat, lon = latitude[i], longitude[i]
                is_fix = abs(lat) <= 90 and abs(lon) <= 180 and (lat != 0 or lon != 0)
                if is_fix and here_ns == NEVER:
                    here_lat, here_lon, here_ns, new_ns = lat, lon, now, now
                    scale = math.cos(math.radians(lat))
                elif is_fix and agreed > 0 and lat == maybe_lat and lon == maybe_lon:
                    maybe_ns = now
                elif is_fix:
                    north, east = lat - here_lat, (lon - here_lon) * scale
                    way_m = M_PER_DEG * math.sqrt(north * north + east * east)
                    is_true = way_m <= MAX_MPS * (now - here_ns) / NS_PER_S + POSITION_MOVED_M
                    if not is_true:
                        north, east = lat - maybe_lat, (lon - maybe_lon) * scale
                        near_m = M_PER_DEG * math.sqrt(north * north + east * east)
                        slow_ns = max(now - maybe_ns, min(now - maybe_new_ns, POSITION_SLOW_NS))
                        far_m = MAX_MPS * slow_ns / NS_PER_S + POSITION_MOVED_M
                        if agreed == 0 or near_m > far_m:
                            slow_ns = min(now - new_ns, POSITION_SLOW_NS)
                            far_m = MAX_MPS * slow_ns / NS_PER_S + POSITION_MOVED_M
                            agreed, is_way = 1, way_m <= far_m
                        else:
                            agreed += 1
                            if is_way:
                                here_lat, here_lon = maybe_lat, maybe_lon
                                here_ns, new_ns, agreed = maybe_ns, maybe_new_ns, 1
                                ticked = ticked or now - speed_ns > FRESH_NS
                            elif agreed >= POSITION_AGREED:
                                here_lat, here_lon, here_ns, new_ns = lat, lon, now, now
                                agreed = 0
                                scale = math.cos(math.radians(lat))
                        maybe_lat, maybe_lon, maybe_ns, maybe_new_ns = lat, lon, now, now
                    else:
                        if lat != here_lat or lon != here_lon:
                            new_ns = now
                        here_ns, agreed = now, 0
                        if is_gap and (
                            gap_moved < 0 or (gap_moved == 0 and way_m < ODOMETER_TICK_M)
                        ):
                            gap_moved = 1 if way_m >= GAP_POSITION_MOVED_M else 0
                        if way_m >= POSITION_MOVED_M:
                            here_lat, here_lon, is_settled = lat, lon, False
                            scale = math.cos(math.radians(lat))
                            is_held = piece >= 0 and plug_flag == 1
                            ticked = ticked or (now - speed_ns > FRESH_NS and not is_held)
                        elif not is_settled and now - last_move_ns > STANDING_NS:
                            here_lat, here_lon, is_settled = lat, lon, True  # here it stands
            is_frozen = (
                is_fast
                and now - same_ns > FROZEN_NS
                and (ready == 0 or (meters_ns > same_ns and now - meters_moved_ns > FROZEN_NS))
            )
            # Of a car that says that it is off a speed is believed that changes, and no cable.
            is_stuck = ready == 0 and (
                (plug_flag == 1 and now - plug_ns <= FLAG_FRESH_NS)
                or (not is_trip and not (was_fast and same_ns == now))
            )
            moving = (is_fast and not is_frozen and not is_stuck) or (ticked and not is_gap)

            # ── silence ──────────────────────────────────────────────────────────────────────────
            if is_gap:
                last_gap = i
                has_charged = (
                    len(charge) > 0 and percent >= 0 and charge[i] - percent >= RISE_MOVED_PCT
                )
                is_left = off_row >= 0 and (ready == 0 or now - ts[off_row] >= OFF_CUT_NS)
                is_bridged = is_trip and not is_left and not has_charged
                is_bridged = is_bridged and (
                    (gap_moved == 1 and apart <= BRIDGE_NS)
                    or (gap_moved < 0 and was_moving and moving and apart <= BLIND_BRIDGE_NS)
                )
                if is_bridged:
                    moving = True
                else:
                    has_moved = gap_moved == 1 or (is_trip and was_moving and gap_moved < 0)
                    if count == len(events):
                        events = np.concatenate((events, np.empty_like(events)))
                    events[count, 0] = MOVED_SILENCE if has_moved else SILENCE
                    events[count, 1], events[count, 2] = i - 1, i
                    count += 1
                    stay_ns = ON_STOP_CUT_NS if ready == 1 and was_ready == 1 else STOP_CUT_NS
                    bridge_ns = BLIND_BRIDGE_NS if gap_moved < 0 else BRIDGE_NS
                    is_long = now - last_move_ns >= stay_ns or apart > bridge_ns
                    if is_trip and (gap_moved == 1 or is_long or is_left or has_charged):
                        if count == len(events):
                            events = np.concatenate((events, np.empty_like(events)))
                        events[count, 0], events[count, 1] = TRIP, origin
                        events[count, 2] = off_row if off_row >= 0 else i - 1
                        count += 1
                        is_trip = False
                if not is_trip:
                    base = i
                    ready_row = -1

            # ── is it charged? ───────────────────────────────────────────────────────────────────
            if len(voltage) > 0 and not np.isnan(voltage[i]):
                volts, volts_ns = float(voltage[i]), now
            if len(current) > 0 and not np.isnan(current[i]):
                is_in, flow_ns, amperes_ns = current[i] > CHARGE_MIN_A, now, now
                has_energy = now - volts_ns <= FRESH_NS
                flow_w = current[i] * volts if has_energy else 0.0
            elif len(power) > 0 and not np.isnan(power[i]) and now - amperes_ns > FRESH_NS:
                is_in, flow_ns, has_energy = power[i] > CHARGE_MIN_W, now, True
                flow_w = float(power[i])
            is_rise = False
            if len(charge) > 0 and not np.isnan(charge[i]):
                gain = charge[i] - percent
                if percent >= 0:
                    is_rise = is_gap and gain >= (
                        RISE_MOVED_PCT if gap_moved == 1 else RISE_GAP_PCT
                    )
                    if gain >= RISE_PCT and gap_moved != 1 and now - last_move_ns > STANDING_NS:
                        rise_ns = now
                if not 0 <= gain < RISE_PCT:
                    percent = float(charge[i])
            is_by_rise = False
            if moving:
                is_charging = False
            elif now - flow_ns <= FLOW_FRESH_NS and flow_ns > last_move_ns:
                is_charging = is_in
                told_ns = max(speed_ns, here_ns, meters_ns)
                may_roll = (
                    told_ns - last_move_ns <= STANDING_NS and now - told_ns <= BLIND_BRIDGE_NS
                ) or (last_speed > MOVING_KMH and now - speed_ns <= BLIND_BRIDGE_NS)
                if is_in and may_roll and now - speed_ns > TOGETHER_NS:
                    # What flows in may be what it brakes: only a cable says that it is not.
                    is_in_cable = plug_flag == 1 and now - plug_ns <= FLAG_FRESH_NS
                    is_charging = is_in_cable or (says == 1 and now - says_ns <= FLAG_FRESH_NS)
            elif says >= 0 and now - says_ns <= FLAG_FRESH_NS:
                is_charging, has_energy = says == 1, False
            else:
                is_charging, has_energy, is_by_rise = now == rise_ns, False, True
            is_charging = is_charging or (is_rise and not moving)

            if piece >= 0:
                pause = PAUSE_NS
                if plug_flag >= 0 and now - plug_ns <= FLAG_FRESH_NS:
                    was_out = was_out or plug_flag == 0
                    pause = UNPLUGGED_PAUSE_NS if was_out else PLUGGED_PAUSE_NS
                if is_by_rise:
                    pause = max(pause, RISE_FRESH_NS)
                if is_gap and is_charging and is_steady and not is_rise and not was_out:
                    pause = max(pause, CHARGE_BRIDGE_NS)
                is_over = now - ts[piece_last] > pause and not (is_rise and piece_last == i - 1)
                is_over = is_over or gap_moved == 1
                if moving or is_over:
                    if is_sure:
                        if count == len(events):
                            events = np.concatenate((events, np.empty_like(events)))
                        events[count, 0] = CHARGE
                        events[count, 1], events[count, 2] = piece, piece_last
                        count += 1
                        base = max(base, piece_last)
                    piece, is_sure = -1, False
            if is_charging:
                if piece < 0:
                    piece = i - 1 if i > origin and (is_rise or not is_gap) else i
                    piece_kwh, piece_last = 0.0, piece - 1
                if i > piece and apart <= GAP_NS:
                    piece_kwh += flow_w * apart / NS_PER_S / J_PER_KWH
                if is_steady or piece_last < piece or is_rise or is_by_rise:
                    piece_last = i  # one row alone after a pause may be a sensor's noise
                    was_out = plug_flag == 0
                if has_energy and not is_rise:
                    is_sure = is_sure or piece_kwh >= PIECE_MIN_KWH
                else:
                    is_sure = is_sure or is_rise or now - ts[piece] >= PIECE_MIN_NS
                if is_sure and is_trip:
                    if count == len(events):
                        events = np.concatenate((events, np.empty_like(events)))
                    last = piece if off_row < 0 else min(piece, off_row)
                    events[count, 0], events[count, 1] = TRIP, origin
                    events[count, 2] = max(last, last_move)
                    count += 1
                    is_trip = False
                    base = max(last, last_move, last_gap)

            # ── trips ────────────────────────────────────────────────────────────────────────────
            if ready == 1:
                off_row = -1
                if ready_row < 0:
                    ready_row = i
            else:
                ready_row = -1
                if ready == 0 and off_row < 0 and is_trip:
                    off_row = i
            if moving:
                if not is_trip:
                    first = i - 1 if i > base else i
                    begin = first
                    if ready == 1:
                        begin = max(base, ready_row)
                        if now - ts[begin] > READY_MAX_NS:
                            earliest = begin
                            begin = first
                            while begin > earliest and now - ts[begin - 1] <= READY_MAX_NS:
                                begin -= 1
                    elif ready < 0 and base == last_gap and now - ts[base] <= UNKNOWN_READY_MAX_NS:
                        begin = base
                    begin = min(begin, first)
                    if begin > origin:
                        restart = begin
                        break
                    is_trip = True
                last_move, last_move_ns, off_row = i, now, -1
            elif is_trip:
                last = -1
                if ready == 0:
                    if now - ts[off_row] >= OFF_CUT_NS:
                        last = off_row
                elif now - last_move_ns >= (ON_STOP_CUT_NS if ready == 1 else STOP_CUT_NS):
                    last = last_move
                if last >= 0:
                    if count == len(events):
                        events = np.concatenate((events, np.empty_like(events)))
                    events[count, 0] = TRIP
                    events[count, 1], events[count, 2] = origin, last
                    count += 1
                    is_trip = False
                    base = max(last, last_gap)
            was_moving, is_steady = moving, is_charging

            # ── rows that go on as this one: only their last is remembered ───────────────────────
            last = i
            if moving and is_fast:
                while last + BLOCK < rows:
                    block, end = speed[last + 1 : last + 1 + BLOCK], last + BLOCK
                    count_fast = 0
                    for k in range(BLOCK):
                        count_fast += 1 if block[k] > MOVING_KMH else 0
                    is_whole = ts[end] - ts[last] <= GAP_NS and ts[end] - same_ns <= FROZEN_NS
                    is_whole = is_whole and ts[end] - max(same_ns, now) <= STEADY_NS
                    if count_fast < BLOCK or not is_whole:
                        break
                    k = BLOCK - 1
                    while k > 0 and block[k] == block[k - 1]:
                        k -= 1
                    if k > 0 or block[0] != last_speed:
                        same_ns = ts[last + 1 + k]
                    last_speed = block[BLOCK - 1]
                    last = end
                while last + 1 < rows:
                    value, at = speed[last + 1], ts[last + 1]
                    if not value > MOVING_KMH or at - ts[last] > GAP_NS:
                        break
                    if value != last_speed:
                        last_speed = value
                        same_ns = at
                    elif at - same_ns > FROZEN_NS or at - max(same_ns, now) > STEADY_NS:
                        break
                    last += 1
                if last > i:
                    last_move, last_move_ns, speed_ns = last, ts[last], ts[last]
            elif not moving and len(speed) > 0 and (piece < 0 or (is_charging and is_sure)):
                until = now + ON_STOP_CUT_NS
                if is_trip:
                    until = last_move_ns + (ON_STOP_CUT_NS if ready == 1 else STOP_CUT_NS)
                    if ready == 0:
                        until = ts[off_row] + OFF_CUT_NS
                if ready >= 0:
                    until = min(until, (on_ns if on_flag >= 0 else gear_ns) + FLAG_FRESH_NS)
                flowing = current if len(current) > 0 else power
                least = CHARGE_MIN_A if len(current) > 0 else CHARGE_MIN_W
                while last + 1 < rows and len(flowing) > 0:
                    j, at = last + 1, ts[last + 1]
                    if not speed[j] <= MOVING_KMH or at - ts[last] > GAP_NS or at >= until:
                        break
                    if np.isnan(flowing[j]) or (flowing[j] > least) != is_charging:
                        break
                    if len(on) > 0 and on[j] != on_flag and not np.isnan(on[j]):
                        break
                    if len(gear) > 0 and gear[j] != last_gear and not np.isnan(gear[j]):
                        break
                    if len(odometer) > 0:
                        step_m = odometer[j] - meters
                        if not np.isnan(step_m) and not 0 <= step_m < ODOMETER_MOVED_M:
                            break
                    last += 1
                if last > i:
                    last_speed, speed_ns = speed[last], ts[last]
                    same_ns = now if last_speed == speed[i] else ts[last]
                    if piece >= 0:
                        piece_last = last
            if last > i:
                j = last
                while len(on) > 0 and j > i and np.isnan(on[j]):
                    j -= 1
                if len(on) > 0 and j > i:
                    on_flag, on_ns = (1 if on[j] > 0.5 else 0), ts[j]
                j = last
                while len(gear) > 0 and j > i and np.isnan(gear[j]):
                    j -= 1
                if len(gear) > 0 and j > i:
                    gear_ns, last_gear = ts[j], gear[j]
                    gear_flag = -1 if gear[j] == 0 else (0 if gear[j] == PARK else 1)
                j = last
                while len(plugged) > 0 and j > i and np.isnan(plugged[j]):
                    j -= 1
                if len(plugged) > 0 and j > i:
                    plug_flag, plug_ns = (1 if plugged[j] > 0.5 else 0), ts[j]
                    was_out = plug_flag == 0
                j = last
                while len(charging) > 0 and j > i and np.isnan(charging[j]):
                    j -= 1
                if len(charging) > 0 and j > i:
                    says, says_ns = (1 if charging[j] > 0.5 else 0), ts[j]
                j = last
                while len(odometer) > 0 and j > i and np.isnan(odometer[j]):
                    j -= 1
                if len(odometer) > 0 and j > i:
                    if odometer[j] - meters >= ODOMETER_MOVED_M:
                        meters_moved_ns = ts[j]
                    if moving:
                        meters = odometer[j]
                    meters_ns = ts[j]
                j = last
                has_fix = len(latitude) > 0 and len(longitude) > 0
                while has_fix and j > i and (np.isnan(latitude[j]) or np.isnan(longitude[j])):
                    j -= 1
                if has_fix and j > i:
                    lat, lon = latitude[j], longitude[j]
                    if abs(lat) <= 90 and abs(lon) <= 180 and (lat != 0 or lon != 0):
                        here_lat, here_lon, here_ns, new_ns, agreed = lat, lon, ts[j], ts[j], 0
                        scale = math.cos(math.radians(lat))
                j = last
                while len(current) > 0 and j > i and np.isnan(current[j]):
                    j -= 1
                k = j if len(current) > 0 and j > i else last
                while len(voltage) > 0 and k > i and np.isnan(voltage[k]):
                    k -= 1
                if len(voltage) > 0 and k > i:
                    volts, volts_ns = float(voltage[k]), ts[k]
                if len(current) > 0 and j > i:
                    is_in, flow_ns, amperes_ns = current[j] > CHARGE_MIN_A, ts[j], ts[j]
                    has_energy = ts[j] - volts_ns <= FRESH_NS
                    flow_w = current[j] * volts if has_energy else 0.0
                j = last
                while len(power) > 0 and j > i and np.isnan(power[j]):
                    j -= 1
                if len(power) > 0 and j > i and ts[j] - amperes_ns > FRESH_NS:
                    is_in, flow_ns, has_energy = power[j] > CHARGE_MIN_W, ts[j], True
                    flow_w = float(power[j])
                j = last
                while len(charge) > 0 and j > i and np.isnan(charge[j]):
                    j -= 1
                if len(charge) > 0 and j > i:
                    percent = float(charge[j])
                i = last

        if restart == rows:
            if count + 2 > len(events):
                events = np.concatenate((events, np.empty_like(events)))
            if is_trip:
                events[count, 0], events[count, 1] = TRIP, origin
                events[count, 2] = off_row if off_row >= 0 else rows - 1
                count += 1
            if piece >= 0 and is_sure:
                events[count, 0] = CHARGE
                events[count, 1], events[count, 2] = piece, piece_last
                count += 1
        origin = restart
    return events[:count]
