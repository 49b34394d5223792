"""Six things that can be broken: each is seen in the signals, found by a test, and cleared."""

import numpy as np
import pytest

from contactor.errors import UsageError
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import drive
from tests.car.virtual.wire import read

FAULT = "Vehicle.Contactor.VirtualCar.Fault"
CHARGING = "Vehicle.Powertrain.TractionBattery.Charging"
VEHICLE, BATTERY = 0x7E0, 0x7E4


def codes(client):
    """The confirmed codes, and which of them fail now."""
    found = client.get_dtc_by_status_mask(0x08).service_data.dtcs
    return {one.id >> 8: one.status.test_failed for one in found}


def is_apart(columns):
    least, greatest = (columns[f"CellLimits.{one}CellVoltage"] for one in ("Least", "Greatest"))
    return greatest.values[-1] - least.values[-1] > 0.1


def is_stuck(columns):
    speed, motor = columns["VehicleSpeed.Speed"], columns["MotorState.MotorSpeed"]
    return np.ptp(speed.values) == 0 and np.ptp(motor.values) > 100


def is_live_behind(columns):
    contactors, link = columns["BatteryPower.Contactors"], columns["BatterySafety.LinkVoltage"]
    return contactors.values[-1] == 0 and link.values[-1] > 300


def is_leaking(columns):
    return columns["BatterySafety.InsulationResistance"].values[-1] < 200


def is_dry(columns):
    return columns["DriveStatus.CoolantLevel"].values[-1] == 0


def is_silent(columns):
    return "BatteryCharge.StateOfCharge" not in columns


# fault, its value, plan, seconds until it is found, unit, code, what the signals say
ROWS = [
    ("CellImbalance", True, PlanKind.DRIVE, 10, BATTERY, 0x0BBD, is_apart),
    ("StuckSensor", "SPEED", PlanKind.DRIVE, 60, VEHICLE, 0x0501, is_stuck),
    ("ContactorWeld", True, PlanKind.PARKED, 10, BATTERY, 0x0AA1, is_live_behind),
    ("IsolationLoss", True, PlanKind.PARKED, 15, BATTERY, 0x0AA6, is_leaking),
    ("CoolantLoss", True, PlanKind.DRIVE, 60, VEHICLE, 0x0A93, is_dry),
    ("FrameLoss", "BATTERY_MANAGEMENT", PlanKind.DRIVE, 5, VEHICLE, 0xC111, is_silent),
]


@pytest.fixture
def broken(make_car, ask):
    """A car in which something was broken by a frame, some time later, and its last frames."""

    def make(fault, value, plan, seconds):
        car = make_car(plan, state_of_charge=0.8)
        drive(car, 20)
        car.receive(ask(f"{FAULT}.{fault}", value))
        drive(car, seconds)
        assert not car.refused
        return car, drive(car, 10)

    return make


@pytest.mark.parametrize(
    ("fault", "value", "plan", "seconds", "unit", "code", "is_seen"),
    ROWS,
    ids=[row[0] for row in ROWS],
)
def test_fault_is_seen_found_and_cleared(
    make_car, broken, ask, tester, columns_of, fault, value, plan, seconds, unit, code, is_seen
):
    sound = make_car(plan, state_of_charge=0.8)
    drive(sound, 20 + seconds)
    assert not is_seen(columns_of(drive(sound, 10)))
    assert codes(tester(sound, unit)) == {}

    car, frames = broken(fault, value, plan, seconds)
    columns = columns_of(frames)
    assert is_seen(columns)
    assert columns[f"VirtualState.{fault}"].values[-1] > 0
    client = tester(car, unit)
    assert code in codes(client)

    client.clear_dtc()
    drive(car, seconds)
    assert code in codes(client), "it is still there"

    car.receive(ask(f"{FAULT}.{fault}", False if value is True else "NONE", counter=1))
    drive(car, 10)
    assert codes(client)[code] is False
    client.clear_dtc()
    frames = drive(car, 10)
    assert codes(client) == {}
    assert not is_seen(columns_of(frames))
    assert columns_of(frames)["DriveStatus.TroubleCodes"].values[-1] == 0


def test_driver_is_warned(broken, columns_of):
    columns = columns_of(broken("IsolationLoss", True, PlanKind.PARKED, 15)[1])
    assert columns["DriveStatus.WarningLamp"].values[-1] == 1
    assert columns["DriveStatus.TroubleCodes"].values[-1] == 1


def test_weak_cell_halves_the_power_and_ends_the_charge_early(make_car, ask):
    car = make_car(PlanKind.PARKED, state_of_charge=0.695)
    sound = make_car(PlanKind.PARKED, state_of_charge=0.695)
    car.receive(ask(f"{FAULT}.CellImbalance", True))
    for one in (car, sound):
        drive(one, 1200)
    assert car.physics.state.state_of_charge == pytest.approx(0.70, abs=0.001)
    assert sound.physics.state.state_of_charge > 0.71
    assert not car.physics.state.is_charging


def test_leaking_car_refuses_to_charge_and_opens_where_it_stands(make_car, ask, columns_of):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    drive(car, 30)
    assert car.physics.state.is_charging
    car.receive(ask(f"{FAULT}.IsolationLoss", True))
    drive(car, 20)
    columns = columns_of(drive(car, 5))
    assert columns["ChargeState.Charging"].values[-1] == 0
    assert columns["BatteryPower.Contactors"].values[-1] == 0
    assert columns["BatterySafety.LinkVoltage"].values[-1] < 60


def test_leaking_car_drives_on_to_the_next_stop_and_no_further(make_car, ask, columns_of):
    car = make_car(PlanKind.DRIVE)
    while car.physics.state.speed_mps < 10:
        drive(car, 1)
    car.receive(ask(f"{FAULT}.IsolationLoss", True))
    drive(car, 12)
    assert car.physics.state.speed_mps > 1
    for _ in range(120):
        drive(car, 10)
        if car.physics.state.speed_mps == 0:
            break
    drive(car, 10)
    stopped_m = car.physics.state.distance_m
    columns = columns_of(drive(car, 60))
    assert columns["BatteryPower.Contactors"].values[-1] == 0
    assert columns["GearState.SelectedGear"].values[-1] == 0
    assert np.ptp(columns["Position.Latitude"].values) == 0
    assert car.physics.state.distance_m == stopped_m


def test_weld_is_found_when_the_car_is_switched_off_and_a_workshop_ends_it(
    make_car, ask, tester, columns_of
):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    drive(car, 30)
    car.receive(ask(f"{FAULT}.ContactorWeld", True))
    drive(car, 30)
    client = tester(car, BATTERY)
    assert codes(client) == {}, "while it charges nobody can know"
    car.receive(ask(f"{CHARGING}.StartStopCharging", "STOP"))
    drive(car, 10)
    assert set(codes(client)) == {0x0AA1, 0x0AA4}
    assert int.from_bytes(read(client, 0x0205)) / 10 > 300
    car.receive(ask(f"{CHARGING}.StartStopCharging", "START", counter=1))
    drive(car, 10)
    assert not car.physics.state.is_charging
    car.receive(ask(f"{FAULT}.ContactorWeld", False, counter=1))
    drive(car, 10)
    assert not car.physics.state.is_charging
    client.clear_dtc()
    drive(car, 10)
    assert car.physics.state.is_charging


def test_car_without_coolant_gets_hot_and_weak(make_car, ask, columns_of):
    car, sound = make_car(PlanKind.DRIVE), make_car(PlanKind.DRIVE)
    car.receive(ask(f"{FAULT}.CoolantLoss", True))
    for one in (car, sound):
        drive(one, 600)
    said, healthy = (columns_of(drive(one, 2)) for one in (car, sound))
    for name in ("MotorTemperature", "InverterTemperature"):
        warmer = said[f"DriveTemperature.{name}"].values[-1]
        assert warmer > healthy[f"DriveTemperature.{name}"].values[-1] + 1.5
    limits = [one["DriveStatus.DrivePowerLimit"].values[-1] for one in (said, healthy)]
    assert limits[0] < limits[1] / 2


def test_stuck_temperature_stands_still(make_car, ask, columns_of):
    car = make_car(PlanKind.DRIVE)
    drive(car, 60)
    car.receive(ask(f"{FAULT}.StuckSensor", "MOTOR_TEMPERATURE"))
    columns = columns_of(drive(car, 300))
    assert np.ptp(columns["DriveTemperature.MotorTemperature"].values) == 0
    assert np.ptp(columns["DriveTemperature.InverterTemperature"].values) > 0


def test_stuck_speed_is_what_testers_read(make_car, ask, tester):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    car.set_fault("StuckSensor", 1)
    car.physics.state.speed_mps = 10.0
    assert int.from_bytes(read(tester(car), 0x0100)) == 0


def test_part_of_the_frames_is_lost_and_their_counters_jump(make_car, ask, columns_of, tester):
    car = make_car(PlanKind.DRIVE)
    whole = len(columns_of(drive(car, 20))["BatteryPower.Counter"].values)
    car.receive(ask(f"{FAULT}.FrameLossPart", 40))
    car.receive(ask(f"{FAULT}.FrameLoss", "BATTERY_MANAGEMENT", counter=1))
    left = columns_of(drive(car, 20))
    assert len(left["BatteryPower.Counter"].values) == pytest.approx(whole * 0.6, rel=0.1)
    assert len(left["VehicleSpeed.Speed"].values) == 1000
    assert set(codes(tester(car, VEHICLE))) == {0xC412}
    assert read(tester(car, BATTERY), 0x0103)


def test_unit_that_is_off_the_bus_answers_nobody(make_car):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    car.set_fault("FrameLoss", 2)
    assert car.diagnose(0x7E4, b"\x22\xf1\x90") == []
    assert [one for one, _ in car.diagnose(0x7DF, b"\x01\x5b")] == [0x7E8]
    car.set_fault("FrameLoss", 0)
    assert len(car.diagnose(0x7E4, b"\x22\xf1\x90")) == 1


@pytest.mark.parametrize(("name", "value"), [("Flood", 1.0), ("StuckSensor", 4.0)])
def test_what_cannot_be_broken_is_refused_with_what_can(make_car, name, value):
    with pytest.raises(UsageError, match=f"fault {name} = {value:g}; allowed: "):
        make_car(PlanKind.PARKED).set_fault(name, value)


def test_faults_and_codes_outlive_a_restart(make_car, ask, tester, columns_of):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    car.receive(ask(f"{FAULT}.ContactorWeld", True))
    car.receive(ask(f"{FAULT}.FrameLoss", "BODY", counter=1))
    car.receive(ask(f"{CHARGING}.StartStopCharging", "STOP"))
    drive(car, 20)
    kept = car.keep()
    again = make_car(PlanKind.PARKED, start_ns=car.now_ns, live_from_ns=car.now_ns, kept=kept)
    assert again.keep().faults == kept.faults
    frames = drive(again, 1)
    assert "DoorState.TrunkLocked" not in columns_of(frames)
    assert set(codes(tester(again, BATTERY))) == {0x0AA1, 0x0AA4}
    again.set_fault("ContactorWeld", 0)
    again.set_fault("FrameLoss", 0)
    again.receive(ask(f"{CHARGING}.StartStopCharging", "START"))
    drive(again, 10)
    assert not again.physics.state.is_charging, "nobody has cleared it"


def test_snapshot_tells_what_was_true_when_a_code_was_found(broken, tester):
    car, _ = broken("CoolantLoss", True, PlanKind.DRIVE, 60)
    client = tester(car, VEHICLE)
    client.config["data_identifiers"] = {0x0100: ">H", 0x0101: ">H", 0x0103: ">H", 0x010B: ">L"}
    (found,) = client.get_dtc_snapshot_by_dtc_number(0x0A9300, 0xFF).service_data.dtcs
    values = {one.did: one.data[0] for one in found.snapshots}
    assert 0 < values[0x0103] <= 8_000
    assert 3_000 < values[0x0101] < 4_100
    assert 0 < values[0x010B] <= car.physics.state.distance_m
