"""Questions to a data folder: through the instance that runs on it, else from the lake itself.

Inside an instance answers hold the rows not yet committed too; from outside only committed ones.

    question = open_query(Path("contactor-data"))
    question.vehicles()
"""

import http
import json
import urllib.error
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from contactor.app.folder import DataFolder
from contactor.app.lake_place import lake_at, open_reader
from contactor.app.local_http import get_json
from contactor.clock import SystemClock, to_iso
from contactor.errors import (
    ContactorError,
    InstanceError,
    LakeError,
    UnknownVehicle,
    UsageError,
)

TIMEOUT_S = 60.0
_ERRORS: Mapping[int, type[ContactorError]] = MappingProxyType(
    {http.HTTPStatus.NOT_FOUND: UnknownVehicle, http.HTTPStatus.BAD_REQUEST: UsageError}
)


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


def open_query(data: Path) -> Query:
    """The way to ask: by HTTP where an instance runs on the folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    folder = DataFolder.existing(data)
    instance = folder.running()
    return _LakeQuery(folder) if instance is None else _InstanceQuery(instance.url)


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


class _InstanceQuery:
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
            start=None if since is None else to_iso(since),
            end=None if until is None else to_iso(until),
        )

    def _get(self, resource: str, **query: object) -> Mapping[str, object]:
        given = {key: value for key, value in query.items() if value is not None}
        url = f"{self._url}/{resource}?{urllib.parse.urlencode(given, doseq=True)}"
        try:
            document = get_json(url, timeout_s=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            raise _ERRORS.get(error.code, LakeError)(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise InstanceError(f"the running instance at {self._url} failed: {error}") from error
        assert isinstance(document, dict)
        return document


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the running instance answered {error.code} {error.reason}"
