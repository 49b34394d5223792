"""Discharges between two rests, of a car that gives no state of charge.

A rest is five minutes of hardly any current, or of silence. Between two of them charge is
counted, and voltage is told over it: as means over equal slices of the charge, and as at one
current, so that a harder drive and a softer one lie on one curve. The minutes after a rest are left
out, for the voltage has not settled there; the rests themselves are kept.
"""

import math

import numpy as np
from numpy.typing import NDArray

from contactor.history.battery.counting import Counted, summed
from contactor.history.battery.evidence import Discharge, Floats
from contactor.history.columns import Columns

REST_S, REST_PART = 300.0, 0.02
SETTLE_S = 150.0
# The end of a rest and its last part is what the voltage comes to.
REST_MEAN_S = 240.0
SLICES, ROWS_MIN = 40, 20


def discharges_of(columns: Columns, counted: Counted) -> list[Discharge]:
    """The discharges of a stretch, by time; none where the car gives a state of charge."""
    charge = columns.state_of_charge_pct
    current, voltage = counted.current_a, columns.voltage_v
    if charge is not None and np.isfinite(charge).any():
        return []
    if current is None or voltage is None or counted.ah is None:
        return []
    known = np.flatnonzero(np.isfinite(current) & np.isfinite(voltage))
    if len(known) < ROWS_MIN:
        return []
    volts = voltage[known].astype(np.float64)
    rows = _Rows(
        columns.ts[known], counted.seconds[known], current[known], volts, counted.ah[known]
    )
    found = (rows.discharge(begin, end) for begin, end in rows.between_rests())
    return [one for one in found if one is not None]


class _Rows:
    """The rows in which current and voltage are known."""

    def __init__(
        self,
        ts: NDArray[np.int64],
        seconds: Floats,
        current_a: Floats,
        voltage_v: Floats,
        ah: Floats,
    ) -> None:
        self._ts, self._seconds, self._ah = ts, seconds, ah
        self._current_a, self._voltage_v = current_a, voltage_v
        self._is_still = np.abs(current_a) <= REST_PART * float(np.abs(current_a).max())

    def between_rests(self) -> list[tuple[int, int]]:
        """First and last row of what lies between two rests."""
        moving = np.flatnonzero(~self._is_still)
        if not len(moving):
            return []
        apart = np.flatnonzero(np.diff(self._seconds[moving]) >= REST_S)
        begins = moving[np.r_[0, apart + 1]]
        ends = moving[np.r_[apart, len(moving) - 1]]
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def discharge(self, begin: int, end: int) -> Discharge | None:
        """One stretch, told; None where it does not discharge or has too few rows."""
        before = max(begin - 1, 0)
        given = self._ah[before] - self._ah[before : end + 1]
        total = float(given[-1])
        rows = np.flatnonzero(self._seconds[before : end + 1] >= self._seconds[begin] + SETTLE_S)
        if total <= 0 or len(rows) < ROWS_MIN or float(given.max()) > 1.02 * total:
            return None
        current = self._current_a[before : end + 1]
        usual_a = float(current[1:].mean())
        volts = self._voltage_v[before : end + 1]
        volts = volts - (current - usual_a) * _ohm(current[1:], volts[1:])
        given, volts = given[rows], volts[rows]
        slices = min(SLICES, len(rows) // 4)
        place = ((given - given.min()) / max(np.ptp(given), 1e-12) * slices).astype(np.intp)
        place = np.minimum(place, slices - 1)
        many = np.bincount(place, minlength=slices)
        there = many > 0
        return Discharge(
            start_ns=int(self._ts[begin]),
            end_ns=int(self._ts[end]),
            rest_before_v=self._rest(begin - 1, -1),
            rest_after_v=self._rest(end + 1, 1),
            current_a=usual_a,
            total_ah=total,
            given_ah=tuple((summed(place, given, slices)[there] / many[there]).tolist()),
            voltage_v=tuple((summed(place, volts, slices)[there] / many[there]).tolist()),
        )

    def _rest(self, row: int, way: int) -> float | None:
        """The voltage that a rest came to; of what follows `row` or leads to it."""
        rows: list[int] = []
        while 0 <= row < len(self._ts) and self._is_still[row]:
            if rows and abs(self._seconds[row] - self._seconds[rows[-1]]) > REST_S:
                break
            rows.append(row)
            row += way
        if not rows:
            return None
        last = self._seconds[rows[0]] if way < 0 else self._seconds[rows[-1]]
        late = [one for one in rows if abs(self._seconds[one] - last) <= REST_MEAN_S]
        return float(np.mean(self._voltage_v[late]))


def _ohm(current_a: Floats, voltage_v: Floats) -> float:
    """How voltage follows the jumps of the current, from row to row; 0 where it does not jump."""
    amperes, volts = np.diff(current_a), np.diff(voltage_v)
    squares = float(amperes @ amperes)
    if squares <= len(amperes) * (0.1 * float(np.abs(current_a).mean())) ** 2:
        return 0.0
    ohm = float(amperes @ volts) / squares
    return ohm if math.isfinite(ohm) and ohm > 0 else 0.0
