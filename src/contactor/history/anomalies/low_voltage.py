"""A 12 V battery that gets weak: its voltage at rest, just as the car wakes, day by day.

    rest        the first reading after the car was silent for an hour
    odd         the last days' rest lies below that of the first days, or is low whatever it was

Awake, the converter holds the voltage, and it says nothing of the battery.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind
from contactor.history.anomalies.robust import band, days_of

SILENT_NS = 3_600 * NS_PER_S
FIRST_DAYS, LAST_DAYS = 7, 3
DECLINE_V = 0.12
"""A tenth of a lead-acid battery's charge is 0.1 V; a colder night less."""
LOW_V, GRAVE_V = 12.0, 11.8
"""At rest: about a quarter charged; nearly empty."""
PLAUSIBLE_V = (6.0, 16.0)


def low_voltage_decline(ts: NDArray[np.int64], volts: Floats) -> list[Anomaly]:
    """Whether the battery is weak now.

    Args:
        ts: int64 (n,) ns UTC, sorted.
        volts: (n,), NaN where unknown.
    """
    days, rest_v = _rests(ts, volts)
    if len(days) < LAST_DAYS:
        return []
    last_v = float(np.median(rest_v[-LAST_DAYS:]))
    low_v = LOW_V
    if len(days) >= FIRST_DAYS + LAST_DAYS:
        low_v = max(low_v, band(rest_v[:FIRST_DAYS], floor=DECLINE_V)[0])
    if last_v >= low_v:
        return []
    is_low = rest_v < low_v
    above = np.flatnonzero(~is_low)
    since = min(int(above[-1]) + 1 if len(above) else 0, len(days) - 1)
    return [
        Anomaly(
            Kind.LOW_VOLTAGE_DECLINE,
            "",
            int(days[since]),
            Severity.CRITICAL if last_v < GRAVE_V else Severity.WARNING,
            f"the 12 V battery rests at {last_v:.2f} V; expected was at least {low_v:.2f} V",
            Evidence.of("12 V battery at rest", "V", days, rest_v, low=low_v),
        )
    ]


def _rests(ts: NDArray[np.int64], volts: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Of each day the least voltage at which the car woke up after an hour of silence."""
    known = np.isfinite(volts) & (volts > PLAUSIBLE_V[0]) & (volts < PLAUSIBLE_V[1])
    ts, volts = ts[known], volts[known]
    wakes = np.flatnonzero(np.diff(ts) >= SILENT_NS) + 1
    days, begins = days_of(ts[wakes])
    rests = [float(volts[wakes[a:b]].min()) for a, b in pairwise(begins)]
    return days, np.array(rests)
