"""How the energy of a charge grew, out of the rows that it was found in.

    curve = charge_curve(columns, charge)      # EnergyCurve, or None where nothing tells

The source that tells the charge's energy tells its shape too. As few points are kept as draw it to
a five hundredth of the energy: prices that change on the way are off by no more of it.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Charge, EnergySource
from contactor.history.rules import GAP_NS, HOLD_NS, MIN
from contactor.history.tariff_prices import EnergyCurve

TOLERANCE: Final = 0.002
_NS_PER_KWH_W: Final = 3.6e15  # W·ns in a kWh
_DIGITS: Final = 4  # a tenth of a Wh

Vector: TypeAlias = NDArray[np.float64]
Stamps: TypeAlias = NDArray[np.int64]


def charge_curve(columns: Columns, charge: Charge) -> EnergyCurve | None:
    """How the energy of a charge grew; None where no source tells.

    Args:
        columns: the car's rows, of which those of the charge are taken.
    """
    if charge.energy is None:
        return None
    first = int(np.searchsorted(columns.ts, charge.start_ns))
    last = int(np.searchsorted(columns.ts, charge.end_ns, "right"))
    grown = _grown(columns, slice(first, last), charge.energy.source)
    if grown is None or len(grown[0]) < 2 or grown[1][-1] <= grown[1][0]:
        return None
    start, end = charge.start_ns, charge.end_ns
    minutes = np.arange(start // MIN + 1, -(-end // MIN), dtype=np.int64) * MIN
    ts = np.concatenate([[start], minutes, [end]]).astype(np.int64)
    kwh = np.interp(ts - start, grown[0] - start, grown[1])
    kept = _corners((ts - start) / MIN, kwh, TOLERANCE * float(kwh[-1] - kwh[0]))
    return EnergyCurve(ts=ts[kept], kwh=np.round(kwh[kept], _DIGITS))


def _grown(columns: Columns, rows: slice, source: EnergySource) -> tuple[Stamps, Vector] | None:
    """What a source says of the energy since the first row, kWh or parts of something."""
    ts = columns.ts[rows]
    if source is EnergySource.VOLTAGE_CURRENT:
        return _products(ts, columns.voltage_v, columns.current_a, rows)
    if source is EnergySource.POWER:
        power = _known(ts, columns.power_w, rows)
        return None if power is None else _flowed(*power)
    levels = {
        EnergySource.COUNTERS: columns.charged_kwh,
        EnergySource.STORED_ENERGY: columns.stored_kwh,
        EnergySource.STATE_OF_CHARGE: columns.state_of_charge_pct,
    }
    level = _known(ts, levels[source], rows)
    return None if level is None else (level[0], np.maximum.accumulate(level[1]) - level[1][0])


def _products(
    ts: Stamps, voltage: Floats | None, current: Floats | None, rows: slice
) -> tuple[Stamps, Vector] | None:
    """Voltage times current; a voltage changes slowly and may stand in other rows."""
    volts, amperes = _known(ts, voltage, rows), _known(ts, current, rows)
    if volts is None or amperes is None:
        return None
    begin = ts[0]
    return _flowed(
        amperes[0], amperes[1] * np.interp(amperes[0] - begin, volts[0] - begin, volts[1])
    )


def _flowed(ts: Stamps, watts: Vector) -> tuple[Stamps, Vector]:
    """The energy since the first row, by the rule that a charge's energy is summed by."""
    lasted_ns = np.diff(ts)
    mean = np.where(lasted_ns <= HOLD_NS, watts[1:], (watts[1:] + watts[:-1]) / 2)
    flowed = np.where(lasted_ns <= GAP_NS, np.maximum(mean, 0.0), 0.0) * lasted_ns / _NS_PER_KWH_W
    return ts, np.concatenate([[0.0], np.cumsum(flowed)])


def _known(ts: Stamps, column: Floats | None, rows: slice) -> tuple[Stamps, Vector] | None:
    if column is None:
        return None
    values = np.asarray(column[rows], np.float64)
    is_known = np.isfinite(values)
    return (ts[is_known], values[is_known]) if is_known.any() else None


def _corners(x: Vector, y: Vector, tolerance: float) -> list[int]:
    """Points that draw a line to a tolerance: the ends, and what lies farthest off between two.

    Source: D. Douglas and T. Peucker, The Canadian Cartographer 10 (1973), with distances along y.
    """
    kept, spans = {0, len(x) - 1}, [(0, len(x) - 1)]
    while spans:
        first, last = spans.pop()
        here = slice(first, last + 1)
        off = np.abs(y[here] - np.interp(x[here], x[[first, last]], y[[first, last]]))
        farthest = first + int(np.argmax(off))
        if first < farthest < last and off[farthest - first] > tolerance:
            kept.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return sorted(kept)
