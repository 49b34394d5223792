"""Pictures from rows and from sums: whatever the upkeep has done, nothing is hidden or doubled."""

import random
from bisect import bisect_right
from pathlib import Path

import pytest

from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.reading import MAX_CELLS
from contactor.cloud.lake.series import Series
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.signals.groups import Group
from tests.cloud.lake.samples import CELLS, DAY, NA, POWER, SPEED, T0, VIN, S, store_drive

LOCKED = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
MS = 1_000_000
DAYS = 36
LATER = T0 + (DAYS + 2) * DAY


@pytest.fixture(params=["memory", "local"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> LakeKeeper:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path)


def fill(store: LakeKeeper, *, per_day: int = 12, seed: int = 1) -> dict[int, float]:
    """Some readings a day over five weeks, of two cars; those of the first by their instants."""
    chance = random.Random(seed)
    readings: dict[int, float] = {}
    for day in range(DAYS):
        ts = sorted(chance.sample(range(86_400), per_day))
        stamps = [T0 + day * DAY + second * S for second in ts]
        values = [float(chance.randint(-1000, 1000)) for _ in ts]
        readings.update(zip(stamps, values, strict=True))
        store_drive(store, {POWER: values}, ts=stamps)
        store_drive(store, {POWER: [9e9]}, ts=stamps[:1], vehicle_id="other")
    return readings


def assert_nothing_is_hidden(found: Series, readings: dict[int, float], max_points: int) -> None:
    ts = found["ts"]
    assert 0 < len(ts) <= max_points
    assert ts == sorted(set(ts))
    low, high = [0.0] * len(ts), [0.0] * len(ts)
    for instant, value in readings.items():
        place = bisect_right(ts, instant // MS) - 1
        assert place >= 0
        low[place], high[place] = min(low[place], value), max(high[place], value)
        assert found["min"][place] <= value <= found["max"][place]  # type: ignore[operator]  # numbers
    assert min(found["min"]) == min(readings.values())  # type: ignore[type-var]  # numbers
    assert max(found["max"]) == max(readings.values())  # type: ignore[type-var]  # numbers


UPKEEPS = {
    "none": None,
    "rows for ever": Ages(),
    "rows for 20 days": Ages(raw_days=20),
    "minutes for 28 days": Ages(raw_days=20, minute_days=28),
    "hours only": Ages(raw_days=1, minute_days=1),
}


@pytest.mark.parametrize("max_cells", [MAX_CELLS, 1], ids=["one-piece", "piece-per-part"])
@pytest.mark.parametrize("ages", UPKEEPS.values(), ids=UPKEEPS)
def test_no_extreme_is_hidden_whatever_was_kept(ages: Ages | None, max_cells: int) -> None:
    keeper = MemoryStore()
    readings = fill(keeper)
    if ages is not None:
        Upkeep(keeper, ages=ages).run(now_ns=LATER, is_thorough=True)
        late = {T0 + 3 * DAY + 1: 5_000.0, T0 + 32 * DAY + 1: -5_000.0}
        for ts, value in late.items():  # some come when the days are packed or gone
            store_drive(keeper, {POWER: [value]}, ts=[ts])
        readings |= late
    lake = Lake(keeper, max_cells=max_cells)
    for max_points in (1, 50, 2_000):
        assert_nothing_is_hidden(
            lake.series("leaf", POWER, None, None, max_points), readings, max_points
        )


def test_the_mean_is_that_of_all_values() -> None:
    keeper = MemoryStore()
    readings = fill(keeper)
    for _ in range(2):
        found = Lake(keeper).series("leaf", POWER, None, None, 1)
        assert found["value"] == pytest.approx([sum(readings.values()) / len(readings)], rel=1e-4)
        Upkeep(keeper, ages=Ages(raw_days=10)).run(now_ns=LATER, is_thorough=True)


def test_the_tier_follows_from_the_length_of_a_point() -> None:
    keeper = MemoryStore()
    fill(keeper)
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    lake = Lake(keeper)
    assert lake.series("leaf", POWER, None, None, 100)["tier"] == "hour"
    week = (T0, T0 + 7 * DAY)
    assert lake.series("leaf", POWER, *week, max_points=10)["tier"] == "hour"
    assert lake.series("leaf", POWER, *week, max_points=20)["tier"] == "hour"
    assert lake.series("leaf", POWER, T0, T0 + DAY, 11)["tier"] == "hour"
    assert lake.series("leaf", POWER, T0, T0 + DAY // 8, 1)["tier"] in ("hour", "raw")
    assert lake.series("leaf", POWER, T0, T0 + DAY, 12)["tier"] == "raw"  # they fit


def test_values_that_fit_are_given_as_they_are_while_they_are_kept(keeper: LakeKeeper) -> None:
    readings = fill(keeper, per_day=1)
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    found = Lake(keeper).series("leaf", POWER, None, None, 100)
    assert (found["tier"], found["value"]) == ("raw", list(readings.values()))
    Upkeep(keeper, ages=Ages(raw_days=30)).run(now_ns=LATER)
    found = Lake(keeper).series("leaf", POWER, None, None, 100)
    assert (found["tier"], found["value"]) == ("minute", list(readings.values()))
    assert_nothing_is_hidden(Lake(keeper).series("leaf", POWER, None, None, 9), readings, 9)


def test_an_interval_takes_the_sums_that_it_cuts_and_no_others(keeper: LakeKeeper) -> None:
    ts = [T0 + minute * 60 * S for minute in range(600)]
    store_drive(keeper, {SPEED: [float(minute % 250) for minute in range(600)]}, ts=ts)
    Upkeep(keeper).run(now_ns=LATER)
    start, end = T0 + 90 * 60 * S, T0 + 150 * 60 * S  # within hours
    found = Lake(keeper).series("leaf", SPEED, start, end, 1)
    assert (found["tier"], found["min"], found["max"]) == ("reduced", [90.0], [149.0])
    found = Lake(keeper).series("leaf", SPEED, start, end + 60 * 60 * S, 2)
    assert (found["tier"], found["ts"][0]) == ("hour", start // MS)
    assert (min(found["min"]), max(found["max"])) == (90.0, 209.0)  # type: ignore[type-var]  # numbers
    Upkeep(keeper, ages=Ages(raw_days=1, minute_days=1)).run(now_ns=LATER)
    found = Lake(keeper).series("leaf", SPEED, start, end, 9)
    assert found["tier"] == "hour"
    assert found["ts"] == [start // MS, (T0 + 120 * 60 * S) // MS]
    assert (found["min"], found["max"]) == ([60.0, 120.0], [119.0, 179.0])


def test_types_are_those_of_the_vocabulary(keeper: LakeKeeper) -> None:
    ts = [T0 + hour * 3600 * S for hour in range(6)]
    store_drive(keeper, {LOCKED: [True, NA, False, True, True, False]}, ts=ts, group=Group.SLOW)
    store_drive(keeper, {VIN: list("abcdef")}, ts=ts, group=Group.EVENTS)
    store_drive(keeper, {CELLS: [(float(n), 3.5) for n in range(6)]}, ts=ts, group=Group.CELLS)
    before = Lake(keeper)
    shown = [before.series("leaf", path, None, None, 2) for path in (LOCKED, VIN, CELLS)]
    Upkeep(keeper, ages=Ages(raw_days=1)).run(now_ns=LATER)
    after = Lake(keeper)
    sums = [after.series("leaf", path, None, None, 2) for path in (LOCKED, VIN, CELLS)]
    assert [found["tier"] for found in sums] == ["hour", "hour", "hour"]
    for now, then in zip(sums, shown, strict=True):
        assert {**now, "tier": None} == {**then, "tier": None}


def test_a_signal_without_values_is_an_empty_picture(keeper: LakeKeeper) -> None:
    store_drive(keeper, {SPEED: [1.0]})
    Upkeep(keeper, ages=Ages(raw_days=1)).run(now_ns=LATER)
    found = Lake(keeper).series("leaf", POWER, None, None, 10)
    assert (found["tier"], found["ts"]) == ("raw", [])
