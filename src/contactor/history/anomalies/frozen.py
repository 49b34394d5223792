"""A sensor that stands still while what it measures must move.

    working     the car drives, by another sensor than this one
    run         working time in which the reading did not change at all
    odd         the last run is three times as long as the longest before it

How coarse a sensor is shows in its own past: a battery's temperature in whole degrees may stand for
half an hour, a speed in hundredths does not stand for a minute.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind

FACTOR = 3.0
LEAST_RUNS = 20
LEAST_WORKING_S = 3 * 3_600.0
"""Of the past, before anything is said."""
LONGEST_STEP_S = 60.0
WORKING_W = 2_000.0
"""Power through the battery that only a drive takes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Working time of each run and where it begins, (k,)."""

    worked_s: Floats
    first: NDArray[np.intp]


def is_working(power_w: Floats, is_charging: Floats | None = None) -> NDArray[np.bool_]:
    """Whether the car drives, by the power through its battery, (n,).

    Args:
        power_w: positive into the battery; NaN where unknown.
        is_charging: 1 or 0, (n,).
    """
    found = np.abs(np.nan_to_num(power_w)) > WORKING_W
    if is_charging is not None:
        found &= np.nan_to_num(is_charging) == 0
    return found


def frozen_sensor(
    path: str,
    ts: NDArray[np.int64],
    values: Floats,
    working: NDArray[np.bool_],
    *,
    least_s: float,
) -> list[Anomaly]:
    """Whether a sensor stands still now.

    Args:
        path: of the signal, for the words.
        ts: int64 (n,) ns UTC, sorted.
        values: (n,), NaN where unknown.
        working: (n,), whether the car drives.
        least_s: working time for which it may stand in any case.
    """
    known = np.isfinite(values)
    ts, values, working = ts[known], values[known], working[known]
    if len(ts) < 2:
        return []
    step_s = np.minimum(np.diff(ts) / NS_PER_S, LONGEST_STEP_S) * working[1:]
    runs = _runs(values, np.r_[0.0, step_s])
    before_s, now_s = runs.worked_s[:-1], float(runs.worked_s[-1])
    if len(before_s) < LEAST_RUNS or before_s.sum() < LEAST_WORKING_S:
        return []
    high_s = max(FACTOR * float(before_s.max()), least_s)
    if now_s <= high_s:
        return []
    first = int(runs.first[-1])
    name = path.removeprefix("Vehicle.")
    return [
        Anomaly(
            Kind.FROZEN_SENSOR,
            path,
            int(ts[first]),
            Severity.WARNING,
            f"{name} has said {values[-1]:g} for {now_s / 60:.0f} min of driving;"
            f" before that it never stood for more than {before_s.max() / 60:.1f} min",
            Evidence.of(
                f"how long {name} stood while driving",
                "min",
                ts[runs.first],
                runs.worked_s / 60,
                high=high_s / 60,
            ),
        )
    ]


def _runs(values: Floats, step_s: Floats) -> _Runs:
    """Runs of equal values; a step's time belongs to the value that it ends with."""
    first = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    # The step in which the value changed is no time in which it stood.
    stood_s = step_s.copy()
    stood_s[first] = 0.0
    return _Runs(np.add.reduceat(stood_s, first), first)
