"""The upkeep on real lakes: fewer and smaller files, the same rows, and their sums."""

import random
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.reading import columns_of, read_parts
from contactor.cloud.lake.schema import STREAMS
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.plan import TIERS
from contactor.cloud.lake.upkeep.tiers import combine, sums_of
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.signals.groups import Group
from tests.cloud.lake.samples import (
    CELLS,
    DAY,
    GEAR,
    NA,
    POWER,
    SPEED,
    T0,
    VIN,
    S,
    flush,
    state,
    store_drive,
)

CARS = ("a", "b", "c", "d", "e")
LATER = T0 + 40 * DAY


@pytest.fixture(params=["memory", "local"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> LakeKeeper:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path)


def fill(store: LakeKeeper, flushes: int = 30, seed: int = 1) -> None:
    """Some cars' rows of three days, as on a bad day: late, again, at the same instant."""
    chance = random.Random(seed)
    for _ in range(flushes):
        ts = sorted(T0 + chance.randint(0, 3 * 86_400) * S for _ in range(3))
        car = chance.choice(CARS)
        store_drive(
            store, {SPEED: [1.0, NA, chance.random()], GEAR: [1, 2, 3]}, ts=ts, vehicle_id=car
        )
        store_drive(store, {POWER: [chance.random()]}, ts=ts[:1], group=Group.FAST, vehicle_id=car)
    store_drive(store, {CELLS: [(3.5, 3.75)]}, group=Group.CELLS, vehicle_id="a")
    store_drive(store, {VIN: ["x", "y"], GEAR: [1, 2]}, group=Group.EVENTS, vehicle_id="a")


def raw_rows(store: LakeKeeper) -> list[tuple[object, ...]]:
    """Every row of every signal group, as a multiset that can be compared."""
    found: list[tuple[object, ...]] = []
    for part in store.snapshot().parts:
        if part.group in tuple(Group):
            rows = read_parts([part], columns_of([part]), pl.lit(value=True))
            for row in rows.iter_rows(named=True):
                cells = sorted((name, str(cell)) for name, cell in row.items() if cell is not None)
                found.append((part.group, *cells))
    return sorted(found, key=str)


def stored_sums(store: LakeKeeper, tier: str) -> pl.DataFrame:
    parts = [part for part in store.snapshot().parts if part.group == tier]
    return combine([read_parts([part], columns_of([part]), pl.lit(value=True)) for part in parts])


def expected_sums(store: LakeKeeper, tier: str) -> pl.DataFrame:
    packed = [p for p in store.snapshot().parts if p.group in tuple(Group) and p.is_packed]
    return combine(
        [
            sums_of(read_parts([part], columns_of([part]), pl.lit(value=True)), tier)
            for part in packed
        ]
    )


def assert_sums_are_right(store: LakeKeeper) -> None:
    for tier in TIERS:
        stored, expected = stored_sums(store, tier), expected_sums(store, tier)
        assert stored.drop("mean").equals(expected.drop("mean"))
        known = stored["mean"].is_not_null()
        assert (known == expected["mean"].is_not_null()).all()
        assert ((stored["mean"] - expected["mean"]).abs().fill_null(0.0) < 1e-4).all()


def answers(store: LakeKeeper) -> list[pl.DataFrame]:
    return [Lake(store).signals(car, layout="long") for car in CARS]


def test_rows_are_the_same_in_fewer_parts(keeper: LakeKeeper) -> None:
    fill(keeper)
    rows, seen, before = raw_rows(keeper), answers(keeper), len(keeper.snapshot().parts)
    done = Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    assert raw_rows(keeper) == rows
    assert all(now.equals(then) for now, then in zip(answers(keeper), seen, strict=True))
    after = [part for part in keeper.snapshot().parts if part.group in tuple(Group)]
    assert len(after) == len({(part.group, part.day) for part in after})
    assert all(part.is_packed for part in after)
    assert (done.parts_before, done.parts_after) == (before, len(keeper.snapshot().parts))
    assert_sums_are_right(keeper)
    assert [part.row_count for part in keeper.snapshot().parts if part.group == STREAMS] == [5]


def test_a_second_run_finds_nothing_to_do(keeper: LakeKeeper) -> None:
    fill(keeper)
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    parts = keeper.snapshot().parts
    assert Upkeep(keeper).run(now_ns=LATER, is_thorough=True).rewrites == 0
    assert keeper.snapshot().parts == parts


def test_parts_are_ranges_of_vehicles_that_do_not_cross(keeper: LakeKeeper) -> None:
    fill(keeper)
    rows = raw_rows(keeper)
    Upkeep(keeper, max_cells=60).run(now_ns=LATER, is_thorough=True)
    assert raw_rows(keeper) == rows
    by_day: dict[tuple[str, object], list[tuple[str, str]]] = {}
    for part in keeper.snapshot().parts:
        if part.group == Group.DRIVE:
            assert part.vehicles is not None
            by_day.setdefault((part.group, part.day), []).append(part.vehicles)
    assert max(map(len, by_day.values())) > 1
    for ranges in by_day.values():
        ordered = sorted(ranges)
        assert all(first[1] < second[0] for first, second in pairwise(ordered))
    assert_sums_are_right(keeper)


def test_late_rows_are_taken_up_again(keeper: LakeKeeper) -> None:
    fill(keeper)
    upkeep = Upkeep(keeper, max_cells=60)
    upkeep.run(now_ns=LATER, is_thorough=True)
    for seed in range(2, 5):
        fill(keeper, flushes=4, seed=seed)
        rows, seen = raw_rows(keeper), answers(keeper)
        upkeep.run(now_ns=LATER, is_thorough=True)
        assert raw_rows(keeper) == rows
        assert all(now.equals(then) for now, then in zip(answers(keeper), seen, strict=True))
        assert_sums_are_right(keeper)


def test_a_running_day_is_merged_and_not_summed(keeper: LakeKeeper) -> None:
    for number in range(64):
        store_drive(keeper, {SPEED: [float(number)]}, ts=[T0 + number * S])
    Upkeep(keeper).run(now_ns=T0 + 3600 * S)
    (merged,) = [part for part in keeper.snapshot().parts if part.group == Group.DRIVE]
    assert not merged.is_packed
    assert Lake(keeper).signals("leaf", [SPEED])[SPEED].to_list() == list(range(64))
    Upkeep(keeper).run(now_ns=LATER)
    assert_sums_are_right(keeper)


def test_old_rows_go_and_their_sums_stay(keeper: LakeKeeper) -> None:
    fill(keeper)
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    sums = {tier: stored_sums(keeper, tier) for tier in TIERS}
    kept = Upkeep(keeper, ages=Ages(raw_days=38))
    kept.run(now_ns=LATER)
    days = {part.day.isoformat() for part in keeper.snapshot().parts if part.group in tuple(Group)}
    assert days == {"2024-05-03", "2024-05-04"}
    assert keeper.snapshot().kept_from["raw"].isoformat() == "2024-05-03"
    for tier in TIERS:
        assert stored_sums(keeper, tier).equals(sums[tier])


def test_late_rows_of_a_retired_day_are_only_summed(keeper: LakeKeeper) -> None:
    store_drive(keeper, {SPEED: [1.0]}, ts=[T0])
    Upkeep(keeper, ages=Ages(raw_days=1)).run(now_ns=LATER)
    store_drive(keeper, {SPEED: [3.0]}, ts=[T0 + S])
    Upkeep(keeper).run(now_ns=LATER)
    assert raw_rows(keeper) == []
    sums = stored_sums(keeper, "minute")
    assert sums.select("row_count", "min", "max", "mean", "number").rows() == [
        (2, 1.0, 3.0, 2.0, 3.0)
    ]


def test_the_newest_stream_state_counts_whatever_the_clock_said(keeper: LakeKeeper) -> None:
    for number in range(3):
        told = state(watermark=number, received_at=T0 - number * S)
        keeper.commit(flush(keeper.next_flush, {}, [told]))
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True)
    assert [known.watermark for known in keeper.streams()] == [2]


def test_it_can_be_stopped_and_begun_again(keeper: LakeKeeper) -> None:
    fill(keeper)
    rows = raw_rows(keeper)
    asked = iter(range(1_000))
    told: list[tuple[int, int]] = []
    done = Upkeep(keeper).run(
        now_ns=LATER,
        is_thorough=True,
        is_stopped=lambda: next(asked) > 9,
        on_progress=lambda *so_far: told.append(so_far),
    )
    assert 0 < done.rewrites == len(told)
    assert all(before < total for before, total in told)
    Upkeep(keeper).run(now_ns=LATER, is_thorough=True, on_progress=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1]
    assert raw_rows(keeper) == rows
    assert_sums_are_right(keeper)
