"""Rows that an instance holds but has not committed yet."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from contactor.cloud.lake.export import Wanted, export_file
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.ports import Snapshot
from contactor.cloud.lake.reading import PendingFrame
from contactor.cloud.lake.summary import summarise
from contactor.errors import LakeError
from contactor.signals.groups import Group
from tests.cloud.lake.samples import GEAR, NA, SPEED, T0, VIN, S, flush, frame, state, store_drive


def drive(number: int, value: float, *, vehicle_id: str = "leaf") -> PendingFrame:
    made = frame(Group.DRIVE, [T0 + number * S], {SPEED: [value]}, vehicle_id)
    return PendingFrame(number, Group.DRIVE, made)


def test_pending_rows_follow_the_committed_ones() -> None:
    store = MemoryStore()
    store_drive(store, {SPEED: [0.0]})
    lake = Lake(store, pending=lambda: [drive(2, 2.0), drive(3, 3.0, vehicle_id="other")])
    assert lake.signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 2.0]
    assert summarise(lake, "leaf", None, None, None)["signals"][SPEED]["count"] == 2


def test_pending_rows_are_exported_also_of_a_day_without_any_other(tmp_path: Path) -> None:
    store = MemoryStore()
    store_drive(store, {SPEED: [0.0]})
    later = drive(2 + 2 * 86_400, 2.0)
    waiting = [PendingFrame(2, Group.DRIVE, later.frame), drive(3, 3.0, vehicle_id="other")]
    lake = Lake(store, pending=lambda: waiting)
    exported = export_file(lake, Wanted("leaf"), tmp_path / "leaf.parquet", ".parquet")
    assert exported.rows == 2
    assert pl.read_parquet(tmp_path / "leaf.parquet")[SPEED].to_list() == [0.0, 2.0]


def test_rows_that_were_committed_meanwhile_are_neither_doubled_nor_missed() -> None:
    store = MemoryStore()
    store_drive(store, {SPEED: [0.0]})
    waiting = [drive(2, 2.0), drive(3, 3.0)]

    def pending() -> Sequence[PendingFrame]:
        taken = list(waiting)
        # Right after its answer the flush is committed, before the store is asked.
        store.commit(flush(2, {Group.DRIVE: waiting[0].frame}, [state()]))
        return taken

    assert Lake(store, pending=pending).signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 2.0, 3.0]


def test_pending_is_asked_before_the_store() -> None:
    asked: list[str] = []

    class Store(MemoryStore):
        def snapshot(self) -> Snapshot:
            asked.append("store")
            return super().snapshot()

    Lake(Store(), pending=lambda: asked.append("pending") or ())
    assert asked == ["pending", "store"]


def test_a_vehicle_that_is_only_pending_is_known_with_its_signals() -> None:
    made = frame(Group.DRIVE, [T0], {SPEED: [1.0], GEAR: [NA]}, "new")
    more = frame(Group.DRIVE, [T0], {"Vehicle.IsMoving": [True]}, "other")
    events = frame(Group.EVENTS, [T0], {VIN: ["x"]}, "new")
    lake = Lake(
        MemoryStore(),
        pending=lambda: [
            PendingFrame(1, Group.DRIVE, made),
            PendingFrame(1, Group.DRIVE, more),
            PendingFrame(1, Group.EVENTS, events),
        ],
    )
    assert lake.paths("new") == (GEAR, SPEED, VIN)
    assert lake.signals("new").rows() == [(T0, None, 1.0, "x")]
    with pytest.raises(LakeError, match="stored: new, other"):
        lake.paths("leaf")
