"""What every driver of LakeStore promises."""

from datetime import date

import polars as pl
import pytest

from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import (
    GAPS,
    QUARANTINE,
    STREAMS,
    Flush,
    Quarantined,
    StoredCodebook,
    StoredGap,
)
from contactor.errors import LakeError, StaleWriter
from contactor.signals.groups import Group
from tests.cloud.lake.samples import DAY, GEAR, POWER, SPEED, T0, S, flush, frame, state


def test_an_empty_store_has_nothing(store: LakeStore) -> None:
    assert store.next_flush == 1
    assert store.snapshot().parts == ()
    assert store.snapshot().flush == 0
    assert store.streams() == []


def test_commit_shows_all_of_a_flush_at_once(store: LakeStore) -> None:
    drive = frame(Group.DRIVE, [T0], {SPEED: [1.5]})
    fast = frame(Group.FAST, [T0], {POWER: [2.5]})
    store.commit(flush(1, {Group.DRIVE: drive, Group.FAST: fast}, [state()]))
    snapshot = store.snapshot()
    assert snapshot.flush == 1
    assert [part.group for part in snapshot.parts] == ["drive", "fast", "streams"]
    assert store.next_flush == 2


def test_commit_keeps_a_part_per_group_and_utc_day(store: LakeStore) -> None:
    midnight = T0 - T0 % DAY + DAY
    made = frame(Group.DRIVE, [midnight - 1, midnight], {SPEED: [1.0, 2.0]})
    store.commit(flush(1, {Group.DRIVE: made}))
    assert sorted((part.day, part.ts) for part in store.snapshot().parts) == [
        (date(2024, 5, 1), (midnight - 1, midnight - 1)),
        (date(2024, 5, 2), (midnight, midnight)),
    ]


def test_parts_are_sorted_by_vehicle_and_ts_and_say_so(store: LakeStore) -> None:
    made = pl.concat(
        [
            frame(Group.DRIVE, [T0 + S, T0], {SPEED: [1.0, 2.0]}, "b"),
            frame(Group.DRIVE, [T0], {SPEED: [3.0]}, "a"),
        ]
    )
    store.commit(flush(1, {Group.DRIVE: made}))
    (part,) = store.snapshot().parts
    assert (part.vehicles, part.ts, part.row_count) == (("a", "b"), (T0, T0 + S), 3)
    source = part.source
    rows = source if isinstance(source, pl.DataFrame) else pl.read_parquet(source)
    assert rows.select("vehicle_id", "ts").rows() == [("a", T0), ("b", T0), ("b", T0 + S)]
    assert part.may_hold("a", T0, T0 + 1)
    assert not part.may_hold("c", None, None)
    assert not part.may_hold("a", T0 + S + 1, None)
    assert not part.may_hold("a", None, T0)


def test_snapshot_stays_as_it_was_when_more_is_committed(store: LakeStore) -> None:
    store.commit(flush(1, {Group.DRIVE: frame(Group.DRIVE, [T0], {SPEED: [1.0]})}))
    before = store.snapshot()
    store.commit(flush(2, {Group.DRIVE: frame(Group.DRIVE, [T0], {SPEED: [2.0]})}))
    assert (before.flush, len(before.parts)) == (1, 1)
    assert (store.snapshot().flush, len(store.snapshot().parts)) == (2, 2)


def test_snapshot_names_the_groups_of_each_signal(store: LakeStore) -> None:
    store.commit(flush(1, {Group.DRIVE: frame(Group.DRIVE, [T0], {SPEED: [1.0], GEAR: [1]})}))
    store.commit(flush(2, {Group.FAST: frame(Group.FAST, [T0], {SPEED: [1.0]})}))
    groups = store.snapshot().groups
    assert groups == {SPEED: {"drive", "fast"}, GEAR: {"drive"}}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_flush_that_is_not_the_next_is_refused(store: LakeStore, number: int) -> None:
    store.commit(flush(1, {Group.DRIVE: frame(Group.DRIVE, [T0], {SPEED: [1.0]})}))
    with pytest.raises(StaleWriter, match=rf"flush {number} offered.*expects 2"):
        store.commit(flush(number, {Group.DRIVE: frame(Group.DRIVE, [T0], {SPEED: [2.0]})}))
    assert len(store.snapshot().parts) == 1


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.Series("Vehicle.Nonsense", [1.0]), "no signal"),
        (pl.Series(SPEED, [1.0], pl.Float64), "is Float64; the lake stores Float32"),
    ],
)
def test_a_column_of_the_wrong_name_or_type_is_refused(
    store: LakeStore, column: pl.Series, words: str
) -> None:
    made = frame(Group.DRIVE, [T0], {GEAR: [1]}).with_columns(column)
    with pytest.raises(LakeError, match=words):
        store.commit(flush(1, {Group.DRIVE: made}))
    assert store.snapshot().parts == ()
    store.commit(flush(1, {Group.DRIVE: made.drop(column.name)}))
    assert len(store.snapshot().parts) == 1


def test_streams_come_back_equal_and_only_the_newest(store: LakeStore) -> None:
    full = state(
        stream=2**64 - 1,
        watermark=7,
        above=((9, 9), (12, 20)),
        rows_refused=2,
        refused={"outside 0..250": 2},
        paths=(GEAR, SPEED),
    )
    bare = state(stream=3, paths=(), rows_stored=0, first_ts=None, last_ts=None)
    store.commit(flush(1, {}, [state(stream=2**64 - 1), bare]))
    store.commit(flush(2, {}, [full]))
    assert sorted(store.streams(), key=lambda told: told.stream) == [bare, full]


def test_stream_states_stay_right_and_few_over_many_flushes(store: LakeStore) -> None:
    for number in range(1, 66):
        store.commit(flush(number, {}, [state(stream=number % 3, watermark=number)]))
    told = {known.stream: known.watermark for known in store.streams()}
    assert told == {0: 63, 1: 64, 2: 65}


def test_gaps_and_quarantine_are_stored(store: LakeStore) -> None:
    gap = StoredGap("leaf", 2**63, 4, 9, "outbox full", 120, T0, T0 + S)
    lost = Quarantined(None, None, None, "no record", b"\x00\xff", T0)
    refused = Quarantined("leaf", 5, 6, "body", b"", T0 + S)
    store.commit(flush(1, {}, [], [gap], [lost, refused]))
    snapshot = store.snapshot()
    assert read_all(snapshot, GAPS)["sequence"].to_list() == [4]
    assert read_all(snapshot, QUARANTINE)["payload"].to_list() == [b"\x00\xff", b""]
    assert read_all(snapshot, STREAMS).is_empty()


def test_a_flush_with_nothing_in_it_counts(store: LakeStore) -> None:
    store.commit(flush(1))
    store.commit(flush(2, {Group.DRIVE: frame(Group.DRIVE, [], {SPEED: []})}))
    assert store.next_flush == 3
    assert store.snapshot().parts == ()


def test_codebooks_are_stored_with_the_flush(store: LakeStore) -> None:
    assert store.codebooks() == []
    first = StoredCodebook("leaf", 2**64 - 1, b"first", T0)
    second = StoredCodebook("leaf", 2**64 - 1, b"second", T0 + S)
    store.commit(Flush(1, codebooks=[first]))
    store.commit(Flush(2, codebooks=[second]))
    assert store.codebooks() == [first, second]
