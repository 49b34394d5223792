"""Questions to a data folder: through the instance that runs on it, else from the lake itself.

Inside an instance answers hold the rows not yet committed too; from outside only committed ones.

    question = open_query(Path("contactor-data"))
    question.vehicles()
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.history import open_keeper
from contactor.app.instance_api import InstanceApi, quoted, span_query, way_to
from contactor.app.lake_place import lake_at, open_reader
from contactor.app.progress import progress_bar
from contactor.clock import SystemClock, to_iso
from contactor.errors import LakeError, UnknownTrip, UnknownVehicle

if TYPE_CHECKING:
    from contactor.cloud.history.keeper import HistoryKeeper

TIMEOUT_S = 600.0
"""The first question about a long history may read all of it."""


class Topic(StrEnum):
    """Lists of the history of a vehicle."""

    TRIPS = "trips"
    CHARGES = "charges"
    PLACES = "places"


class Query(Protocol):
    """What can be asked of a data folder; the answers are the documents of `--json`."""

    def vehicles(self, where: str | None = None) -> list[Mapping[str, object]]:
        """Every vehicle, by id, or those of which `where` is true by their last values.

        Raises:
            MalformedQuery: `where` cannot be read.
        """
        ...

    def signals(
        self, vehicle_id: str, paths: Sequence[str] | None, since: int | None, until: int | None
    ) -> Mapping[str, object]:
        """Count, extremes and mean of each signal in since <= ts < until (ns UTC).

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def history(
        self, topic: Topic, vehicle_id: str, since: int | None, until: int | None
    ) -> list[Mapping[str, object]]:
        """Trips, charges or places of a vehicle in since <= start < until (ns UTC).

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def consumption(self, vehicle_id: str, trip_id: str) -> Mapping[str, object]:
        """What drove the consumption of a trip.

        Raises:
            UnknownVehicle, UnknownTrip: there is no such vehicle, or none of its trips has that id.
        """
        ...

    def battery(self, vehicle_id: str) -> Mapping[str, object]:
        """What is known of the battery of a vehicle.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def report(self, vehicle_id: str, since: int | None, until: int | None) -> Mapping[str, object]:
        """Sums over all that happened in since <= ts < until (ns UTC).

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...


def open_query(data: Path) -> Query:
    """The way to ask: by HTTP where an instance runs on the folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _LakeQuery, InstanceQuery)


class _LakeQuery:
    """Reads the lake beside whoever may write it."""

    def __init__(self, folder: DataFolder) -> None:
        from contactor.cloud.lake.lake import open_lake

        self._folder = folder
        self._lake = open_lake(lake_at(folder))

    def vehicles(self, where: str | None = None) -> list[Mapping[str, object]]:
        wanted = None if where is None else self._select(where)
        return [
            {
                "vehicle_id": row["vehicle_id"],
                "name": row["vehicle_id"],
                "profile": row["profile"] or None,
                "connectivity": "asleep",
                "last_seen": None if row["last_ts"] is None else to_iso(row["last_ts"]),
                "signals": row["signals"],
                "rows": row["rows"],
            }
            for row in self._lake.vehicles().sort("vehicle_id").iter_rows(named=True)
            if wanted is None or row["vehicle_id"] in wanted
        ]

    def _select(self, where: str) -> frozenset[str]:
        """The vehicles of which a question is true by what is stored last; all are asleep."""
        from contactor.cloud.ingest.presence import Presence
        from contactor.cloud.twin.query import parse
        from contactor.cloud.twin.restore import restore
        from contactor.cloud.twin.twin import Twin

        question = parse(where)
        twin = Twin(presence=Presence(), clock=SystemClock())
        restore(twin, open_reader(self._folder), None)
        return frozenset(twin.select(question, limit=len(twin.vehicles)))

    def signals(
        self, vehicle_id: str, paths: Sequence[str] | None, since: int | None, until: int | None
    ) -> Mapping[str, object]:
        from contactor.cloud.lake.summary import summarise

        return summarise(self._lake, vehicle_id, paths, since, until)

    def history(
        self, topic: Topic, vehicle_id: str, since: int | None, until: int | None
    ) -> list[Mapping[str, object]]:
        with self._refreshed(vehicle_id) as keeper:
            match topic:
                case Topic.TRIPS:
                    return keeper.trip_documents(vehicle_id, since, until)
                case Topic.CHARGES:
                    return keeper.charge_documents(vehicle_id, since, until)
                case Topic.PLACES:
                    return keeper.places(vehicle_id, since, until)

    def consumption(self, vehicle_id: str, trip_id: str) -> Mapping[str, object]:
        with self._refreshed(vehicle_id) as keeper:
            return keeper.consumption(vehicle_id, trip_id)

    def battery(self, vehicle_id: str) -> Mapping[str, object]:
        with self._refreshed(vehicle_id) as keeper:
            return keeper.battery(vehicle_id)

    def report(self, vehicle_id: str, since: int | None, until: int | None) -> Mapping[str, object]:
        with self._refreshed(vehicle_id) as keeper:
            return keeper.report(vehicle_id, since, until)

    @contextmanager
    def _refreshed(self, vehicle_id: str) -> "Iterator[HistoryKeeper]":
        """The facts, up to the newest commit of the vehicle."""
        with open_keeper(self._folder) as keeper:
            keeper.check(vehicle_id)
            with progress_bar(f"history of {vehicle_id}", "part") as on_progress:
                keeper.refresh(vehicle_id, on_progress=on_progress)
            yield keeper


class _Page(msgspec.Struct, frozen=True):
    """Documents of a list, as they came."""

    items: list[Mapping[str, object]]
    next: str | None


class InstanceQuery:
    """Asks the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._api = InstanceApi(
            f"{url}/api/v1",
            secret=secret,
            timeout_s=TIMEOUT_S,
            unknown=UnknownVehicle,
            otherwise=LakeError,
        )

    def vehicles(self, where: str | None = None) -> list[Mapping[str, object]]:
        return self._api.items("/vehicles", _Page, query={"where": where})

    def signals(
        self, vehicle_id: str, paths: Sequence[str] | None, since: int | None, until: int | None
    ) -> Mapping[str, object]:
        return self._ask(
            "GET",
            f"/vehicles/{vehicle_id}/summary",
            path=list(paths) if paths else None,
            **span_query(since, until),
        )

    def history(
        self, topic: Topic, vehicle_id: str, since: int | None, until: int | None
    ) -> list[Mapping[str, object]]:
        return self._api.items(
            f"/vehicles/{vehicle_id}/{topic}", _Page, query=span_query(since, until)
        )

    def consumption(self, vehicle_id: str, trip_id: str) -> Mapping[str, object]:
        place = f"/vehicles/{vehicle_id}/trips/{quoted(trip_id)}/consumption"
        document = self._api.ask("GET", place, unknown=UnknownTrip)
        assert isinstance(document, dict)
        return document

    def battery(self, vehicle_id: str) -> Mapping[str, object]:
        return self._ask("GET", f"/vehicles/{vehicle_id}/battery")

    def report(self, vehicle_id: str, since: int | None, until: int | None) -> Mapping[str, object]:
        return self._ask("GET", f"/vehicles/{vehicle_id}/report", **span_query(since, until))

    def rebuild(self, vehicle_id: str) -> int:
        """Have the history of a vehicle found anew; how many rows that took.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        rows = self._ask("POST", f"/vehicles/{vehicle_id}/history/rebuild")["rows_read"]
        assert isinstance(rows, int)
        return rows

    def _ask(self, method: str, place: str, **query: object) -> Mapping[str, object]:
        document = self._api.ask(method, place, query=query)
        assert isinstance(document, dict)
        return document


def only_vehicle(query: Query) -> str:
    """The vehicle, where there is one alone.

    Raises:
        UnknownVehicle: there is none, or several.
    """
    found = [str(item["vehicle_id"]) for item in query.vehicles()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownVehicle("no vehicle is stored yet")
    raise UnknownVehicle(f"which vehicle? --vehicle {' or '.join(found[:10])}")
