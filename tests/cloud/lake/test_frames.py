import numpy as np
import polars as pl
import pytest

from contactor.cloud.lake.frames import empty, merge, rows_to_frames
from contactor.errors import LakeError
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows
from tests.cloud.lake.samples import CELLS, CODES, GEAR, NA, SPEED, T0, VIN, S, frame


def test_wide_frames_hold_a_column_per_signal_in_its_storage_type() -> None:
    made = frame(Group.DRIVE, [T0, T0 + S], {SPEED: [1.5, None], GEAR: [-1, 126]})
    assert made.schema == {
        "vehicle_id": pl.String,
        "ts": pl.Int64,
        SPEED: pl.Float32,
        GEAR: pl.Int8,
        "unavailable": pl.List(pl.String),
    }
    assert made.drop("unavailable").rows() == [("leaf", T0, 1.5, -1), ("leaf", T0 + S, None, 126)]


def test_unavailable_cells_are_null_and_listed_in_their_row() -> None:
    made = frame(Group.DRIVE, [T0, T0 + S, T0 + 2 * S], {SPEED: [NA, NA, 1.0], GEAR: [NA, 1, 1]})
    assert made[SPEED].to_list() == [None, None, 1.0]
    assert made["unavailable"].to_list() == [[SPEED, GEAR], [SPEED], None]


def test_a_column_that_was_only_unavailable_is_kept_and_an_unknown_one_is_not() -> None:
    made = frame(Group.DRIVE, [T0], {SPEED: [NA], GEAR: [None]})
    assert SPEED in made.columns
    assert GEAR not in made.columns


@pytest.mark.parametrize(
    ("datatype", "values", "stored"),
    [
        (Datatype.UINT8, [0, 255], pl.Int16),
        (Datatype.UINT16, [0, 65_535], pl.Int32),
        (Datatype.UINT32, [0, 2**32 - 1], pl.Int64),
        (Datatype.INT64, [-(2**63), 2**63 - 1], pl.Int64),
        (Datatype.BOOLEAN, [True, False], pl.Boolean),
        (Datatype.STRING, ["", "ü"], pl.String),
        (Datatype.UINT8_ARRAY, [(), (0, 255)], pl.List(pl.Int16)),
        (Datatype.STRING_ARRAY, [("a",), ()], pl.List(pl.String)),
    ],
)
def test_every_value_fits_its_storage_type(
    datatype: Datatype, values: list[object], stored: pl.DataType
) -> None:
    column = Column.of("Vehicle.X", values, datatype)  # type: ignore[arg-type]
    made = rows_to_frames("leaf", Rows(Group.SLOW, np.array([T0, T0]), (column,)))
    assert made.schema["Vehicle.X"] == stored
    assert made["Vehicle.X"].to_list() == [
        list(value) if isinstance(value, tuple) else value for value in values
    ]


def test_uint64_is_refused() -> None:
    column = Column.of("Vehicle.X", [1], Datatype.UINT64)
    with pytest.raises(LakeError, match="holds no uint64"):
        rows_to_frames("leaf", Rows(Group.SLOW, np.array([T0]), (column,)))


def test_events_are_long_and_keep_the_order_of_rows() -> None:
    made = frame(
        Group.EVENTS,
        [T0, T0, T0 + S],
        {VIN: ["x", None, NA], CODES: [("P0", "ü"), None, ()], SPEED: [None, 1.5, None]},
    )
    assert made.rows() == [
        ("leaf", T0, VIN, None, "x", None),
        ("leaf", T0, CODES, None, '["P0","ü"]', None),
        ("leaf", T0, SPEED, 1.5, None, None),
        ("leaf", T0 + S, VIN, None, None, [VIN]),
        ("leaf", T0 + S, CODES, None, "[]", None),
    ]


def test_merge_fills_the_columns_that_a_frame_lacks() -> None:
    merged = merge(
        [frame(Group.DRIVE, [T0], {SPEED: [1.0]}), frame(Group.DRIVE, [T0], {GEAR: [2]}, "b")]
    )
    assert merged.select("vehicle_id", SPEED, GEAR).rows() == [("leaf", 1.0, None), ("b", None, 2)]


def test_empty_frames_merge_with_others() -> None:
    cells = frame(Group.CELLS, [T0], {CELLS: [(3.5, 3.6)]})
    assert merge([empty(Group.CELLS), cells]).height == 1
    assert merge([empty(Group.EVENTS), frame(Group.EVENTS, [T0], {VIN: ["x"]})]).height == 1
