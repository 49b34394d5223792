"""Sums per minute and hour: of rows, and of sums."""

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.lake.schema import HOUR, MINUTE
from contactor.cloud.lake.upkeep.tiers import combine, month_of, sums_of, tier_tables
from contactor.signals.groups import Group
from tests.cloud.lake.samples import CELLS, DAY, GEAR, NA, SPEED, T0, VIN, S, frame

OPEN = "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"


def test_a_minute_has_count_extremes_mean_and_last() -> None:
    rows = frame(Group.DRIVE, [T0, T0 + S, T0 + 59 * S, T0 + 60 * S], {SPEED: [1.0, 5.0, NA, 2.0]})
    sums = sums_of(rows, MINUTE).drop("text")
    assert sums.rows() == [
        ("leaf", T0, SPEED, 2, 1.0, 5.0, 3.0, 5.0, T0 + S),
        ("leaf", T0 + 60 * S, SPEED, 1, 2.0, 2.0, 2.0, 2.0, T0 + 60 * S),
    ]


def test_truths_are_numbers_and_texts_have_no_extremes() -> None:
    rows = frame(Group.SLOW, [T0, T0 + S], {OPEN: [True, False], VIN: ["a", "b"]})
    sums = sums_of(rows, HOUR).select("path", "row_count", "min", "max", "mean", "number", "text")
    assert sums.rows() == [
        (OPEN, 2, 0.0, 1.0, 0.5, 0.0, None),
        (VIN, 2, None, None, None, None, "b"),
    ]


def test_arrays_have_sums_per_hour_only() -> None:
    rows = frame(Group.CELLS, [T0, T0 + S], {CELLS: [(3.5, 3.75), (3.25,)]})
    assert sums_of(rows, MINUTE).is_empty()
    assert sums_of(rows, HOUR).select("row_count", "text", "last_ts").rows() == [
        (2, "[3.25]", T0 + S)
    ]


def test_events_are_summed_by_their_path() -> None:
    rows = frame(Group.EVENTS, [T0, T0 + S], {GEAR: [1, 3], VIN: [None, "x"]})
    sums = sums_of(rows, HOUR).select("path", "row_count", "max", "number", "text")
    assert sorted(sums.rows()) == [(GEAR, 2, 3.0, 3.0, None), (VIN, 1, None, None, "x")]


def test_tables_lie_in_the_month_of_their_spans() -> None:
    may_end = T0 + 30 * DAY
    rows = frame(Group.DRIVE, [may_end, may_end + DAY], {SPEED: [1.0, 2.0]})
    tables = list(tier_tables(rows, HOUR))
    assert [table.day for table in tables] == [date(2024, 5, 1), date(2024, 6, 1)]
    assert month_of(may_end) == date(2024, 5, 1)


READINGS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(-5, 5), st.sampled_from(["a", "b"])),
    min_size=1,
    max_size=60,
    unique_by=lambda reading: (reading[0], reading[2]),
)


@given(readings=READINGS, data=st.data())
def test_sums_of_any_pieces_combine_to_the_sums_of_all(
    readings: list[tuple[int, int, str]], data: st.DataObject
) -> None:
    def rows(some: list[tuple[int, int, str]]) -> pl.DataFrame:
        frames = [
            frame(Group.DRIVE, [T0 + ts * S], {SPEED: [float(value)]}, vehicle)
            for ts, value, vehicle in some
        ]
        return pl.concat(frames).sort("vehicle_id", "ts")

    whole = sums_of(rows(readings), MINUTE)
    shuffled = data.draw(st.permutations(readings))
    cut = data.draw(st.integers(0, len(shuffled)))
    pieces = [sums_of(rows(some), MINUTE) for some in (shuffled[:cut], shuffled[cut:]) if some]
    found = combine(pieces)
    assert found.drop("mean").equals(whole.drop("mean"))
    assert ((found["mean"] - whole["mean"]).abs() < 1e-5).all()
