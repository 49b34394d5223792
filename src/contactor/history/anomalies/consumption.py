"""Consumption that nothing explains: of trips against what such trips took, of standing likewise.

    trips       the logarithm of Wh/km, by a robust fit over speed, air temperature and height;
                odd where the last trips lie above it together
    standing    watts taken while parked; odd where the last stands took a multiple

A dragging brake, a tyre without air or a roof box show here, and a control unit that stays awake.
"""

from collections.abc import Sequence

import numpy as np

from contactor.clock import NS_PER_S
from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind
from contactor.history.anomalies.robust import SPREADS, spread
from contactor.history.facts import Stand, Trip

LEAST_TRIPS, LAST_TRIPS = 20, 6
LEAST_KM = 3.0
MORE, MUCH_MORE = 0.12, 0.35
"""As logarithms: 13 % and 42 % above what was expected."""
LEAST_SPREAD = 0.02
RIDGE = 0.1
"""Of one trip's weight: a season that was not there yet is not made up."""
ROUNDS, HUBER = 20, 1.5
COMFORT_DEGC = 20.0

LEAST_STANDS, LAST_STANDS = 10, 4
LEAST_STAND_S = 3_600.0
LOST_MORE_W, LOST_FACTOR = 20.0, 3.0


def unexplained_consumption(trips: Sequence[Trip]) -> list[Anomaly]:
    """Whether the last trips took more than such trips did.

    Args:
        trips: by time.
    """
    kept = [one for one in trips if _is_usable(one)]
    if len(kept) < LEAST_TRIPS + LAST_TRIPS:
        return []
    taken = np.log([1000 * _net_kwh(one) / one.distance_km for one in kept])
    features = np.array([_features(one) for one in kept])
    before = len(kept) - LAST_TRIPS
    expected = features @ _fit(features[:before], taken[:before])
    more = taken - expected
    width = max(SPREADS * max(spread(more[:before]), LEAST_SPREAD) / np.sqrt(LAST_TRIPS), MORE)
    middle, now = float(np.median(more[:before])), float(np.median(more[before:]))
    if now - middle <= width:
        return []
    stamps = np.array([one.start_ns for one in kept], np.int64)
    return [
        Anomaly(
            Kind.UNEXPLAINED_CONSUMPTION,
            "",
            int(stamps[before]),
            Severity.WARNING if now < MUCH_MORE else Severity.CRITICAL,
            f"the last {LAST_TRIPS} trips took {np.expm1(now - middle):.0%} more than such trips"
            " did before",
            Evidence.of(
                "consumption of trips",
                "Wh/km",
                stamps,
                np.exp(taken),
                low=np.exp(expected + middle - width),
                high=np.exp(expected + middle + width),
            ),
        )
    ]


def unexplained_losses(stands: Sequence[Stand]) -> list[Anomaly]:
    """Whether the last stands took more than stands did.

    Args:
        stands: by time.
    """
    kept = [
        one
        for one in stands
        if one.lost_kwh is not None and one.end_ns - one.start_ns >= LEAST_STAND_S * NS_PER_S
    ]
    if len(kept) < LEAST_STANDS + LAST_STANDS:
        return []
    hours = np.array([(one.end_ns - one.start_ns) / NS_PER_S / 3600 for one in kept])
    lost_w = 1000 * np.array([one.lost_kwh for one in kept], np.float64) / hours
    before, last = lost_w[:-LAST_STANDS], lost_w[-LAST_STANDS:]
    usual_w = float(np.median(before))
    high_w = max(
        usual_w + max(SPREADS * spread(before), LOST_MORE_W),
        LOST_FACTOR * usual_w,
        float(np.percentile(before, 95)),
    )
    now_w = float(np.median(last))
    if now_w <= high_w:
        return []
    stamps = np.array([one.start_ns for one in kept], np.int64)
    return [
        Anomaly(
            Kind.UNEXPLAINED_CONSUMPTION,
            "parked",
            int(stamps[-LAST_STANDS]),
            Severity.WARNING,
            f"parked, the car took {now_w:.0f} W of late; before that {usual_w:.0f} W",
            Evidence.of("power taken while parked", "W", stamps, lost_w, high=high_w),
        )
    ]


def _is_usable(trip: Trip) -> bool:
    return (
        trip.energy is not None
        and trip.distance_km >= LEAST_KM
        and trip.moving_s > 0
        and trip.energy.net_kwh > 0
    )


def _net_kwh(trip: Trip) -> float:
    assert trip.energy is not None  # `_is_usable` saw to it
    return trip.energy.net_kwh


def _features(trip: Trip) -> list[float]:
    """What explains a trip's consumption, each of the order of 1; unknown is as usual."""
    speed_kmh = min(trip.distance_km / (trip.moving_s / 3600), 200.0)
    away_k = 0.0 if trip.ambient_mean_degc is None else trip.ambient_mean_degc - COMFORT_DEGC
    rise = 0.0 if trip.elevation_gain_m is None else trip.elevation_gain_m / trip.distance_km
    return [
        1.0,
        speed_kmh / 50,
        (speed_kmh / 100) ** 2,
        max(-away_k, 0.0) / 20,
        max(away_k, 0.0) / 10,
        max(-away_k, 0.0) / 20 * 10 / max(trip.distance_km, LEAST_KM),  # a cabin is warmed once
        rise / 10,
    ]


def _fit(features: Floats, values: Floats) -> Floats:
    """Weights by least squares in which far values count less (Huber), held small (ridge)."""
    weight = np.ones(len(values))
    penalty = RIDGE * np.eye(features.shape[1])
    penalty[0, 0] = 1e-6
    found: Floats = np.zeros(features.shape[1])
    for _ in range(ROUNDS):
        heavy = features * weight[:, None]
        found = np.asarray(np.linalg.solve(heavy.T @ features + penalty, heavy.T @ values), float)
        away = np.abs(values - features @ found)
        limit = HUBER * max(spread(values - features @ found), LEAST_SPREAD)
        weight = np.where(away <= limit, 1.0, limit / np.maximum(away, 1e-12))
    return found
