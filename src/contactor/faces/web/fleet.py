"""What the API knows of the fleet: the accounts of the ingest, who was heard when, and the lake.

The accounts change on the event loop and are read there only. The lake is read in threads of the
fleet's own, so that no question keeps the ingest's commits waiting.

    fleet = Fleet(ingest=ingest, lake=lake, clock=clock)
    await fleet.now("leaf")
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar

import msgspec

from contactor.clock import NS_PER_S, Clock, from_iso, to_iso
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.ledger import StreamLedger
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.summary import series, summarise
from contactor.errors import UnknownVehicle
from contactor.signals.catalogue import catalogue

ONLINE_NS = 45 * NS_PER_S
READERS = 2

_Answer = TypeVar("_Answer")


class Connectivity(StrEnum):
    """Heard of just now; silent on purpose or since before this start; silent without a word."""

    ONLINE = "online"
    ASLEEP = "asleep"
    LOST = "lost"


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle in the list: how many signals and rows are stored of it, and when it was heard."""

    vehicle_id: str
    name: str
    profile: str | None
    connectivity: Connectivity
    last_seen: str | None
    signals: int
    rows: int


class SignalNow(msgspec.Struct, frozen=True):
    """The last value of one signal; stale once it is older than its limit."""

    value: object
    unit: str | None
    ts: str | None
    desired: object
    stale: bool


class VehicleNow(msgspec.Struct, frozen=True):
    """A vehicle and the last value of each of its signals."""

    vehicle_id: str
    name: str
    profile: str | None
    connectivity: Connectivity
    signals: dict[str, SignalNow]


class Fleet:
    """Answers questions about vehicles from one instance's ingest and lake; lives on one loop."""

    def __init__(self, *, ingest: Ingest, lake: Lake, clock: Clock) -> None:
        self._ingest = ingest
        self._lake = lake
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="fleet")

    def close(self) -> None:
        """Take no more questions; those not begun are dropped."""
        self._readers.shutdown(wait=False, cancel_futures=True)

    def vehicles(self, names: Collection[str] | None = None) -> list[Vehicle]:
        """Every vehicle that ever stored anything, or those named of them, by id."""
        wanted = None if names is None else frozenset(names)
        by_vehicle: dict[str, list[StreamLedger]] = defaultdict(list)
        for account in self._ingest.intake.ledger:
            if account.paths and (wanted is None or account.vehicle_id in wanted):
                by_vehicle[account.vehicle_id].append(account)
        return [self._vehicle(name, accounts) for name, accounts in sorted(by_vehicle.items())]

    def vehicle(self, vehicle_id: str) -> Vehicle:
        """One vehicle.

        Raises:
            UnknownVehicle: there is none of that id.
        """
        found = self.vehicles([vehicle_id])
        if not found:
            raise UnknownVehicle(f"no vehicle {vehicle_id!r}")
        return found[0]

    async def now(self, vehicle_id: str) -> VehicleNow:
        """One vehicle with the last value of each signal.

        Raises:
            UnknownVehicle: there is none of that id.
        """
        vehicle = self.vehicle(vehicle_id)
        summary = await self._read(lambda: summarise(self._lake, vehicle_id, None, None, None))
        now_ns = self._clock.now_ns()
        signals = {
            path: SignalNow(
                value=facts["last"],
                unit=facts["unit"],
                ts=facts["last_ts"],
                desired=None,
                stale=_is_stale(path, facts["last_ts"], now_ns),
            )
            for path, facts in summary["signals"].items()
        }
        return VehicleNow(
            vehicle.vehicle_id, vehicle.name, vehicle.profile, vehicle.connectivity, signals
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
            lambda: [series(self._lake, vehicle_id, path, start, end, points) for path in paths]
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
            connectivity=self._connectivity(vehicle_id),
            last_seen=to_iso(max(stamps)) if stamps else None,
            signals=len(set().union(*(account.paths for account in accounts))),
            rows=sum(account.rows_stored for account in accounts),
        )

    def _connectivity(self, vehicle_id: str) -> Connectivity:
        heard_at = self._ingest.heard_at.get(vehicle_id)
        if heard_at is None or vehicle_id in self._ingest.closed:
            return Connectivity.ASLEEP
        is_recent = self._clock.now_ns() - heard_at <= ONLINE_NS
        return Connectivity.ONLINE if is_recent else Connectivity.LOST


def _is_stale(path: str, last_ts: str | None, now_ns: int) -> bool:
    if last_ts is None:
        return True
    return from_iso(last_ts) < now_ns - round(catalogue()[path].stale_s * NS_PER_S)
