"""How a battery is used: what went through it and where it stood, day by day."""

import numpy as np
from numpy.typing import NDArray

from contactor.history.battery.counting import Counted, summed
from contactor.history.battery.evidence import (
    CHARGE_EDGES_PCT,
    WARMTH_EDGES_DEGC,
    DayUse,
    Floats,
)
from contactor.history.battery.report import Use
from contactor.history.columns import Columns

DAY_NS = 86_400 * 10**9
# How long a value is believed after the last row: a sleeping battery keeps its charge, not its
# warmth.
CHARGE_HOLDS_S, WARMTH_HOLDS_S = 7 * 86_400.0, 3600.0


def days_of(columns: Columns, counted: Counted) -> list[DayUse]:
    """A stretch by UTC day; what holds over midnight counts for the day it began."""
    if not len(columns):
        return []
    number = columns.ts // DAY_NS
    days, day = np.unique(number, return_inverse=True)
    kwh = None if counted.kwh is None else np.diff(counted.kwh, prepend=0.0)
    ah = None if counted.ah is None else np.diff(counted.ah, prepend=0.0)
    flows = [_split(day, len(days), one) for one in (ah, kwh)]
    after_s = np.append(np.diff(counted.seconds), 0.0)
    charge_s, charge_pct_s = _buckets(
        day, len(days), columns.state_of_charge_pct, after_s, CHARGE_EDGES_PCT, CHARGE_HOLDS_S
    )
    warmth_s, _ = _buckets(
        day, len(days), columns.battery_degc, after_s, WARMTH_EDGES_DEGC, WARMTH_HOLDS_S
    )
    return [
        DayUse(
            day=int(one),
            given_ah=float(flows[0][0][index]),
            taken_ah=float(flows[0][1][index]),
            given_kwh=float(flows[1][0][index]),
            taken_kwh=float(flows[1][1][index]),
            charge_s=tuple(charge_s[index].tolist()),
            warmth_s=tuple(warmth_s[index].tolist()),
            charge_pct_s=float(charge_pct_s[index]),
        )
        for index, one in enumerate(days)
    ]


def _split(day: NDArray[np.intp], days: int, flow: Floats | None) -> tuple[Floats, Floats]:
    """Out of and into the battery, (days,) each."""
    if flow is None:
        return np.zeros(days), np.zeros(days)
    return (
        summed(day, np.maximum(-flow, 0.0), days),
        summed(day, np.maximum(flow, 0.0), days),
    )


def _buckets(
    day: NDArray[np.intp],
    days: int,
    column: NDArray[np.floating] | None,
    after_s: Floats,
    edges: tuple[float, ...],
    longest_s: float,
) -> tuple[Floats, Floats]:
    """Seconds in each bucket, (days, buckets), and values times seconds, (days,)."""
    count = len(edges) + 1
    if column is None:
        return np.zeros((days, count)), np.zeros(days)
    known = np.isfinite(column)
    # A value holds over the rows that do not have it.
    place = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    held_s = np.where(place >= 0, np.minimum(after_s, longest_s), 0.0)
    value = np.where(place >= 0, column[np.maximum(place, 0)].astype(np.float64), 0.0)
    bucket = np.searchsorted(edges, value, side="right")
    seconds = summed(day * count + bucket, held_s, days * count).reshape(days, count)
    return seconds, summed(day, held_s * value, days)


def use_of(
    days: tuple[DayUse, ...], capacity_ah: float | None, capacity_kwh: float | None
) -> Use | None:
    """All days together; None without any."""
    if not days:
        return None
    given_kwh, given_ah = sum(d.given_kwh for d in days), sum(d.given_ah for d in days)
    cycles = None
    if capacity_ah and given_ah:
        cycles = given_ah / capacity_ah
    elif capacity_kwh and given_kwh:
        cycles = given_kwh / capacity_kwh
    charge_s = np.sum([day.charge_s for day in days], axis=0)
    warmth_s = np.sum([day.warmth_s for day in days], axis=0)
    known_s = float(charge_s.sum())
    return Use(
        days=len(days),
        given_kwh=given_kwh,
        taken_kwh=sum(day.taken_kwh for day in days),
        full_cycles=cycles,
        charge_share=_shares(charge_s),
        charge_mean_pct=sum(d.charge_pct_s for d in days) / known_s if known_s else None,
        warmth_share=_shares(warmth_s),
    )


def _shares(seconds: Floats) -> tuple[float, ...] | None:
    whole = float(seconds.sum())
    return tuple((seconds / whole).tolist()) if whole else None
