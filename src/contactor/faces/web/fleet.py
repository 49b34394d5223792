"""What the API knows of the fleet: the accounts of the ingest, the twin, and the lake.

What is now, the accounts and the twin, changes on the event loop and is read there only. What was,
the lake, is read in threads of the fleet's own, so that no question keeps a commit waiting.

    fleet = Fleet(ingest=ingest, twin=twin, lake=lake, clock=clock)
    fleet.now("leaf")
    await fleet.series("leaf", ["Vehicle.Speed"], None, None, 1000)
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from contactor.clock import Clock, to_iso
from contactor.cloud.ingest.follower import Follower
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.ledger import StreamLedger
from contactor.cloud.ingest.presence import Connectivity
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.summary import summarise
from contactor.cloud.twin.query import parse
from contactor.cloud.twin.twin import SignalNow, Twin
from contactor.errors import UnknownVehicle
from contactor.signals.rights import tells_where

READERS = 2
AT_ONCE = 32
"""Vehicles whose state is told in one go; some milliseconds."""

_Answer = TypeVar("_Answer")


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle in the list: how many signals and rows are stored of it, and when it was heard.

    What a third party is not to know is null: see `narrowed`.
    """

    vehicle_id: str
    name: str
    profile: str | None
    connectivity: Connectivity | None
    last_seen: str | None
    signals: int
    rows: int | None


class VehicleNow(msgspec.Struct, frozen=True):
    """A vehicle and the last value of each of its signals."""

    vehicle_id: str
    name: str
    profile: str | None
    connectivity: Connectivity | None
    signals: dict[str, SignalNow]


def without_place(now: VehicleNow) -> VehicleNow:
    """It, for somebody who is not to know where it is."""
    signals = {path: signal for path, signal in now.signals.items() if not tells_where(path)}
    return msgspec.structs.replace(now, signals=signals)


class Fleet:
    """Answers questions about vehicles of one instance; lives on one loop."""

    def __init__(self, *, ingest: Ingest | Follower, twin: Twin, lake: Lake, clock: Clock) -> None:
        self._ingest = ingest
        self._twin = twin
        self._lake = lake
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="fleet")

    def close(self) -> None:
        """Take no more questions; those not begun are dropped."""
        self._readers.shutdown(wait=False, cancel_futures=True)

    def vehicles(self, names: Collection[str] | None = None) -> list[Vehicle]:
        """Every vehicle that ever stored anything, or those named of them, by id."""
        ledger = self._ingest.intake.ledger
        if names is None:
            names = {account.vehicle_id for account in ledger if account.paths}
        found = []
        for name in sorted(set(names)):
            accounts = [account for account in ledger.of_vehicle(name) if account.paths]
            if accounts:
                found.append(self._vehicle(name, accounts))
        return found

    def page(
        self, names: Collection[str] | None, where: str | None, *, limit: int, cursor: str | None
    ) -> tuple[list[Vehicle], str | None]:
        """At most `limit` vehicles by id, those after `cursor`, and the cursor of what follows.

        Args:
            names: these only.
            where: those only of which this is true now; see `contactor.cloud.twin.query`.

        Raises:
            MalformedQuery: `where` cannot be read.
        """
        if where is not None:
            names = self._twin.select(parse(where), limit=limit + 1, after=cursor, among=names)
        elif names is None:
            names = {one.vehicle_id for one in self._ingest.intake.ledger if one.paths}
        known = self._ingest.intake.ledger.of_vehicle
        later = sorted(
            name for name in set(names) if known(name) and (cursor is None or name > cursor)
        )
        page, is_more = later[:limit], len(later) > limit
        return self.vehicles(page), page[-1] if is_more else None

    def vehicle(self, vehicle_id: str) -> Vehicle:
        """One vehicle.

        Raises:
            UnknownVehicle: there is none of that id.
        """
        found = self.vehicles([vehicle_id])
        if not found:
            raise UnknownVehicle(f"no vehicle {vehicle_id!r}")
        return found[0]

    def now(self, vehicle_id: str) -> VehicleNow:
        """One vehicle with the last value of each signal.

        Raises:
            UnknownVehicle: there is none of that id.
        """
        return self._now(self.vehicle(vehicle_id), None)

    async def snapshot(
        self, names: Collection[str] | None, paths: frozenset[str] | None
    ) -> list[VehicleNow]:
        """Every vehicle, or those named, with the last value of each signal or of those named.

        Others have their turn between any `AT_ONCE` vehicles, so it is not of one instant.
        """
        if names is None:
            names = {one.vehicle_id for one in self._ingest.intake.ledger if one.paths}
        ordered, found = sorted(names), []
        for start in range(0, len(ordered), AT_ONCE):
            some = self.vehicles(ordered[start : start + AT_ONCE])
            found += [self._now(vehicle, paths) for vehicle in some]
            await asyncio.sleep(0)
        return found

    def _now(self, vehicle: Vehicle, paths: frozenset[str] | None) -> VehicleNow:
        return VehicleNow(
            vehicle_id=vehicle.vehicle_id,
            name=vehicle.name,
            profile=vehicle.profile,
            connectivity=vehicle.connectivity,
            signals=self._twin.signals(vehicle.vehicle_id, paths),
        )

    async def series(
        self, vehicle_id: str, paths: Sequence[str], start: int | None, end: int | None, points: int
    ) -> list[Mapping[str, object]]:
        """The stored values of some signals, down-sampled to at most `points` each.

        Raises:
            UnknownVehicle: there is none of that id.
            UnknownSignal: a path is not in the catalogue.
        """
        self.vehicle(vehicle_id)
        return await self._read(
            lambda: [self._lake.series(vehicle_id, path, start, end, points) for path in paths]
        )

    async def summary(
        self, vehicle_id: str, paths: Sequence[str] | None, start: int | None, end: int | None
    ) -> Mapping[str, object]:
        """What `contactor signals --json` prints.

        Raises:
            UnknownVehicle: there is none of that id.
            UnknownSignal: a path is not in the catalogue.
        """
        self.vehicle(vehicle_id)
        return await self._read(lambda: summarise(self._lake, vehicle_id, paths, start, end))

    def lake_now(self) -> Lake:
        """The lake as it is now, for one long question; it stays so while others go on."""
        return self._lake.fork()

    async def _read(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask the lake as it is now, in a thread of ours."""
        self._lake.refresh()
        return await asyncio.get_running_loop().run_in_executor(self._readers, question)

    def _vehicle(self, vehicle_id: str, accounts: Sequence[StreamLedger]) -> Vehicle:
        # A table has no profile; what was imported last must not make the car's own forgotten.
        latest = max(accounts, key=lambda account: (bool(account.profile), account.received_at))
        stamps = [account.last_ts for account in accounts if account.last_ts is not None]
        return Vehicle(
            vehicle_id=vehicle_id,
            name=vehicle_id,
            profile=latest.profile or None,
            connectivity=self._ingest.presence.of(vehicle_id, self._clock.now_ns()),
            last_seen=to_iso(max(stamps)) if stamps else None,
            signals=len(set().union(*(account.paths for account in accounts))),
            rows=sum(account.rows_stored for account in accounts),
        )
