"""Readings of single entries, most of them as properties against a plain Python oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.decode import SignalColumn
from contactor.car.profiles.entry import FEW, MapEntry, Scaling, read_entry, typed_numbers
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, State
from contactor.signals.validation import check_column
from contactor.units import convert

SPEED = "Vehicle.Speed"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
GEAR = "Vehicle.Powertrain.Transmission.SelectedGear"
TORQUE = "Vehicle.Powertrain.ElectricMotor.Torque"
RANGE = "Vehicle.Powertrain.TractionBattery.Range"
PEDAL = "Vehicle.Chassis.Accelerator.PedalPosition"
STATE = "Vehicle.LowVoltageSystemState"
CHARGING = "Vehicle.Powertrain.TractionBattery.Charging.IsCharging"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
NUMBERS = [SPEED, CHARGE, GEAR, TORQUE, RANGE, PEDAL, LATITUDE]

any_number = st.floats() | st.floats(-1000, 1000) | st.integers(-200, 200).map(float)
some_number = st.floats(-1e6, 1e6, allow_subnormal=False)


def entry(path, sources=("M.A",), **how):
    signal = catalogue()[path]
    return MapEntry(signal, sources, Group.DRIVE, is_mean=False, stale_s=10.0, **how)


def column(values, *, rows=None, unavailable=(), name="A", raw=None):
    count = len(values)
    return SignalColumn(
        message="M",
        signal=name,
        unit="",
        rows=np.arange(count) if rows is None else np.array(rows, np.int64),
        raw=np.array(values if raw is None else raw),
        values=np.array(values, np.float64),
        is_unavailable=np.isin(np.arange(count), list(unavailable)),
        labels={},
    )


def assert_sound(reading, path):
    """What the cloud will check, and what the states promise."""
    signal = catalogue()[path]
    assert reading.values.dtype == signal.datatype.dtype
    check_column(signal, Column(path, signal.datatype, reading.values, reading.state))
    assert reading.refused == int((reading.state == State.UNKNOWN).sum())
    zeros = reading.values[reading.state != State.VALID]
    assert not any(bool(value) for value in zeros.tolist())
    if reading.values.dtype.kind == "f":
        assert np.isfinite(reading.values).all()


@given(
    st.sampled_from(NUMBERS),
    st.lists(any_number, max_size=20),
    st.sets(st.integers(0, 19)),
    st.floats(-100, 100, exclude_min=True).filter(bool),
    some_number,
    st.booleans(),
    st.none() | st.tuples(some_number, some_number).map(sorted).map(tuple),
)
def test_reading_of_any_numbers_is_sound(
    path, values, unavailable, scale, offset, is_inverted, valid
):
    how = {"scaling": Scaling(scale, offset, is_inverted), "valid": valid}
    reading = read_entry(entry(path, **how), [column(values, unavailable=unavailable)])
    assert_sound(reading, path)
    marked = [row for row in range(len(values)) if row in unavailable]
    assert np.flatnonzero(reading.state == State.UNAVAILABLE).tolist() == marked


@given(st.lists(some_number, max_size=20), some_number, some_number)
def test_reading_of_a_float_is_scaled_then_converted(values, scale, offset):
    how = {"scaling": Scaling(scale, offset), "unit": "m/s"}
    reading = read_entry(entry(SPEED, **how), [column(values)])
    expected = [np.float32(convert(value * scale + offset, "m/s", "km/h")) for value in values]
    assert reading.values.tolist() == [float(value) for value in expected]


@given(st.lists(st.floats(-1e5, 1e5), max_size=20))
def test_reading_of_an_integer_is_rounded_half_to_even(values):
    reading = read_entry(entry(TORQUE), [column(values)])
    for value, cell, state in zip(
        values, reading.values.tolist(), reading.state.tolist(), strict=True
    ):
        whole = round(value)  # Python rounds half to even too
        assert (state == State.VALID) == (-(2**15) <= whole < 2**15)
        assert cell == (whole if state == State.VALID else 0)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (99.5, 100)]
)
def test_reading_rounds_halves_to_even(value, expected):
    assert read_entry(entry(PEDAL), [column([abs(value)])]).values.tolist() == [abs(expected)]
    assert read_entry(entry(TORQUE), [column([value])]).values.tolist() == [expected]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (RANGE, 2.0**32),
        (RANGE, -1.0),
        (GEAR, 128.0),
        (PEDAL, 101.0),
        (CHARGE, 100.5),
        (CHARGE, -0.1),
        (SPEED, math.inf),
        (SPEED, 1e39),
    ],
)
def test_reading_refuses_what_type_or_range_cannot_hold(path, value):
    reading = read_entry(entry(path), [column([1.0, value])])
    assert reading.state.tolist() == [State.VALID, State.UNKNOWN]
    assert reading.refused == 1


@pytest.mark.parametrize(("path", "value"), [(RANGE, 2.0**32 - 1), (GEAR, -128.0), (PEDAL, 100.4)])
def test_reading_takes_the_ends_of_type_and_range(path, value):
    assert read_entry(entry(path), [column([value])]).values.tolist() == [round(value)]


def test_reading_outside_valid_is_unknown_and_counted():
    reading = read_entry(
        entry(SPEED, valid=(0.0, 250.0)), [column([-0.1, 0.0, 250.0, 250.1, 9.0], unavailable=[3])]
    )
    assert reading.state.tolist() == [0, 1, 1, 2, 1]
    assert reading.refused == 1
    assert reading.values.tolist() == [0.0, 0.0, 250.0, 0.0, 9.0]


def test_reading_measures_valid_after_the_conversion():
    how = {"unit": "m/s", "valid": (0.0, 36.0)}
    reading = read_entry(entry(SPEED, **how), [column([10.0, 10.1])])
    assert reading.state.tolist() == [State.VALID, State.UNKNOWN]


@given(
    st.lists(st.integers(-8, 8), max_size=20),
    st.dictionaries(st.integers(-8, 8), st.sampled_from(["ON", "OFF", "ACC"]), min_size=1),
    st.none() | st.just("UNDEFINED"),
)
def test_reading_of_words_is_looked_up(raws, words, otherwise):
    one = entry(STATE, values=words, otherwise=otherwise)
    reading = read_entry(one, [column(raws)])
    assert_sound(reading, STATE)
    assert reading.refused == 0
    expected = [words.get(raw, otherwise) for raw in raws]
    assert reading.values.tolist() == [word or "" for word in expected]
    assert [state == State.VALID for state in reading.state] == [bool(word) for word in expected]
    assert all(state in {State.VALID, State.UNAVAILABLE} for state in reading.state)


def test_reading_of_words_knows_unsigned_64_bit_raw_values():
    raw = np.array([2**64 - 1, 1], np.uint64)
    one = entry(GEAR, values={2**64 - 1: -1, 1: 127})
    reading = read_entry(one, [column([0.0, 0.0], raw=raw)])
    assert reading.values.tolist() == [-1, 127]


@pytest.mark.parametrize(
    ("is_inverted", "expected"), [(False, [False, True]), (True, [True, False])]
)
def test_reading_of_a_boolean_is_whether_the_raw_value_is_not_0(is_inverted, expected):
    one = entry(CHARGING, scaling=Scaling(is_inverted=is_inverted))
    assert read_entry(one, [column([0, 1])]).values.tolist() == expected


@given(
    st.dictionaries(st.integers(0, 30), st.tuples(some_number, st.booleans()), max_size=20),
    st.dictionaries(st.integers(0, 30), st.tuples(some_number, st.booleans()), max_size=20),
)
def test_product_is_taken_row_by_row_where_both_are(one, other):
    sides = [
        column(
            [side[row][0] for row in sorted(side)],
            rows=sorted(side),
            unavailable=[place for place, row in enumerate(sorted(side)) if side[row][1]],
            name=name,
        )
        for name, side in (("A", one), ("B", other))
    ]
    reading = read_entry(entry(LATITUDE, ("M.A", "M.B"), valid=(-90.0, 90.0)), sides)
    assert_sound(reading, LATITUDE)
    assert reading.rows.tolist() == sorted(one.keys() & other.keys())
    for row, value, state in zip(
        reading.rows.tolist(), reading.values.tolist(), reading.state.tolist(), strict=True
    ):
        product = one[row][0] * other[row][0]
        if one[row][1] or other[row][1]:
            assert state == State.UNAVAILABLE
        elif abs(product) <= 90.0:
            assert (state, value) == (State.VALID, product)
        else:
            assert state == State.UNKNOWN


def test_reading_leaves_the_decoded_column_alone():
    decoded = column([1.0, 2.0], unavailable=[0])
    read_entry(entry(SPEED, scaling=Scaling(10.0, 1.0)), [decoded])
    assert decoded.values.tolist() == [1.0, 2.0]


@given(
    st.sampled_from(
        [
            (SPEED, None),
            (SPEED, (-5.0, 250.0)),
            ("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", None),
            ("Vehicle.Powertrain.Transmission.CurrentGear", None),
            ("Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit", None),
        ]
    ),
    st.lists(st.floats() | st.integers(-300, 300).map(float), min_size=1, max_size=8),
)
def test_few_numbers_are_typed_as_many_are(signal, numbers):
    path, valid = signal
    one = entry(path, valid=valid)
    few, wrong_few = typed_numbers(one, np.array(numbers))
    many, wrong_many = typed_numbers(one, np.array(numbers * (FEW + 1)))
    count = len(numbers)
    none = np.zeros(count, np.bool_)
    assert (none if wrong_few is None else wrong_few).tolist() == wrong_many[:count].tolist()
    assert few.dtype == many.dtype
    assert np.array_equal(few, many[:count], equal_nan=few.dtype.kind == "f")
