"""The plug by command, in place of the plan's: in, out, and by the plan again."""

import pytest

from contactor.car.virtual.override import Override
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import drive

PLUG = "Vehicle.Contactor.VirtualCar.Plug"
POWER = "Vehicle.Contactor.VirtualCar.StationPower"


@pytest.fixture
def plug(ask):
    """Ask for a plug; each frame has the next count."""
    count = iter(range(15))

    def put(car, value, path=PLUG):
        car.receive(ask(path, value, counter=next(count)))

    return put


def last(columns, name):
    return columns[name].values[-1]


def test_car_is_plugged_out_and_in_again(make_car, columns_of, plug):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    drive(car, 20)
    assert car.physics.state.is_charging
    plug(car, "NONE")
    said = columns_of(drive(car, 5))
    assert (last(said, "ChargeState.CableConnected"), last(said, "ChargeState.Charging")) == (0, 0)
    assert last(said, "VirtualState.Plug") == 1
    plug(car, "DC")
    said = columns_of(drive(car, 60))
    assert last(said, "ChargeState.PlugKind") == 2
    assert last(said, "ChargeState.ChargePower") > 80
    plug(car, "PLAN")
    said = columns_of(drive(car, 10))
    assert last(said, "ChargeState.PlugKind") == 1
    assert 5 < last(said, "ChargeState.ChargePower") < 11


def test_station_gives_what_is_asked_of_it(make_car, columns_of, plug):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    plug(car, 50.0, POWER)
    plug(car, "DC")
    said = columns_of(drive(car, 60))
    assert last(said, "VirtualState.StationPower") == pytest.approx(50.0)
    assert 40 < last(said, "ChargeState.ChargePower") < 50
    plug(car, 3.7, POWER)
    assert last(columns_of(drive(car, 10)), "ChargeState.ChargePower") < 3.7


def test_car_that_drives_is_not_plugged_in(make_car, plug):
    car = make_car(PlanKind.DRIVE)
    while car.physics.state.speed_mps < 5:
        drive(car, 1)
    plug(car, "AC")
    assert car.refused == {"value": 1}
    drive(car, 1)
    assert car.physics.state.speed_mps > 0


def test_plugged_in_car_misses_its_drive_and_takes_the_next(make_car, columns_of, plug):
    car = make_car(PlanKind.DRIVE, state_of_charge=0.4)
    plug(car, "AC")
    said = columns_of(drive(car, 120))
    assert car.physics.state.distance_m == 0
    assert last(said, "ChargeState.Charging") == 1
    assert last(said, "GearState.SelectedGear") == 0
    assert len(set(said["Position.Latitude"].values)) == 1
    plug(car, "PLAN")
    for _ in range(60):
        drive(car, 10)
        if car.physics.state.distance_m > 0:
            break
    assert car.physics.state.distance_m > 0
    assert car.physics.state.speed_mps < 30


def test_plugged_in_car_sleeps_when_it_is_full_and_charges_on_when_asked(make_car, plug, ask):
    car = make_car(PlanKind.DRIVE, state_of_charge=0.79)
    plug(car, "AC")
    for _ in range(120):
        drive(car, 60, step_s=60)
        if car.is_asleep:
            break
    assert car.is_asleep
    path = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
    car.receive(ask(path, 90))
    drive(car, 20)
    assert car.physics.state.is_charging


def test_plug_outlives_a_restart(make_car, columns_of, plug):
    car = make_car(PlanKind.PARKED, state_of_charge=0.4)
    plug(car, 22.0, POWER)
    plug(car, "DC")
    drive(car, 1)
    kept = car.keep()
    again = make_car(PlanKind.PARKED, start_ns=car.now_ns, live_from_ns=car.now_ns, kept=kept)
    said = columns_of(drive(again, 20))
    assert last(said, "ChargeState.PlugKind") == 2
    assert last(said, "VirtualState.StationPower") == pytest.approx(22.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("VirtualPlug.Plug", 4.0), ("VirtualPlug.Plug", 0.5), ("VirtualPlug.StationPower", 401.0)],
)
def test_what_no_plug_is_is_refused(field, value):
    assert not Override().ask(field, value, speed_mps=0.0)
