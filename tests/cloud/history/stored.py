"""Days of a made-up car, stored in a lake as the agent's rows."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.schema import Flush
from contactor.history.columns import Columns
from contactor.signals.groups import Group
from tests.cloud.lake.samples import state

BATTERY = "Vehicle.Powertrain.TractionBattery"
PATHS = {
    "speed_kmh": ("Vehicle.Speed", pl.Float32),
    "latitude_deg": ("Vehicle.CurrentLocation.Latitude", pl.Float64),
    "longitude_deg": ("Vehicle.CurrentLocation.Longitude", pl.Float64),
    "odometer_m": ("Vehicle.TraveledDistance", pl.Int64),
    "is_plugged": (
        f"{BATTERY}.Charging.ChargingPort.AnyPosition.IsChargingCableConnected",
        pl.Boolean,
    ),
    "is_charging": (f"{BATTERY}.Charging.IsCharging", pl.Boolean),
    "voltage_v": (f"{BATTERY}.CurrentVoltage", pl.Float32),
    "current_a": (f"{BATTERY}.CurrentCurrent", pl.Float32),
    "state_of_charge_pct": (f"{BATTERY}.StateOfCharge.Displayed", pl.Float32),
}


def store_rows(
    store: LakeStore,
    columns: Columns,
    *,
    vehicle_id: str = "leaf",
    kept: Sequence[bool] | slice | None = None,
) -> None:
    """Store rows, or those `kept` of them, in a flush of their own."""
    chosen = slice(None) if kept is None else kept
    held = np.arange(len(columns))[chosen]
    series = [pl.Series("vehicle_id", [vehicle_id] * len(held)), pl.Series("ts", columns.ts[held])]
    for name, (path, dtype) in PATHS.items():
        column = getattr(columns, name)
        if column is not None:
            numbers = pl.Series(path, np.asarray(column[held], np.float64)).fill_nan(None)
            series.append(numbers.cast(dtype))
    series.append(pl.Series("unavailable", [[]] * len(held), pl.List(pl.String)))
    streams = [state(vehicle_id, paths=tuple(path for path, _ in PATHS.values()))]
    store.commit(Flush(store.next_flush, {Group.DRIVE: pl.DataFrame(series)}, streams))
