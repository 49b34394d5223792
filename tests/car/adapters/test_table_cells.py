import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.adapters.table_cells import read_column
from contactor.car.adapters.table_map import SignalMap
from contactor.signals.record import State
from contactor.signals.validation import check_column

SPEED = "Vehicle.Speed"
VOLTAGE = "Vehicle.Powertrain.TractionBattery.CurrentVoltage"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
PARK_LOCK = "Vehicle.Powertrain.Transmission.IsParkLockEngaged"
FIX = "Vehicle.CurrentLocation.GNSSReceiver.FixType"
NAME = "Vehicle.VehicleIdentification.Brand"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"


def read(path, cells, *, decimal=".", **how):
    """Plain values, and the refusals by reason."""
    series = cells if isinstance(cells, pl.Series) else pl.Series(cells, strict=False)
    one = SignalMap(path, ("x",), **how)
    column, refusals = read_column([series], one, decimal=decimal)
    check_column(one.signal, column)
    assert column.values.dtype == (
        object if one.signal.datatype.is_array else column.datatype.dtype
    )
    return column.to_list(), {
        refusal.reason: refusal.count for refusal in refusals if refusal.count
    }


@given(st.lists(st.none() | st.floats(0, 400, width=32), min_size=1))
def test_cells_of_a_float_come_back_equal(cells):
    for dtype in (pl.Float32, pl.Float64):
        assert read(SPEED, pl.Series(cells, dtype=dtype)) == (cells, {})
    words = pl.Series(["" if cell is None else repr(cell) for cell in cells])
    assert read(SPEED, words) == (cells, {})


@given(st.lists(st.none() | st.floats(-90, 90), min_size=1))
def test_cells_of_a_double_come_back_equal(cells):
    assert read(LATITUDE, pl.Series(cells, dtype=pl.Float64)) == (cells, {})
    words = pl.Series(["" if cell is None else repr(cell) for cell in cells])
    assert read(LATITUDE, words) == (cells, {})


@given(st.lists(st.none() | st.integers(-200, 200), min_size=1))
def test_cells_of_an_integer_are_kept_or_told(cells):
    expected = [cell if cell is not None and -128 <= cell <= 127 else None for cell in cells]
    lost = sum(cell is not None for cell in cells) - sum(cell is not None for cell in expected)
    told = {f"{GEAR} outside -128..127": lost} if lost else {}
    for dtype in (pl.Int16, pl.Int64, pl.Float64):
        assert read(GEAR, pl.Series(cells, dtype=dtype)) == (expected, told)
    assert read(GEAR, pl.Series(cells, dtype=pl.Int16).cast(pl.String)) == (expected, told)


@given(st.lists(st.text(max_size=6) | st.floats().map(str) | st.none(), min_size=1))
def test_cells_of_any_text_are_valid_or_null(cells):
    series = pl.Series(cells, dtype=pl.String)
    for path in (SPEED, CHARGE, GEAR, PARK_LOCK, FIX, NAME):
        read(path, series)


@given(st.lists(st.floats() | st.none(), min_size=1))
def test_cells_of_any_float_are_valid_or_null(cells):
    series = pl.Series(cells, dtype=pl.Float64)
    for path in (SPEED, CHARGE, GEAR, PARK_LOCK, FIX, NAME):
        read(path, series)
    read(SPEED, series, scale=1e308, offset=-1e308)


def test_cells_that_are_null_or_not_finite_are_unknown():
    cells = [1.0, None, float("nan"), float("inf"), float("-inf")]
    assert read(SPEED, cells) == ([1.0, None, None, None, None], {})


def test_cells_that_are_missing_words_are_unknown():
    assert read(SPEED, ["1", "", " ", "NaN", "N/A", "null", "-", "None"]) == (
        [1.0, *[None] * 7],
        {},
    )


def test_cells_that_are_no_number_are_told_with_an_example():
    column, refusals = read_column(
        [pl.Series(["1", "fast", "2 km/h"])], SignalMap(SPEED, ("x",)), decimal="."
    )
    assert column.to_list() == [1.0, None, None]
    told = [(one.reason, one.count, one.example) for one in refusals if one.count]
    assert told == [(f"{SPEED}: not a number", 2, "fast")]


def test_cells_outside_the_catalogue_or_the_map_are_told():
    assert read(CHARGE, [-0.1, 0.0, 100.0, 100.1]) == (
        [None, 0.0, 100.0, None],
        {f"{CHARGE} outside 0..100": 2},
    )
    assert read(SPEED, [-1.0, 0.0, 250.0, 655.35], valid=(0.0, 250.0)) == (
        [None, 0.0, 250.0, None],
        {f"{SPEED} outside 0..250": 2},
    )


def test_cells_too_large_for_a_float_are_told():
    assert read(SPEED, [1e39, 1.0]) == ([None, 1.0], {f"{SPEED} outside float": 1})


def test_cells_of_an_integer_signal_must_be_whole():
    assert read(GEAR, [1.0, 1.5, 2.0]) == ([1, None, 2], {f"{GEAR}: not a whole number": 1})
    assert read(GEAR, ["1", "1.5", "2.0"]) == ([1, None, 2], {f"{GEAR}: not a whole number": 1})


def test_cells_that_were_scaled_to_a_whole_number_may_be_off_by_the_rounding_of_floats():
    assert 29 * 0.1 / 0.1 != 3 * 0.1 * 10
    assert read(GEAR, [0.3, 2.9, 2.95], scale=10.0) == (
        [3, 29, None],
        {f"{GEAR}: not a whole number": 1},
    )


def test_cells_are_scaled_shifted_converted_and_then_bounded():
    values, told = read(
        SPEED, [100, 200, 2_000], scale=0.1, offset=-1.0, unit="m/s", valid=(0.0, 100.0)
    )
    assert values == [np.float32(32.4), np.float32(68.4), None]
    assert told == {f"{SPEED} outside 0..100": 1}


def test_cells_with_a_decimal_comma_are_read():
    assert read(SPEED, ["1,5", "2", "1.234,5"], decimal=",")[0] == [1.5, 2.0, None]


def test_cells_of_a_boolean_take_true_false_one_and_zero():
    expected = [True, False, None]
    assert read(PARK_LOCK, [True, False, None]) == (expected, {})
    assert read(PARK_LOCK, [1, 0, None]) == (expected, {})
    assert read(PARK_LOCK, [1.0, 0.0, None]) == (expected, {})
    assert read(PARK_LOCK, ["TRUE", " false ", ""]) == (expected, {})
    assert read(PARK_LOCK, ["on", "1", "0"]) == (
        [None, True, False],
        {f"{PARK_LOCK}: not true, false, 1 or 0": 1},
    )


def test_cells_of_text_must_be_one_of_the_words():
    assert read(FIX, ["NONE", "TWO_D", "4D", None]) == (
        ["NONE", "TWO_D", None, None],
        {f"{FIX}: not one of its words": 1},
    )
    assert read(NAME, pl.Series(["a", None, "b"], dtype=pl.Categorical)) == (["a", None, "b"], {})


def test_cells_of_text_have_a_longest_length():
    told = {f"{NAME}: more than 8192 characters": 1}
    assert read(NAME, ["x" * 8_193, "y"]) == ([None, "y"], told)


@pytest.mark.parametrize("cells", [["0", "3", "9"], [0, 3, 9], [0.0, 3.0, 9.0]])
def test_cells_are_named_by_the_values_of_the_map(cells):
    values = (("0", "NONE"), ("3", "THREE_D"))
    assert read(FIX, cells, values=values) == (
        ["NONE", "THREE_D", None],
        {f"{FIX}: no value for the word": 1},
    )


def test_cells_named_by_the_map_become_numbers_and_booleans():
    assert read(GEAR, ["P", " R", "D", None], values=(("P", 0), ("R", -1), ("D", 1))) == (
        [0, -1, 1, None],
        {},
    )
    assert read(PARK_LOCK, ["locked", "open"], values=(("locked", True), ("open", False))) == (
        [True, False],
        {},
    )
    assert read(PARK_LOCK, [True, False], values=(("true", False), ("false", True)))[0] == [
        False,
        True,
    ]


def test_cells_of_an_array_come_from_a_list_column():
    cells = [[4.1, 4.2], None, [4.1, None], [], [4.1, float("nan")], [4.0]]
    values, told = read(CELLS, pl.Series(cells, dtype=pl.List(pl.Float32)))
    assert values == [
        (np.float32(4.1), np.float32(4.2)),
        None,
        None,
        (),
        None,
        (4.0,),
    ]
    assert told == {}
    assert read(CELLS, pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int16, 2)))[0] == [
        (1.0, 2.0),
        (3.0, 4.0),
    ]


def test_cells_of_an_array_come_from_columns_side_by_side():
    one = SignalMap(CELLS, ("c1", "c2"), scale=0.001, valid=(2.0, 5.0))
    columns = [pl.Series([4_100, 4_000, 9_000]), pl.Series([4_000, None, 4_000])]
    column, refusals = read_column(columns, one, decimal=".")
    assert column.to_list() == [(np.float32(4.1), 4.0), None, None]
    assert {one.reason: one.count for one in refusals if one.count} == {f"{CELLS} outside 2..5": 1}
    assert column.state.tolist() == [State.VALID, State.UNKNOWN, State.UNKNOWN]


def test_cells_of_an_array_have_a_greatest_number():
    values, told = read(CELLS, pl.Series([[0.0] * 4_097, [1.0]]))
    assert values == [None, (1.0,)]
    assert told == {f"{CELLS}: more than 4096 elements": 1}


def test_cells_of_large_integers_stay_exact():
    path = "Vehicle.Contactor.RemainingEnergyUnits"
    assert read(path, ["65535", "65536", "-1"])[0] == [65_535, None, None]
    assert read(path, pl.Series([2**64 - 1, 7], dtype=pl.UInt64))[0] == [None, 7]


def test_cells_of_no_rows_are_a_column_of_none():
    for path in (SPEED, GEAR, PARK_LOCK, FIX):
        assert read(path, pl.Series([], dtype=pl.String)) == ([], {})
    assert read(CELLS, pl.Series([], dtype=pl.List(pl.Float64))) == ([], {})
