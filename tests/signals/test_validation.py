"""What values mean: type, range, allowed words, arrays."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import InvalidValue
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State
from contactor.signals.validation import check_column, check_rows, check_value

STATE_OF_CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
CELL_VOLTAGES = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
SYSTEM_STATE = "Vehicle.LowVoltageSystemState"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Vehicle.Speed", 41),
        (STATE_OF_CHARGE, 100.0),
        ("Vehicle.IsMoving", True),
        ("Vehicle.Powertrain.Transmission.CurrentGear", -128),
        (SYSTEM_STATE, "ON"),
        (CELL_VOLTAGES, (3.9, 3.91)),
        ("Vehicle.Diagnostics.DTCList", ("P0A80",)),
    ],
)
def test_allowed_value_comes_back(path: str, value: object) -> None:
    assert check_value(catalogue()[path], value) == value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (STATE_OF_CHARGE, 100.5, r"100\.5 is not a finite float in 0\.\.100"),
        (STATE_OF_CHARGE, math.nan, "nan is not a finite float"),
        (STATE_OF_CHARGE, math.inf, "inf is not a finite float"),
        (STATE_OF_CHARGE, "80", "'80' is no float"),
        (STATE_OF_CHARGE, True, "True is no float"),
        (STATE_OF_CHARGE, (80.0,), "is no float"),
        ("Vehicle.Powertrain.Transmission.CurrentGear", 128, r"128 is outside -128\.\.127"),
        ("Vehicle.Powertrain.Transmission.CurrentGear", 1.5, "is no int8"),
        ("Vehicle.IsMoving", 1, "1 is no boolean"),
        (SYSTEM_STATE, "RUN", "is not one of UNDEFINED, LOCK, OFF, ACC, ON, START"),
        (CELL_VOLTAGES, 3.9, "is no array of float"),
        (CELL_VOLTAGES, (3.9, "x"), "'x' is no float"),
    ],
)
def test_wrong_value_is_refused_with_path_and_what_is_allowed(
    path: str, value: object, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message) as caught:
        check_value(catalogue()[path], value)
    assert str(caught.value).startswith(path)


@given(st.lists(st.none() | st.floats(-200, 300), max_size=8))
def test_column_is_refused_exactly_when_one_of_its_values_is(values: list[float | None]) -> None:
    signal = catalogue()[STATE_OF_CHARGE]
    column = Column.of(STATE_OF_CHARGE, values)
    wrong = [v for v in values if v is not None and not 0 <= np.float32(v) <= 100]
    if not wrong:
        check_column(signal, column)
        return
    with pytest.raises(InvalidValue):
        check_column(signal, column)


def test_cells_that_hold_no_value_are_not_checked() -> None:
    column = Column.of(SYSTEM_STATE, [None, "ON"])
    assert column.values[0] == ""
    check_column(catalogue()[SYSTEM_STATE], column)


def test_column_of_another_type_is_refused() -> None:
    speed = Column.of("Vehicle.Speed", [1.0])
    with pytest.raises(InvalidValue, match="sent as float; it is boolean"):
        check_column(catalogue()["Vehicle.IsMoving"], speed)


def test_rows_with_an_unknown_path_are_refused() -> None:
    speed = Column.of("Vehicle.Speed", [1.0])
    stranger = Column("Vehicle.Warp", speed.datatype, speed.values, speed.state)
    with pytest.raises(InvalidValue, match=r"unknown signal 'Vehicle\.Warp'"):
        check_rows(Rows(Group.DRIVE, np.array([0], np.int64), (stranger,)))


def test_array_elements_are_checked_each() -> None:
    with pytest.raises(InvalidValue, match="nan"):
        check_column(catalogue()[CELL_VOLTAGES], Column.of(CELL_VOLTAGES, [(3.9, math.nan)]))


def test_long_array_is_refused() -> None:
    column = Column.of(CELL_VOLTAGES, [tuple([3.9] * 5000)])
    with pytest.raises(InvalidValue, match="array of 5000"):
        check_column(catalogue()[CELL_VOLTAGES], column)


def test_unavailable_is_a_state_of_its_own() -> None:
    assert {state.value for state in State} == {0, 1, 2}


def test_word_with_a_trailing_nul_is_not_the_word() -> None:
    with pytest.raises(InvalidValue):
        check_column(catalogue()[SYSTEM_STATE], Column.of(SYSTEM_STATE, ["ON\0"]))
