"""What the API says of vehicles, and that it never looks at living accounts from a thread."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import polars as pl
import pytest

from contactor.cloud.ingest.ledger import Ledger, StreamLedger
from contactor.errors import MalformedQuery, UnknownVehicle
from contactor.faces.web.fleet import READERS
from tests.cloud.lake.samples import SPEED, T0, S, flush, state, store_drive
from tests.faces.web.conftest import Instance


class WatchedLedger(Ledger):
    """Notes from which threads it was gone through."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(account.state() for account in ledger)
        self.threads: set[threading.Thread] = set()

    def __iter__(self) -> Iterator[StreamLedger]:
        self.threads.add(threading.current_thread())
        return super().__iter__()

    def of_vehicle(self, vehicle_id: str) -> Sequence[StreamLedger]:
        self.threads.add(threading.current_thread())
        return super().of_vehicle(vehicle_id)


@pytest.fixture
def leaf(instance: Instance) -> Instance:
    """With one vehicle, whose speed was last told half a second after T0."""
    store_drive(instance.store, {SPEED: [10.0, 20.0]}, ts=[T0, T0 + S // 2])
    instance.start()
    return instance


def test_questions_go_through_the_accounts_on_the_loop_alone(leaf: Instance) -> None:
    leaf.ingest.intake.ledger = WatchedLedger(leaf.ingest.intake.ledger)

    async def ask() -> None:
        leaf.fleet.now("leaf")
        await leaf.fleet.series("leaf", [SPEED], None, None, 10)
        await leaf.fleet.summary("leaf", None, None, None)

    asyncio.run(ask())
    assert leaf.ingest.intake.ledger.threads == {threading.current_thread()}


def test_questions_are_answered_in_a_few_threads_of_the_fleets_own(
    leaf: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = set()
    collect = pl.DataFrame.sort

    def watched(self: pl.DataFrame, *args: object, **options: object) -> pl.DataFrame:
        readers.add(threading.current_thread().name)
        return collect(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pl.DataFrame, "sort", watched)

    async def ask() -> None:
        questions = (leaf.fleet.summary("leaf", None, None, None) for _ in range(8))
        await asyncio.gather(*questions)

    asyncio.run(ask())
    assert readers <= {f"fleet_{number}" for number in range(READERS)}
    assert readers


def test_vehicle_that_nothing_is_stored_of_is_unknown(leaf: Instance) -> None:
    leaf.ingest.intake.ledger.of("shy", 7)  # it said hello
    for vehicle_id in ("shy", "nobody"):
        with pytest.raises(UnknownVehicle, match=vehicle_id):
            leaf.fleet.vehicle(vehicle_id)
        with pytest.raises(UnknownVehicle):
            leaf.fleet.now(vehicle_id)


def test_vehicles_are_all_or_those_named(instance: Instance) -> None:
    for vehicle_id in ("leaf", "elm", "oak"):
        store_drive(instance.store, {SPEED: [1.0]}, vehicle_id=vehicle_id)
    instance.start()
    found = [vehicle.vehicle_id for vehicle in instance.fleet.vehicles()]
    assert found == ["elm", "leaf", "oak"]
    named = instance.fleet.vehicles(["oak", "leaf", "ash"])
    assert [vehicle.vehicle_id for vehicle in named] == ["leaf", "oak"]


def test_page_of_those_that_are_so_now(instance: Instance) -> None:
    for number, vehicle_id in enumerate(("ash", "elm", "fir", "leaf", "oak")):
        store_drive(instance.store, {SPEED: [10.0 * number]}, vehicle_id=vehicle_id)
    instance.start()

    def page(
        where: str | None, names: list[str] | None = None, cursor: str | None = None
    ) -> tuple[list[str], str | None]:
        found, after = instance.fleet.page(names, where, limit=2, cursor=cursor)
        return [vehicle.vehicle_id for vehicle in found], after

    assert page(None) == (["ash", "elm"], "elm")
    assert page(f"{SPEED} >= 20") == (["fir", "leaf"], "leaf")
    assert page(f"{SPEED} >= 20", cursor="leaf") == (["oak"], None)
    assert page(f"{SPEED} >= 20", ["oak", "ash", "yew"]) == (["oak"], None)
    assert page(None, ["oak", "ash", "yew"]) == (["ash", "oak"], None)
    with pytest.raises(MalformedQuery, match="character 1"):
        page("Vehicle.Sped > 1")


def test_profile_is_the_newest_that_is_known(instance: Instance) -> None:
    streams = [
        state(stream=1, profile="nissan_leaf_ze1", received_at=T0 + 2),
        state(stream=2, profile="nissan_leaf_ze0", received_at=T0 + 1),
        state(stream=3, profile="", received_at=T0 + 3),  # a table, imported last
    ]
    instance.store.commit(flush(instance.store.next_flush, streams=streams))
    instance.start()
    assert instance.fleet.vehicle("leaf").profile == "nissan_leaf_ze1"
    assert instance.lake.vehicles()["profile"].to_list() == ["nissan_leaf_ze1"]


def test_signal_is_stale_once_it_is_older_than_its_limit(leaf: Instance) -> None:
    from contactor.signals.catalogue import catalogue

    limit_s = catalogue()[SPEED].stale_s

    def is_stale() -> bool:
        return leaf.fleet.now("leaf").signals[SPEED].stale

    # The limit itself lies on a whole second; as text "...00Z" comes after "...00.5Z".
    leaf.clock.advance(limit_s)
    assert not is_stale()
    leaf.clock.advance(0.5)
    assert not is_stale()
    leaf.clock.advance(0.001)
    assert is_stale()
