"""Edges, hysteresis, staleness: when a condition triggers."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.campaigns.condition import Condition
from contactor.signals.campaign import Claim
from tests.car.agent.campaigns.readings import LOWEST, SPEED, S, read

LOW = Claim(LOWEST, below=3.0, rearm=3.1)


def condition(*claims: Claim, stale_s: float = 10, holds_s: float = 0) -> Condition:
    return Condition(claims, stale_ns=[round(stale_s * S)] * len(claims), holds_s=holds_s)


def fired(one: Condition, *series: object, until_s: float) -> list[float]:
    by_path = {item.path: item for item in series}
    return [ts / S for ts in one.feed(by_path, round(until_s * S))]


def test_condition_triggers_at_its_edge_and_again_only_once_armed() -> None:
    low = read(LOWEST, [(1, 3.2), (2, 2.9), (3, 3.05), (4, 2.9), (5, 3.2), (6, 2.9)])
    assert fired(condition(LOW), low, until_s=7) == [2, 6]


def test_condition_that_holds_from_the_first_reading_on_triggers() -> None:
    assert fired(condition(LOW), read(LOWEST, [(1, 2.5), (2, 2.5)]), until_s=3) == [1]


def test_claims_hold_together_each_by_its_last_reading() -> None:
    both = condition(LOW, Claim(SPEED, above=0.0))
    low = read(LOWEST, [(1, 2.9)])
    assert fired(both, low, read(SPEED, [(0.5, 0.0), (3, 5.0)]), until_s=4) == [3]


def test_reading_that_is_stale_or_not_available_says_nothing() -> None:
    both = condition(LOW, Claim(SPEED, above=0.0), stale_s=1)
    assert fired(both, read(SPEED, [(1, 5.0)]), read(LOWEST, [(3, 2.9)]), until_s=4) == []
    one = condition(LOW)
    assert fired(one, read(LOWEST, [(1, 2.9), (2, None), (3, 2.9)]), until_s=4) == [1]


def test_condition_must_hold_as_long_as_asked() -> None:
    one = condition(LOW, holds_s=2)
    low = read(LOWEST, [(1, 2.9), (2, 3.2), (3, 2.9), (4, 2.9)])
    assert fired(one, low, until_s=4.5) == []
    assert fired(one, until_s=6) == [5]
    assert fired(one, until_s=60) == []


def test_condition_does_not_hold_longer_than_its_reading_is_known() -> None:
    one = condition(LOW, holds_s=30, stale_s=10)
    assert fired(one, read(LOWEST, [(1, 2.9)]), until_s=90) == []


def test_equality_holds_for_booleans() -> None:
    path = "Vehicle.Contactor.IsWarningLampOn"
    one = condition(Claim(path, equals=True))
    lamp = read(path, [(1, False), (2, True), (3, True), (4, False), (5, True)])
    assert fired(one, lamp, until_s=6) == [2, 5]


VOLTS = st.lists(st.sampled_from([2.8, 2.95, 3.0, 3.05, 3.1, 3.3]), max_size=40)


@given(VOLTS, st.lists(st.integers(0, 40), max_size=4))
def test_triggers_do_not_depend_on_how_readings_are_handed_over(
    volts: Sequence[float], cuts: Sequence[int]
) -> None:
    readings = [(at_s + 1.0, volt) for at_s, volt in enumerate(volts)]
    end_s = len(readings) + 1
    expected, is_armed = [], True
    for at_s, volt in readings:
        if is_armed and volt < 3.0:
            expected.append(at_s)
            is_armed = False
        is_armed = is_armed or volt >= 3.1
    one, found = condition(LOW), []
    places = sorted({0, *(cut for cut in cuts if cut < len(readings)), len(readings)})
    for start, end in pairwise(places):
        part = readings[start:end]
        found += fired(one, read(LOWEST, part), until_s=part[-1][0])
    assert found + fired(one, until_s=end_s) == expected
