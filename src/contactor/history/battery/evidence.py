"""What a stretch of a car's history tells about its battery, small enough to keep and to join.

    evidence = join([gather(january, facts), gather(february, facts)])
    conclude(evidence).capacity_kwh

Everything here is per drive, per charge or per day; nothing is per row. Evidence of stretches that
follow each other is joined, so a refresh reads the new rows only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of the table of voltages: steps of state of charge, and what is summed in each.
CHARGE_STEPS = 20
SUMS = ("seconds", "charge", "current", "voltage", "current_current", "current_voltage")
# Edges of the buckets in which time is counted.
CHARGE_EDGES_PCT = (10.0, 20.0, 80.0, 90.0)
WARMTH_EDGES_DEGC = (0.0, 15.0, 35.0, 45.0)


class WindowKind(StrEnum):
    """What a car did while charge was counted."""

    CHARGE = "charge"
    TRIP = "trip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Charge counted while the state of charge changed; positive into the battery.

    Fields:
        counted_ah, counted_kwh: None where the car gives no current, no power.
        change: of the state of charge, -1 to 1, and its standard deviation.
        hours: how long it was counted.
        unknown: the part of that time for which nothing was known, 0 to 1.
        battery_degc: mean, where the car tells.
        charge: state of charge at the begin, 0 to 1; None in evidence of before it was kept.
    """

    kind: WindowKind
    start_ns: int
    end_ns: int
    counted_ah: float | None
    counted_kwh: float | None
    change: float
    change_sigma: float
    hours: float
    unknown: float = 0.0
    battery_degc: float | None = None
    charge: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge:
    """A discharge between two rests, without a state of charge: voltage over charge given.

    Fields:
        rest_before_v, rest_after_v: of the battery at rest; None where there was no rest.
        given_ah: (n,), ascending from the start on; the first minutes are left out.
        voltage_v: (n,) as at the current `current_a`, which is negative.
    """

    start_ns: int
    end_ns: int
    rest_before_v: float | None
    rest_after_v: float | None
    current_a: float
    total_ah: float
    given_ah: tuple[float, ...]
    voltage_v: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The resistance of one drive, from the jumps of its current.

    Fields:
        sigma_ohm: standard deviation.
        state_of_charge_pct, battery_degc: where it was taken, where the car tells.
    """

    ts_ns: int
    ohm: float
    sigma_ohm: float
    state_of_charge_pct: float | None
    battery_degc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLook:
    """Cells at rest on one day: how far each lies from the median, mV, (cells,)."""

    ts_ns: int
    away_mv: tuple[float, ...]
    state_of_charge_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUse:
    """How a battery was used on one UTC day.

    Fields:
        given_ah, taken_ah, given_kwh, taken_kwh: through its terminals.
        charge_s, warmth_s: seconds in each bucket of CHARGE_EDGES_PCT, WARMTH_EDGES_DEGC.
        charge_pct_s: state of charge times seconds, for its mean.
    """

    day: int
    given_ah: float = 0.0
    taken_ah: float = 0.0
    given_kwh: float = 0.0
    taken_kwh: float = 0.0
    charge_s: tuple[float, ...] = (0.0,) * (len(CHARGE_EDGES_PCT) + 1)
    warmth_s: tuple[float, ...] = (0.0,) * (len(WARMTH_EDGES_DEGC) + 1)
    charge_pct_s: float = 0.0

    def plus(self, other: "DayUse") -> "DayUse":
        """Both parts of the day."""
        return DayUse(
            day=self.day,
            given_ah=self.given_ah + other.given_ah,
            taken_ah=self.taken_ah + other.taken_ah,
            given_kwh=self.given_kwh + other.given_kwh,
            taken_kwh=self.taken_kwh + other.taken_kwh,
            charge_s=tuple(a + b for a, b in zip(self.charge_s, other.charge_s, strict=True)),
            warmth_s=tuple(a + b for a, b in zip(self.warmth_s, other.warmth_s, strict=True)),
            charge_pct_s=self.charge_pct_s + other.charge_pct_s,
        )


def no_voltages() -> Floats:
    """A table of voltages with nothing in it, (CHARGE_STEPS, SUMS)."""
    return np.zeros((CHARGE_STEPS, len(SUMS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is kept of a stretch, each by time.

    Fields:
        voltages: sums over the seconds of each step of state of charge, (CHARGE_STEPS, SUMS).
    """

    windows: tuple[Window, ...] = ()
    discharges: tuple[Discharge, ...] = ()
    steps: tuple[Step, ...] = ()
    cells: tuple[CellLook, ...] = ()
    days: tuple[DayUse, ...] = ()
    voltages: Floats = field(default_factory=no_voltages)


def join(parts: Iterable[Evidence]) -> Evidence:
    """The evidence of stretches that do not overlap, in any order."""
    every = list(parts)
    days: dict[int, DayUse] = {}
    for part in every:
        for use in part.days:
            days[use.day] = days[use.day].plus(use) if use.day in days else use
    return Evidence(
        windows=tuple(sorted((w for p in every for w in p.windows), key=lambda w: w.start_ns)),
        discharges=tuple(
            sorted((d for p in every for d in p.discharges), key=lambda d: d.start_ns)
        ),
        steps=tuple(sorted((s for p in every for s in p.steps), key=lambda s: s.ts_ns)),
        cells=tuple(sorted((c for p in every for c in p.cells), key=lambda c: c.ts_ns)),
        days=tuple(days[day] for day in sorted(days)),
        voltages=sum((part.voltages for part in every), no_voltages()),
    )
