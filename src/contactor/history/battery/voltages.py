"""From ampere hours to kilowatt hours: the mean voltage from full to empty at no current.

In each step of the state of charge voltage over current is a line, of one slope for all steps: the
resistance. Where it meets no current lies the open circuit voltage. Steps that the car never was in
are taken from the usual curve of its kind of cell, joined to what was seen.
"""

import numpy as np

from contactor.history.battery.counting import Counted, summed
from contactor.history.battery.evidence import CHARGE_STEPS, SUMS, Floats, no_voltages
from contactor.history.columns import Columns

# A cell at rest at 2.5 %, 7.5 %, ..., 97.5 %: nickel with graphite, and iron phosphate; rounded
# means of published curves.
USUAL_V = np.array(
    [
        [
            3.30, 3.40, 3.46, 3.50, 3.54, 3.57, 3.60, 3.62, 3.65, 3.68,
            3.72, 3.77, 3.82, 3.87, 3.92, 3.97, 4.01, 4.05, 4.09, 4.14,
        ],
        [
            3.05, 3.16, 3.20, 3.22, 3.24, 3.26, 3.27, 3.28, 3.28, 3.29,
            3.29, 3.29, 3.30, 3.31, 3.32, 3.32, 3.33, 3.33, 3.33, 3.36,
        ],
    ]
)  # fmt: skip
# A step counts as seen after so many seconds.
SEEN_S = 60.0
LONGEST_S = 60.0
# Of the mean: where every step was seen, and more for the part that was not.
SIGMA, SIGMA_UNSEEN = 0.002, 0.01


def voltages_of(columns: Columns, counted: Counted) -> Floats:
    """The sums of a stretch, (CHARGE_STEPS, SUMS), weighed by seconds."""
    current = counted.current_a
    if columns.voltage_v is None or columns.state_of_charge_pct is None or current is None:
        return no_voltages()
    weight = np.minimum(counted.hold_s, LONGEST_S)
    voltage = columns.voltage_v.astype(np.float64)
    charge = columns.state_of_charge_pct.astype(np.float64)
    known = np.isfinite(voltage) & np.isfinite(charge) & np.isfinite(current) & (weight > 0)
    if not known.any():
        return no_voltages()
    weight, voltage, current = weight[known], voltage[known], current[known]
    charge = charge[known] / 100
    step = np.clip((charge * CHARGE_STEPS).astype(np.intp), 0, CHARGE_STEPS - 1)
    sums = np.empty((CHARGE_STEPS, len(SUMS)))
    products = (charge, current, voltage, current * current, current * voltage)
    for index, value in enumerate((weight, *(weight * one for one in products))):
        sums[:, index] = summed(step, value, CHARGE_STEPS)
    return sums


def open_circuit_v(sums: Floats) -> tuple[Floats, Floats] | None:
    """Of the pack, where it was seen: states of charge, 0 to 1, and voltages, (steps,) each.

    None where the car gives no voltage.
    """
    seconds, charge, current, voltage, squares, products = sums[sums[:, 0] >= SEEN_S].T
    if not len(seconds):
        return None
    spread = float((squares - current * current / seconds).sum())
    joint = float((products - current * voltage / seconds).sum())
    ohm = max(joint / spread, 0.0) if spread > 0 else 0.0
    return charge / seconds, (voltage - ohm * current) / seconds


def mean_voltage_v(sums: Floats) -> tuple[float, float] | None:
    """The mean from full to empty, and its standard deviation; None without a voltage."""
    seen = open_circuit_v(sums)
    if seen is None:
        return None
    _, best = min((_filled(*seen, usual) for usual in USUAL_V), key=lambda one: one[0])
    unseen = 1 - len(seen[0]) / CHARGE_STEPS
    mean = float(best.mean())
    return mean, mean * float(np.hypot(SIGMA, SIGMA_UNSEEN * unseen))


def usual_part(begin: float, end: float) -> float:
    """The mean voltage between two states of charge over that from full to empty, as is usual."""
    usual = USUAL_V[0]
    grown = np.concatenate(([0.0], np.cumsum(usual))) / CHARGE_STEPS
    ends = np.interp([begin, end], np.arange(CHARGE_STEPS + 1) / CHARGE_STEPS, grown)
    return float((ends[1] - ends[0]) / (end - begin) / usual.mean())


def _filled(charge: Floats, voltage: Floats, usual: Floats) -> tuple[float, Floats]:
    """How badly a usual curve fits, and the voltages in the middle of all steps."""
    middles = (np.arange(CHARGE_STEPS) + 0.5) / CHARGE_STEPS
    there = np.interp(charge, middles, usual)
    scale = voltage.sum() / there.sum()
    beside = voltage - scale * there
    filled: Floats = scale * usual + np.interp(middles, charge, beside)
    return float((beside * beside).sum()), filled
