"""The newest values are found without reading all of the lake."""

from contactor.cloud.lake import newest as module
from contactor.cloud.lake.newest import newest
from contactor.cloud.lake.ports import LakeStore
from contactor.signals.groups import Group
from contactor.signals.record import Value
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
    frame,
    state,
    store_drive,
)


def found(store: LakeStore) -> dict[tuple[str, str], tuple[Group, int, Value | None]]:
    cells: dict[tuple[str, str], tuple[Group, int, Value | None]] = {}
    for column in newest(store.snapshot(), store.streams()):
        assert column.rows["vehicle_id"].is_unique().all()
        for vehicle_id, ts, value in column.rows.iter_rows():
            _, before, _ = cells.get((vehicle_id, column.path), (column.group, ts, value))
            if ts >= before:
                plain = tuple(value) if isinstance(value, list) else value
                cells[vehicle_id, column.path] = column.group, ts, plain
    return cells


def test_empty_lake_has_no_newest_value(store: LakeStore) -> None:
    assert found(store) == {}


def test_newest_is_the_last_that_was_told_in_any_group(store: LakeStore) -> None:
    store_drive(store, {SPEED: [10.0, None], GEAR: [1, NA], VIN: ["A", "B"]})
    store_drive(store, {SPEED: [5.0]}, ts=[T0 - S])  # stored later, measured before
    store_drive(store, {CELLS: [(3.5, 3.75)], POWER: [-1.0]}, group=Group.CELLS)
    event = frame(Group.EVENTS, [T0 + 5 * S], {GEAR: [2]})
    told = state(watermark=4, paths=(SPEED, GEAR, VIN, CELLS, POWER), last_ts=T0 + 5 * S)
    store.commit(flush(store.next_flush, {Group.EVENTS: event}, [told]))
    assert found(store) == {
        ("leaf", SPEED): (Group.DRIVE, T0, 10.0),
        ("leaf", GEAR): (Group.EVENTS, T0 + 5 * S, 2),
        ("leaf", VIN): (Group.DRIVE, T0 + S, "B"),
        ("leaf", CELLS): (Group.CELLS, T0, (3.5, 3.75)),
        ("leaf", POWER): (Group.CELLS, T0, -1.0),
    }


def test_each_vehicle_is_looked_up_before_its_own_last_word(store: LakeStore) -> None:
    for vehicle_id, ts in (("elm", T0), ("leaf", T0 + 90 * DAY)):
        made = frame(Group.DRIVE, [ts], {SPEED: [7.0]}, vehicle_id)
        told = state(vehicle_id, first_ts=ts, last_ts=ts)
        store.commit(flush(store.next_flush, {Group.DRIVE: made}, [told]))
    assert {key: ts for key, (_, ts, _) in found(store).items()} == {
        ("elm", SPEED): T0,
        ("leaf", SPEED): T0 + 90 * DAY,
    }


def test_value_told_once_and_long_ago_is_found_in_older_parts(store: LakeStore) -> None:
    first = frame(Group.SLOW, [T0 - 40 * DAY], {VIN: ["old"], SPEED: [1.0]})
    event = frame(Group.EVENTS, [T0 - DAY], {GEAR: [3]})
    last = frame(Group.DRIVE, [T0], {SPEED: [2.0]})
    for group, made in ((Group.SLOW, first), (Group.EVENTS, event), (Group.DRIVE, last)):
        told = state(paths=(SPEED, VIN, GEAR), watermark=store.next_flush)
        store.commit(flush(store.next_flush, {group: made}, [told]))
    assert found(store) == {
        ("leaf", SPEED): (Group.DRIVE, T0, 2.0),
        ("leaf", GEAR): (Group.EVENTS, T0 - DAY, 3),
        ("leaf", VIN): (Group.SLOW, T0 - 40 * DAY, "old"),
    }


def test_only_the_newest_parts_are_opened(store: LakeStore, monkeypatch: object) -> None:
    opened = []
    read = module.read_parts

    def watched(parts: list[object], *rest: object) -> object:
        opened.extend(parts)
        return read(parts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_parts", watched)  # type: ignore[attr-defined]
    for day in range(10):
        ts = T0 + day * DAY
        made = frame(Group.DRIVE, [ts], {SPEED: [float(day)]})
        store.commit(flush(store.next_flush, {Group.DRIVE: made}, [state(last_ts=ts)]))
    assert found(store) == {("leaf", SPEED): (Group.DRIVE, T0 + 9 * DAY, 9.0)}
    assert len(opened) == 1
