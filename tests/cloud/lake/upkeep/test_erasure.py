"""One vehicle is erased: no byte of the lake names it any more, and the others are as they were."""

import threading
from pathlib import Path

import polars as pl
import pytest

from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.schema import Flush, Quarantined, StoredCodebook, StoredGap
from contactor.cloud.lake.upkeep.erasure import Erased, erase, mentions
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.errors import LakeError, UnknownVehicle
from contactor.signals.groups import Group
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
    state,
    store_drive,
)

GONE = "WVWZZZ-forget-me-7"
OTHERS = ("a", "WVWZZZ-forget-me-77", "z")
LATER = T0 + 40 * DAY


def fill(store: LocalStore, *, day: int = 0) -> None:
    begin = T0 + day * DAY
    for number, car in enumerate((*OTHERS, GONE)):
        ts = [begin + n * S for n in range(20)]
        store_drive(
            store, {SPEED: [float(number), NA] * 10, GEAR: [number] * 20}, ts=ts, vehicle_id=car
        )
        store_drive(store, {POWER: [float(number)]}, ts=ts[:1], group=Group.FAST, vehicle_id=car)
        store_drive(store, {CELLS: [(3.5,)]}, ts=ts[:1], group=Group.CELLS, vehicle_id=car)
        store_drive(store, {VIN: [car]}, ts=ts[:1], group=Group.EVENTS, vehicle_id=car)
        gap = StoredGap(car, number, 4, 9, "outbox full", 120, T0, T0 + S)
        refused = Quarantined(car, 5, 6, "body", car.encode(), T0 + S)
        lost = Quarantined(None, None, None, "no record", b"\x96\xb2" + car.encode() + b"\x00", T0)
        codebook = StoredCodebook(car, number, b"codes of " + car.encode(), T0)
        told = [state(car, number)]
        store.commit(
            Flush(store.next_flush, {}, told, [gap], [refused, lost], codebooks=[codebook])
        )


def files_that_name(data: Path, vehicle_id: str) -> list[str]:
    """Every file in which the id stands, alone or compressed: each column of each file is read."""
    name = vehicle_id.encode()
    found = []
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(
                pl.read_parquet(path, glob=False, hive_partitioning=False).rows()
            ).encode()
        without_others = content.replace(OTHERS[1].encode(), b"")
        if name in without_others:
            found.append(path.name)
    return found


def shown(data: Path) -> list[object]:
    lake = open_lake(data)
    answers: list[object] = []
    for car in OTHERS:
        answers += [lake.signals(car, layout="long").rows(), lake.gaps(car).rows()]
        answers += [lake.quarantined(car).rows(), lake.series(car, SPEED, None, None, 3)]
    return [*answers, lake.vehicles().filter(pl.col("vehicle_id") != GONE).rows()]


@pytest.mark.parametrize("upkept", ["not", "half", "all"])
def test_no_byte_names_it_and_the_others_are_as_they_were(tmp_path: Path, upkept: str) -> None:
    store = LocalStore(tmp_path, checkpoint_every=7)
    fill(store)
    if upkept != "not":
        Upkeep(store, max_cells=50).run(now_ns=LATER, is_thorough=True)
    if upkept == "half":
        fill(store)
        fill(store, day=1)
    before = shown(tmp_path)
    assert len(files_that_name(tmp_path, GONE)) > 10
    told: list[tuple[int, int]] = []
    erased = erase(store, GONE, on_progress=lambda *now: told.append(now))
    times = 3 if upkept == "half" else 1
    assert erased.rows == 23 * times
    assert erased.others >= 5 * times
    assert told[-1][0] == told[-1][1]
    assert files_that_name(tmp_path, GONE) == []
    assert shown(tmp_path) == before
    with pytest.raises(UnknownVehicle):
        open_lake(tmp_path).signals(GONE)
    again = LocalStore(tmp_path)
    assert again.next_flush == store.next_flush
    assert {codebook.vehicle_id for codebook in again.codebooks()} == {*OTHERS}
    fill(again, day=2)


def test_a_vehicle_that_is_not_there_is_erased_in_vain(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store_drive(store, {SPEED: [1.0]})
    parts = store.snapshot().parts
    assert erase(store, "nobody") == Erased(0, 0, 0)
    assert store.snapshot().parts == parts


def test_messages_without_any_content_are_no_harm(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.commit(flush(1, {}, [], [], [Quarantined(None, None, None, f"names {GONE}", b"", T0)]))
    store.commit(flush(2, {}, [], [], [Quarantined("a", None, None, "other", b"", T0)]))
    assert erase(store, GONE).others == 1
    assert Lake(store).quarantined()["reason"].to_list() == ["other"]


def test_a_lake_of_one_vehicle_is_empty_afterwards(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store_drive(store, {SPEED: [1.0]}, vehicle_id=GONE)
    erase(store, GONE)
    assert Lake(store).vehicles().is_empty()
    assert files_that_name(tmp_path, GONE) == []
    store_drive(store, {SPEED: [2.0]})
    assert open_lake(tmp_path).signals("leaf", [SPEED])[SPEED].to_list() == [2.0]


def test_readers_see_the_vehicle_whole_or_not_at_all_or_are_told(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    fill(store)
    done = threading.Event()
    seen: list[int] = []
    failures: list[BaseException] = []

    def read() -> None:
        while not done.is_set():
            try:
                rows = open_lake(tmp_path).signals("a", [SPEED])
                assert rows.height == 20
                seen.append(open_lake(tmp_path).signals(GONE, [SPEED]).height)
            except UnknownVehicle:
                seen.append(0)
            except LakeError as error:
                assert "cannot be" in str(error)  # noqa: PT017  # one of several outcomes
            except BaseException as error:
                failures.append(error)
                raise

    reader = threading.Thread(target=read)
    reader.start()
    try:
        erase(store, GONE)
    finally:
        done.set()
        reader.join()
    assert failures == []
    assert set(seen) <= {0, 20}


@pytest.mark.parametrize(
    ("message", "is_named"),
    [
        (b"\x96\x02\xa4leaf\x01", True),  # MessagePack: a short text of 4
        (b"CT\x02\x01" + bytes(16) + b"\x04leafx", True),  # version 2: the length, then the id
        (b'{"vehicle": "leaf"}', True),
        (b"\xd9\x04leafy", True),
        (b"leafy", False),
        (b"my-leaf", False),
        (b"", False),
    ],
)
def test_what_could_not_be_read_may_name_it(message: bytes, *, is_named: bool) -> None:
    assert mentions(message, "leaf") is is_named
