"""What is asked of the virtual car: it is seen on the bus, or refused and counted."""

import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import drive

CHARGING = "Vehicle.Powertrain.TractionBattery.Charging"
DOOR = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
TRUNK = "Vehicle.Body.Trunk.Rear.IsLocked"
CLIMATE = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
TARGET = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"


def test_lock_moves_after_300_ms(make_car, columns_of, ask):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    asked_ns = car.now_ns
    car.receive(ask(DOOR, False))
    frames = drive(car, 1, step_s=0.1)
    locked = columns_of(frames)["DoorState.FrontLeftLocked"]
    assert locked.values.tolist()[0] == 1.0
    changed_ns = frames.ts[locked.rows[np.flatnonzero(locked.values == 0)[0]]]
    assert 300 * NS_PER_MS <= changed_ns - asked_ns <= 500 * NS_PER_MS
    assert columns_of(frames)["DoorState.TrunkLocked"].values.tolist() == [1.0] * 10
    assert not car.refused


@pytest.mark.parametrize(
    ("path", "value", "signal", "physical"),
    [
        (TRUNK, False, "DoorState.TrunkLocked", 0.0),
        (f"{CHARGING}.ChargeLimit", 90, "ChargeState.ChargeLimit", 90.0),
        (f"{CHARGING}.StartStopCharging", "STOP", "ChargeState.ChargeAllowed", 0.0),
        (CLIMATE, True, "ClimateState.ClimateOn", 1.0),
        (TARGET, 23.4, "ClimateState.TargetTemperature", 23.4),
    ],
)
def test_what_is_asked_is_seen_on_the_bus(make_car, columns_of, ask, path, value, signal, physical):
    car = make_car(PlanKind.PARKED)
    before = columns_of(drive(car, 1))[signal].values[-1]
    assert before != pytest.approx(physical)
    car.receive(ask(path, value))
    assert columns_of(drive(car, 1))[signal].values[-1] == pytest.approx(physical)


def test_charging_stops_and_starts_as_asked(make_car, ask):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    drive(car, 30)
    assert car.physics.state.charge_power_w > 5_000
    car.receive(ask(f"{CHARGING}.StartStopCharging", "STOP"))
    drive(car, 5)
    assert not car.physics.state.is_charging
    car.receive(ask(f"{CHARGING}.StartStopCharging", "START", counter=1))
    drive(car, 30)
    assert car.physics.state.charge_power_w > 5_000


def test_climate_takes_power(make_car, ask):
    car = make_car(PlanKind.PARKED)
    drive(car, 5)
    without_w = car.physics.state.climate_power_w
    car.receive(ask(TARGET, 28.0))
    car.receive(ask(CLIMATE, True, counter=1))
    drive(car, 5)
    assert car.physics.state.climate_power_w > without_w + 200


def changed(frames, byte):
    data = frames.data.copy()
    data[:, byte] ^= 1
    return FrameTable.of(ts=[0], can_id=frames.can_id.tolist(), data=[data[0, :4].tobytes()])


def test_wrong_checksum_is_ignored_and_counted(make_car, columns_of, ask):
    car = make_car(PlanKind.PARKED)
    car.receive(changed(ask(TRUNK, False), 3))
    car.receive(changed(ask(TRUNK, False), 0))
    assert columns_of(drive(car, 1))["DoorState.TrunkLocked"].values[-1] == 1.0
    assert car.refused == {"checksum": 2}


def test_same_counter_again_is_ignored_and_counted(make_car, columns_of, ask):
    car = make_car(PlanKind.PARKED)
    car.receive(ask(TRUNK, False, counter=4))
    car.receive(ask(DOOR, False, counter=4))
    car.receive(ask(TARGET, 22.0, counter=4))
    columns = columns_of(drive(car, 2))
    assert columns["DoorState.TrunkLocked"].values[-1] == 0.0
    assert columns["DoorState.FrontLeftLocked"].values[-1] == 1.0
    assert columns["ClimateState.TargetTemperature"].values[-1] == pytest.approx(22.0)
    assert car.refused == {"counter": 1}
    car.receive(ask(DOOR, False, counter=4))
    assert columns_of(drive(car, 1))["DoorState.FrontLeftLocked"].values[-1] == 0.0


def test_short_frame_and_impossible_value_are_ignored_and_counted(make_car, ask):
    car = make_car(PlanKind.PARKED)
    car.receive(FrameTable.of(ts=[0], can_id=[0x400], data=[b"\0\0"]))
    car.receive(ask(TARGET, 60.0))
    assert car.refused == {"length": 1, "value": 1}


def test_frames_of_others_and_its_own_are_passed_over(make_car):
    car = make_car(PlanKind.PARKED)
    own = drive(car, 1)
    car.receive(own)
    car.receive(FrameTable.empty())
    car.receive(FrameTable.of(ts=[0], can_id=[0x400], data=[b"\0\0"], is_extended=True))
    assert not car.refused


def asleep(make_car):
    """A car in the night, asleep."""
    night_ns = 1_772_500_000 * NS_PER_S  # 2026-03-03 01:06 UTC
    car = make_car(PlanKind.DAY, start_ns=night_ns, live_from_ns=night_ns + 10**18)
    for _ in range(24 * 60):
        if car.is_asleep:
            return car
        car.advance(car.now_ns + 60 * NS_PER_S)
    raise AssertionError("it never sleeps")


def test_sleeping_car_is_silent_and_wakes_for_120_s(make_car, columns_of, ask):
    car = asleep(make_car)
    assert len(drive(car, 30, step_s=0.7)) == 0
    car.receive(ask(f"{CHARGING}.ChargeLimit", 70))
    assert not car.is_asleep
    frames = drive(car, 2)
    assert columns_of(frames)["ChargeState.ChargeLimit"].values[0] == 70.0
    assert len(drive(car, 110)) > 0
    drive(car, 20)
    assert car.is_asleep


def test_wrong_command_does_not_wake(make_car, ask):
    car = asleep(make_car)
    car.receive(changed(ask(TRUNK, False), 3))
    assert car.is_asleep
    assert len(drive(car, 5)) == 0


def test_kept_car_goes_on_where_it_stood(make_car, columns_of, ask):
    car = make_car(PlanKind.PARKED)
    car.receive(ask(TRUNK, False))
    car.receive(ask(f"{CHARGING}.ChargeLimit", 90))
    drive(car, 60)
    kept = car.keep()
    again = make_car(PlanKind.PARKED, start_ns=car.now_ns, live_from_ns=car.now_ns, kept=kept)
    assert again.keep() == kept
    columns = columns_of(drive(again, 1))
    assert columns["DoorState.TrunkLocked"].values[0] == 0.0
    assert columns["ChargeState.ChargeLimit"].values[0] == 90.0
