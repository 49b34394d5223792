"""The journal of the instance that runs, asked by HTTP."""

from collections.abc import Mapping

import msgspec

from contactor.app.instance_api import InstanceApi, quoted, span_query
from contactor.cloud.journal.entries import Change, Entry, EntryPage, LooseRemark, LooseRemarks
from contactor.cloud.journal.fences import FenceJson, KnownPlace, KnownPlaces
from contactor.errors import UnknownPlace, UnknownTrip, UnknownVehicle
from contactor.faces.report.month import MonthFormat
from contactor.history.tariff import Tariffs

TIMEOUT_S = 60.0


class InstanceJournal:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._api = InstanceApi(
            f"{url}/api/v1", secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownVehicle
        )

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

    def places(self) -> list[KnownPlace]:
        return msgspec.convert(self._api.ask("GET", "/places"), KnownPlaces).items

    def name_place(self, place_id: str, name: str | None) -> KnownPlace:
        return self._place("PATCH", place_id, {"name": name})

    def draw_place(self, place_id: str, name: str, fence: FenceJson) -> KnownPlace:
        return self._place("PUT", place_id, {"name": name, "fence": fence})

    def forget_place(self, place_id: str) -> None:
        self._api.ask("DELETE", f"/places/{quoted(place_id)}", unknown=UnknownPlace)

    def tariffs(self) -> Tariffs | None:
        return msgspec.convert(self._api.ask("GET", "/tariffs"), Tariffs | None)

    def set_tariffs(self, tariffs: Tariffs) -> None:
        self._api.ask("PUT", "/tariffs", msgspec.json.encode(tariffs))

    def _place(self, method: str, place_id: str, said: Mapping[str, object]) -> KnownPlace:
        place, body = f"/places/{quoted(place_id)}", msgspec.json.encode(said)
        return msgspec.convert(self._api.ask(method, place, body, unknown=UnknownPlace), KnownPlace)


def _journal(vehicle_id: str) -> str:
    return f"/vehicles/{quoted(vehicle_id)}/journal"
