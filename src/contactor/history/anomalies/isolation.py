"""An insulation that is lost, or on its way: against the pack's voltage, and against its past.

100 ohm/V   what a direct-current circuit must have: below it nobody should touch the car
500 ohm/V   what it must have where alternating current is in it, as in a drive: a warning
a third of what it was in its first days: moisture, or a cable that wears through
"""

import numpy as np
from numpy.typing import NDArray

from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind
from contactor.history.anomalies.robust import days_of, last_run

DC_OHM_PER_V, AC_OHM_PER_V = 100.0, 500.0
"""Source: ISO 6469-3:2021, 6.2; UN R100, 5.1.3."""
PACK_V = 400.0
"""Where the car does not tell."""
CONFIRMED = 5
"""Readings in a row: under a minute at the usual clock."""
FIRST_DAYS = 5
FALLEN_TO = 1 / 3


def isolation_loss(
    ts: NDArray[np.int64], kohm: Floats, voltage_v: Floats | None = None
) -> list[Anomaly]:
    """Whether the insulation is weak now.

    Args:
        ts: int64 (n,) ns UTC, sorted.
        kohm: (n,), NaN where unknown.
        voltage_v: of the pack, (n,); its greatest counts.
    """
    known = np.isfinite(kohm) & (kohm >= 0)
    ts, kohm = ts[known], kohm[known]
    if len(ts) < CONFIRMED:
        return []
    told_v = None if voltage_v is None else voltage_v[np.isfinite(voltage_v)]
    pack_v = PACK_V if told_v is None or not len(told_v) else float(told_v.max())
    grave_kohm, low_kohm = DC_OHM_PER_V * pack_v / 1000, AC_OHM_PER_V * pack_v / 1000
    expected_kohm = max(low_kohm, FALLEN_TO * _before(ts, kohm))
    is_low = kohm < expected_kohm
    count = last_run(is_low)
    if count < CONFIRMED:
        return []
    now_kohm = float(np.median(kohm[-CONFIRMED:]))
    severity = Severity.INFO
    if now_kohm < low_kohm:
        severity = Severity.CRITICAL if now_kohm < grave_kohm else Severity.WARNING
    return [
        Anomaly(
            Kind.ISOLATION,
            "",
            int(ts[-count]),
            severity,
            f"the insulation is at {now_kohm:.0f} kOhm; expected was at least"
            f" {expected_kohm:.0f} kOhm",
            Evidence.of("insulation", "kOhm", ts, kohm, low=expected_kohm),
        )
    ]


def _before(ts: NDArray[np.int64], kohm: Floats) -> float:
    """What it was in its first days; 0 where there were none before the last."""
    _, begins = days_of(ts)
    if len(begins) - 1 <= FIRST_DAYS:
        return 0.0
    return float(np.median(kohm[: begins[FIRST_DAYS]]))
