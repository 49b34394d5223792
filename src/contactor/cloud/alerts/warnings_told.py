"""Early warnings as people and programs are told of them.

warning_now(anomaly)        # WarningNow(kind='drifting_cell', ..., evidence=EvidenceNow(...))
"""

import math

import msgspec
import numpy as np

from contactor.clock import from_iso, to_iso
from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import Anomaly, Evidence, Floats, Kind


class EvidenceNow(msgspec.Struct, frozen=True):
    """A series, and the band in which it was expected; null where nothing is known or expected."""

    title: str
    unit: str
    ts: list[str]
    value: list[float | None]
    low: list[float | None]
    high: list[float | None]


class WarningNow(msgspec.Struct, frozen=True):
    """An early warning: what is odd, since when, and what shows it."""

    kind: Kind
    subject: str
    since: str
    severity: Severity
    text: str
    evidence: EvidenceNow


class WarningPage(msgspec.Struct, frozen=True):
    """All early warnings of a car; there is one page."""

    items: list[WarningNow]
    next: str | None = None


def warning_now(anomaly: Anomaly) -> WarningNow:
    """An anomaly."""
    return WarningNow(
        kind=anomaly.kind,
        subject=anomaly.subject,
        since=to_iso(anomaly.since_ns),
        severity=anomaly.severity,
        text=anomaly.words,
        evidence=_evidence(anomaly.evidence),
    )


def evidence_of(told: EvidenceNow) -> Evidence:
    """What was told, as it was."""
    value, low, high = (
        np.array([np.nan if one is None else one for one in side], np.float64)
        for side in (told.value, told.low, told.high)
    )
    ts = np.array([from_iso(one) for one in told.ts], np.int64)
    return Evidence(told.title, told.unit, ts, value, low, high)


def _evidence(evidence: Evidence) -> EvidenceNow:
    return EvidenceNow(
        title=evidence.title,
        unit=evidence.unit,
        ts=[to_iso(ts) for ts in evidence.ts.tolist()],
        value=_numbers(evidence.value),
        low=_numbers(evidence.low),
        high=_numbers(evidence.high),
    )


def _numbers(values: Floats) -> list[float | None]:
    return [round(one, 6) if math.isfinite(one) else None for one in values.tolist()]
