"""What is due, from what a snapshot shows."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.plan import MAX_SMALL, Kind, due, overlapping
from contactor.errors import UsageError

TODAY = date(2024, 5, 10)
NOW = (TODAY - date(1970, 1, 1)).days * NS_PER_DAY + 12 * 3600 * NS_PER_S
GROUPS = {"Vehicle.Speed": frozenset({"drive"})}


def part(
    day: date,
    *,
    group: str = "drive",
    rows: int = 10,
    vehicles: tuple[str, str] = ("a", "z"),
    is_packed: bool = False,
) -> Part:
    return Part(group, day, rows, vehicles, (0, 0), pl.DataFrame(), is_packed)


def kinds(parts: Sequence[Part], **options: object) -> list[tuple[str, str, int]]:
    snapshot = Snapshot(1, tuple(parts), GROUPS)
    tasks = due(snapshot, now_ns=NOW, **options)  # type: ignore[arg-type]  # as named there
    return [(task.kind.value, task.group, len(task.parts)) for task in tasks]


def test_a_running_day_is_left_until_its_parts_are_many() -> None:
    assert kinds([part(TODAY)] * (MAX_SMALL - 1)) == []
    assert kinds([part(TODAY)] * MAX_SMALL) == [("merge", "drive", MAX_SMALL)]


def test_a_running_days_parts_are_merged_in_bounded_memory() -> None:
    assert kinds([part(TODAY, rows=500_000)] * 12) == [("merge", "drive", 4)] * 3
    assert kinds([part(TODAY, rows=1_500_000)] * 3) == []  # large enough as they are


def test_a_day_that_is_over_is_packed() -> None:
    yesterday = TODAY - timedelta(days=1)
    assert kinds([part(yesterday)]) == [("pack", "drive", 1)]
    assert kinds([part(yesterday, is_packed=True)]) == []


def test_a_day_is_over_an_hour_after_its_end() -> None:
    yesterday = Snapshot(1, (part(TODAY - timedelta(days=1)),), GROUPS)
    midnight = NOW - 12 * 3600 * NS_PER_S
    assert due(yesterday, now_ns=midnight + 3599 * NS_PER_S) == []
    assert len(due(yesterday, now_ns=midnight + 3600 * NS_PER_S)) == 1


def test_late_rows_wait_for_a_thorough_run_or_to_be_many() -> None:
    packed, late = part(date(2024, 5, 1), is_packed=True), part(date(2024, 5, 1))
    assert kinds([packed, late]) == []
    assert kinds([packed, late], is_thorough=True) == [("pack", "drive", 2)]
    assert kinds([packed, *[late] * MAX_SMALL]) == [("pack", "drive", MAX_SMALL + 1)]


def test_sums_of_the_same_vehicles_are_combined_when_they_are_many() -> None:
    sums = part(date(2024, 5, 1), group="minute", is_packed=True)
    assert kinds([sums] * 15) == []
    assert kinds([sums] * 16) == [("pack", "minute", 16)]
    assert kinds([sums] * 2, is_thorough=True) == [("pack", "minute", 2)]


def test_bookkeeping_is_joined_and_stream_states_in_a_thorough_run() -> None:
    assert kinds([part(TODAY, group="gaps")] * 16) == [("pack", "gaps", 16)]
    assert kinds([part(TODAY, group="streams")] * 3) == []
    streams = [part(TODAY, group="streams"), part(date(2024, 5, 1), group="streams")]
    assert kinds(streams, is_thorough=True) == [("pack", "streams", 2)]


def test_parts_whose_ranges_cross_are_found() -> None:
    ranges = [("a", "c"), ("d", "f"), ("e", "g"), ("h", "h"), ("h", "k"), ("m", "n")]
    parts = [part(TODAY, vehicles=vehicles) for vehicles in ranges]
    assert [found.vehicles for found in overlapping(parts)] == ranges[1:5]
    whole = [part(TODAY, vehicles=("a", "z")), *parts]
    assert len(overlapping(whole)) == len(whole)


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_retired_unless_an_age_is_set() -> None:
    old = [part(date(1990, 1, 1), is_packed=True), part(date(1990, 1, 1), group="hour")]
    assert kinds(old) == []


def test_days_older_than_rows_are_kept_are_retired_and_noted() -> None:
    parts = [part(TODAY - timedelta(days=days), is_packed=True) for days in (9, 8, 7)]
    tasks = due(Snapshot(1, tuple(parts), GROUPS), now_ns=NOW, ages=Ages(raw_days=7))
    assert [task.kind for task in tasks] == [Kind.RETIRE] * 2
    assert [dict(task.kept_from) for task in tasks] == [
        {"raw": date(2024, 5, 2)},
        {"raw": date(2024, 5, 3)},
    ]


def test_sums_are_retired_by_the_month() -> None:
    months = [date(2024, month, 1) for month in (2, 3, 4)]
    parts = [part(day, group="minute", is_packed=True) for day in months]
    tasks = due(
        Snapshot(1, tuple(parts), GROUPS), now_ns=NOW, ages=Ages(raw_days=1, minute_days=45)
    )
    assert [(task.day, dict(task.kept_from)) for task in tasks] == [
        (months[0], {"minute": months[1]})
    ]


def test_what_comes_late_for_a_retired_day_is_retired_too() -> None:
    late = part(date(2024, 4, 1))
    snapshot = Snapshot(1, (late,), GROUPS, {"raw": date(2024, 5, 1)})
    (task,) = due(snapshot, now_ns=NOW)  # no age is set any more
    assert (task.kind, dict(task.kept_from)) == (Kind.RETIRE, {})


@pytest.mark.parametrize("days", [(0, None, None), (None, 5, None), (9, 8, None), (3, 9, 8)])
def test_ages_that_make_no_sense_are_refused(days: tuple[int | None, ...]) -> None:
    with pytest.raises(UsageError, match="allowed: 1 or more each"):
        Ages(*days)
