"""Which signals give which column of a car's history, best first.

    values = {path: array of a row per stamp for path in wanted if the car gave it}
    columns = columns_of(values, ts)

A column is taken row by row from the first of its paths that is known there. Words become numbers
by `WORDS` before they come here; true is 1.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.rules import FRESH_NS

BATTERY = "Vehicle.Powertrain.TractionBattery"
CHARGING = f"{BATTERY}.Charging"
PORTS = ("FrontLeft", "FrontMiddle", "FrontRight", "RearLeft", "RearMiddle", "RearRight")
PHASES = ("Phase1", "Phase2", "Phase3")
IS_DC = f"{CHARGING}.ChargeCurrent.DC"
DC_VOLTAGE = f"{CHARGING}.ChargeVoltage.DC"
CHARGER_LOSS = f"{CHARGING}.PowerLoss"
SYSTEM_STATE = "Vehicle.LowVoltageSystemState"

PATHS: Mapping[str, tuple[str, ...]] = {
    "speed_kmh": ("Vehicle.Speed",),
    "latitude_deg": ("Vehicle.CurrentLocation.Latitude",),
    "longitude_deg": ("Vehicle.CurrentLocation.Longitude",),
    "altitude_m": ("Vehicle.CurrentLocation.Altitude",),
    "odometer_m": ("Vehicle.TraveledDistance", "Vehicle.Powertrain.Transmission.TravelledDistance"),
    "is_on": (SYSTEM_STATE,),
    "gear": (
        "Vehicle.Powertrain.Transmission.SelectedGear",
        "Vehicle.Powertrain.Transmission.CurrentGear",
    ),
    "is_plugged": tuple(
        f"{CHARGING}.ChargingPort.{port}.IsChargingCableConnected"
        for port in ("AnyPosition", *PORTS)
    ),
    "is_charging": (f"{CHARGING}.IsCharging",),
    "voltage_v": (f"{BATTERY}.CurrentVoltage",),
    "current_a": (f"{BATTERY}.CurrentCurrent",),
    "power_w": (f"{BATTERY}.CurrentPower",),
    "state_of_charge_pct": (
        f"{BATTERY}.StateOfCharge.Displayed",
        f"{BATTERY}.StateOfCharge.Current",
    ),
    "stored_kwh": (f"{BATTERY}.StateOfCharge.CurrentEnergy",),
    "charged_kwh": (f"{BATTERY}.AccumulatedChargedEnergy",),
    "consumed_kwh": (f"{BATTERY}.AccumulatedConsumedEnergy",),
    "wall_w": (
        *(f"{CHARGING}.ChargeVoltage.{phase}" for phase in PHASES),
        *(f"{CHARGING}.ChargeCurrent.{phase}" for phase in PHASES),
        CHARGER_LOSS,
    ),
    "station_w": (DC_VOLTAGE, IS_DC),
    "ambient_degc": ("Vehicle.Exterior.AirTemperature", "Vehicle.Cabin.HVAC.AmbientAirTemperature"),
    "battery_degc": (f"{BATTERY}.Temperature.Average",),
}
"""Every path that is read; of `wall_w` and `station_w` all together make the column."""

WORDS: Mapping[str, Mapping[str, float]] = {
    SYSTEM_STATE: {"LOCK": 0.0, "OFF": 0.0, "ACC": 0.0, "ON": 1.0, "START": 1.0},
}
"""What the words of a text signal are as numbers; any other is unknown."""

SCALES: Mapping[str, float] = {"Vehicle.Powertrain.Transmission.TravelledDistance": 1000.0}
"""km that become m."""

_ANY = frozenset({"is_plugged"})
"""Columns that are 1 where any of their paths says so."""
_MADE = frozenset({"wall_w", "station_w"})


def columns_of(values: Mapping[str, Floats], ts: NDArray[np.int64]) -> Columns:
    """The columns of a car.

    Args:
        values: (n,) by path, NaN where unknown; a path that the car never gave is missing.
        ts: ns UTC, (n,), sorted, each stamp once.
    """
    made: dict[str, Floats] = {}
    for name, paths in PATHS.items():
        given = [_scaled(values[path], path) for path in paths if path in values]
        if given and name not in _MADE:
            made[name] = _joined(given, is_any=name in _ANY)
    station_w = _product(values, DC_VOLTAGE, IS_DC, ts)
    wall_w = _wall_w(values, made, ts)
    if station_w is not None:
        made["station_w"] = station_w
    if wall_w is not None:
        made["wall_w"] = wall_w
    return Columns(ts=ts, **made)


def _scaled(column: Floats, path: str) -> Floats:
    return column * SCALES[path] if path in SCALES else column


def _joined(given: list[Floats], *, is_any: bool) -> Floats:
    """The first that is known in each row; or the greatest of all."""
    joined = given[0]
    for other in given[1:]:
        joined = np.fmax(joined, other) if is_any else np.where(np.isnan(joined), other, joined)
    return joined


def _wall_w(
    values: Mapping[str, Floats], made: Mapping[str, Floats], ts: NDArray[np.int64]
) -> Floats | None:
    """What a station on alternating current gives: by phase, or from the charger's loss."""
    phases = [
        _product(
            values, f"{CHARGING}.ChargeVoltage.{phase}", f"{CHARGING}.ChargeCurrent.{phase}", ts
        )
        for phase in PHASES
    ]
    known = [phase for phase in phases if phase is not None]
    if known:
        unknown = np.logical_and.reduce([np.isnan(phase) for phase in known])
        total = sum((np.nan_to_num(phase) for phase in known), np.zeros(len(ts)))
        return np.where(unknown, np.nan, total)
    if CHARGER_LOSS in values and "power_w" in made:
        battery_w = _carried(made["power_w"], ts)
        loss_w = values[CHARGER_LOSS]
        return np.where((loss_w > 0) & (battery_w > 0), battery_w + loss_w, np.nan * loss_w)
    return None


def _product(
    values: Mapping[str, Floats], voltage: str, current: str, ts: NDArray[np.int64]
) -> Floats | None:
    if voltage not in values or current not in values:
        return None
    return _carried(values[voltage], ts) * values[current]


def _carried(column: Floats, ts: NDArray[np.int64]) -> Floats:
    """Each value as long as it is fresh."""
    known = ~np.isnan(column)
    if known.all() or not known.any():
        return column
    at = np.maximum.accumulate(np.where(known, np.arange(len(column)), 0))
    return np.where(ts - ts[at] <= FRESH_NS, column[at], np.nan)
