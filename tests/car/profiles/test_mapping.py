"""A map as a whole: what it asks the engine for, and what it answers about its signals."""

import pytest

from contactor.can.frames import FrameTable
from contactor.errors import UnknownSignal
from contactor.signals.groups import GROUP_RULES, Group

BATTERY = "Vehicle.Powertrain.TractionBattery"
ENTRIES = f"""
[signals."{BATTERY}.CurrentVoltage"]
from = "Pack.Voltage"
unavailable = [0xFFFF]
[signals."{BATTERY}.CurrentCurrent"]
from = "Pack.Current"
unavailable = [0x7FF, 0x801]
[signals."{BATTERY}.CurrentPower"]
from = ["Pack.Voltage", "Pack.Current"]
combine = "product"
[signals."Vehicle.Speed"]
from = "Wheel.Speed"
group = "fast"
mean = false
[signals."Vehicle.LowVoltageSystemState"]
from = "Pack.Mode"
values = {{ 1 = "ON", 0x2 = "OFF" }}
stale_s = 5
"""


def pack(voltage, current):
    bits = voltage | (current & 0xFFF) << 16
    return bits.to_bytes(8, "little")


def test_map_asks_for_each_decoded_signal_once(load_map):
    signal_map = load_map(ENTRIES).map
    assert signal_map.plan_signals == ("Pack.Voltage", "Pack.Current", "Wheel.Speed", "Pack.Mode")
    assert len(signal_map.paths) == 5


def test_map_declares_unavailable_values_once_for_all_entries(load_map):
    assert load_map(ENTRIES).map.unavailable == {
        "Pack.Voltage": (0xFFFF,),
        "Pack.Current": (0x7FF, 0x801),
    }


def test_product_is_unavailable_where_either_side_is(load_map, readings, cells):
    frames = FrameTable.of(
        ts=[0, 1, 2, 3],
        can_id=[0x100] * 4,
        data=[pack(4000, -100), pack(0xFFFF, -100), pack(4000, 0x7FF), pack(4000, -0x7FF)],
    )
    found = readings(load_map(ENTRIES), frames)
    assert cells(found[f"{BATTERY}.CurrentPower"]) == [-20_000.0, "n/a", "n/a", "n/a"]
    assert cells(found[f"{BATTERY}.CurrentVoltage"]) == [400.0, "n/a", 400.0, 400.0]
    assert cells(found[f"{BATTERY}.CurrentCurrent"]) == [-50.0, -50.0, "n/a", "n/a"]


def test_product_needs_both_signals_in_the_frame(load_map, readings):
    frames = FrameTable.of(ts=[0, 1], can_id=[0x100] * 2, data=[pack(4000, 2)[:2], pack(4000, 2)])
    found = readings(load_map(ENTRIES), frames)
    assert found[f"{BATTERY}.CurrentVoltage"].rows.tolist() == [0, 1]
    assert found[f"{BATTERY}.CurrentPower"].rows.tolist() == [1]


def test_map_reads_nothing_from_frames_without_its_messages(load_map, readings):
    frames = FrameTable.of(ts=[0], can_id=[0x7FF], data=[b"\x00"])
    assert readings(load_map(ENTRIES), frames) == {}


def test_map_takes_group_mean_and_stale_limit_from_the_catalogue_unless_told(load_map):
    signal_map = load_map(ENTRIES).map
    current, speed, state = (
        f"{BATTERY}.CurrentCurrent",
        "Vehicle.Speed",
        "Vehicle.LowVoltageSystemState",
    )
    assert [signal_map.group_of(path) for path in (current, speed, state)] == [
        Group.DRIVE,
        Group.FAST,
        Group.DRIVE,
    ]
    assert [signal_map.is_mean(path) for path in (current, speed, state)] == [True, False, False]
    assert signal_map.stale_s_of(current) == GROUP_RULES[Group.DRIVE].stale_s
    assert signal_map.stale_s_of(speed) == GROUP_RULES[Group.FAST].stale_s
    assert signal_map.stale_s_of(state) == 5.0


def test_map_says_when_it_does_not_have_a_signal(load_map):
    with pytest.raises(UnknownSignal, match=r"no signal 'Vehicle\.IsMoving'"):
        load_map(ENTRIES).map.group_of("Vehicle.IsMoving")


@pytest.mark.parametrize(
    ("entry", "data", "expected"),
    [
        # the DBC's unit, which units.py knows: 10 m/s, 77 degF
        ('[signals."Vehicle.Speed"]\nfrom = "Wheel.Speed"', b"\x03\xe8", 36.0),
        (
            '[signals."Vehicle.Exterior.AirTemperature"]\nfrom = "Pack.Warmth"',
            b"\0" * 6 + b"M",
            25.0,
        ),
        # the map's own word goes before the DBC's
        ('[signals."Vehicle.Speed"]\nfrom = "Wheel.Speed"\nunit = "km/h"', b"\x03\xe8", 10.0),
        ('[signals."Vehicle.Speed"]\nfrom = "Wheel.Speed"\nunit = "kph"', b"\x03\xe8", 10.0),
        # scaled, moved and turned before it is converted
        (
            '[signals."Vehicle.Speed"]\nfrom = "Wheel.Speed"\nscale = 2\noffset = 1\ninvert = true',
            b"\x03\xe8",
            -75.6,
        ),
        # a unit that nobody knows is taken as the catalogue's
        ('[signals."Vehicle.Speed"]\nfrom = "Pack.Strange"', b"\0" * 7 + b"*", 42.0),
        # no unit in the DBC either
        ('[signals."Vehicle.Speed"]\nfrom = "Pack.Mode"', b"\0" * 4 + b"\x30", 3.0),
        ('[signals."Vehicle.Speed"]\nfrom = "Wheel.Exact"', b"\0" * 4 + b"\0\0\x20\x41", 10.0),
    ],
)
def test_entry_converts_from_the_right_unit(load_map, readings, entry, data, expected):
    can_id = 0x101 if "Wheel" in entry else 0x100
    frames = FrameTable.of(ts=[0], can_id=[can_id], data=[data.ljust(8, b"\0")])
    (reading,) = readings(load_map(entry), frames).values()
    assert reading.values.tolist() == [pytest.approx(expected, rel=1e-6)]


def test_entry_of_a_float_that_is_no_number_is_unavailable(load_map, readings, cells):
    entry = '[signals."Vehicle.Speed"]\nfrom = "Wheel.Exact"'
    frames = FrameTable.of(ts=[0], can_id=[0x101], data=[b"\0" * 6 + b"\xc0\x7f"])
    assert cells(readings(load_map(entry), frames)["Vehicle.Speed"]) == ["n/a"]
