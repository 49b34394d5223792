"""Golden replays: our own small logs with every trap, and the recordings of real Leafs.

The logs are ours: frames as these cars send them, with "not available" values, a frame that is too
short, a frame that nobody knows, and an impossible speed.
"""

from pathlib import Path

import numpy as np
import pytest

from contactor.can.log import read_log
from contactor.car.profiles.profile import load_profile
from contactor.signals.record import State

HERE = Path(__file__).parent
BATTERY = "Vehicle.Powertrain.TractionBattery"
MOTOR = "Vehicle.Powertrain.ElectricMotor"
GEAR = "Vehicle.Powertrain.Transmission"
NA = "n/a"

ZE1 = {
    f"{BATTERY}.CurrentVoltage": [NA, NA, 390.0, 368.5, 370.0, 376.0],
    f"{BATTERY}.CurrentCurrent": [NA, -0.5, -0.5, -482.5, NA, -241.0, 34.0],
    f"{BATTERY}.CurrentPower": [NA, NA, -195.0, -177_801.25, NA, 12_784.0],
    f"{BATTERY}.StateOfCharge.Current": [NA, 93.4],
    f"{BATTERY}.StateOfCharge.Displayed": [NA, NA, 88.0, 87.0, 87.0, 87.0],
    f"{BATTERY}.StateOfHealth": [NA, 91.0, 91.0],
    f"{BATTERY}.NetCapacity": [NA, 55],
    f"{BATTERY}.IsPowerConnected": [False, True, False],
    "Vehicle.Contactor.RemainingEnergyUnits": [NA, 663],
    "Vehicle.Contactor.BatteryDischargePowerLimit": [NA, 180.0],
    "Vehicle.Contactor.BatteryChargePowerLimit": [NA, 21.0],
    "Vehicle.Contactor.InsulationVoltage": [NA, 4.39453125],
    f"{BATTERY}.Charging.IsCharging": [False, True, True, False],
    f"{BATTERY}.Charging.ChargeVoltage.DC": [377.0],
    f"{BATTERY}.Charging.ChargeCurrent.DC": [34.0],
    f"{MOTOR}.Speed": [NA, 0.0, -300.0, 4745.0],
    f"{MOTOR}.Torque": [0, 0, -30, 334],  # -30.5 and 334.5: half to even
    f"{MOTOR}.Power": [NA, 0, 1, 166],
    f"{MOTOR}.Temperature": [NA, 30.0],
    "Vehicle.Contactor.InverterTemperature": [NA, 10.0],
    "Vehicle.Speed": [NA, 0.0, 4.25, 97.03, None],
    "Vehicle.IsMoving": [NA, False, True, True, True],
    f"{GEAR}.SelectedGear": [126, 126, -1, 0, 127, 126, NA],
    f"{GEAR}.CurrentGear": [0, 0, -1, 0, 1, 0, NA],
    "Vehicle.LowVoltageSystemState": [NA, "ON", "ON", "ON", "ON", "ON", "OFF"],
    "Vehicle.Exterior.AirTemperature": [NA, 18.5],
}
ZE0 = {
    f"{BATTERY}.CurrentVoltage": [NA, 386.5, 386.0, 350.0],
    f"{BATTERY}.CurrentCurrent": [NA, -0.5, 2.0, -120.0],
    f"{BATTERY}.CurrentPower": [NA, -193.25, 772.0, -42_000.0],
    f"{BATTERY}.StateOfCharge.Current": [75.2],
    f"{BATTERY}.StateOfHealth": [51.0, 51.0, 51.0],
    f"{BATTERY}.Temperature.Average": [NA, 3.0, -28.0],
    f"{BATTERY}.Range": [NA, 43_000, 49_200],
    "Vehicle.Contactor.RemainingEnergyUnits": [NA, 111, 110],
    "Vehicle.Contactor.InsulationVoltage": [873 * 5 / 1024],
    f"{MOTOR}.Temperature": [46 * 5 / 9 - 160 / 9],
    "Vehicle.Contactor.InverterTemperature": [40 * 5 / 9 - 160 / 9],
    "Vehicle.Speed": [43.21],
    "Vehicle.IsMoving": [True],
    f"{GEAR}.SelectedGear": [126, 126],
    f"{GEAR}.CurrentGear": [0, 0],
    "Vehicle.LowVoltageSystemState": ["ON", "OFF"],
    "Vehicle.Exterior.AirTemperature": [NA, 5.0],
}


@pytest.mark.parametrize(("name", "expected"), [("nissan_leaf_ze1", ZE1), ("nissan_leaf_ze0", ZE0)])
def test_golden_log_gives_its_values(name, expected, readings, cells):
    log = read_log(HERE / f"golden_{name}.log")
    assert log.refused == ()
    found = readings(load_profile(name), log.frames)
    assert found.keys() == expected.keys()
    for path, values in expected.items():
        for value, wanted in zip(cells(found[path]), values, strict=True):
            if isinstance(wanted, float):
                assert value == pytest.approx(wanted, rel=1e-6), path
            else:
                assert value == wanted, path


@pytest.mark.parametrize(("name", "refused"), [("nissan_leaf_ze1", 1), ("nissan_leaf_ze0", 0)])
def test_golden_log_counts_what_is_impossible(name, refused, readings):
    log = read_log(HERE / f"golden_{name}.log")
    found = readings(load_profile(name), log.frames)
    assert sum(reading.refused for reading in found.values()) == refused
    assert found["Vehicle.Speed"].refused == refused


# ── recordings ───────────────────────────────────────────────────────────────────────────────────


class Drive:
    """A recording through a profile."""

    def __init__(self, path, profile, readings):
        frames = read_log(path).frames
        self.ts = frames.ts
        self.found = readings(load_profile(profile), frames)

    def valid(self, path):
        reading = self.found[path]
        is_valid = reading.state == State.VALID
        return self.ts[reading.rows][is_valid] / 1e9, reading.values[is_valid]

    def ends(self, path):
        values = self.valid(path)[1]
        return float(values.min()), float(values.max())

    def unavailable(self, path):
        return int((self.found[path].state == State.UNAVAILABLE).sum())

    def integral(self, path):
        at_s, values = self.valid(path)
        return float(np.trapezoid(values.astype(np.float64), at_s))

    def near(self, path, at_s):
        """The value nearest to an instant, in seconds since the log began."""
        since_s, values = self.valid(path)
        return float(values[np.argmin(np.abs(since_s - self.ts[0] / 1e9 - at_s))])


@pytest.fixture
def drive(shared_data, readings):
    return lambda log, profile: Drive(shared_data / "can" / "leaf" / log, profile, readings)


@pytest.mark.parametrize(
    ("log", "voltage_v", "current_a", "peak_kw", "speed_kmh", "distance_km", "energy_kwh"),
    [
        ("EV-CANeplus2.log", (367.5, 393.5), (-482.5, 40.0), 177.8, 97.03, 0.375, 0.285),
        ("EV-CANeplus3.log", (368.5, 395.5), (-475.5, 58.5), 176.2, 101.44, 0.285, 0.193),
    ],
)
def test_ze1_gives_the_truths_of_a_drive(
    drive, log, voltage_v, current_a, peak_kw, speed_kmh, distance_km, energy_kwh
):
    car = drive(log, "nissan_leaf_ze1")
    assert car.ends(f"{BATTERY}.CurrentVoltage") == voltage_v
    assert car.ends(f"{BATTERY}.CurrentCurrent") == current_a
    assert -car.ends(f"{BATTERY}.CurrentPower")[0] / 1000 == pytest.approx(peak_kw, abs=0.05)
    assert car.ends("Vehicle.Speed")[1] == pytest.approx(speed_kmh, abs=0.001)
    assert car.integral("Vehicle.Speed") / 3600 == pytest.approx(distance_km, abs=0.0005)
    assert -car.integral(f"{BATTERY}.CurrentPower") / 3.6e6 == pytest.approx(energy_kwh, abs=0.0005)
    assert sum(reading.refused for reading in car.found.values()) == 0


def test_ze1_motor_fits_the_battery_and_the_wheels(drive):
    car = drive("EV-CANeplus2.log", "nissan_leaf_ze1")
    assert car.ends(f"{MOTOR}.Torque") == (-30, 334)
    assert car.ends(f"{MOTOR}.Power") == (-20, 166)
    at_s, rpm = car.valid(f"{MOTOR}.Speed")
    speed_s, speed_kmh = car.valid("Vehicle.Speed")
    assert np.median(rpm / np.interp(at_s, speed_s, speed_kmh)) == pytest.approx(70.6, abs=0.1)
    at_s, motor_kw = car.valid(f"{MOTOR}.Power")
    power_s, power_w = car.valid(f"{BATTERY}.CurrentPower")
    battery_kw = -np.interp(at_s, power_s, power_w) / 1000
    is_hard = battery_kw > 50
    assert np.median(motor_kw[is_hard] / battery_kw[is_hard]) == pytest.approx(0.93, abs=0.01)


def test_ze1_agrees_with_the_battery_controllers_own_answers(drive):
    """Service 0x21 01 of the battery controller (0x7BB) in the same recording: charge x 10,000."""
    car = drive("EV-CANeplus2.log", "nissan_leaf_ze1")
    for at_s, soc_raw in ((3.017, 0x0E4207), (7.064, 0x0E35C8), (11.055, 0x0E354C)):
        soc = car.near(f"{BATTERY}.StateOfCharge.Current", at_s)
        assert soc == pytest.approx(soc_raw / 10_000, abs=0.1)


def test_ze1_gives_the_rest_of_a_drive(drive):
    car = drive("EV-CANeplus2.log", "nissan_leaf_ze1")
    assert car.ends(f"{BATTERY}.StateOfCharge.Current") == pytest.approx((93.0, 93.5))
    assert car.ends(f"{BATTERY}.StateOfHealth") == (91.0, 91.0)
    assert car.ends(f"{BATTERY}.NetCapacity") == (55, 55)
    assert car.ends("Vehicle.Contactor.RemainingEnergyUnits") == (659, 663)
    assert car.ends("Vehicle.Exterior.AirTemperature") == (18.0, 18.5)
    assert car.ends(f"{MOTOR}.Temperature") == pytest.approx((28.33, 30.0), abs=0.01)
    assert car.ends(f"{GEAR}.SelectedGear") == (127, 127)
    assert set(car.valid("Vehicle.LowVoltageSystemState")[1]) == {"ON"}
    # the 62 kWh pack leaves its usable charge empty
    assert car.unavailable(f"{BATTERY}.StateOfCharge.Displayed") == 1893


def test_ze1_gives_a_fast_charge(drive):
    car = drive("EV_can-bus_from_62_ZE1_QCcharging.txt", "nissan_leaf_ze1")
    assert car.ends(f"{BATTERY}.Charging.ChargeVoltage.DC") == (372.0, 378.0)
    assert car.ends(f"{BATTERY}.Charging.ChargeCurrent.DC") == (34.0, 35.0)
    assert car.ends(f"{BATTERY}.CurrentVoltage") == (366.5, 376.0)
    assert car.ends(f"{BATTERY}.CurrentCurrent") == (-0.5, 34.0)
    for what, most in (("Voltage", 3.0), ("Current", 1.5)):
        at_s, given = car.valid(f"{BATTERY}.Charging.Charge{what}.DC")
        pack_s, taken = car.valid(f"{BATTERY}.Current{what}")
        difference = np.abs(given - np.interp(at_s, pack_s, taken))[1:]  # the log is cut before it
        assert difference.max() <= most
    at_s, is_charging = car.valid(f"{BATTERY}.Charging.IsCharging")
    current_s, current_a = car.valid(f"{BATTERY}.CurrentCurrent")
    flows = np.interp(at_s, current_s, current_a) > 10
    assert np.mean(flows == is_charging) > 0.99
    assert car.ends("Vehicle.Speed") == (0.0, 0.0)
    assert car.ends(f"{BATTERY}.NetCapacity") == (58, 58)


def test_ze0_gives_a_car_that_is_switched_on_and_off(drive):
    car = drive("ZE0w24kWhstock.log", "nissan_leaf_ze0")
    assert car.ends(f"{BATTERY}.CurrentVoltage") == (385.0, 386.5)
    assert car.unavailable(f"{BATTERY}.CurrentVoltage") == 4
    assert car.ends(f"{BATTERY}.CurrentCurrent") == (-3.0, 2.0)
    assert car.unavailable(f"{BATTERY}.CurrentCurrent") == 1
    assert car.unavailable(f"{BATTERY}.CurrentPower") == 4
    assert car.ends(f"{BATTERY}.StateOfCharge.Current") == pytest.approx((75.1, 75.2))
    assert car.ends(f"{BATTERY}.StateOfHealth") == (51.0, 51.0)
    assert car.ends(f"{BATTERY}.Temperature.Average") == (2.0, 3.0)
    assert car.ends(f"{BATTERY}.Range") == (43_000, 49_000)
    assert car.ends("Vehicle.Contactor.RemainingEnergyUnits") == (111, 111)
    assert car.unavailable("Vehicle.Contactor.RemainingEnergyUnits") == 1
    assert car.ends("Vehicle.Exterior.AirTemperature") == (5.0, 5.0)
    assert car.unavailable("Vehicle.Exterior.AirTemperature") == 29
    assert car.ends(f"{MOTOR}.Speed") == (0.0, 0.0)
    assert car.unavailable(f"{MOTOR}.Speed") == 26
    assert car.ends(f"{MOTOR}.Temperature") == pytest.approx((7.78, 7.78), abs=0.01)
    assert car.unavailable("Vehicle.Contactor.BatteryDischargePowerLimit") == 70
    states = car.valid("Vehicle.LowVoltageSystemState")[1]
    assert (states[0], states[-1]) == ("ON", "OFF")
    is_connected = car.valid(f"{BATTERY}.IsPowerConnected")[1]
    assert np.flatnonzero(np.diff(is_connected.astype(int))).size == 2
    assert sum(reading.refused for reading in car.found.values()) == 0


def test_ze1_reads_nothing_from_the_chargers_own_bus(drive):
    car = drive("ZE1-chademo-starting-and-charging.csv", "nissan_leaf_ze1")
    assert car.found == {}
