"""A reader whose log is cleaned while it reads looks again: in a folder, in an object storage."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.cloud.lake.delta import FAILURES, TelemetryTable, look
from contactor.cloud.lake.known_table import KnownTable
from contactor.cloud.lake.lake import open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.local_reader import table_folder
from contactor.cloud.lake.object_store import ObjectStore
from contactor.cloud.lake.upkeep.erasure import erase
from contactor.cloud.lake.writers import Fence
from contactor.errors import LakeError, StaleWriter, UnknownVehicle
from tests.cloud.lake.samples import SPEED, T0, S, store_drive

Place = Path | str
GONE = "forget-me"


@pytest.fixture(params=["local", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a lake may be made: a data folder, or a url."""
    return tmp_path if request.param == "local" else str(request.getfixturevalue("url"))


def open_store(place: Place) -> LocalStore | ObjectStore:
    return LocalStore(place) if isinstance(place, Path) else ObjectStore(place)


def finder(place: Place, versions: list[int | None]) -> Callable[[], TelemetryTable]:
    """Opens the table at one version after the other."""
    root = table_folder(place) if isinstance(place, Path) else place
    return lambda: TelemetryTable.open(root, versions.pop(0))


def test_a_table_whose_log_was_cleaned_is_looked_for_again(place: Place) -> None:
    store = open_store(place)
    for number in range(3):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    assert look(finder(place, [1]))[0].version == 1
    store.vacuum(older_than_s=0)
    gone = [1, 1, None]
    found = look(finder(place, gone))[1]
    assert [part.source for part in found.parts] == [part.source for part in store.snapshot().parts]
    assert gone == []
    gone = [1, 1, 1, None]
    with pytest.raises(FAILURES):
        look(finder(place, gone))
    assert gone == [None]


def test_an_erasure_keeps_nobody_from_opening_the_lake(place: Place) -> None:
    store, done, seen = open_store(place), threading.Event(), set[int]()
    failures: list[BaseException] = []

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(open_lake(place).signals(GONE, [SPEED]).height)
            except UnknownVehicle:
                seen.add(0)
            except LakeError as error:
                if "is deleted; look anew" not in str(error):  # what a snapshot held: told so
                    failures.append(error)

    for number in range(8):
        store_drive(store, {SPEED: [1.0]}, ts=[T0 + number * S], vehicle_id=f"car{number}")
    for _ in range(3):
        done.clear()
        store_drive(store, {SPEED: [1.0, 2.0]}, vehicle_id=GONE)
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            erase(store, GONE)
        finally:
            done.set()
            for reader in readers:
                reader.join()
    assert failures == []
    assert seen <= {0, 2}


def test_a_writer_that_takes_a_new_handle_sees_that_it_was_replaced(place: Place) -> None:
    older = open_store(place)
    store_drive(older, {SPEED: [1.0]})
    known = KnownTable(place, Fence(None), find=finder(place, [None, None, None]))
    known.flush = older.next_flush - 1
    known.renew()
    assert not known.is_unsure
    known.check()
    store_drive(open_store(place), {SPEED: [2.0]}, ts=[T0 + S])
    known.renew()
    assert known.is_unsure
    with pytest.raises(StaleWriter):
        known.check()
