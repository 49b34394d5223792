"""Charges and drives as windows: charge counted against the change of the state of charge.

A state of charge that comes in whole percents is known exactly at the moments it changes, so a
window runs from its first change to its last one, where there are enough.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.battery.counting import S_PER_HOUR, Counted
from contactor.history.battery.evidence import Floats, Window, WindowKind
from contactor.history.columns import Columns
from contactor.history.facts import Charge, Facts, Trip

# A change too small to tell anything, and how much of a window's time may be unknown.
CHANGE_MIN = 0.03
UNKNOWN_MAX = 0.05
# How far a car's own state of charge lies beside the truth, at either end of a window.
CHARGE_SIGMA = 0.003
# A finer state of charge than this is read as it is.
FINE_STEP = 0.002
CHANGES_MIN = 4
# Standard deviation of what may lie anywhere within one; how exactly a step is where it should be.
UNIFORM, EDGE_PART = 0.289, 0.1


def windows_of(columns: Columns, facts: Facts, counted: Counted) -> list[Window]:
    """The windows of a stretch, by time."""
    if columns.state_of_charge_pct is None or (counted.ah is None and counted.kwh is None):
        return []
    charge = columns.state_of_charge_pct.astype(np.float64) / 100
    known = np.flatnonzero(np.isfinite(charge))
    if len(known) < 2:
        return []
    step = _step(charge[known])
    sessions: list[tuple[WindowKind, Trip | Charge]] = [
        *((WindowKind.CHARGE, one) for one in facts.charges),
        *((WindowKind.TRIP, one) for one in facts.trips),
    ]
    found = (
        _window(kind, session, columns, counted, charge, known, step) for kind, session in sessions
    )
    return sorted((one for one in found if one is not None), key=lambda one: one.start_ns)


def _step(charge: Floats) -> float:
    """The resolution of a state of charge: the least change that is not rare."""
    apart = np.abs(np.diff(charge))
    apart = apart[apart > 1e-6]
    return float(np.quantile(apart, 0.1)) if len(apart) else 1.0


def _window(
    kind: WindowKind,
    session: Trip | Charge,
    columns: Columns,
    counted: Counted,
    charge: Floats,
    known: NDArray[np.intp],
    step: float,
) -> Window | None:
    # The row at the end is in: its charge is what the session came to.
    begin, end = np.searchsorted(columns.ts, [session.start_ns, session.end_ns + 1])
    rows = known[slice(*np.searchsorted(known, [begin, end]))]
    if len(rows) < 2:
        return None
    ends = _ends(rows, charge, step)
    first, last = ends.first[1], ends.last[1]
    seconds = counted.seconds[last] - counted.seconds[first]
    if abs(ends.change) < max(CHANGE_MIN, 3 * ends.sigma) or seconds <= 0:
        return None
    unknown = (counted.unknown_s[last] - counted.unknown_s[first]) / seconds
    if unknown > UNKNOWN_MAX:
        return None
    return Window(
        kind=kind,
        start_ns=int(columns.ts[first]),
        end_ns=int(columns.ts[last]),
        counted_ah=_between(counted.ah, ends, unknown),
        counted_kwh=_between(counted.kwh, ends, unknown),
        change=ends.change,
        change_sigma=math.hypot(ends.sigma, unknown * abs(ends.change)),
        hours=seconds / S_PER_HOUR,
        unknown=unknown,
        battery_degc=session.battery_mean_degc,
        charge=float(charge[first]),
    )


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a window begins and ends: each between two rows, or at one that is named twice."""

    first: tuple[int, int]
    last: tuple[int, int]
    change: float
    sigma: float


def _ends(rows: NDArray[np.intp], charge: Floats, step: float) -> _Ends:
    """First and last row of a window, the change between them and its standard deviation."""
    values = charge[rows]
    whole = values[-1] - values[0]
    if step > FINE_STEP:
        steps = np.diff(values)
        changes = np.flatnonzero(steps * whole > 0)
        if len(changes) >= CHANGES_MIN:
            low, high = changes[0], changes[-1]
            # Between the two rows of a change the truth is half way from the old value to the new.
            change = (values[high] + values[high + 1] - values[low] - values[low + 1]) / 2
            # Where it jumps by more than a step, or moves much from row to row, it is less sure.
            moved = abs(change) / (high - low)
            jumps = np.maximum(np.abs(steps[[low, high]]) - step, moved) * UNIFORM
            sigma = math.hypot(*jumps, math.sqrt(2) * math.hypot(CHARGE_SIGMA, EDGE_PART * step))
            return _Ends(
                (int(rows[low]), int(rows[low + 1])),
                (int(rows[high]), int(rows[high + 1])),
                float(change),
                sigma,
            )
    read_sigma = math.sqrt(2) * math.hypot(CHARGE_SIGMA, step * UNIFORM)
    first, last = int(rows[0]), int(rows[-1])
    return _Ends((first, first), (last, last), float(whole), read_sigma)


def _between(sums: Floats | None, ends: _Ends, unknown: float) -> float | None:
    """What was counted; what is unknown was as the rest, on the mean."""
    if sums is None:
        return None
    counted = sums[list(ends.last)].mean() - sums[list(ends.first)].mean()
    return float(counted) / (1 - unknown)
