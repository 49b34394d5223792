"""Trips: what is told of the stretches of rows in which a car was driven."""

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.energy import EnergyAccount
from contactor.history.facts import Trip
from contactor.history.loops import Loops
from contactor.history.rows import (
    Figures,
    Spans,
    first_locations,
    known,
    last_locations,
    levels_at_ends,
    means_of,
    seconds_of,
)
from contactor.history.rules import (
    AMBIENT_MAX_DEGC,
    AMBIENT_MIN_DEGC,
    KNOWN_MIN,
    MAX_MPS,
    ODOMETER_FINE,
    ODOMETER_TICK_M,
    TRIP_MIN_KM,
)

M_PER_KM = 1000.0
# Between wheel and odometer; more, and one of both is broken.
AGREE = 0.2


def trips_of(
    columns: Columns, loops: Loops, account: EnergyAccount, spans: Spans
) -> tuple[Spans, list[Trip]]:
    """The trips of stretches of rows: those of them that were one, and what is told of each."""
    way_m, moving_s, speed_max_kmh = _ways(columns, loops, spans)
    is_trip = way_m >= TRIP_MIN_KM * M_PER_KM
    spans = spans[is_trip]
    levels = levels_at_ends(columns.state_of_charge_pct, loops, spans)
    told = zip(
        columns.ts[spans].tolist(),
        (way_m[is_trip] / M_PER_KM).tolist(),
        moving_s[is_trip].tolist(),
        account.whole(spans).energies(),
        known(levels[:, 0]),
        known(levels[:, 1]),
        known(speed_max_kmh[is_trip]),
        means_degc(columns.ambient_degc, loops, spans),
        means_degc(columns.battery_degc, loops, spans),
        _climbs(columns, loops, spans),
        first_locations(columns, loops, spans),
        last_locations(columns, loops, spans),
        known(account.taken_kwh(columns.auxiliary_w, spans)),
        known(account.taken_kwh(columns.heating_w, spans)),
        strict=True,
    )
    return spans, [
        Trip(
            start_ns=start_ns,
            end_ns=end_ns,
            distance_km=distance_km,
            moving_s=moving,
            energy=energy,
            soc_start_pct=soc_start_pct,
            soc_end_pct=soc_end_pct,
            speed_max_kmh=greatest_kmh,
            ambient_mean_degc=ambient_degc,
            battery_mean_degc=battery_degc,
            elevation_gain_m=gain_m,
            start_location=start,
            end_location=end,
            auxiliary_kwh=auxiliary_kwh,
            heating_kwh=heating_kwh,
        )
        for (
            (start_ns, end_ns),
            distance_km,
            moving,
            energy,
            soc_start_pct,
            soc_end_pct,
            greatest_kmh,
            ambient_degc,
            battery_degc,
            gain_m,
            start,
            end,
            auxiliary_kwh,
            heating_kwh,
        ) in told
    ]


def _ways(columns: Columns, loops: Loops, spans: Spans) -> tuple[Figures, Figures, Figures]:
    """How far, m; how long with wheels turning, s; how fast at most, km/h: each (n,).

    An odometer is best where its steps are fine, then the speed, then the odometer as it is, then
    the receiver. NaN where nothing tells.
    """
    ts, seconds = columns.ts, seconds_of(columns, spans)
    rolled_m = moving_s = known_s = np.full(len(spans), -1.0)
    speed_max_kmh = np.full(len(spans), np.nan)
    if columns.speed_kmh is not None:
        rolled_m, moving_s, greatest, known_s = loops.drive(ts, columns.speed_kmh, spans).T
        speed_max_kmh = np.where(greatest >= 0, greatest, np.nan)
    way_m, way_s = np.where(known_s > 0, rolled_m, np.nan), moving_s
    is_found = is_rolled = (known_s > 0) & (known_s >= KNOWN_MIN * seconds)
    if columns.odometer_m is not None:
        told = loops.counted(ts, columns.odometer_m, spans, MAX_MPS, ODOMETER_TICK_M)
        told_m, finest_m = told[:, 0], told[:, 1]
        is_better = _is_better(told_m, finest_m, rolled_m, is_rolled)
        way_m = np.where(is_better, told_m, way_m)
        way_s = np.where(is_better & ~(moving_s > 0), seconds, way_s)
        is_found = is_found | is_better
    if columns.latitude_deg is not None and columns.longitude_deg is not None:
        rest = np.flatnonzero(~is_found)
        fixes = columns.latitude_deg, columns.longitude_deg
        flown_m, under_way_s = loops.position_way(ts, *fixes, spans[rest]).T
        is_farther = flown_m > rolled_m[rest]
        farther = rest[is_farther]
        way_m[farther] = flown_m[is_farther]
        way_s = way_s.copy()
        way_s[farther] = np.where(moving_s[farther] > 0, way_s[farther], under_way_s[is_farther])
    return way_m, way_s, speed_max_kmh


def _is_better(
    told_m: Figures, finest_m: Figures, rolled_m: Figures, is_rolled: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether an odometer knows a way better than the speed does."""
    is_fine = finest_m <= ODOMETER_FINE * told_m
    differs = (told_m >= 2 * finest_m) & (np.abs(told_m - rolled_m) > AGREE * told_m + finest_m)
    better: NDArray[np.bool_] = (told_m > 0) & (is_fine | ~is_rolled | differs)
    return better


def means_degc(values: Floats | None, loops: Loops, spans: Spans) -> list[float | None]:
    """The mean of a temperature in each stretch, None where it is not known."""
    return means_of(values, loops, spans, AMBIENT_MIN_DEGC, AMBIENT_MAX_DEGC)


def _climbs(columns: Columns, loops: Loops, spans: Spans) -> list[float | None]:
    if columns.altitude_m is None:
        return [None] * len(spans)
    return known(loops.climb(columns.ts, columns.altitude_m, spans))
