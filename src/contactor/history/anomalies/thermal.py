"""A battery whose warmest and coldest places part: the spread of its temperatures, day by day.

    odd     a day's greatest spread (but for the odd twentieth) is above that of the first days

A blocked channel of coolant or a contact that gets hot shows as a spread that grows with the load.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind
from contactor.history.anomalies.robust import band, days_of, last_run

FIRST_DAYS, CONFIRMED_DAYS = 5, 2
LEAST_ROWS = 10
WIDER_K = 3.0
FAR_K, GRAVE_K = 10.0, 15.0
"""Whatever it was: makers ask for 5 K within a pack."""
SHARE = 95.0


def thermal_imbalance(
    ts: NDArray[np.int64], least_degc: Floats, greatest_degc: Floats
) -> list[Anomaly]:
    """Whether the spread is too wide on each of the last days.

    Args:
        ts: int64 (n,) ns UTC, sorted.
        least_degc, greatest_degc: of the battery, (n,), NaN where unknown.
    """
    spread_k = greatest_degc - least_degc
    known = np.isfinite(spread_k) & (spread_k >= 0)
    ts, spread_k = ts[known], spread_k[known]
    days, begins = days_of(ts)
    kept = [day for day in range(len(days)) if begins[day + 1] - begins[day] >= LEAST_ROWS]
    if len(kept) < CONFIRMED_DAYS:
        return []
    wide_k = np.array([np.percentile(spread_k[begins[d] : begins[d + 1]], SHARE) for d in kept])
    stamps, high_k = days[kept], FAR_K
    if len(kept) > FIRST_DAYS:
        high_k = min(high_k, band(wide_k[:FIRST_DAYS], floor=WIDER_K)[1])
    count = last_run(wide_k > high_k)
    if count < CONFIRMED_DAYS:
        return []
    now_k = float(wide_k[-1])
    return [
        Anomaly(
            Kind.THERMAL_IMBALANCE,
            "",
            int(stamps[-count]),
            Severity.CRITICAL if now_k >= GRAVE_K else Severity.WARNING,
            f"the battery is {now_k:.1f} K warmer in one place than in another;"
            f" expected was at most {high_k:.1f} K",
            Evidence.of("spread of the battery's temperatures", "K", stamps, wide_k, high=high_k),
        )
    ]
