"""What the API knows of the fleet: the accounts of the ingest, who was heard when, and the lake."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.ledger import StreamLedger
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.summary import series, summarise
from contactor.errors import LakeError
from contactor.signals.catalogue import catalogue

ONLINE_NS = 45 * NS_PER_S


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
    """Answers questions about vehicles from one instance's ingest and lake."""

    def __init__(self, *, ingest: Ingest, lake: Lake, clock: Clock) -> None:
        self._ingest = ingest
        self._lake = lake
        self._clock = clock

    def refresh(self) -> None:
        """Let the questions that follow see what was taken in by now."""
        self._lake.refresh()

    def vehicles(self) -> list[Vehicle]:
        """Every vehicle that ever stored anything, by id."""
        by_vehicle: dict[str, list[StreamLedger]] = defaultdict(list)
        for account in self._ingest.intake.ledger:
            if account.paths:
                by_vehicle[account.vehicle_id].append(account)
        return [self._vehicle(name, accounts) for name, accounts in sorted(by_vehicle.items())]

    def vehicle(self, vehicle_id: str) -> Vehicle:
        """One vehicle.

        Raises:
            LakeError: there is none of that id.
        """
        for vehicle in self.vehicles():
            if vehicle.vehicle_id == vehicle_id:
                return vehicle
        raise LakeError(f"no vehicle {vehicle_id!r}")

    def now(self, vehicle_id: str) -> VehicleNow:
        """One vehicle with the last value of each signal.

        Raises:
            LakeError: there is none of that id.
        """
        vehicle = self.vehicle(vehicle_id)
        summary = summarise(self._lake, vehicle_id, None, None, None)
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

    def series(
        self, vehicle_id: str, paths: Sequence[str], start: int | None, end: int | None, points: int
    ) -> list[Mapping[str, object]]:
        """The stored values of some signals, down-sampled to at most `points` each.

        Raises:
            LakeError: there is no such vehicle.
            UnknownSignal: a path is not in the catalogue.
        """
        self.vehicle(vehicle_id)
        return [series(self._lake, vehicle_id, path, start, end, points) for path in paths]

    def summary(
        self, vehicle_id: str, paths: Sequence[str] | None, start: int | None, end: int | None
    ) -> Mapping[str, object]:
        """What `contactor signals --json` prints.

        Raises:
            LakeError: there is no such vehicle.
            UnknownSignal: a path is not in the catalogue.
        """
        self.vehicle(vehicle_id)
        return summarise(self._lake, vehicle_id, paths, start, end)

    def _vehicle(self, vehicle_id: str, accounts: Sequence[StreamLedger]) -> Vehicle:
        latest = max(accounts, key=lambda account: account.received_at)
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
    return last_ts < to_iso(now_ns - round(catalogue()[path].stale_s * NS_PER_S))
