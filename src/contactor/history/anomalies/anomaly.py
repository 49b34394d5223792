"""What is odd about a car: one anomaly, since when, how bad, and the evidence.

[found] = drifting_cells(days)
found.kind, found.words         # Kind.DRIFTING_CELL, 'cell 17 lies 48 mV below the others'
found.evidence.value            # to plot, with the band in which it was expected
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contactor.history.alerts.events import Found
from contactor.history.alerts.rules import Severity

Floats = NDArray[np.float64]
MAX_POINTS = 500


class Kind(StrEnum):
    """What can be odd."""

    DRIFTING_CELL = "drifting_cell"
    LOW_VOLTAGE_DECLINE = "low_voltage_decline"
    ISOLATION = "isolation"
    THERMAL_IMBALANCE = "thermal_imbalance"
    UNEXPLAINED_CONSUMPTION = "unexplained_consumption"
    FROZEN_SENSOR = "frozen_sensor"


KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A series over time, and the band in which it was expected; all (n,), at most 500 points.

    Fields:
        ts: int64 ns UTC.
        low, high: NaN where nothing was expected on that side.
    """

    title: str
    unit: str
    ts: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(
        cls,
        title: str,
        unit: str,
        ts: NDArray[np.int64],
        value: Floats,
        *,
        low: Floats | float = np.nan,
        high: Floats | float = np.nan,
    ) -> "Evidence":
        """The series, thinned evenly where it is long; its last point stays."""
        count = len(ts)
        steps = np.unique(np.linspace(0, count - 1, min(count, MAX_POINTS)).round().astype(int))
        picked = steps if count else np.zeros(0, int)
        band = [np.broadcast_to(np.asarray(side, float), (count,))[picked] for side in (low, high)]
        return cls(title, unit, ts[picked], np.asarray(value, float)[picked], band[0], band[1])


@dataclass(frozen=True, slots=True, eq=False)
class Anomaly:
    """One thing that is odd.

    Fields:
        subject: which of several, as a cell's number or a path; "" where there is one.
        since_ns: from when on it shows.
        words: one sentence.
    """

    kind: Kind
    subject: str
    since_ns: int
    severity: Severity
    words: str
    evidence: Evidence

    @property
    def found(self) -> Found:
        """As alert rules hear of it."""
        return Found(self.kind.value, self.subject, self.since_ns, self.severity, self.words)
