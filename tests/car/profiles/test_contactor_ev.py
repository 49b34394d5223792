"""Our own car's profile: sound, complete, and fine enough."""

import pytest

from contactor.can.database import SignalRole
from contactor.can.plan import compile_plan
from contactor.car.profiles.check import check_profile
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.hearing import FIELDS
from contactor.signals.groups import Group

BATTERY = "Vehicle.Powertrain.TractionBattery"


@pytest.fixture(scope="module")
def profile():
    return load_profile("contactor_ev")


def test_profile_has_nothing_to_find(profile):
    assert check_profile(profile.folder) == []


def test_every_value_can_say_that_it_is_not_available(profile):
    plan = compile_plan(profile.database)
    for message, planned in zip(profile.database.messages, plan.messages, strict=True):
        if message.cycle_time_ms is None:
            continue
        roles = {signal.name: signal for signal in message.signals}
        for signal in planned.signals:
            if roles[signal.name].role is None and not roles[signal.name].is_multiplexer:
                assert len(signal.unavailable) == 1, signal.name


def test_numbers_are_fine_enough(profile):
    scales = {
        f"{message.name}.{signal.name}": signal.scale
        for message in profile.database.messages
        for signal in message.signals
    }
    for name, finest in {
        "BatteryPower.PackVoltage": 0.1,
        "BatteryPower.PackCurrent": 0.1,
        "VehicleSpeed.Speed": 0.01,
        "BatteryCharge.StateOfCharge": 0.1,
        "BatteryCharge.DisplayedStateOfCharge": 0.1,
        "CellVoltages.Cell1": 0.001,
    }.items():
        assert scales[name] <= finest, name


def test_commands_are_counted_and_summed_and_nothing_else_is_without_a_cycle(profile):
    commands = [one for one in profile.database.messages if one.cycle_time_ms is None]
    assert [one.name for one in commands] == [
        *("DoorCommand", "ChargeCommand", "ClimateCommand", "VirtualFault", "VirtualPlug")
    ]
    for message in commands:
        roles = {signal.role for signal in message.signals}
        assert {SignalRole.COUNTER, SignalRole.CRC8_J1850} <= roles


def test_every_actuator_is_limited_heard_and_read_back(profile):
    limited = {limit.path for limit in profile.limits.entries}
    actuators = {entry.path: entry.frame for entry in profile.map.actuators}
    assert actuators.keys() == limited
    assert actuators.keys() <= set(profile.map.paths)
    assert set(actuators.values()) == set(FIELDS)


def test_what_people_do_reaches_the_cloud_at_once(profile):
    for path in (
        "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked",
        "Vehicle.Powertrain.Transmission.SelectedGear",
        f"{BATTERY}.Charging.ChargeLimit",
        f"{BATTERY}.Charging.ChargingPort.AnyPosition.IsChargingCableConnected",
    ):
        assert profile.map.group_of(path) is Group.EVENTS, path
    assert profile.map.group_of(f"{BATTERY}.CellVoltage.CellVoltages") is Group.CELLS
    assert profile.map.group_of("Vehicle.Speed") is Group.DRIVE
    assert profile.map.is_mean(f"{BATTERY}.CurrentPower")
