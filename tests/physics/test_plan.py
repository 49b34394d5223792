"""The plan: smooth, at rest at its ends, the same each time, and alive at once."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.physics.calendar import day_of, start_of
from contactor.physics.plan import Plan, PlanKind, Situation
from contactor.physics.road import M_PER_DEGREE
from contactor.physics.scenarios import load_scenario

NS_PER_S = 1_000_000_000
HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
MONDAY = 20_717  # 2026-09-21
WEEK_NS = start_of(MONDAY)

seeds = st.integers(0, 10_000)
moments = st.integers(WEEK_NS, WEEK_NS + 7 * DAY_NS)


def drives_of(plan: Plan, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """When drives begin and end, asked as a history does."""
    found, ts, begun = [], start_ns, None
    while ts < end_ns:
        now = plan.at(ts)
        if now.is_driving and begun is None:
            begun = ts
        elif not now.is_driving and begun is not None:
            found.append((begun, ts))
            begun = None
        assert now.next_change_ns > ts
        ts = now.next_change_ns
    return found


def seconds_of(plan: Plan, start_ns: int, count: int) -> list[Situation]:
    return [plan.at(start_ns + second * NS_PER_S) for second in range(count)]


def apart_m(a: Situation, b: Situation) -> float:
    east = (b.longitude - a.longitude) * math.cos(math.radians(a.latitude))
    return math.hypot(east, b.latitude - a.latitude) * M_PER_DEGREE


@settings(max_examples=150)
@given(seeds, moments, st.sampled_from([PlanKind.DAY, PlanKind.DRIVE]))
def test_car_moves_within_seconds_of_going_live(seed: int, live_ns: int, kind: PlanKind) -> None:
    plan = Plan(seed=seed, kind=kind, live_from_ns=live_ns)
    assert max(one.target_speed_mps for one in seconds_of(plan, live_ns, 10)) > 0.5
    assert plan.at(live_ns).is_awake
    assert plan.at(live_ns + 5 * NS_PER_S).is_driving


@settings(max_examples=20)
@given(seeds, moments)
def test_car_drives_by_its_calendar_until_it_goes_live(seed: int, live_ns: int) -> None:
    plan, calendar = Plan(seed=seed, live_from_ns=live_ns), Plan(seed=seed)
    for back_s in (1, 30, 90, 3600, 40_000):
        ts = live_ns - back_s * NS_PER_S
        expected = calendar.at(ts)
        assert plan.at(ts)._replace(next_change_ns=0) == expected._replace(next_change_ns=0)
        assert plan.at(ts).next_change_ns <= live_ns or plan.at(ts).next_change_ns <= (
            expected.next_change_ns
        )


@settings(max_examples=20)
@given(seeds, moments)
def test_calendar_goes_on_after_going_live(seed: int, live_ns: int) -> None:
    plan, calendar = Plan(seed=seed, live_from_ns=live_ns), Plan(seed=seed)
    ts = start_of(day_of(live_ns) + 2)
    assert drives_of(plan, ts, ts + DAY_NS) == drives_of(calendar, ts, ts + DAY_NS)


@settings(max_examples=12)
@given(seeds, moments, st.sampled_from([PlanKind.DAY, PlanKind.DRIVE]))
def test_speed_and_place_change_smoothly(seed: int, live_ns: int, kind: PlanKind) -> None:
    plan = Plan(seed=seed, kind=kind, live_from_ns=live_ns)
    second = seconds_of(plan, live_ns - 1800 * NS_PER_S, 3 * 3600)
    for before, after in pairwise(second):
        assert abs(after.target_speed_mps - before.target_speed_mps) <= 2.5
        # Places that roads share are laid out to a spacing of 25 m.
        moved_m = apart_m(before, after)
        slack_m = 1.0 + 0.02 * after.target_speed_mps
        assert moved_m <= max(before.target_speed_mps, after.target_speed_mps) + slack_m
        if not after.is_driving:
            assert after.target_speed_mps == after.grade == 0
            assert after.gear == "P"
        if after.is_driving:
            assert (after.gear, after.plug, after.driver_door_open) == ("D", "none", False)
            assert after.is_awake


@settings(max_examples=15)
@given(seeds)
def test_weekday_has_two_drives_and_a_weekend_has_an_errand(seed: int) -> None:
    plan = Plan(seed=seed)
    for day in range(7):
        start_ns = WEEK_NS + day * DAY_NS
        drives = drives_of(plan, start_ns, start_ns + DAY_NS)
        assert len(drives) >= 2
        for begin_ns, end_ns in drives:
            assert plan.at(begin_ns).target_speed_mps == 0
            assert plan.at(end_ns - 1).target_speed_mps < 0.01
            assert 10 < (end_ns - begin_ns) / NS_PER_S / 60 < 40
        home, now = plan.at(start_ns), plan.at(start_ns + DAY_NS - 1)
        assert apart_m(home, now) < 1.0


def test_car_sleeps_120_s_after_it_was_parked() -> None:
    plan = Plan(seed=1)
    _, end_ns = drives_of(plan, WEEK_NS, WEEK_NS + DAY_NS)[0]
    assert plan.at(end_ns + 119 * NS_PER_S).is_awake
    assert not plan.at(end_ns + 121 * NS_PER_S).is_awake


def test_door_opens_for_four_seconds_at_both_ends_of_a_drive() -> None:
    plan = Plan(seed=1)
    begin_ns, end_ns = drives_of(plan, WEEK_NS, WEEK_NS + DAY_NS)[0]
    before = seconds_of(plan, begin_ns - 60 * NS_PER_S, 60)
    after = seconds_of(plan, end_ns, 60)
    assert sum(one.driver_door_open for one in before) == 4
    assert sum(one.driver_door_open for one in after) == 4


def test_week_has_home_charges_and_a_fast_one() -> None:
    plan = Plan(seed=1)
    plugs = [plan.at(WEEK_NS + minute * 60 * NS_PER_S).plug for minute in range(7 * 1440)]
    assert 2 * 8 * 60 < plugs.count("ac") < 6 * 14 * 60
    assert 15 < plugs.count("dc") < 40
    assert plan.at(WEEK_NS + 3 * HOUR_NS).station_power_w in {0.0, 11_000.0}


def test_parked_car_stays_at_home_plugged_in_and_awake() -> None:
    plan = Plan(seed=1, kind=PlanKind.PARKED, live_from_ns=WEEK_NS)
    for hour in range(-24, 48):
        now = plan.at(WEEK_NS + hour * HOUR_NS)
        assert (now.plug, now.is_awake, now.is_driving, now.gear) == ("ac", True, False, "P")


def test_drive_does_not_end() -> None:
    plan = Plan(seed=1, kind=PlanKind.DRIVE, live_from_ns=WEEK_NS)
    now = [plan.at(WEEK_NS + minute * 60 * NS_PER_S) for minute in range(1, 24 * 60)]
    assert sum(one.is_driving for one in now) > 0.75 * len(now)
    assert all(one.plug == "dc" or one.is_awake for one in now)


@settings(max_examples=10)
@given(seeds, moments, st.sampled_from(list(PlanKind)))
def test_plan_is_the_same_in_any_order(seed: int, live_ns: int, kind: PlanKind) -> None:
    forward = Plan(seed=seed, kind=kind, live_from_ns=live_ns)
    asked = [live_ns + minute * 97 * NS_PER_S for minute in range(-1000, 1000)]
    expected = {ts: forward.at(ts) for ts in asked}
    again = Plan(seed=seed, kind=kind, live_from_ns=live_ns)
    random.Random(seed).shuffle(asked)
    assert all(again.at(ts) == expected[ts] for ts in asked)


def test_standing_situation_holds_until_its_next_change() -> None:
    plan, fresh = Plan(seed=4), Plan(seed=4)
    ts = WEEK_NS
    while ts < WEEK_NS + 2 * DAY_NS:
        now = plan.at(ts)
        if not now.is_driving:
            assert plan.at(now.next_change_ns - 1) is now
            assert fresh.at((ts + now.next_change_ns) // 2) == now
        ts = now.next_change_ns


def test_roads_are_as_long_as_they_say() -> None:
    for way in load_scenario("commuter").ways.values():
        points = [way.at(metre) for metre in range(0, int(way.length_m) + 1, 5)]
        length_m = sum(
            math.hypot(
                (b.longitude - a.longitude) * math.cos(math.radians(a.latitude)),
                b.latitude - a.latitude,
            )
            * M_PER_DEGREE
            for a, b in pairwise(points)
        )
        assert length_m == pytest.approx(way.length_m, rel=0.02)
        climbed_m = sum((a.grade + b.grade) / 2 * 5 for a, b in pairwise(points))
        assert climbed_m == pytest.approx(points[-1].altitude_m - points[0].altitude_m, abs=8)
        assert way.zones[-1].until_m == way.length_m
