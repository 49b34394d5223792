"""What the lake's tests store: small, and every value known."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from contactor.cloud.lake.frames import rows_to_frames
from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.schema import Flush, Quarantined, StoredGap, StreamState
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State, Value

S = 1_000_000_000
DAY = 86_400 * S
T0 = 1_714_550_400 * S  # 2024-05-01T08:00:00Z

SPEED = "Vehicle.Speed"
POWER = "Vehicle.Powertrain.TractionBattery.CurrentPower"
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
CODES = "Vehicle.Powertrain.TractionBattery.ErrorCodes"
VIN = "Vehicle.VehicleIdentification.VIN"

NA = "not available"


def rows(group: Group, ts: Sequence[int], columns: Mapping[str, Sequence[Value | None]]) -> Rows:
    """Rows of plain values; `NA` for what the car marked so."""
    return Rows(group, np.array(ts, np.int64), tuple(column(p, v) for p, v in columns.items()))


def column(path: str, values: Sequence[Value | None]) -> Column:
    made = Column.of(path, [None if value == NA else value for value in values])
    made.state[[value == NA for value in values]] = State.UNAVAILABLE
    return made


def frame(
    group: Group,
    ts: Sequence[int],
    columns: Mapping[str, Sequence[Value | None]],
    vehicle_id: str = "leaf",
) -> pl.DataFrame:
    return rows_to_frames(vehicle_id, rows(group, ts, columns))


def state(vehicle_id: str = "leaf", stream: int = 1, **changes: object) -> StreamState:
    values: dict[str, object] = {
        "profile": "nissan_leaf_ze1",
        "lane": "live",
        "watermark": 1,
        "above": (),
        "rows_stored": 1,
        "rows_refused": 0,
        "refused": {},
        "paths": (SPEED,),
        "first_ts": T0,
        "last_ts": T0,
        "received_at": T0,
    }
    return StreamState(vehicle_id, stream, **(values | changes))  # type: ignore[arg-type]


def flush(
    number: int,
    tables: Mapping[Group, pl.DataFrame] | None = None,
    streams: Sequence[StreamState] = (),
    gaps: Sequence[StoredGap] = (),
    quarantined: Sequence[Quarantined] = (),
) -> Flush:
    return Flush(number, tables or {}, streams, gaps, quarantined)


def store_drive(
    store: LakeStore,
    columns: Mapping[str, Sequence[Value | None]],
    *,
    ts: Sequence[int] | None = None,
    group: Group = Group.DRIVE,
    vehicle_id: str = "leaf",
) -> None:
    """Commit one flush of rows, a second apart from T0 unless `ts` says otherwise."""
    length = len(next(iter(columns.values())))
    stamps = [T0 + n * S for n in range(length)] if ts is None else ts
    made = frame(group, stamps, columns, vehicle_id)
    known = next((s for s in store.streams() if s.vehicle_id == vehicle_id), None)
    paths = {*columns, *(known.paths if known else ())}
    told = state(
        vehicle_id,
        watermark=(known.watermark if known else 0) + 1,
        rows_stored=(known.rows_stored if known else 0) + length,
        paths=tuple(sorted(paths)),
        received_at=max(stamps) + S,
    )
    store.commit(flush(store.next_flush, {group: made}, [told]))
