"""Frames that ask for something."""

import pytest

from contactor.can.decode import decode_columns
from contactor.can.encode import MessageEncoder
from contactor.can.plan import compile_plan
from contactor.car.profiles.actuate import encode_actuator
from contactor.car.profiles.profile import load_profile
from contactor.errors import InvalidValue

CHARGING = "Vehicle.Powertrain.TractionBattery.Charging"
ENTRIES = f"""
[signals."Vehicle.Speed"]
from = "Wheel.Speed"

[actuators."{CHARGING}.ChargeLimit"]
frame = "Command.Limit"
scale = 0.5
offset = 10

[actuators."{CHARGING}.StartStopCharging"]
frame = "Command.Start"
values = {{ 1 = "START", 2 = "STOP" }}

[actuators."Vehicle.Body.Lights.Beam.Low.IsOn"]
frame = "Command.Start"
invert = true
"""


def entry_of(profile, path):
    return next(entry for entry in profile.map.actuators if entry.path == path)


@pytest.mark.parametrize(
    ("path", "value", "payload"),
    [
        (f"{CHARGING}.ChargeLimit", 60, b"\x64\x03"),
        (f"{CHARGING}.StartStopCharging", "STOP", b"\xff\x02"),
        ("Vehicle.Body.Lights.Beam.Low.IsOn", True, b"\xff\x00"),
    ],
)
def test_actuator_asks_in_its_field_alone(load_map, path, value, payload):
    profile = load_map(ENTRIES)
    frames = encode_actuator(profile.database, entry_of(profile, path), value, ts=5)
    frame = frames[0]
    assert (frame.ts, frame.can_id, frame.is_extended) == (5, 258, True)
    assert frame.data == payload


def test_actuator_refuses_what_has_no_raw_value(load_map):
    profile = load_map(ENTRIES)
    stop = entry_of(profile, f"{CHARGING}.StartStopCharging")
    with pytest.raises(InvalidValue, match="'PAUSE' cannot be asked for; allowed: START, STOP"):
        encode_actuator(profile.database, stop, "PAUSE")
    limit = entry_of(profile, f"{CHARGING}.ChargeLimit")
    with pytest.raises(InvalidValue, match=r"Command\.Limit: 380 is outside 0\.\.255 %"):
        encode_actuator(profile.database, limit, 200)


def test_every_actuator_of_our_own_car_is_counted_sound_and_reads_back():
    profile = load_profile("contactor_ev")
    plan = compile_plan(profile.database)
    wanted = {
        "ChargeLimit": 80,
        "StartStopCharging": "STOP",
        "Temperature": 21.3,
        "StuckSensor": "SPEED",
        "FrameLoss": "BODY",
        "FrameLossPart": 40,
        "Plug": "AC",
        "StationPower": 22.0,
    }
    for count, entry in enumerate(profile.map.actuators):
        value = wanted.get(entry.path.rpartition(".")[2], True)
        frames = encode_actuator(profile.database, entry, value, counter=count)
        message, _, signal = entry.frame.partition(".")
        encoder = MessageEncoder(profile.database.message(message))
        assert encoder.is_sound(frames.data[:, : encoder.message.length]).all()
        columns = {one.signal: one for one in decode_columns(frames, plan)}
        assert columns["Counter"].values.tolist() == [count % 15]
        raw = {True: 1, "STOP": 0, "SPEED": 1, "BODY": 3, "AC": 2}.get(value, value)
        assert columns[signal].values[0] == pytest.approx(raw)
        others = columns.keys() - {signal, "Counter", "Checksum"}
        assert all(columns[other].labels[int(columns[other].raw[0])] for other in others)
