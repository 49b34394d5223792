"""Stamps of a car whose clock is wrong and set: in order, evenly spaced, and right in the end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.timeline import (
    CONFIRM_NS,
    EARLIEST_GOOD,
    JITTER_NS,
    LATEST_NS,
    MAX_BEHIND_NS,
    Timeline,
)
from contactor.clock import NS_PER_S

T0 = EARLIEST_GOOD + 200_000_000 * NS_PER_S
BASE = 1_000 * NS_PER_S
"""What the steady clock says when the tests begin."""


class Car:
    """A timeline, looked at once a second; `error_s` is how far its clock is off."""

    def __init__(self, error_s: float = 0.0, last_stamp: int | None = None) -> None:
        self.timeline = Timeline(last_stamp=last_stamp)
        self.error_s, self.now_s = error_s, 0.0
        self.stamps: list[int] = []
        self.changes = 0

    @property
    def wall_ns(self) -> int:
        return T0 + round((self.now_s + self.error_s) * NS_PER_S)

    def live(self, seconds: float, *, is_resting: bool = False, each_s: float = 1) -> None:
        for _ in range(round(seconds / each_s)):
            self.now_s += each_s
            steady_ns = BASE + round(self.now_s * NS_PER_S)
            self.changes += self.timeline.look(self.wall_ns, steady_ns, is_resting=is_resting)
            if self.timeline.shift_ns is not None and not is_resting:
                self.stamps.append(steady_ns + self.timeline.shift_ns)

    @property
    def is_right(self) -> bool:
        now_ns = BASE + round(self.now_s * NS_PER_S)
        shift_ns = self.timeline.shift_ns
        return shift_ns is not None and abs(now_ns + shift_ns - self.wall_ns) <= JITTER_NS


YEARS_50_S = 50 * 365 * 86_400.0


def test_time_is_unknown_until_the_clock_was_set() -> None:
    car = Car(error_s=-YEARS_50_S)
    car.live(100)
    assert car.timeline.shift_ns is None
    car.error_s = 0
    car.live(1)
    assert (car.is_right, car.changes) == (True, 1)


@pytest.mark.parametrize("step_s", [-7200.0, -20.0, -0.2, 0.2, 20.0, 7200.0, -YEARS_50_S])
def test_clock_that_is_set_changes_nothing_while_the_car_is_awake(step_s: float) -> None:
    car = Car()
    car.live(10)
    car.error_s = step_s
    car.live(300)
    assert {later - earlier for earlier, later in pairwise(car.stamps)} == {NS_PER_S}
    assert car.changes == 1


@pytest.mark.parametrize("step_s", [-20.0, 0.2, 7200.0])
def test_car_that_rests_is_right_again(step_s: float) -> None:
    car = Car()
    car.live(10)
    car.error_s = step_s
    car.live(CONFIRM_NS / NS_PER_S + 30, is_resting=True)
    assert car.is_right
    car.live(10)
    assert car.stamps == sorted(car.stamps)


def test_clock_that_jumps_to_and_fro_is_not_followed() -> None:
    car = Car()
    car.live(10)
    for _ in range(20):
        car.error_s = 3600
        car.live(20, is_resting=True)
        car.error_s = 0
        car.live(5, is_resting=True)
    assert (car.changes, car.is_right) == (1, True)


def test_clock_that_was_ahead_is_right_once_the_car_has_rested_as_long() -> None:
    car = Car(error_s=600)
    car.live(100)
    car.error_s = 0
    car.live(500, is_resting=True)
    assert not car.is_right
    car.live(200, is_resting=True)
    assert car.is_right


def test_car_that_never_rests_is_right_after_half_a_day() -> None:
    car = Car()
    car.live(10)
    car.error_s = 3600
    car.live(LATEST_NS / NS_PER_S + 120, each_s=60)
    assert car.is_right
    assert car.stamps == sorted(car.stamps)


@pytest.mark.parametrize("behind_s", [0.0, 1.0, 3000.0])
def test_start_a_little_behind_goes_on_where_stamps_ended(behind_s: float) -> None:
    last = T0 + round(behind_s * NS_PER_S)
    car = Car(last_stamp=last)
    car.live(10)
    assert car.stamps[0] > last
    car.live(behind_s + 60, is_resting=True)
    assert car.is_right


def test_start_far_behind_believes_the_clock() -> None:
    car = Car(last_stamp=T0 + 2 * MAX_BEHIND_NS)
    car.live(1)
    assert car.is_right


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, -0.3, 5.0, -5.0, 900.0, -900.0, 86_400.0, -YEARS_50_S]),
        st.integers(1, 120),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(STEPS)
def test_stamps_keep_their_order_and_between_rests_their_spacing(
    steps: list[tuple[float, int, bool]],
) -> None:
    car = Car()
    for error_s, seconds, is_resting in steps:
        car.error_s = error_s
        before = len(car.stamps)
        car.live(seconds, is_resting=is_resting)
        awake = car.stamps[before:]
        assert all(later - earlier == NS_PER_S for earlier, later in pairwise(awake))
    assert all(later > earlier for earlier, later in pairwise(car.stamps))
