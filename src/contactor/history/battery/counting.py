"""Charge and energy summed over the rows of a car, so that any stretch of them is a difference.

    counted = count(columns)
    counted.ah[end] - counted.ah[start]

A row's current holds since the row before, for as long as two rows may be apart; what lies in a
longer gap is unknown, and how long that was is summed as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns

Floats = NDArray[np.float64]

NS_PER_S = 1e9
S_PER_HOUR = 3600.0
# A car that stands still may be silent for minutes; one that changes is not.
GAP_MAX_S = 300.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums up to and with each row, (n,); None where the car gives neither of the values.

    Fields:
        hold_s: how long each row holds, 0 after a gap.
        unknown_s: how long nothing was known.
    """

    seconds: Floats
    hold_s: Floats
    current_a: Floats | None
    ah: Floats | None
    kwh: Floats | None
    unknown_s: Floats


def count(columns: Columns) -> Counted:
    """Sum up a car's rows."""
    seconds = (columns.ts - columns.ts[:1].sum()) / NS_PER_S
    apart_s = np.diff(seconds, prepend=seconds[:1])
    hold_s = np.where(apart_s <= GAP_MAX_S, apart_s, 0.0)
    current, power = _flows(columns)
    leading = current if current is not None else power
    missing = np.isnan(leading) if leading is not None else np.ones(len(seconds), bool)
    unknown_s = apart_s - np.where(missing, 0.0, hold_s)
    return Counted(
        seconds,
        hold_s,
        current,
        None if current is None else np.cumsum(np.nan_to_num(current) * hold_s) / S_PER_HOUR,
        None if power is None else np.cumsum(np.nan_to_num(power) * hold_s) / S_PER_HOUR / 1000,
        np.cumsum(unknown_s),
    )


def _flows(columns: Columns) -> tuple[Floats | None, Floats | None]:
    """Current and power, one from the other where the car gives only one and the voltage."""
    voltage = _wide(columns.voltage_v)
    current, power = _wide(columns.current_a), _wide(columns.power_w)
    if voltage is not None:
        if current is None and power is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                current = np.where(voltage > 0, power / voltage, np.nan)
        elif power is None and current is not None:
            power = voltage * current
    return current, power


def _wide(column: NDArray[np.floating] | None) -> Floats | None:
    return None if column is None else column.astype(np.float64)


def summed(place: NDArray[np.intp], values: Floats, length: int) -> Floats:
    """The sum of the values at each place, (length,)."""
    sums: Floats = np.bincount(place, values, length).astype(np.float64)
    return sums
