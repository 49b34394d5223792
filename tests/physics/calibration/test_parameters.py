"""What a fit may change, and how far, is within what the physics and a profile allow."""

import dataclasses

import pytest

from contactor.car.profiles.profile import load_profile
from contactor.physics.calibration import PARAMETERS
from contactor.physics.calibration.parameters import (
    BY_NAME,
    CONSTANT,
    LOAD,
    allowed,
    value_of,
    with_value,
)
from contactor.physics.parameters import CarParameters, ranges_of

CARS = ["contactor_ev", "nissan_leaf_ze1", "renault_twizy", "tesla_model_3"]


@pytest.mark.parametrize("name", CARS)
@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda one: one.name)
def test_range_is_inside_what_a_profile_may_say(name, parameter):
    physics = load_profile(name).physics
    group, _, field = parameter.name.partition(".")
    groups = {one.name: type(getattr(physics, one.name)) for one in dataclasses.fields(physics)}
    possible = ranges_of(groups[group])[field]
    low, high = parameter.range_of(value_of(physics, parameter.name))
    assert possible.low <= low < high <= possible.high
    assert allowed(physics, parameter.name) == (low, high)


def test_range_ends_where_that_of_a_profile_does():
    light = with_value(load_profile("renault_twizy").physics, "body.mass_kg", 320.0)
    assert allowed(light, "body.mass_kg") == pytest.approx((300, 368))


def test_ranges_are_those_that_were_stated():
    assert BY_NAME["body.mass_kg"].range_of(2000.0) == pytest.approx((1700.0, 2300.0))
    assert BY_NAME["driveline.gear_efficiency"].range_of(0.9) == (0.6, 0.99)
    low, high = BY_NAME["driveline.inverter_loss"].range_of(0.02)
    assert (1 - high, 1 - low) == pytest.approx((0.8, 0.99))


@pytest.mark.parametrize("name", [LOAD, CONSTANT, *BY_NAME])
def test_changing_one_number_changes_no_other(name):
    before = load_profile("contactor_ev").physics
    assert isinstance(before, CarParameters)
    after = with_value(before, name, value_of(before, name) * 1.01)
    assert value_of(after, name) == pytest.approx(value_of(before, name) * 1.01)
    assert with_value(after, name, value_of(before, name)) == before
