"""Trips: what is told of each stretch of rows in which a car was driven."""

import math

from contactor.history.columns import Columns, Floats
from contactor.history.energy import EnergyAccount
from contactor.history.facts import Trip
from contactor.history.loops import Loops
from contactor.history.rows import first_location, last_location, level_ends
from contactor.history.rules import (
    AMBIENT_MAX_DEGC,
    AMBIENT_MIN_DEGC,
    KNOWN_MIN,
    ODOMETER_FINE,
    TRIP_MIN_KM,
)

S_PER_NS = 1e-9
M_PER_KM = 1000.0
# Between wheel and odometer; more, and one of both is broken.
AGREE = 0.2


def trip_of(
    columns: Columns, loops: Loops, account: EnergyAccount, first: int, last: int
) -> Trip | None:
    """The trip of a stretch of rows; None if it was none."""
    way = _way(columns, loops, first, last)
    if way is None or way[0] < TRIP_MIN_KM * M_PER_KM:
        return None
    way_m, moving_s, speed_max_kmh = way
    soc_start_pct, soc_end_pct = level_ends(columns.state_of_charge_pct, loops, first, last)
    return Trip(
        start_ns=int(columns.ts[first]),
        end_ns=int(columns.ts[last]),
        distance_km=float(way_m) / M_PER_KM,
        moving_s=float(moving_s),
        energy=account.between(first, last),
        soc_start_pct=soc_start_pct,
        soc_end_pct=soc_end_pct,
        speed_max_kmh=speed_max_kmh,
        ambient_mean_degc=mean_degc(columns.ambient_degc, loops, first, last),
        battery_mean_degc=mean_degc(columns.battery_degc, loops, first, last),
        elevation_gain_m=_climb(columns, loops, first, last),
        start_location=first_location(columns, loops, first, last),
        end_location=last_location(columns, loops, first, last),
        auxiliary_kwh=account.taken_kwh(columns.auxiliary_w, first, last),
        heating_kwh=account.taken_kwh(columns.heating_w, first, last),
    )


def _way(
    columns: Columns, loops: Loops, first: int, last: int
) -> tuple[float, float, float | None] | None:
    """How far, m; how long with wheels turning, s; how fast at most, km/h.

    An odometer is best where its steps are fine, then the speed, then the odometer as it is, then
    the receiver.
    """
    ts = columns.ts
    seconds = float(ts[last] - ts[first]) * S_PER_NS
    rolled_m = moving_s = known_s = -1.0
    speed_max_kmh: float | None = None
    if columns.speed_kmh is not None:
        rolled_m, moving_s, greatest, known_s = loops.drive(ts, columns.speed_kmh, first, last)
        speed_max_kmh = greatest if greatest >= 0 else None
    is_rolled = known_s > 0 and known_s >= KNOWN_MIN * seconds
    if columns.odometer_m is not None:
        told_m, finest_m = loops.odometer_way(ts, columns.odometer_m, first, last)
        is_fine = told_m > 0 and finest_m <= ODOMETER_FINE * told_m
        is_told = told_m > 0 and told_m >= 2 * finest_m
        differs = is_told and abs(told_m - rolled_m) > AGREE * told_m + finest_m
        if is_fine or (told_m > 0 and not is_rolled) or differs:
            return told_m, moving_s if moving_s > 0 else seconds, speed_max_kmh
    if is_rolled:
        return rolled_m, moving_s, speed_max_kmh
    if columns.latitude_deg is not None and columns.longitude_deg is not None:
        latitude, longitude = columns.latitude_deg, columns.longitude_deg
        flown_m, under_way_s = loops.position_way(ts, latitude, longitude, first, last)
        if flown_m > rolled_m:
            return flown_m, moving_s if moving_s > 0 else under_way_s, speed_max_kmh
    return (rolled_m, moving_s, speed_max_kmh) if known_s > 0 else None


def mean_degc(values: Floats | None, loops: Loops, first: int, last: int) -> float | None:
    """The mean of a temperature, None where it is not known."""
    if values is None:
        return None
    mean = loops.mean_of(values, first, last, AMBIENT_MIN_DEGC, AMBIENT_MAX_DEGC)
    return None if math.isnan(mean) else mean


def _climb(columns: Columns, loops: Loops, first: int, last: int) -> float | None:
    if columns.altitude_m is None:
        return None
    gain_m = loops.climb(columns.ts, columns.altitude_m, first, last)
    return gain_m if gain_m >= 0 else None
