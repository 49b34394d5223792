"""Rows of many batches in the order in which they are stored."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from contactor.cloud.lake.frames import frame_in_order, frame_of, merge
from contactor.signals.batch import RowsBatch
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows

CARS = ("leaf", "ampera", "zoe")


def batch_of(car: str, instants: list[int], values: list[float | None]) -> RowsBatch:
    """Rows of a car with two signals."""
    speeds = Column.of("Vehicle.Speed", values)
    moving = Column.of("Vehicle.IsMoving", [value is not None for value in values])
    return RowsBatch.of(car, Rows(Group.DRIVE, np.array(instants, np.int64), (speeds, moving)))


@st.composite
def batches(draw: st.DrawFn) -> RowsBatch:
    instants = sorted(draw(st.lists(st.integers(0, 12), min_size=1, max_size=6)))
    values = draw(
        st.lists(
            st.none() | st.integers(0, 99).map(float),
            min_size=len(instants),
            max_size=len(instants),
        )
    )
    return batch_of(draw(st.sampled_from(CARS)), instants, values)


@given(st.lists(batches(), min_size=1, max_size=8))
def test_batches_in_order_are_what_sorting_all_rows_gives(parts: list[RowsBatch]) -> None:
    rows = merge([frame_of(part) for part in parts])
    wanted = rows.sort("vehicle_id", "ts", maintain_order=True)
    found = frame_in_order(parts)
    assert_frame_equal(found, wanted.select(found.columns))
    left_out = wanted.drop(found.columns)
    assert not any(column.count() for column in left_out.iter_columns())


def test_rows_of_one_instant_stay_as_they_came() -> None:
    late, early = batch_of("leaf", [5, 9], [1.0, 2.0]), batch_of("leaf", [1, 5], [3.0, 4.0])
    found = frame_in_order([late, early])
    assert found["Vehicle.Speed"].to_list() == [3.0, 1.0, 4.0, 2.0]
