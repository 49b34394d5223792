"""Rows of many cars at once against the same rows one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.cloud.twin.cells import WORDS_KEPT
from contactor.cloud.twin.events import Change, Stale
from contactor.cloud.twin.twin import Twin
from contactor.signals.batch import BatchColumn, ListColumn, RowsBatch, TextColumn
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from tests.cloud.lake.samples import CELLS, NA, SPEED, T0, VIN, S, column
from tests.cloud.twin.samples import PATHS, VALUES, made, record, shown

NAMES = ("leaf", "elm", "oak")


@st.composite
def batches(draw: st.DrawFn) -> list[RowsBatch]:
    """Batches of some groups: vehicles in any order, rows of each in any order of time."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        count = draw(st.integers(1, 8))
        vehicle = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
        seconds = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
        paths = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1))
        columns = [
            column(
                path, [draw(st.one_of(st.none(), st.just(NA), VALUES[path])) for _ in range(count)]
            )
            for path in paths
        ]
        made.append(
            RowsBatch(
                draw(st.sampled_from([Group.DRIVE, Group.FAST, Group.SLOW])),
                NAMES,
                np.array(vehicle, np.int32),
                T0 + np.array(seconds, np.int64) * S,
                tuple(as_coded(one) for one in columns),
            )
        )
    return made


def as_coded(plain: Column) -> BatchColumn:
    """A column of texts or arrays in the form in which the ingest decodes it."""
    if plain.path == VIN:
        words = tuple(sorted(set(plain.values.tolist())))
        codes = np.array([words.index(cell) for cell in plain.values.tolist()], np.int32)
        return TextColumn(plain.path, plain.datatype, words, codes, plain.state)
    if plain.path == CELLS:
        cells = plain.values.tolist()
        elements = np.array([one for cell in cells for one in cell], plain.datatype.dtype)
        ends = np.cumsum([len(cell) for cell in cells])
        return ListColumn(plain.path, plain.datatype, elements, ends, plain.state)
    return plain


def one_by_one(twin: Twin, batch: RowsBatch) -> None:
    """Take each row as a record of its own."""
    for row in range(len(batch)):
        columns = tuple(
            Column(one.path, one.datatype, one.values[row : row + 1], one.state[row : row + 1])
            for one in batch.columns
        )
        rows = Rows(batch.group, batch.ts[row : row + 1], columns)
        twin.take(Record(NAMES[int(batch.vehicle[row])], 1, row + 1, (rows,)))


@settings(deadline=None, max_examples=100)
@given(batches())
def test_batch_is_what_its_rows_are_one_by_one(given_batches: list[RowsBatch]) -> None:
    (twin, _, clock), (other, _, again) = made(), made()
    hearing, overhearing = twin.subscribe(), other.subscribe()
    for batch in given_batches:
        twin.take_batch(batch)
        one_by_one(other, batch)
    assert shown(twin) == shown(other)
    for pause_s in (0, 15, 60, 300):
        clock.advance(pause_s)
        again.advance(pause_s)
        for name in NAMES:
            assert twin.signals(name) == other.signals(name)
    known = {}
    for subscription in (hearing, overhearing):
        told: dict[tuple[str, str], tuple[str, object, bool]] = {}
        while events := subscription.take():
            for event in events:
                if isinstance(event, Change):
                    for path, value in event.values.items():
                        told[event.vehicle_id, path] = event.ts, value, False
                elif isinstance(event, Stale):
                    for path in event.paths:
                        ts, value, _ = told[event.vehicle_id, path]
                        told[event.vehicle_id, path] = ts, value, True
        known[subscription] = told
    assert known[hearing] == known[overhearing]
    assert {(name, path): (now[0], now[1]) for (name, path), now in known[hearing].items()} == {
        (name, path): (ts, value)
        for name, signals in shown(twin).items()
        for path, (value, ts) in signals.items()
    }


def test_older_row_replaces_nothing_newer() -> None:
    twin, _, _ = made()
    twin.take(record(1, {SPEED: [50.0]}, ts=T0 + 5 * S))
    old = column(SPEED, [10.0, 20.0])
    vehicle = np.array([1, 0], np.int32)
    batch = RowsBatch(Group.DRIVE, NAMES, vehicle, np.array([T0, T0], np.int64), (old,))
    twin.take_batch(batch)
    assert shown(twin) == {
        "leaf": {SPEED: (50.0, "2024-05-01T08:00:05Z")},
        "elm": {SPEED: (10.0, "2024-05-01T08:00:00Z")},
    }


def test_words_that_no_car_holds_are_let_go() -> None:
    twin, _, _ = made()
    for number in range(2 * WORDS_KEPT):
        twin.take(record(number + 1, {VIN: [f"W{number}"]}, ts=T0 + number))
        twin.take(record(number + 1, {VIN: ["same"]}, ts=T0 + number, vehicle="elm"))
    [column_of] = twin.cells.columns([VIN])
    assert len(twin.cells.words[column_of]) < WORDS_KEPT + 10
    assert twin.signals("leaf")[VIN].value == f"W{2 * WORDS_KEPT - 1}"
    assert twin.signals("elm")[VIN].value == "same"


def test_batch_without_rows_or_columns_is_nothing() -> None:
    twin, _, _ = made()
    none = np.empty(0, np.int64)
    empty = Column(
        SPEED, column(SPEED, []).datatype, none.astype(np.float32), none.astype(np.uint8)
    )
    twin.take_batch(RowsBatch(Group.DRIVE, NAMES, none.astype(np.int32), none, (empty,)))
    twin.take_batch(RowsBatch(Group.DRIVE, NAMES, np.zeros(1, np.int32), np.array([T0]), ()))
    assert twin.vehicles == []
