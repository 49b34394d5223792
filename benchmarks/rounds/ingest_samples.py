"""The samples of the ingest benchmark: cars with 40 signals at 1 Hz, the same for everybody.

A minute of a car is a structured array: `ts` in ns, `car`, then a field per signal. Numbers are
walks rounded to a tenth, flags are set one time in ten.
"""

import os
from collections.abc import Iterator

import numpy as np

CARS = 500
MINUTES = int(os.environ.get("BENCH_MINUTES", "60"))
ROWS = 60
BATTERY = "Vehicle.Powertrain.TractionBattery."
CHARGING = BATTERY + "Charging."
SIDES = ("Left", "Middle", "Right")
FLOATS = (
    *("Vehicle.Speed", "Vehicle.Exterior.AirTemperature"),
    *(BATTERY + one for one in ("CurrentVoltage", "CurrentCurrent", "CurrentPower")),
    *(BATTERY + f"StateOfCharge.{one}" for one in ("Current", "Displayed", "CurrentEnergy")),
    *(BATTERY + f"Accumulated{one}Energy" for one in ("Charged", "Consumed")),
    *(BATTERY + f"Accumulated{one}Throughput" for one in ("Charged", "Consumed")),
    *(CHARGING + f"ChargeCurrent.{one}" for one in ("DC", "Phase1", "Phase2", "Phase3")),
    *(CHARGING + f"ChargeVoltage.{one}" for one in ("DC", "Phase1", "Phase2", "Phase3")),
    "Vehicle.Powertrain.ElectricMotor.Temperature",
    "Vehicle.Cabin.HVAC.AmbientAirTemperature",
)
DOUBLES = tuple(
    f"Vehicle.CurrentLocation.{one}" for one in ("Latitude", "Longitude", "Heading", "Altitude")
)
GEARS = tuple(f"Vehicle.Powertrain.Transmission.{one}Gear" for one in ("Current", "Selected"))
DISTANCES = ("Vehicle.TraveledDistance",)
FLAGS = (
    *("Vehicle.IsMoving", BATTERY + "IsPowerConnected"),
    *(CHARGING + one for one in ("IsCharging", "IsDischarging")),
    *(
        f"{CHARGING}ChargingPort.{one}.IsChargingCableConnected"
        for one in ("AnyPosition", *(end + side for end in ("Front", "Rear") for side in SIDES))
    ),
)
DTYPES = {
    **dict.fromkeys(FLOATS, "<f4"),
    **dict.fromkeys(DOUBLES, "<f8"),
    **dict.fromkeys(GEARS, "<i1"),
    **dict.fromkeys(DISTANCES, "<u4"),
    **dict.fromkeys(FLAGS, "?"),
}
PATHS = tuple(DTYPES)
DTYPE = np.dtype([("ts", "<i8"), ("car", "<i4"), *DTYPES.items()])
SIGNALS = len(PATHS)
VALUES = CARS * MINUTES * ROWS * SIGNALS
BEGAN_NS = 1_772_535_600 * 10**9
assert SIGNALS == 40


def minutes(cars: int = CARS, count: int = MINUTES) -> Iterator[np.ndarray]:
    """Minute after minute, every car's 60 rows in each, car after car."""
    noise = np.random.default_rng(7)
    for minute in range(count):
        made = np.zeros((cars, ROWS), DTYPE)
        seconds = BEGAN_NS + (minute * ROWS + np.arange(ROWS, dtype=np.int64)) * 10**9
        made["ts"], made["car"] = seconds, np.arange(cars)[:, None]
        for path in (*FLOATS, *DOUBLES):
            walk = 50 + np.cumsum(noise.normal(0, 0.1, (cars, ROWS)), axis=1)
            made[path] = walk.round(1)
        for path in GEARS:
            made[path] = noise.integers(0, 5, (cars, ROWS))
        made[DISTANCES[0]] = 1_000 + minute * ROWS + np.arange(ROWS)
        for path in FLAGS:
            made[path] = noise.random((cars, ROWS)) < 0.1
        yield made


def name_of(car: int) -> str:
    """The id of a car."""
    return f"car{car:05d}"
