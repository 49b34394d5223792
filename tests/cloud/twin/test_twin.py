"""The twin against a plain mapping, its staleness, and what it tells of both."""

import dataclasses
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.clock import to_iso
from contactor.cloud.ingest.intake import Intake
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.twin.feed import Subscription
from contactor.cloud.twin.restore import restore
from contactor.link.messages import Hello
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Record
from tests.cloud.lake.samples import GEAR, NA, SPEED, T0, VIN, S
from tests.cloud.twin.samples import LOCK, made, record, records, shown
from tests.signals.wire.version_1 import encode_version_1


def told_by(record: Record) -> list[tuple[str, int, Group, object]]:
    """Every known cell of a record: path, instant, group, and None where unavailable."""
    return [
        (column.path, int(ts), group.group, None if state == 2 else value)
        for group in record.groups
        for column in group.columns
        for ts, value, state in zip(
            group.ts, column.values.tolist(), column.state.tolist(), strict=True
        )
        if state
    ]


def expected(given_records: Sequence[Record]) -> dict[str, dict[str, tuple[object, str]]]:
    """The newest cell of each signal by going through all of them."""
    known: dict[tuple[str, str], tuple[int, object]] = {}
    for one in given_records:
        for path, ts, _, value in told_by(one):
            key = (one.vehicle_id, path)
            if key not in known or ts >= known[key][0]:
                known[key] = (ts, value)
    found: dict[str, dict[str, tuple[object, str]]] = {}
    for (vehicle_id, path), (ts, value) in known.items():
        found.setdefault(vehicle_id, {})[path] = (value, to_iso(ts))
    return found


@settings(deadline=None)
@given(records())
def test_twin_knows_what_a_plain_mapping_knows(given_records: list[Record]) -> None:
    twin, _, _ = made()
    for one in given_records:
        twin.take(one)
    assert shown(twin) == expected(given_records)


@settings(deadline=None, max_examples=50)
@given(records(), st.integers(1, 4))
def test_twin_restored_from_the_lake_is_the_one_that_was(
    given_records: list[Record], per_flush: int
) -> None:
    twin, _, clock = made()
    store = MemoryStore()
    intake = Intake([], number=store.next_flush, on_batch=twin.take_batch)
    sequences: dict[str, int] = {}
    for number, one in enumerate(given_records, 1):
        sequences[one.vehicle_id] = sequence = sequences.get(one.vehicle_id, 0) + 1
        sent = Record(one.vehicle_id, one.stream, sequence, one.groups)
        intake.take(sent.vehicle_id, encode_version_1(sent), now_ns=clock.now_ns())
        if not number % per_flush:
            store.commit(intake.cut().flush())
    store.commit(intake.cut().flush())
    again, _, _ = made()
    restore(again, store, None)
    assert shown(again) == shown(twin)
    for vehicle_id in shown(twin):
        assert again.signals(vehicle_id) == twin.signals(vehicle_id)


def test_integer_that_a_double_rounds_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """No leaf of the catalogue has so many bits yet; a made-up one has."""
    long = dataclasses.replace(catalogue()[GEAR], path=GEAR, datatype=Datatype.INT64)
    monkeypatch.setitem(catalogue()._signals, GEAR, long)
    twin, _, _ = made()
    for number, value in enumerate([2**53 + 1, 5, -(2**63), 2**53]):
        twin.take(record(number + 1, {GEAR: [value]}, ts=T0 + number))
        assert twin.signals("leaf")[GEAR].value == value
    twin.want("leaf", GEAR, 2**60 + 1)
    assert twin.signals("leaf")[GEAR].desired == 2**60 + 1
    twin.want("leaf", GEAR, None)
    assert twin.signals("leaf")[GEAR].desired is None


def test_twin_grows_with_vehicles_and_signals() -> None:
    twin, _, _ = made()
    numbers = [s for s in catalogue().values() if s.datatype.is_float and not s.datatype.is_array]
    paths = [signal.path for signal in numbers[:200]]
    for vehicle in range(40):
        for start in range(0, 200, 50):
            part = paths[start : start + 50]
            values: dict[str, list[object]] = {path: [float(vehicle)] for path in part}
            twin.take(record(1, values, vehicle=f"v{vehicle}"))
    twin.want("v7", paths[3], 1.5)
    for vehicle in range(40):
        signals = twin.signals(f"v{vehicle}")
        assert set(signals) == set(paths)
        assert {now.value for now in signals.values()} == {float(vehicle)}
    assert twin.signals("v7")[paths[3]].desired == 1.5
    assert twin.signals("v8")[paths[3]].desired is None


def test_value_that_is_not_available_is_null_with_its_stamp() -> None:
    twin, _, _ = made()
    twin.take(record(1, {SPEED: [41.5], VIN: ["W0L"]}))
    twin.take(record(2, {SPEED: [NA], VIN: [NA]}, ts=T0 + S))
    for path in (SPEED, VIN):
        now = twin.signals("leaf")[path]
        assert (now.value, now.ts) == (None, "2024-05-01T08:00:01Z")


def test_stranger_has_no_signals() -> None:
    twin, _, _ = made()
    assert twin.signals("nobody") == {}


# ── what is stale ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("group", list(Group))
def test_value_is_stale_by_the_limit_of_the_group_it_came_in(group: Group) -> None:
    twin, _, clock = made()
    twin.take(record(1, {SPEED: [41.5]}, group=group))
    clock.advance(GROUP_RULES[group].stale_s)
    assert not twin.signals("leaf")[SPEED].stale
    clock.advance(0.001)
    assert twin.signals("leaf")[SPEED].stale


def test_every_value_of_a_lost_car_is_stale_and_of_one_asleep_is_not() -> None:
    twin, presence, clock = made()
    twin.take(record(1, {LOCK: [True]}, group=Group.EVENTS))
    presence.greet(Hello("leaf", "", ()), clock.now_ns())
    clock.advance(46)
    assert twin.signals("leaf")[LOCK].stale
    presence.greet(Hello("leaf", "", (), asleep=True), clock.now_ns())
    clock.advance(3600)
    assert not twin.signals("leaf")[LOCK].stale


def test_value_of_a_car_that_is_awake_holds_until_its_heartbeat_is_overdue() -> None:
    """A parked car that is awake writes a row a minute; what the last one told is true."""
    twin, presence, clock = made()
    presence.hear_all(["leaf"], clock.now_ns())
    twin.take(record(1, {SPEED: [0.0], GEAR: [0]}))
    rule = GROUP_RULES[Group.DRIVE]
    for _ in range(int(rule.heartbeat_s + rule.stale_s)):
        clock.advance(1)
        presence.hear_all(["leaf"], clock.now_ns())
        assert not twin.signals("leaf")[SPEED].stale
    clock.advance(1)
    presence.hear_all(["leaf"], clock.now_ns())
    assert twin.signals("leaf")[SPEED].stale


def test_value_that_a_newer_row_leaves_out_does_not_hold() -> None:
    twin, presence, clock = made()
    presence.hear_all(["leaf"], clock.now_ns())
    twin.take(record(1, {SPEED: [0.0], GEAR: [0]}))
    clock.advance(8)
    twin.take(record(2, {GEAR: [0]}, ts=T0 + 8 * S))
    clock.advance(4)
    presence.hear_all(["leaf"], clock.now_ns())
    signals = twin.signals("leaf")
    assert (signals[SPEED].stale, signals[GEAR].stale) == (True, False)


def test_value_told_before_a_pause_does_not_hold_after_it() -> None:
    twin, presence, clock = made()
    presence.hear_all(["leaf"], clock.now_ns())
    twin.take(record(1, {SPEED: [41.5]}))
    clock.advance(25)
    assert twin.signals("leaf")[SPEED].stale
    presence.hear_all(["leaf"], clock.now_ns())
    assert twin.signals("leaf")[SPEED].stale


# ── what it tells ────────────────────────────────────────────────────────────────────────────────


def told(subscription: Subscription) -> list[str]:
    """What waits, as JSON without the vehicle."""
    found: list[str] = []
    while events := subscription.take():
        found += [event.wire.replace('"vehicle_id":"leaf",', "") for event in events]
    return found


def test_twin_tells_changes_staleness_loss_and_return() -> None:
    twin, presence, clock = made()
    presence.greet(Hello("leaf", "", ()), clock.now_ns())
    twin.take(record(1, {LOCK: [True]}, group=Group.EVENTS))
    hearing = twin.subscribe()
    twin.take(record(2, {SPEED: [41.5], GEAR: [None]}))
    assert told(hearing) == [
        f'{{"type":"change","ts":"2024-05-01T08:00:00Z","values":{{"{SPEED}":41.5}}}}'
    ]
    clock.advance(10.5)
    twin.tick()
    twin.tick()
    assert told(hearing) == [f'{{"type":"stale","paths":["{SPEED}"]}}']
    clock.advance(35)
    twin.tick()
    assert told(hearing) == [
        f'{{"type":"stale","paths":["{LOCK}"]}}',
        '{"type":"connectivity","connectivity":"lost"}',
    ]
    presence.greet(Hello("leaf", "", ()), clock.now_ns())
    twin.tick()
    assert told(hearing) == [
        f'{{"type":"change","ts":"2024-05-01T08:00:00Z","values":{{"{LOCK}":true}}}}',
        '{"type":"connectivity","connectivity":"online"}',
    ]


def test_old_value_is_told_and_at_once_that_it_is_stale() -> None:
    twin, _, _ = made()
    twin.take(record(1, {GEAR: [1]}))
    hearing = twin.subscribe()
    twin.take(record(2, {SPEED: [41.5]}, ts=T0 - 60 * S))
    kinds = [json.loads(text)["type"] for text in told(hearing)]
    assert kinds == ["change", "stale"]
    twin.tick()
    assert told(hearing) == []


def test_desired_value_is_told_and_cleared() -> None:
    twin, _, _ = made()
    hearing = twin.subscribe()
    twin.want("leaf", LOCK, True)
    assert told(hearing) == [f'{{"type":"desired","values":{{"{LOCK}":true}}}}']
    twin.want("leaf", LOCK, None)
    assert told(hearing) == [f'{{"type":"desired","values":{{"{LOCK}":null}}}}']
    assert twin.signals("leaf") == {}


def test_car_that_is_new_is_told_with_its_connectivity() -> None:
    twin, presence, clock = made()
    hearing = twin.subscribe()
    presence.hear_all(["leaf"], clock.now_ns())
    twin.take(record(1, {SPEED: [41.5]}))
    kinds = [json.loads(text)["type"] for text in told(hearing)]
    assert kinds == ["change", "connectivity"]
