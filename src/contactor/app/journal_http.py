"""The journal of the instance that runs, asked by HTTP."""

import msgspec

from contactor.app.instance_api import InstanceApi, quoted, span_query
from contactor.cloud.journal.entries import Change, Entry, EntryPage, LooseRemark, LooseRemarks
from contactor.errors import UnknownPlace, UnknownTrip, UnknownVehicle
from contactor.faces.report.month import MonthFormat
from contactor.history.tariff import Tariffs

TIMEOUT_S = 60.0


class NamedPlace(msgspec.Struct, frozen=True):
    """A place, and what it is called."""

    id: str
    name: str | None


class InstanceJournal:
    """Through the running instance."""

    def __init__(self, url: str) -> None:
        self._api = InstanceApi(f"{url}/api/v1", timeout_s=TIMEOUT_S, unknown=UnknownVehicle)

    def entries(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> list[Entry]:
        span = span_query(since_ns, until_ns)
        return self._api.items(_journal(vehicle_id), EntryPage, query=span)

    def loose(self, vehicle_id: str) -> list[LooseRemark]:
        answer = self._api.ask("GET", f"{_journal(vehicle_id)}/loose")
        return msgspec.convert(answer, LooseRemarks).items

    def change(self, vehicle_id: str, entry_id: str, change: Change) -> Entry:
        answer = self._api.ask(
            "PATCH",
            f"{_journal(vehicle_id)}/{quoted(entry_id)}",
            msgspec.json.encode(change),
            unknown=UnknownTrip,
        )
        return msgspec.convert(answer, Entry)

    def month(self, vehicle_id: str, month: str, form: MonthFormat, zone: str | None) -> bytes:
        return self._api.bytes(
            f"{_journal(vehicle_id)}/month",
            query={"month": month, "to": form.value, "time_zone": zone or None},
        )

    def name_place(self, place_id: str, name: str | None) -> NamedPlace:
        body = msgspec.json.encode({"name": name})
        answer = self._api.ask("PATCH", f"/places/{quoted(place_id)}", body, unknown=UnknownPlace)
        return msgspec.convert(answer, NamedPlace)

    def tariffs(self) -> Tariffs | None:
        return msgspec.convert(self._api.ask("GET", "/tariffs"), Tariffs | None)

    def set_tariffs(self, tariffs: Tariffs) -> None:
        self._api.ask("PUT", "/tariffs", msgspec.json.encode(tariffs))


def _journal(vehicle_id: str) -> str:
    return f"/vehicles/{quoted(vehicle_id)}/journal"
