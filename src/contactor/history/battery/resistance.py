"""The battery's resistance from the jumps of its current, told for 25 °C.

Voltage and current are taken as means over some seconds, and how much one changes with the other
from one to the next is the resistance: what is slower, charge and warmth, cancels out. The cold
raises it (Arrhenius), as much as this battery's own steps say, or as is usual.
"""

import math

import numpy as np

from contactor.history.battery.counting import Counted
from contactor.history.battery.evidence import Floats, Step
from contactor.history.battery.report import Resistance
from contactor.history.columns import Columns
from contactor.history.facts import Facts, Trip

BLOCK_S = 5.0
SLOWEST_ROW_S = 6.0
BLOCKS_MIN = 30
ZERO_DEGC_K, REFERENCE_K = 273.15, 298.15
# Activation of the resistance of lithium cells in kelvin, 20 kJ/mol over the gas constant, and how
# far cells differ from it.
ACTIVATION_K, ACTIVATION_SIGMA_K = 2400.0, 800.0
YEAR_NS = 365.25 * 86_400e9
# Below this a trend is not told.
TREND_DAYS = 60
STEPS_MIN = 3
# Of one drive, beside its own scatter: state of charge and the kind of drive matter as well.
STEP_SIGMA = 0.06


def steps_of(columns: Columns, facts: Facts, counted: Counted) -> list[Step]:
    """One resistance for each drive in which the current jumped enough; charges have no jumps."""
    if columns.voltage_v is None or counted.current_a is None:
        return []
    found = (_step(trip, columns, counted, counted.current_a) for trip in facts.trips)
    return sorted((one for one in found if one is not None), key=lambda one: one.ts_ns)


def _step(trip: Trip, columns: Columns, counted: Counted, current_a: Floats) -> Step | None:
    begin, end = np.searchsorted(columns.ts, [trip.start_ns, trip.end_ns])
    rows = slice(int(begin), int(end))
    seconds = counted.seconds[rows]
    if columns.voltage_v is None or len(seconds) < BLOCKS_MIN:
        return None
    if float(np.median(np.diff(seconds))) > SLOWEST_ROW_S:
        return None
    block = (seconds / BLOCK_S).astype(np.int64)
    voltage, current = columns.voltage_v[rows].astype(np.float64), current_a[rows]
    known = np.isfinite(voltage) & np.isfinite(current)
    numbers, place = np.unique(block[known], return_inverse=True)
    if len(numbers) < BLOCKS_MIN:
        return None
    many = np.bincount(place)
    volts = np.diff(np.bincount(place, voltage[known]) / many)
    amperes = np.diff(np.bincount(place, current[known]) / many)
    follows = np.diff(numbers) == 1
    volts, amperes = volts[follows], amperes[follows]
    squares = float(amperes @ amperes)
    if len(volts) < BLOCKS_MIN or squares <= 0:
        return None
    ohm = float(amperes @ volts) / squares
    left = volts - ohm * amperes
    sigma = math.sqrt(float(left @ left) / (len(left) - 1) / squares)
    if ohm <= 0 or sigma > 0.1 * ohm:
        return None
    return Step(
        ts_ns=trip.start_ns,
        ohm=ohm,
        sigma_ohm=sigma,
        state_of_charge_pct=trip.soc_start_pct,
        battery_degc=trip.battery_mean_degc,
    )


def resistance_of(steps: tuple[Step, ...]) -> Resistance | None:
    """All steps as one resistance at 25 °C; None where there are too few."""
    if len(steps) < STEPS_MIN:
        return None
    ohm = np.array([step.ohm for step in steps])
    sigma = np.hypot(np.array([step.sigma_ohm for step in steps]) / ohm, STEP_SIGMA)
    degc = np.array([math.nan if s.battery_degc is None else s.battery_degc for s in steps])
    cold = np.nan_to_num(1 / (degc + ZERO_DEGC_K) - 1 / REFERENCE_K)
    years = np.array([(step.ts_ns - steps[-1].ts_ns) / YEAR_NS for step in steps])
    # log(ohm) = level + activation · cold + trend · years, with what is usual as a prior.
    has_trend = (years[-1] - years[0]) * 365.25 >= TREND_DAYS
    sides = np.stack([np.ones_like(cold), cold, years if has_trend else 0 * years], axis=1)
    weights = 1 / sigma**2
    normal = sides.T @ (sides * weights[:, None])
    right = sides.T @ (weights * np.log(ohm))
    prior = np.array([0.0, ACTIVATION_SIGMA_K**-2, 0.1**-2])
    normal += np.diag(prior)
    right += prior * np.array([0.0, ACTIVATION_K, 0.0])
    level, activation, trend = np.linalg.solve(normal, right)
    covariance = np.linalg.inv(normal)
    left = np.log(ohm) - sides @ np.array([level, activation, trend])
    scatter = max(1.0, float(np.sqrt(np.mean(weights * left**2))))
    at_25 = np.exp(np.log(ohm) - activation * cold)
    return Resistance(
        ohm=float(math.exp(level)),
        uncertainty_ohm=float(1.96 * scatter * math.sqrt(covariance[0, 0]) * math.exp(level)),
        steps_used=len(steps),
        change_pct_per_year=float(100 * math.expm1(trend)) if has_trend else None,
        history=tuple((step.ts_ns, float(one)) for step, one in zip(steps, at_25, strict=True)),
    )
