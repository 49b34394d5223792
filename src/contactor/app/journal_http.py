"""The journal of the instance that runs, asked by HTTP."""

import http
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from contactor.app.local_http import ask_json, get_bytes
from contactor.clock import to_iso
from contactor.cloud.journal.entries import Change, Entry, EntryPage, LooseRemark, LooseRemarks
from contactor.errors import (
    ContactorError,
    InstanceError,
    UnknownPlace,
    UnknownTrip,
    UnknownVehicle,
    UsageError,
)
from contactor.faces.report.month import MonthFormat
from contactor.history.tariff import Tariffs

TIMEOUT_S = 60.0
PAGE = 1_000


class NamedPlace(msgspec.Struct, frozen=True):
    """A place, and what it is called."""

    id: str
    name: str | None


class InstanceJournal:
    """Through the running instance."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"

    def entries(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> list[Entry]:
        found: list[Entry] = []
        cursor: str | None = None
        while True:
            page = msgspec.convert(
                self._ask(
                    "GET",
                    _journal(vehicle_id),
                    start=None if since_ns is None else to_iso(since_ns),
                    end=None if until_ns is None else to_iso(until_ns),
                    limit=PAGE,
                    cursor=cursor,
                ),
                EntryPage,
            )
            found, cursor = found + page.items, page.next
            if cursor is None:
                return found

    def loose(self, vehicle_id: str) -> list[LooseRemark]:
        answer = self._ask("GET", f"{_journal(vehicle_id)}/loose")
        return msgspec.convert(answer, LooseRemarks).items

    def change(self, vehicle_id: str, entry_id: str, change: Change) -> Entry:
        answer = self._ask(
            "PATCH",
            f"{_journal(vehicle_id)}/{_quoted(entry_id)}",
            msgspec.json.encode(change),
            unknown=UnknownTrip,
        )
        return msgspec.convert(answer, Entry)

    def month(self, vehicle_id: str, month: str, form: MonthFormat, zone: str | None) -> bytes:
        query = {"month": month, "to": form.value, **({"time_zone": zone} if zone else {})}
        url = f"{self._url}/{_journal(vehicle_id)}/month?{urllib.parse.urlencode(query)}"
        try:
            return get_bytes(url, timeout_s=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            raise _ours(error, UnknownVehicle) from error
        except OSError as error:
            raise InstanceError(f"the running instance at {self._url} failed: {error}") from error

    def name_place(self, place_id: str, name: str | None) -> NamedPlace:
        body = msgspec.json.encode({"name": name})
        answer = self._ask("PATCH", f"places/{_quoted(place_id)}", body, unknown=UnknownPlace)
        return msgspec.convert(answer, NamedPlace)

    def tariffs(self) -> Tariffs | None:
        return msgspec.convert(self._ask("GET", "tariffs"), Tariffs | None)

    def set_tariffs(self, tariffs: Tariffs) -> None:
        self._ask("PUT", "tariffs", msgspec.json.encode(tariffs))

    def _ask(
        self,
        method: str,
        place: str,
        body: bytes | None = None,
        *,
        unknown: type[ContactorError] = UnknownVehicle,
        **query: object,
    ) -> object:
        given = {key: value for key, value in query.items() if value is not None}
        url = f"{self._url}/{place}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        try:
            return ask_json(url, method=method, body=body, timeout_s=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            raise _ours(error, unknown) from error
        except (OSError, ValueError) as error:
            raise InstanceError(f"the running instance at {self._url} failed: {error}") from error


def _ours(error: urllib.error.HTTPError, unknown: type[ContactorError]) -> ContactorError:
    kinds: Mapping[int, type[ContactorError]] = MappingProxyType(
        {http.HTTPStatus.NOT_FOUND: unknown, http.HTTPStatus.BAD_REQUEST: UsageError}
    )
    return kinds.get(error.code, InstanceError)(_detail(error))


def _journal(vehicle_id: str) -> str:
    return f"vehicles/{_quoted(vehicle_id)}/journal"


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the running instance answered {error.code} {error.reason}"
