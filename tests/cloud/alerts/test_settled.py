"""Rows of many cars: those that are left out would have changed nothing."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.alerts.settled import codes_of
from contactor.history.alerts.condition import says_of
from contactor.history.alerts.events import Row
from contactor.history.alerts.machine import RuleState, step
from contactor.history.alerts.rules import (
    POSITION,
    AtMost,
    Crossing,
    OnFence,
    OnSignal,
    Rule,
    paths_of,
)
from contactor.signals.batch import RowsBatch
from contactor.signals.campaign import Claim
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, State, Value
from tests.cloud.alerts.support import CHARGE, START, document, opened

SPEED, GEAR = "Vehicle.Speed", "Vehicle.Powertrain.Transmission.SelectedGear"
LOW, FAST = Claim(CHARGE, below=15.0, rearm=20.0), Claim(SPEED, above=5.0)
OFTEN = AtMost(1000, 86_400)
RULES = {
    "one": Rule("one", OnSignal((LOW,)), at_most=OFTEN),
    "held": Rule("held", OnSignal((LOW,), holds_s=3), at_most=OFTEN),
    "two": Rule("two", OnSignal((LOW, FAST), holds_s=2), at_most=OFTEN, vehicles=("b", "c")),
    "fence": Rule(
        "fence",
        OnFence(Crossing.ENTER, latitude_deg=52.5, longitude_deg=13.4, radius_m=100, holds_s=2),
        at_most=OFTEN,
    ),
}
NOTHING, GONE = "nothing", None
cells = st.sampled_from([NOTHING, GONE, 10.0, 17.0, 30.0])
degrees = st.sampled_from([NOTHING, 52.5, 52.5012, 52.6])
Cell = float | str | None
row = st.tuples(st.sampled_from("abc"), st.integers(0, 3), cells, cells, degrees)
Rows = list[tuple[str, int, Cell, Cell, Cell]]


def column(path: str, told: list[Cell]) -> Column:
    states = [
        State.UNKNOWN if one == NOTHING else State.UNAVAILABLE if one is None else State.VALID
        for one in told
    ]
    values = np.array([one if isinstance(one, float) else 0.0 for one in told])
    return Column(path, catalogue()[path].datatype, values, np.array(states, np.uint8))


def batch_of(rows: Rows, stamps: list[int]) -> RowsBatch:
    names = tuple(sorted({one[0] for one in rows}))
    told: dict[str, list[Cell]] = {
        CHARGE: [one[2] for one in rows],
        SPEED: [one[3] for one in rows],
        POSITION[0]: [one[4] for one in rows],
        POSITION[1]: [NOTHING if one[4] == NOTHING else 13.4 for one in rows],
    }
    return RowsBatch(
        Group.DRIVE,
        names,
        np.array([names.index(one[0]) for one in rows], np.int32),
        np.array(stamps, np.int64),
        tuple(column(path, cells) for path, cells in told.items()),
    )


def by_hand(rule: Rule, rows: list[tuple[str, Row]], now_ns: int) -> set[tuple[str, str]]:
    """What fires when each row is looked at."""
    states: dict[str, RuleState] = {}
    found = set()
    for vehicle_id, one in rows:
        if rule.is_about(vehicle_id) and set(one.values) & set(paths_of(rule)):
            state = states.get(vehicle_id) or RuleState.first(rule)
            states[vehicle_id], fired = step(rule, state, one, now_ns)
            found |= {(vehicle_id, fire.key) for fire in fired}
    return found


def values_of(cells: dict[str, Cell]) -> dict[str, Value | None]:
    return {path: one for path, one in cells.items() if one != NOTHING}


@settings(deadline=None)
@pytest.mark.parametrize("name", RULES)
@given(batches=st.lists(st.lists(row, min_size=1, max_size=12), max_size=8))
def test_what_is_left_out_changes_nothing(name: str, batches: list[Rows]) -> None:
    rule, now_ns, ts = RULES[name], START + 1000 * NS_PER_S, START
    looked: list[tuple[str, Row]] = []

    async def live() -> set[tuple[str, str]]:
        nonlocal ts
        alerts = opened(":memory:", FakeClock(now_ns))
        await alerts.put(document(rule))
        for rows in batches:
            stamps = []
            for one in rows:
                ts += one[1] * NS_PER_S
                stamps.append(ts)
                told = {CHARGE: one[2], SPEED: one[3], POSITION[0]: one[4]}
                told[POSITION[1]] = NOTHING if one[4] == NOTHING else 13.4
                looked.append((one[0], Row(ts, values_of(told))))
            alerts.watch.take_batch(batch_of(rows, stamps))
        assert alerts.watch.failed == 0
        await alerts.watch.flush()
        found = alerts.store.alerts(limit=1000)
        await alerts.close()
        return {(one.vehicle_id, one.key) for one in found}

    assert asyncio.run(live()) == by_hand(rule, looked, now_ns)


@given(
    told=st.lists(st.one_of(st.none(), st.floats(-50, 50), st.just(float("nan"))), max_size=30),
    claim=st.sampled_from(
        [LOW, FAST, Claim(SPEED, below=0.1), Claim(SPEED, above=0.1), Claim(SPEED, equals=30.0)]
    ),
)
def test_many_values_say_what_each_says(told: list[float | None], claim: Claim) -> None:
    values = np.array([0.0 if one is None else one for one in told], np.float32)
    states = np.array([State.UNAVAILABLE if one is None else State.VALID for one in told], np.uint8)
    cells = Column(SPEED, catalogue()[SPEED].datatype, values, states)

    each = [
        says_of(claim, None if state != State.VALID else value)
        for value, state in zip(values.tolist(), states.tolist(), strict=True)
    ]
    assert codes_of(claim, cells).tolist() == each
