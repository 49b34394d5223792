"""Conversions: published vectors, round trips, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import InvalidValue
from contactor.signals.catalogue import catalogue
from contactor.units import UNITS, convert, find_unit

PAIRS = [(a.name, b.name) for a in UNITS for b in UNITS if a.dimension is b.dimension]
NO_UNITS = {"iso8601"}


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "expected"),
    [
        # NIST SP 811 (2008), appendix B: the exact ones to the last digit
        (1.0, "mi", "m", 1609.344),
        (1.0, "mi", "km", 1.609344),
        (1.0, "mph", "m/s", 0.44704),
        (1.0, "mph", "km/h", 1.609344),
        (1.0, "inch", "mm", 25.4),
        (1.0, "ft", "m", 0.3048),
        (1.0, "psi", "kPa", 6.894757293168361),
        (1.0, "bar", "kPa", 100.0),
        (1.0, "kWh", "MJ", 3.6),
        (1.0, "Wh", "J", 3600.0),
        (1.0, "Ah", "C", 3600.0),
        (1.0, "rpm", "rad/s", 0.10471975511965977),
        # fixed points of the temperature scales
        (0.0, "Celsius", "K", 273.15),
        (32.0, "degF", "Celsius", 0.0),
        (212.0, "degF", "Celsius", 100.0),
        (-40.0, "degF", "Celsius", -40.0),
        (100.0, "degC", "degF", 212.0),
        (0.0, "K", "degF", -459.67),
        # the ones of every day
        (36.0, "km/h", "m/s", 10.0),
        (97.03, "kph", "km/h", 97.03),
        (3700.0, "mV", "V", 3.7),
        (50.0, "%", "ratio", 0.5),
        (1.5, "h", "min", 90.0),
        (250.0, "ms", "s", 0.25),
        (180.0, "degrees", "rad", math.pi),
        (15.0, "kWh/100km", "Wh/km", 150.0),
        (553 * 100.0, "Wh", "kWh", 55.3),
    ],
)
def test_convert_gives_the_published_value(value, from_unit, to_unit, expected):
    assert convert(value, from_unit, to_unit) == pytest.approx(expected, rel=1e-15, abs=1e-13)


@given(st.sampled_from(PAIRS), st.floats(-1e9, 1e9, allow_nan=False))
def test_convert_there_and_back_is_the_value(pair, value):
    there, back = pair
    again = convert(convert(value, there, back), back, there)
    assert again == pytest.approx(value, rel=1e-12, abs=1e-9)


@given(st.sampled_from(UNITS), st.floats(allow_nan=False))
def test_convert_to_the_same_unit_changes_nothing(unit, value):
    assert convert(value, unit.name, unit.name) == value


@given(st.sampled_from(PAIRS), st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_convert_of_an_array_is_that_of_its_values(pair, values):
    array = convert(np.array(values), *pair)
    assert array.dtype == np.float64
    assert array.tolist() == [convert(value, *pair) for value in values]


def test_convert_leaves_the_callers_array_alone():
    values = np.array([1.0, 2.0])
    convert(values, "km", "m")
    assert values.tolist() == [1.0, 2.0]


def test_convert_knows_every_unit_of_the_catalogue():
    units = {signal.unit for signal in catalogue().values() if signal.unit} - NO_UNITS
    assert {unit for unit in units if find_unit(unit) is None} == set()


@pytest.mark.parametrize(
    ("alias", "name"),
    [("degC", "Celsius"), ("%", "percent"), ("kph", "km/h"), ("KM/H", "km/h"), (" V ", "V")],
)
def test_convert_knows_other_spellings(alias, name):
    found = find_unit(alias)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["MV", "mJ", "k", "KA", "M", "S"])
def test_find_unit_minds_case_where_it_could_be_a_prefix(name):
    assert find_unit(name) is None


def test_convert_says_what_is_near_to_an_unknown_unit():
    with pytest.raises(InvalidValue, match=r"unknown unit 'Celsus'; nearest: Celsius"):
        convert(1.0, "Celsus", "K")


def test_convert_says_what_is_known_where_nothing_is_near():
    with pytest.raises(InvalidValue, match=r"unknown unit 'xyzzy'; known: m/s\^2, rad, degrees"):
        convert(1.0, "V", "xyzzy")


def test_convert_refuses_units_of_different_things():
    with pytest.raises(InvalidValue, match="mi is a length, km/h is a speed"):
        convert(1.0, "mi", "km/h")


def test_no_spelling_stands_for_two_units():
    spellings = [name for unit in UNITS for name in (unit.name, *unit.aliases)]
    assert len(spellings) == len(set(spellings))
