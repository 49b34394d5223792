"""An alert's condition: the same as a campaign's in the car, told row by row."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.campaigns.condition import Condition
from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S
from contactor.history.alerts.condition import ConditionState, feed, known_ns
from contactor.history.alerts.events import Row, Tick, Unknown
from contactor.signals.campaign import Claim
from contactor.signals.record import State

CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
SPEED = "Vehicle.Speed"
LOW = Claim(CHARGE, below=15.0, rearm=20.0)
START = 1_700_000_000 * NS_PER_S


def fired_at(
    claims: tuple[Claim, ...], rows: list[tuple[float, dict[str, float | None]]], holds_s: float = 0
) -> list[float]:
    """When it fired, s after the start; a last tick comes an hour later."""
    state, found = ConditionState.of(claims), []
    for at_s, values in rows:
        ts = START + round(at_s * NS_PER_S)
        state, fired = feed(claims, state, Row(ts, values), ts, holds_ns=round(holds_s * NS_PER_S))
        found += fired
    return [(ts - START) / NS_PER_S for ts, _ in found]


def test_condition_fires_once_until_it_was_false_by_its_rearm() -> None:
    rows = [(at, {CHARGE: value}) for at, value in enumerate([16, 14, 17, 14, 21, 14])]

    assert fired_at((LOW,), rows) == [1, 5]


def test_condition_fires_after_it_held_by_a_tick_too() -> None:
    claims, holds_ns = (LOW,), 60 * NS_PER_S
    state, fired = feed(
        claims, ConditionState.of(claims), Row(START, {CHARGE: 10.0}), START, holds_ns=holds_ns
    )
    assert not fired

    state, fired = feed(claims, state, Tick(), START + 59 * NS_PER_S, holds_ns=holds_ns)
    assert not fired
    state, fired = feed(claims, state, Tick(), START + 61 * NS_PER_S, holds_ns=holds_ns)

    [(ts, words)] = fired
    assert ts == START + 60 * NS_PER_S
    assert words == f"{CHARGE} 10 percent"


def test_condition_that_is_no_longer_known_does_not_hold() -> None:
    claims, holds_ns = (LOW,), 60 * NS_PER_S
    state, _ = feed(
        claims, ConditionState.of(claims), Row(START, {CHARGE: 10.0}), START, holds_ns=holds_ns
    )

    state, _ = feed(claims, state, Unknown((CHARGE,)), START + 30 * NS_PER_S, holds_ns=holds_ns)
    state, fired = feed(claims, state, Tick(), START + 90 * NS_PER_S, holds_ns=holds_ns)

    assert not fired


def test_condition_does_not_hold_over_the_time_that_a_car_was_away() -> None:
    assert fired_at((LOW,), [(0, {CHARGE: 10}), (7200, {CHARGE: 10})], holds_s=60) == []


def test_condition_takes_old_rows_for_nothing() -> None:
    state = ConditionState.of((LOW,))

    _, fired = feed(
        (LOW,), state, Row(START, {CHARGE: 1.0}), START + 2 * 86_400 * NS_PER_S, holds_ns=0
    )

    assert not fired


readings = st.lists(
    st.tuples(
        st.sampled_from([CHARGE, SPEED]),
        st.one_of(st.none(), st.integers(0, 40).map(float)),
        st.integers(1, 5),
    ),
    max_size=60,
)


@given(readings=readings, holds_s=st.sampled_from([0.0, 3.0, 10.0]), is_two=st.booleans())
def test_condition_fires_when_a_campaign_would(
    readings: list[tuple[str, float | None, int]], holds_s: float, is_two: bool
) -> None:
    claims = (LOW, Claim(SPEED, above=5.0)) if is_two else (LOW,)
    in_car = Condition(claims, stale_ns=[known_ns(one) for one in claims], holds_s=holds_s)
    state, ts, expected, found = ConditionState.of(claims), START, [], []
    for path, value, after_s in readings:
        ts += after_s * NS_PER_S
        series = Series(
            path=path,
            ts=np.array([ts]),
            values=np.array([0.0 if value is None else value]),
            state=np.array([State.UNAVAILABLE if value is None else State.VALID], np.uint8),
        )
        expected += in_car.feed({path: series}, ts)
        state, fired = feed(
            claims, state, Row(ts, {path: value}), ts, holds_ns=round(holds_s * NS_PER_S)
        )
        found += [at for at, _ in fired]
        state, fired = feed(claims, state, Tick(), ts, holds_ns=round(holds_s * NS_PER_S))
        found += [at for at, _ in fired]

    assert found == expected


@given(readings=readings, cut=st.integers(0, 60), back=st.integers(0, 60))
def test_condition_fires_with_the_same_keys_when_rows_are_told_again(
    readings: list[tuple[str, float | None, int]], cut: int, back: int
) -> None:
    claims = (LOW,)
    ts, rows = START, []
    for path, value, after_s in readings:
        ts += after_s * NS_PER_S
        rows.append(Row(ts, {path: value}))

    def told(state: ConditionState, some: list[Row]) -> tuple[ConditionState, list[int]]:
        keys = []
        for row in some:
            state, fired = feed(claims, state, row, row.ts, holds_ns=3 * NS_PER_S)
            keys += [at for at, _ in fired]
        return state, keys

    _, once = told(ConditionState.of(claims), rows)
    state, before = told(ConditionState.of(claims), rows[:cut])
    kept = msgspec.json.decode(msgspec.json.encode(state), type=ConditionState)
    _, after = told(kept, rows[max(cut - back, 0) :])

    assert [*before, *after] == once
