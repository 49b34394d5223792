"""A fleet's rows for the history benchmark: 8 signals, as agents write them, in a lake.

    python history_input.py FOLDER CARS DAYS

A car drives to work and back at a row a second, charges in the evening at a row in 12 s, and sleeps
between, when it tells nothing: 6,300 rows a day. The lake is compacted, as one that is a day old.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from contactor.app.folder import DataFolder
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.schema import Flush, StreamState
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.signals.groups import Group

BATTERY = "Vehicle.Powertrain.TractionBattery"
BEGAN_NS = 1_767_225_600 * 10**9
S, DAY_S = 10**9, 86_400
DRIVE_S, CHARGE_S = 2_850, 7_200
ROWS_A_DAY = 2 * DRIVE_S + CHARGE_S // 12
TYPES = {
    "Vehicle.Speed": pl.Float32,
    "Vehicle.TraveledDistance": pl.Int64,
    "Vehicle.CurrentLocation.Latitude": pl.Float64,
    "Vehicle.CurrentLocation.Longitude": pl.Float64,
    f"{BATTERY}.CurrentVoltage": pl.Float32,
    f"{BATTERY}.CurrentCurrent": pl.Float32,
    f"{BATTERY}.StateOfCharge.Displayed": pl.Float32,
    f"{BATTERY}.Charging.IsCharging": pl.Boolean,
}
TRIPS_A_DAY, CHARGES_A_DAY = 2, 1


def day_of(car: int, day: int) -> pl.DataFrame:
    """The rows of one car on one day."""
    noise = np.random.default_rng(car * 1000 + day)
    there, back, evening = noise.integers(0, 3600, 3) + np.array((7, 16, 19)) * 3600
    drive = np.arange(DRIVE_S)
    charge = np.arange(0, CHARGE_S, 12)
    seconds = np.concatenate([there + drive, back + drive, evening + charge])
    speed = np.clip(60 + 50 * np.sin(drive / 40 + noise.random()), 0, None)
    speed[[0, -1]] = 0
    speed = np.concatenate([speed, speed, np.zeros(len(charge))])
    is_charging = np.zeros(len(seconds), bool)
    is_charging[2 * DRIVE_S : 2 * DRIVE_S + len(charge)] = True
    current = np.where(is_charging, 27.0, np.where(speed > 0, -speed / 2 + 5, -0.1))
    current += noise.normal(0, 0.5, len(current)) * (speed > 0)
    order = np.argsort(seconds, kind="stable")
    seconds, speed, current = seconds[order], speed[order], current[order]
    steps = np.minimum(np.diff(seconds, prepend=seconds[0]), 12)
    way_m = np.cumsum(speed / 3.6 * steps) + day * 80_000
    given_kwh = -np.cumsum(current * 360 * steps) / 3.6e6
    frame = {
        "vehicle_id": [f"car{car:05d}"] * len(seconds),
        "ts": BEGAN_NS + (day * DAY_S + seconds.astype(np.int64)) * S,
        "Vehicle.Speed": speed.round(1),
        "Vehicle.TraveledDistance": way_m.astype(np.int64),
        "Vehicle.CurrentLocation.Latitude": 47 + way_m / 111_195 % 1,
        "Vehicle.CurrentLocation.Longitude": np.full(len(seconds), 9.5),
        f"{BATTERY}.CurrentVoltage": (360 + current / 20).round(1),
        f"{BATTERY}.CurrentCurrent": current.round(1),
        f"{BATTERY}.StateOfCharge.Displayed": (80 - given_kwh / 0.6).round(1),
        f"{BATTERY}.Charging.IsCharging": is_charging[order],
        "unavailable": pl.Series([[]] * len(seconds), dtype=pl.List(pl.String)),
    }
    return pl.DataFrame(frame).cast(TYPES)


def make(folder: Path, cars: int, days: int) -> int:
    """Write the lake; how many rows it has."""
    DataFolder.create(folder)
    store, rows = LocalStore(folder), 0
    for day in range(days):
        frame = pl.concat([day_of(car, day) for car in range(cars)])
        rows += frame.height
        states = [state_of(f"car{car:05d}", days) for car in range(cars)] if day == 0 else []
        store.commit(Flush(store.next_flush, {Group.DRIVE: frame}, states))
    now_ns = BEGAN_NS + (days + 2) * DAY_S * S
    Upkeep(store, ages=Ages(), kept_s=0).run(now_ns=now_ns, is_thorough=True)
    return rows


def state_of(vehicle_id: str, days: int) -> StreamState:
    return StreamState(
        vehicle_id,
        stream=1,
        profile="contactor_ev",
        lane="live",
        watermark=days,
        above=(),
        rows_stored=days * ROWS_A_DAY,
        rows_refused=0,
        refused={},
        paths=tuple(TYPES),
        first_ts=BEGAN_NS,
        last_ts=BEGAN_NS,
        received_at=BEGAN_NS,
    )


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
