"""Questions to a data folder: through the instance that runs on it, else from the lake itself.

Inside an instance answers hold the rows not yet committed too; from outside only committed ones.

    question = open_query(Path("contactor-data"))
    question.vehicles()
"""

import http
import json
import urllib.error
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from contactor.app.folder import DataFolder
from contactor.app.history import open_keeper
from contactor.app.lake_place import lake_at, open_reader
from contactor.app.local_http import ask_json
from contactor.app.progress import progress_bar
from contactor.clock import SystemClock, to_iso
from contactor.errors import (
    ContactorError,
    InstanceError,
    LakeError,
    UnknownVehicle,
    UsageError,
)

if TYPE_CHECKING:
    from contactor.cloud.history.keeper import HistoryKeeper

TIMEOUT_S = 600.0
"""The first question about a long history may read all of it."""
_ERRORS: Mapping[int, type[ContactorError]] = MappingProxyType(
    {http.HTTPStatus.NOT_FOUND: UnknownVehicle, http.HTTPStatus.BAD_REQUEST: UsageError}
)


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
    folder = DataFolder.existing(data)
    instance = folder.running()
    return _LakeQuery(folder) if instance is None else InstanceQuery(instance.url)


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


class InstanceQuery:
    """Asks the running instance."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"

    def vehicles(self, where: str | None = None) -> list[Mapping[str, object]]:
        items: list[Mapping[str, object]] = []
        cursor = None
        while True:
            page = self._get("vehicles", limit="1000", cursor=cursor, where=where)
            items += page["items"]  # type: ignore[arg-type]  # a list, by our own contract
            cursor = page["next"]
            if cursor is None:
                return items

    def signals(
        self, vehicle_id: str, paths: Sequence[str] | None, since: int | None, until: int | None
    ) -> Mapping[str, object]:
        return self._get(
            f"vehicles/{vehicle_id}/summary",
            path=list(paths) if paths else None,
            **_span(since, until),
        )

    def history(
        self, topic: Topic, vehicle_id: str, since: int | None, until: int | None
    ) -> list[Mapping[str, object]]:
        items: list[Mapping[str, object]] = []
        cursor = None
        while True:
            page = self._get(
                f"vehicles/{vehicle_id}/{topic}", limit="1000", cursor=cursor, **_span(since, until)
            )
            items += page["items"]  # type: ignore[arg-type]  # a list, by our own contract
            cursor = page["next"]
            if cursor is None:
                return items

    def battery(self, vehicle_id: str) -> Mapping[str, object]:
        return self._get(f"vehicles/{vehicle_id}/battery")

    def report(self, vehicle_id: str, since: int | None, until: int | None) -> Mapping[str, object]:
        return self._get(f"vehicles/{vehicle_id}/report", **_span(since, until))

    def rebuild(self, vehicle_id: str) -> int:
        """Have the history of a vehicle found anew; how many rows that took.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        rows = self._ask("POST", f"{self._url}/vehicles/{vehicle_id}/history/rebuild")["rows_read"]
        assert isinstance(rows, int)
        return rows

    def _get(self, resource: str, **query: object) -> Mapping[str, object]:
        given = {key: value for key, value in query.items() if value is not None}
        url = f"{self._url}/{resource}?{urllib.parse.urlencode(given, doseq=True)}"
        return self._ask("GET", url)

    def _ask(self, method: str, url: str) -> Mapping[str, object]:
        try:
            document = ask_json(url, method=method, timeout_s=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            raise _ERRORS.get(error.code, LakeError)(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise InstanceError(f"the running instance at {self._url} failed: {error}") from error
        assert isinstance(document, dict)
        return document


def _span(since: int | None, until: int | None) -> dict[str, str | None]:
    """An interval as the API takes it."""
    return {
        "start": None if since is None else to_iso(since),
        "end": None if until is None else to_iso(until),
    }


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


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the running instance answered {error.code} {error.reason}"
