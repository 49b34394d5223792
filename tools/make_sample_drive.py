"""Writes `examples/drives/leaf.log`: two minutes of a made-up drive in a Nissan Leaf ZE1.

The frames are encoded with the profile's own database; the drive is a few lines of physics. The
first frames say "not available", as a car does while it wakes up.

    .venv/bin/python tools/make_sample_drive.py
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import cantools

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "examples/drives/leaf.log"
DATABASE = ROOT / "src/contactor/car/profiles/nissan_leaf_ze1/car.dbc"

DURATION_S = 120.0
STEP_S = 0.02
MASS_KG = 1_640.0
DRAG_N_PER_MPS2 = 0.39
ROLLING_N = 160.0
EFFICIENCY = 0.88
AUXILIARIES_W = 600.0
REGENERATION_W = 42_000.0
CAPACITY_WH = 36_000.0
OPEN_VOLTAGE_V, RESISTANCE_OHM = 389.0, 0.055
# (until second, speed to reach in km/h): out of town, a stop, back up again.
LEGS = (
    (8, 0.0),
    (30, 52.0),
    (62, 88.0),
    (78, 30.0),
    (86, 0.0),
    (92, 0.0),
    (112, 61.0),
    (120, 24.0),
)
CYCLES_S = {
    "BatteryState": 0.1, "MotorState": 0.1, "WheelSpeeds": 0.1, "ShiftState": 0.5,
    "DriveCommand": 0.5, "BatteryCharge": 0.5, "BatteryPower": 1.0, "ChargeCommand": 1.0,
    "MotorTemperatures": 2.0, "Climate": 2.0,
}  # fmt: skip
WAKING_S = 1.0
UNAVAILABLE = {"PackCurrent": 0x3FF, "PackVoltage": 0x3FF, "StateOfCharge": 0x3FF}


def drive() -> Iterator[tuple[float, Mapping[str, float]]]:
    """The instant and the physical values of every step."""
    speed_mps, charge_wh, at_s = 0.0, 0.82 * CAPACITY_WH, 0.0
    while at_s < DURATION_S:
        target_mps = next(speed for until, speed in LEGS if at_s < until) / 3.6
        acceleration = max(-2.2, min(2.0, (target_mps - speed_mps) * 0.35))
        speed_mps = max(0.0, speed_mps + acceleration * STEP_S)
        force_n = MASS_KG * acceleration + DRAG_N_PER_MPS2 * speed_mps**2
        force_n += ROLLING_N if speed_mps > 0.1 else 0.0
        wheel_w = force_n * speed_mps
        battery_w = -(wheel_w / EFFICIENCY if wheel_w > 0 else wheel_w * EFFICIENCY) - AUXILIARIES_W
        battery_w = min(battery_w, REGENERATION_W)
        current_a = battery_w / OPEN_VOLTAGE_V
        charge_wh += battery_w * STEP_S / 3600
        yield (
            at_s,
            {
                "speed_kmh": 3.6 * speed_mps,
                "current_a": current_a + 0.4 * math.sin(7 * at_s),
                "voltage_v": OPEN_VOLTAGE_V + RESISTANCE_OHM * current_a,
                "soc_pct": 100 * charge_wh / CAPACITY_WH,
                "motor_rpm": speed_mps / 0.317 * 8.19 * 60 / (2 * math.pi),
                "torque_nm": force_n * 0.317 / 8.19,
                "motor_degf": 90 + at_s / 10,
            },
        )
        at_s += STEP_S


def signals(now: Mapping[str, float]) -> dict[str, float]:
    """What each signal of the messages says of it; what is not named here is 0."""
    is_moving = now["speed_kmh"] > 0.1
    return {
        "PackCurrent": now["current_a"],
        "PackCurrentOf62": now["current_a"],
        "PackVoltage": now["voltage_v"],
        "MainRelayPermitted": 1,
        "InterlockClosed": 1,
        "StateOfCharge": now["soc_pct"],
        "UsableStateOfCharge": round(now["soc_pct"]),
        "InsulationVoltage": 4.4,
        "DischargePowerLimit": 110,
        "ChargePowerLimit": 40,
        "ChargerPowerLimit": 0,
        "InverterVoltage": now["voltage_v"],
        "MotorTorque": now["torque_nm"],
        "MotorSpeed": now["motor_rpm"],
        "MotorTemperature": now["motor_degf"],
        "InverterTemperature": now["motor_degf"] - 9,
        "LeverPosition": 4 if is_moving else 0,
        "PowerMode": 1,
        "HighVoltageOn": 1,
        "PlusRelayOn": 1,
        "FrontWheelSpeedA": now["speed_kmh"],
        "FrontWheelSpeedB": now["speed_kmh"],
        "RearWheelSpeed": now["speed_kmh"],
        "AmbientTemperature": 17.5,
    }


def main() -> None:
    """Write the log."""
    database = cantools.database.load_file(DATABASE)
    due_s = {name: place * 0.003 for place, name in enumerate(CYCLES_S)}
    with TARGET.open("w") as log:
        for at_s, now in drive():
            values = signals(now)
            for name, cycle_s in CYCLES_S.items():
                if at_s < due_s[name]:
                    continue
                due_s[name] += cycle_s
                message = database.get_message_by_name(name)
                said = {
                    signal.name: _raw(signal, values, is_waking=at_s < WAKING_S)
                    for signal in message.signals
                }
                data = message.encode(said, scaling=False, strict=False)
                log.write(f"({at_s:.6f}) can0 {message.frame_id:03X}#{data.hex().upper()}\n")


def _raw(signal: cantools.database.Signal, values: Mapping[str, float], *, is_waking: bool) -> int:
    if is_waking and signal.name in UNAVAILABLE:
        pattern = UNAVAILABLE[signal.name]
        return pattern - (1 << signal.length) if signal.is_signed and pattern >> 10 else pattern
    physical = values.get(signal.name, 0.0)
    raw = round((physical - signal.offset) / signal.scale)
    return max(raw, 0) if not signal.is_signed else raw


if __name__ == "__main__":
    main()
