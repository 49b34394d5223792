"""Facts as polars frames, for those who ask a lake in Python.

    trips_frame(keeper_in_memory(reader), "leaf", None, None)

Python asks beside a running instance and writes nothing into its folder: what it finds is kept in
memory. A later question finds only what is new.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from contactor.clock import SystemClock, from_iso
from contactor.cloud.database.database import Database
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.documents import Document
from contactor.cloud.history.keeper import HistoryKeeper
from contactor.cloud.history.store import FactStore
from contactor.cloud.lake.ports import LakeReader

_NUMBER: Final = pl.Float64()
_PLACE: Final = pl.Struct({"latitude_deg": pl.Float64, "longitude_deg": pl.Float64})
_TRIPS: Final[Mapping[str, pl.DataType]] = {
    "id": pl.String(),
    "vehicle_id": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
    **dict.fromkeys(
        (
            "duration_s",
            "distance_km",
            "energy_kwh",
            "energy_out_kwh",
            "energy_in_kwh",
            "consumption_wh_per_km",
            "soc_start_pct",
            "soc_end_pct",
            "speed_max_kmh",
            "ambient_mean_degc",
            "elevation_gain_m",
        ),
        _NUMBER,
    ),
    "start_location": _PLACE,
    "end_location": _PLACE,
    "energy_source": pl.String(),
}
_CHARGES: Final[Mapping[str, pl.DataType]] = {
    "id": pl.String(),
    "vehicle_id": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
    "duration_s": _NUMBER,
    "kind": pl.String(),
    **dict.fromkeys(
        (
            "energy_battery_kwh",
            "energy_wall_kwh",
            "soc_start_pct",
            "soc_end_pct",
            "power_max_kw",
            "power_mean_kw",
        ),
        _NUMBER,
    ),
    "location": _PLACE,
    "cost": _NUMBER,
}
_BATTERY: Final[Mapping[str, pl.DataType]] = {
    "ts": pl.Int64(),
    "capacity_kwh": _NUMBER,
    "low_kwh": _NUMBER,
    "high_kwh": _NUMBER,
    "capacity_ah": _NUMBER,
    "sessions": pl.Int64(),
}


def keeper_in_memory(reader: LakeReader) -> HistoryKeeper:
    """What is found of a lake, kept in memory only."""
    store = FactStore(Database.open(":memory:", [HISTORY]))
    return HistoryKeeper(store=store, reader=reader, clock=SystemClock())


def trips_frame(
    keeper: HistoryKeeper, vehicle_id: str, since_ns: int | None, until_ns: int | None
) -> pl.DataFrame:
    """A row per trip; instants in ns UTC."""
    keeper.refresh(vehicle_id)
    return _frame(keeper.trip_documents(vehicle_id, since_ns, until_ns), _TRIPS)


def charges_frame(
    keeper: HistoryKeeper, vehicle_id: str, since_ns: int | None, until_ns: int | None
) -> pl.DataFrame:
    """A row per charge; instants in ns UTC."""
    keeper.refresh(vehicle_id)
    return _frame(keeper.charge_documents(vehicle_id, since_ns, until_ns), _CHARGES)


def battery_frame(keeper: HistoryKeeper, vehicle_id: str) -> pl.DataFrame:
    """A row per point of the capacity's history."""
    keeper.refresh(vehicle_id)
    history = keeper.battery(vehicle_id)["history"]
    assert isinstance(history, list)
    return _frame(history, _BATTERY)


def _frame(documents: Sequence[Document], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    rows = [{name: _value(name, one[name]) for name in schema} for one in documents]
    return pl.DataFrame(rows, dict(schema))


def _value(name: str, value: object) -> object:
    is_instant = name in ("start", "end", "ts") and isinstance(value, str)
    return from_iso(str(value)) if is_instant else value
