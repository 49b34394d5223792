"""Made-up drives whose every value is known beforehand: a profile, recordings, and their truth.

Every `STEP_MS` the car counts 1, 2, 3, ... and says other things that follow from the number: in
all groups, in every kind of type, now and then "not available". The truth comes from the number
alone, and from no code of the program.

    drives = make_drives(folder, vehicles=3, count=1_200)
    drives.cars                 # CAR urls
    drives.truth                # vehicle_id, group, ts, path, value
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

FIRST_S = 1_700_000_000
STEP_MS = 50
STEP_NS = STEP_MS * 1_000_000
UNAVAILABLE = "not available"

DISTANCE = "Vehicle.TraveledDistance"
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
POWER_STATE = "Vehicle.LowVoltageSystemState"
MOTOR_SPEED = "Vehicle.Powertrain.ElectricMotor.Speed"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
WARNING = "Vehicle.Contactor.IsWarningLampOn"
CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"

STATES = ("OFF", "ACC", "ON")
DBC = """VERSION ""

BU_: Car

BO_ 256 Counting: 6 Car
 SG_ Number : 0|32@1+ (1,0) [0|4294967295] "m" Vector__XXX
 SG_ Gear : 32|8@1+ (1,0) [0|255] "" Vector__XXX
 SG_ Key : 40|8@1+ (1,0) [0|255] "" Vector__XXX

BO_ 257 Motor: 2 Car
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" Vector__XXX

BO_ 258 Cells: 6 Car
 SG_ One : 0|16@1+ (1,0) [0|65535] "V" Vector__XXX
 SG_ Two : 16|16@1+ (1,0) [0|65535] "V" Vector__XXX
 SG_ Three : 32|16@1+ (1,0) [0|65535] "V" Vector__XXX

BO_ 259 Lamps: 1 Car
 SG_ Warning : 0|8@1+ (1,0) [0|255] "" Vector__XXX

BO_ 260 Charging: 1 Car
 SG_ Limit : 0|8@1+ (1,0) [0|255] "%" Vector__XXX
"""
MAP = f"""format = 1
title = "A car that says what is known beforehand"

[signals."{DISTANCE}"]
from = "Counting.Number"

[signals."{GEAR}"]
from = "Counting.Gear"

[signals."{POWER_STATE}"]
from = "Counting.Key"
values = {{ 0 = "OFF", 1 = "ACC", 2 = "ON" }}

[signals."{MOTOR_SPEED}"]
from = "Motor.Speed"
unavailable = [0xFFFF]

[signals."{CELLS}"]
from = ["Cells.One", "Cells.Two", "Cells.Three"]
combine = "list"
valid = [0, 65535]

[signals."{WARNING}"]
from = "Lamps.Warning"

[signals."{CHARGE_LIMIT}"]
from = "Charging.Limit"
"""

Value = float | bool | str | list[float]


@dataclass(frozen=True)
class Drives:
    """Recordings of several vehicles, and all that is in them.

    Fields:
        cars: what `--car` takes.
        truth: a row per value: vehicle_id, group, ts, path, value (as `text_of` writes it).
    """

    cars: tuple[str, ...]
    truth: pl.DataFrame


def make_drives(folder: Path, *, vehicles: int, count: int) -> Drives:
    """Write a profile and a recording per vehicle, each counting from 1 to `count`."""
    profile = _make_profile(folder)
    cars, truth = [], []
    for place in range(vehicles):
        name = f"car-{place}"
        log = folder / f"{name}.log"
        log.write_text("".join(_lines(place, number) for number in range(1, count + 1)))
        cars.append(f"recording:{log}?profile={profile}&vehicle={name}&sampling=every")
        for number in range(1, count + 1):
            truth += [
                (name, group, ts_of(number), path, text_of(value))
                for group, path, value in values_of(place, number)
            ]
    schema = ["vehicle_id", "group", "ts", "path", "value"]
    return Drives(tuple(cars), pl.DataFrame(truth, schema=schema, orient="row"))


def ts_of(number: int) -> int:
    """The instant (ns) at which a car says `number`."""
    return FIRST_S * 1_000_000_000 + number * STEP_NS


def values_of(place: int, number: int) -> list[tuple[str, str, Value]]:
    """What the car at that place says at that instant: group, path, value."""
    said: list[tuple[str, str, Value]] = [
        ("drive", DISTANCE, number),
        ("drive", GEAR, (number + place) % 7),
        ("drive", POWER_STATE, STATES[(number // 3 + place) % 3]),
    ]
    speed = UNAVAILABLE if number % 5 == 0 else (number * 3 + place) % 60_000 / 4
    said.append(("fast", MOTOR_SPEED, speed))
    if number % 10 == 0:
        said.append(("cells", CELLS, [float(cell) for cell in _cells(place, number)]))
    if number % 20 == 0:
        said.append(("slow", CHARGE_LIMIT, number % 101))
    if number % 30 == 0:
        said.append(("events", WARNING, number % 60 == 0))
    return said


def text_of(value: Value) -> str:
    """One spelling for every kind of value."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(map(text_of, value))
    return repr(float(value))


def _cells(place: int, number: int) -> tuple[int, int, int]:
    return number % 60_000, (number + 1) % 60_000, place


def _lines(place: int, number: int) -> str:
    """The frames of one instant, in candump's form."""
    said = {path: value for _, path, value in values_of(place, number)}
    key = STATES.index(str(said[POWER_STATE]))
    frames = {0x100: number.to_bytes(4, "little") + bytes([int(said[GEAR]), key])}  # type: ignore[arg-type]  # a number
    speed = said[MOTOR_SPEED]
    raw = 0xFFFF if isinstance(speed, str) else round(float(speed) * 4)  # type: ignore[arg-type]  # a number
    frames[0x101] = raw.to_bytes(2, "little")
    if CELLS in said:
        frames[0x102] = b"".join(cell.to_bytes(2, "little") for cell in _cells(place, number))
    if WARNING in said:
        frames[0x103] = bytes([bool(said[WARNING])])
    if CHARGE_LIMIT in said:
        frames[0x104] = bytes([number % 101])
    at_ms = FIRST_S * 1000 + number * STEP_MS
    stamp = f"({at_ms // 1000}.{at_ms % 1000:03d}000) can0"
    return "".join(f"{stamp} {id_:03X}#{data.hex().upper()}\n" for id_, data in frames.items())


def _make_profile(folder: Path) -> Path:
    profile = folder / "known"
    profile.mkdir()
    (profile / "car.dbc").write_text(DBC)
    (profile / "map.toml").write_text(MAP)
    (profile / "limits.toml").write_text("format = 1\n")
    (profile / "README.md").write_text("# A car whose every value is known\n")
    return profile
