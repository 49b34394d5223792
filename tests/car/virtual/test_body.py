"""Locks, climate and charging wish of the virtual car, as its situation changes."""

import pytest

from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.body import DOORS, Body
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S
from contactor.errors import UsageError
from contactor.physics.plan import Plan, PlanKind

PARKED = Plan(seed=1, kind=PlanKind.PARKED, live_from_ns=0).at(0)


@pytest.fixture
def body():
    return Body()


@pytest.fixture
def live(body):
    """Lets the body live from one second to the next in a changed situation."""

    def at(second, *, speed_mps=0.0, **changes):
        body.live(PARKED._replace(**changes), speed_mps=speed_mps, now_ns=second * NS_PER_S)

    return at


def test_doors_unlock_when_the_drivers_opens(body, live):
    live(0)
    assert all(body.is_locked)
    live(1, driver_door_open=True)
    assert not any(body.is_locked)


@pytest.mark.parametrize(("gear", "locks"), [("P", True), ("D", False)])
def test_doors_lock_20_s_after_the_drivers_closed_in_park(body, live, gear, locks):
    live(0, driver_door_open=True)
    body.is_locked = [False] * len(DOORS)
    live(10)
    live(29, gear=gear)
    assert not any(body.is_locked)
    live(30, gear=gear)
    live(31, gear=gear)
    assert all(body.is_locked) is locks


def test_doors_lock_above_15_kmh(body, live):
    body.is_locked[2] = False
    live(0, speed_mps=4.0)
    live(1, speed_mps=4.0)
    assert not body.is_locked[2]
    live(2, speed_mps=4.3)
    live(3, speed_mps=4.3)
    assert body.is_locked[2]


def test_charging_stays_stopped_until_the_plug_is_pulled(body, live):
    live(0, plug="ac")
    assert body.ask("ChargeCommand.StartStop", 0.0, now_ns=0)
    live(1, plug="ac")
    assert not body.is_charge_allowed
    live(2, plug="none")
    assert body.is_charge_allowed


def test_climate_does_what_was_asked_until_the_plan_changes(body, live):
    live(0, is_climate_on=False)
    assert body.ask("ClimateCommand.Climate", 1.0, now_ns=0)
    live(1, is_climate_on=False)
    assert body.is_climate_on
    live(2, is_climate_on=True)
    live(3, is_climate_on=False)
    assert not body.is_climate_on


def test_body_refuses_what_cannot_be(body):
    assert not body.ask("ClimateCommand.Target", 40.0, now_ns=0)
    assert not body.ask("ChargeCommand.Limit", 20.0, now_ns=0)
    assert not body.ask("WindowCommand.Open", 1.0, now_ns=0)
    assert body.awake_until_ns == 0


def test_profile_without_physics_makes_no_car():
    with pytest.raises(UsageError, match=r"nissan_leaf_ze0 has no physics\.toml"):
        VirtualCar(load_profile("nissan_leaf_ze0"), start_ns=0)
