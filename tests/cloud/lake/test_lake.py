"""The lake's face, over every driver."""

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.schema import Quarantined, StoredGap
from contactor.errors import LakeError, UnknownSignal, UsageError
from contactor.signals.groups import Group
from tests.cloud.lake.samples import (
    CELLS,
    CODES,
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

DOORS = "Vehicle.Cabin.DoorCount"  # uint8
ODOMETER = "Vehicle.TraveledDistance"
LOCKED = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"


def test_signals_come_back_in_their_vss_types(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.5], GEAR: [-1], DOORS: [255], LOCKED: [True], CELLS: [(3.5,)]})
    found = Lake(store).signals("leaf", [DOORS, SPEED, LOCKED, CELLS, GEAR])
    assert dict(found.schema) == {
        "ts": pl.Int64,
        DOORS: pl.UInt8,
        SPEED: pl.Float32,
        LOCKED: pl.Boolean,
        CELLS: pl.List(pl.Float32),
        GEAR: pl.Int8,
    }
    assert found.rows() == [(T0, 255, 1.5, True, [3.5], -1)]


def test_signals_without_paths_are_all_of_the_vehicle(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.5], GEAR: [1]})
    store_drive(store, {POWER: [2.5]}, vehicle_id="other")
    lake = Lake(store)
    assert lake.signals("leaf").columns == ["ts", GEAR, SPEED]
    assert lake.paths("leaf") == (GEAR, SPEED)


def test_signals_give_only_the_vehicle_asked_for(store: LakeStore) -> None:
    both = pl.concat(
        [
            frame(Group.DRIVE, [T0], {SPEED: [value]}, name)
            for name, value in (("a", 1.0), ("b", 2.0))
        ]
    )
    store.commit(flush(1, {Group.DRIVE: both}, [state("a"), state("b")]))
    assert Lake(store).signals("b", [SPEED]).rows() == [(T0, 2.0)]


def test_start_is_inclusive_and_end_exclusive(store: LakeStore) -> None:
    store_drive(store, {SPEED: [0.0, 1.0, 2.0, 3.0]})
    found = Lake(store).signals("leaf", [SPEED], T0 + S, T0 + 3 * S)
    assert found[SPEED].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(
    "start", [T0 + S, "2024-05-01T08:00:01Z", datetime(2024, 5, 1, 8, 0, 1, tzinfo=UTC)]
)
def test_start_may_be_ns_text_or_a_datetime(store: LakeStore, start: int | str | datetime) -> None:
    store_drive(store, {SPEED: [0.0, 1.0]})
    assert Lake(store).signals("leaf", [SPEED], start=start)[SPEED].to_list() == [1.0]


def test_days_are_read_together(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0, 2.0, 3.0]}, ts=[T0, T0 + DAY, T0 + 2 * DAY])
    lake = Lake(store)
    assert lake.signals("leaf", [SPEED])[SPEED].to_list() == [1.0, 2.0, 3.0]
    assert lake.signals("leaf", [SPEED], "2024-05-02", "2024-05-03")[SPEED].to_list() == [2.0]


def test_rows_are_ordered_by_ts_and_equal_ones_as_stored(store: LakeStore) -> None:
    store_drive(store, {SPEED: [3.0, 4.0]}, ts=[T0 + S, T0 + S])
    store_drive(store, {SPEED: [1.0, 5.0]}, ts=[T0, T0 + S])
    assert Lake(store).signals("leaf", [SPEED])[SPEED].to_list() == [1.0, 3.0, 4.0, 5.0]


def test_rows_of_groups_meet_at_equal_ts(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0, 2.0]}, ts=[T0, T0 + 2 * S])
    store_drive(store, {POWER: [5.0, 6.0, 7.0]}, ts=[T0, T0 + S, T0 + 3 * S], group=Group.FAST)
    assert Lake(store).signals("leaf", [SPEED, POWER]).rows() == [
        (T0, 1.0, 5.0),
        (T0 + S, None, 6.0),
        (T0 + 2 * S, 2.0, None),
        (T0 + 3 * S, None, 7.0),
    ]


def test_rows_of_one_group_with_equal_ts_stay_apart(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0, 2.0, 3.0]}, ts=[T0, T0, T0])
    store_drive(store, {POWER: [5.0, 6.0]}, ts=[T0, T0], group=Group.FAST)
    assert Lake(store).signals("leaf", [SPEED, POWER]).rows() == [
        (T0, 1.0, 5.0),
        (T0, 2.0, 6.0),
        (T0, 3.0, None),
    ]


def test_a_signal_that_moved_between_groups_hides_nothing(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    store_drive(store, {SPEED: [2.0]}, group=Group.SLOW)
    store_drive(store, {SPEED: [3.0]}, group=Group.EVENTS)
    assert Lake(store).signals("leaf", [SPEED]).rows() == [(T0, 1.0), (T0, 2.0), (T0, 3.0)]


def test_rows_without_anything_asked_for_are_left_out(store: LakeStore) -> None:
    store_drive(store, {SPEED: [None, 1.0, NA], GEAR: [1, None, NA]})
    lake = Lake(store)
    assert lake.signals("leaf", [SPEED]).rows() == [(T0 + S, 1.0), (T0 + 2 * S, None)]
    assert lake.signals("leaf", [GEAR]).rows() == [(T0, 1), (T0 + 2 * S, None)]
    assert lake.signals("leaf", [SPEED, GEAR]).height == 3


def test_a_row_unavailable_in_another_signal_is_left_out(store: LakeStore) -> None:
    store_drive(store, {SPEED: [NA, 1.0], GEAR: [None, 1]})
    assert Lake(store).signals("leaf", [GEAR]).rows() == [(T0 + S, 1)]


def test_a_known_signal_never_stored_has_no_rows(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    found = Lake(store).signals("leaf", [DOORS])
    assert dict(found.schema) == {"ts": pl.Int64, DOORS: pl.UInt8}
    assert found.is_empty()


def test_events_become_wide_columns_of_their_types(store: LakeStore) -> None:
    store_drive(
        store,
        {VIN: ["x", "y"], CODES: [("P0", "ü"), ()], DOORS: [4, None], LOCKED: [False, NA]},
        group=Group.EVENTS,
    )
    store_drive(store, {SPEED: [1.0]})
    found = Lake(store).signals("leaf", [VIN, CODES, DOORS, LOCKED, SPEED])
    types = [found.schema[path] for path in (VIN, CODES, DOORS, LOCKED)]
    assert types == [pl.String, pl.List(pl.String), pl.UInt8, pl.Boolean]
    assert found.rows() == [
        (T0, "x", ["P0", "ü"], 4, False, 1.0),
        (T0 + S, "y", [], None, None, None),
    ]


def test_events_of_one_instant_stay_apart(store: LakeStore) -> None:
    store_drive(store, {VIN: ["x", "y"], GEAR: [1, 2]}, ts=[T0, T0], group=Group.EVENTS)
    assert Lake(store).signals("leaf", [VIN, GEAR]).rows() == [(T0, "x", 1), (T0, "y", 2)]


def test_long_has_a_row_per_value_and_per_unavailable(store: LakeStore) -> None:
    store_drive(
        store, {SPEED: [1.5, None, NA], LOCKED: [True, None, None], CELLS: [(3.5,), (), None]}
    )
    store_drive(store, {VIN: ["x"], GEAR: [-1]}, group=Group.EVENTS)
    found = Lake(store).signals("leaf", [SPEED, LOCKED, CELLS, VIN, GEAR], layout="long")
    assert dict(found.schema) == {
        "ts": pl.Int64,
        "path": pl.String,
        "value": pl.Float64,
        "text": pl.String,
    }
    assert found.rows() == [
        (T0, SPEED, 1.5, None),
        (T0, LOCKED, 1.0, None),
        (T0, CELLS, None, "[3.5]"),
        (T0, VIN, None, "x"),
        (T0, GEAR, -1.0, None),
        (T0 + S, CELLS, None, "[]"),
        (T0 + 2 * S, SPEED, None, None),
    ]


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_nothing_in_the_interval_is_an_empty_frame_of_the_same_columns(
    store: LakeStore, layout: str
) -> None:
    store_drive(store, {SPEED: [1.0]})
    lake = Lake(store)
    found = lake.signals("leaf", [SPEED], T0 + S, layout=layout)  # type: ignore[arg-type]
    assert_frame_equal(found, lake.signals("leaf", [SPEED], layout=layout).clear())  # type: ignore[arg-type]


def test_a_path_asked_twice_is_one_column(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    assert Lake(store).signals("leaf", [SPEED, SPEED]).columns == ["ts", SPEED]


def test_an_unknown_path_is_refused(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    with pytest.raises(UnknownSignal, match=r"Vehicle\.Sped"):
        Lake(store).signals("leaf", ["Vehicle.Sped"])


def test_an_unknown_vehicle_is_refused_naming_the_known(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    lake = Lake(store)
    for ask in (lake.signals, lake.gaps, lake.paths):
        with pytest.raises(LakeError, match="unknown vehicle 'leef'; stored: leaf"):
            ask("leef")


def test_an_unknown_layout_is_refused(store: LakeStore) -> None:
    with pytest.raises(UsageError, match="allowed: wide, long"):
        Lake(store).signals("leaf", layout="tall")  # type: ignore[arg-type]


def test_vehicles_sum_up_their_streams(store: LakeStore) -> None:
    live = state("b", 1, rows_stored=5, paths=(SPEED, GEAR), first_ts=T0, last_ts=T0 + S)
    backlog = state("b", 2, rows_stored=2, paths=(SPEED, POWER), first_ts=T0 - S, last_ts=None)
    newer = state("b", 3, profile="renamed", received_at=T0 + 9 * S, paths=(), first_ts=None)
    store.commit(flush(1, {}, [live, backlog, newer, state("a", rows_stored=0)]))
    lake = Lake(store)
    assert lake.vehicles().rows() == [
        ("a", "nissan_leaf_ze1", 0, 1, T0, T0, T0),
        ("b", "renamed", 8, 3, T0 - S, T0 + S, T0 + 9 * S),
    ]
    assert lake.committed_until == T0 + 9 * S


def test_an_empty_lake_has_no_vehicles(store: LakeStore) -> None:
    lake = Lake(store)
    assert lake.vehicles().is_empty()
    assert lake.vehicles().schema["rows"] == pl.Int64
    assert lake.committed_until is None


def test_gaps_and_quarantine_are_shown(store: LakeStore) -> None:
    gap = StoredGap("leaf", 2**64 - 1, 4, 9, "outbox full", 120, T0, T0 + S)
    lost = Quarantined(None, None, None, "no record", b"\xff", T0)
    refused = Quarantined("leaf", 2**63, 6, "body", b"\x01", T0 + S)
    store.commit(flush(1, {}, [state()], [gap], [lost, refused]))
    lake = Lake(store)
    assert lake.gaps("leaf").rows(named=True) == [
        {
            "vehicle_id": "leaf",
            "stream": 2**64 - 1,
            "first": 4,
            "last": 9,
            "reason": "outbox full",
            "row_count": 120,
            "first_ts": T0,
            "last_ts": T0 + S,
        }
    ]
    assert lake.quarantined().height == 2
    assert lake.quarantined("leaf").rows() == [("leaf", 2**63, 6, "body", b"\x01", T0 + S)]
    assert lake.quarantined(None)["stream"].to_list() == [None, 2**63]


def test_a_lake_shows_one_instant_until_refreshed(store: LakeStore) -> None:
    store_drive(store, {SPEED: [1.0]})
    lake = Lake(store)
    store_drive(store, {SPEED: [2.0]}, ts=[T0 + S])
    assert lake.signals("leaf", [SPEED])[SPEED].to_list() == [1.0]
    assert lake.committed_until == T0 + S
    assert lake.refresh().signals("leaf", [SPEED])[SPEED].to_list() == [1.0, 2.0]
