"""All that is odd about a car now, from what its sensors said and what was found in its history.

    found = look(Seen(slow=slow, cells=days, trips=facts.trips, stands=facts.stands))

What a car does not tell is not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from contactor.history.anomalies.anomaly import Anomaly, Floats
from contactor.history.anomalies.cells import CellDays, drifting_cells
from contactor.history.anomalies.consumption import unexplained_consumption, unexplained_losses
from contactor.history.anomalies.frozen import frozen_sensor, is_working
from contactor.history.anomalies.isolation import isolation_loss
from contactor.history.anomalies.low_voltage import low_voltage_decline
from contactor.history.anomalies.thermal import thermal_imbalance
from contactor.history.facts import Stand, Trip

_BATTERY = "Vehicle.Powertrain.TractionBattery"
CELLS = f"{_BATTERY}.CellVoltage.CellVoltages"
INSULATION = "Vehicle.Contactor.InsulationResistance"
LOW_VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
PACK_VOLTAGE = f"{_BATTERY}.CurrentVoltage"
POWER, IS_CHARGING = f"{_BATTERY}.CurrentPower", f"{_BATTERY}.Charging.IsCharging"
LEAST_DEGC, GREATEST_DEGC = f"{_BATTERY}.Temperature.Min", f"{_BATTERY}.Temperature.Max"

WATCHED: Mapping[str, float] = MappingProxyType(
    {
        "Vehicle.Speed": 120.0,
        f"{_BATTERY}.Temperature.Average": 3_600.0,
        "Vehicle.Powertrain.ElectricMotor.Temperature": 1_200.0,
        f"{_BATTERY}.StateOfCharge.Current": 3_600.0,
        PACK_VOLTAGE: 300.0,
    }
)
"""Sensors that must move in a drive, and for how long they may stand in any case, s."""

PATHS = (
    INSULATION,
    LOW_VOLTAGE,
    PACK_VOLTAGE,
    POWER,
    IS_CHARGING,
    LEAST_DEGC,
    GREATEST_DEGC,
    *(path for path in WATCHED if path != PACK_VOLTAGE),
)
"""What `Seen.columns` may hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal over time: `ts` int64 (n,) ns UTC, sorted; `values` (n,), NaN where unknown."""

    ts: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What is known of a car, for some weeks.

    Fields:
        columns: by path, of `PATHS`.
    """

    columns: Mapping[str, Series] = field(default_factory=dict)
    cells: CellDays | None = None
    trips: Sequence[Trip] = ()
    stands: Sequence[Stand] = ()


def look(seen: Seen) -> list[Anomaly]:
    """Every anomaly that shows now."""
    return [
        *([] if seen.cells is None else drifting_cells(seen.cells)),
        *_slow(seen.columns),
        *_frozen(seen.columns),
        *unexplained_consumption(seen.trips),
        *unexplained_losses(seen.stands),
    ]


def _slow(columns: Mapping[str, Series]) -> list[Anomaly]:
    found: list[Anomaly] = []
    low, insulation = columns.get(LOW_VOLTAGE), columns.get(INSULATION)
    if low is not None:
        found += low_voltage_decline(low.ts, low.values)
    if insulation is not None:
        pack = columns.get(PACK_VOLTAGE)
        found += isolation_loss(
            insulation.ts, insulation.values, None if pack is None else pack.values
        )
    least, greatest = columns.get(LEAST_DEGC), columns.get(GREATEST_DEGC)
    if least is not None and greatest is not None:
        at = held(greatest, least.ts)
        found += thermal_imbalance(least.ts, least.values, at)
    return found


def _frozen(columns: Mapping[str, Series]) -> list[Anomaly]:
    power, charging = columns.get(POWER), columns.get(IS_CHARGING)
    if power is None:
        return []
    is_charging = None if charging is None else held(charging, power.ts)
    works = Series(power.ts, is_working(power.values, is_charging).astype(np.float64))
    found: list[Anomaly] = []
    for path, least_s in WATCHED.items():
        series = columns.get(path)
        if series is not None:
            working = held(works, series.ts) > 0
            found += frozen_sensor(path, series.ts, series.values, working, least_s=least_s)
    return found


def held(series: Series, ts: NDArray[np.int64]) -> Floats:
    """The last value at or before each of some instants, (len(ts),); NaN before the first."""
    at = np.searchsorted(series.ts, ts, side="right") - 1
    if not len(series.ts):
        return np.full(len(ts), np.nan)
    values: Floats = np.where(at >= 0, series.values[np.maximum(at, 0)], np.nan)
    return values
