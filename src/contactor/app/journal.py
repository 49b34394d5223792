"""The journal of a data folder: through the instance that runs on it, else in its databases.

asked = open_book(Path("contactor-data"))
asked.entries("leaf", None, None)                     # [Entry, ...], newest first
asked.change("leaf", entry_id, Change(note="to the lake"))
asked.name_place(place_id, "Home")
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.history import open_journal, open_keeper
from contactor.app.instance_api import way_to
from contactor.app.journal_http import InstanceJournal
from contactor.app.query import open_query
from contactor.clock import SystemClock
from contactor.cloud.journal.book import Book
from contactor.cloud.journal.entries import Change, Entry, LooseRemark
from contactor.cloud.journal.fences import FenceJson, KnownPlace, known_place
from contactor.errors import UnknownTrip, UnknownVehicle, UsageError
from contactor.faces.report.month import MonthFormat, month_file
from contactor.history.tariff import Tariffs

_Answer = TypeVar("_Answer")


class AskedJournal(Protocol):
    """What can be done with the journal of a data folder."""

    def entries(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> list[Entry]:
        """Trips and charges that start in a span, newest first.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def loose(self, vehicle_id: str) -> list[LooseRemark]:
        """What was said of trips and charges that are not found any more."""
        ...

    def change(self, vehicle_id: str, entry_id: str, change: Change) -> Entry:
        """Say something of a trip or a charge.

        Raises:
            UnknownTrip: there is none of that id.
            UsageError: words that are none.
        """
        ...

    def month(self, vehicle_id: str, month: str, form: MonthFormat, zone: str | None) -> bytes:
        """A month as a file.

        Raises:
            UsageError: no month, or no time zone.
        """
        ...

    def places(self) -> list[KnownPlace]:
        """Every place that is known, in the order in which they were found."""
        ...

    def name_place(self, place_id: str, name: str | None) -> KnownPlace:
        """Give a place a name, or take it.

        Raises:
            UnknownPlace: there is none of that id.
            UsageError: a name that is none, or that another place has.
        """
        ...

    def draw_place(self, place_id: str, name: str, fence: FenceJson) -> KnownPlace:
        """Draw a place: its fence is the owner's from now on.

        Raises:
            UsageError: a fence or a name that is none, or a name that another place has.
        """
        ...

    def forget_place(self, place_id: str) -> None:
        """Remove a place; stops there make one anew when places are next asked for.

        Raises:
            UnknownPlace: there is none of that id.
        """
        ...

    def tariffs(self) -> Tariffs | None:
        """What charging costs; None where nobody said."""
        ...

    def set_tariffs(self, tariffs: Tariffs) -> None:
        """Say what charging costs.

        Raises:
            UsageError: something of it cannot be meant.
        """
        ...


def open_book(data: Path) -> AskedJournal:
    """The way to the journal of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, FolderJournal, InstanceJournal)


def vehicle_of(data: Path, wanted: str | None) -> str:
    """The vehicle that is meant: the one that is named, or the only one.

    Raises:
        UnknownVehicle: there is none of that name, or none at all.
        UsageError: there are several, and none is named.
    """
    known = [str(item["vehicle_id"]) for item in open_query(data).vehicles()]
    if wanted is None and len(known) == 1:
        return known[0]
    named = ", ".join(known[:10]) or "none"
    if wanted is None and known:
        raise UsageError(f"--vehicle is missing; known: {named}")
    if wanted is None or wanted not in known:
        raise UnknownVehicle(f"no vehicle {wanted!r}; known: {named}")
    return wanted


def owner_of(data: Path, journal: AskedJournal, entry_id: str) -> str:
    """The vehicle that a trip or charge is of.

    Raises:
        UnknownTrip: no vehicle has it.
    """
    for item in open_query(data).vehicles():
        vehicle_id = str(item["vehicle_id"])
        if any(one.id == entry_id for one in journal.entries(vehicle_id, None, None)):
            return vehicle_id
    raise UnknownTrip(f"no trip or charge {entry_id[:80]!r}; contactor journal list lists them")


class FolderJournal:
    """In the databases of a folder that is not in use; it is held meanwhile."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def entries(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> list[Entry]:
        return self._asked(vehicle_id, lambda book: book.entries(vehicle_id, since_ns, until_ns))

    def loose(self, vehicle_id: str) -> list[LooseRemark]:
        return self._asked(vehicle_id, lambda book: book.loose(vehicle_id))

    def change(self, vehicle_id: str, entry_id: str, change: Change) -> Entry:
        return self._asked(vehicle_id, lambda book: book.change(vehicle_id, entry_id, change))

    def month(self, vehicle_id: str, month: str, form: MonthFormat, zone: str | None) -> bytes:
        return self._asked(
            vehicle_id, lambda book: month_file(book.month(vehicle_id, month, zone), form).content
        )

    def places(self) -> list[KnownPlace]:
        return [known_place(one) for one in self._asked(None, lambda book: book.journal.places())]

    def name_place(self, place_id: str, name: str | None) -> KnownPlace:
        return known_place(self._asked(None, lambda book: book.name_place(place_id, name)))

    def draw_place(self, place_id: str, name: str, fence: FenceJson) -> KnownPlace:
        return known_place(self._asked(None, lambda book: book.draw_place(place_id, name, fence)))

    def forget_place(self, place_id: str) -> None:
        self._asked(None, lambda book: book.journal.forget_place(place_id))

    def tariffs(self) -> Tariffs | None:
        return self._asked(None, lambda book: book.tariffs())

    def set_tariffs(self, tariffs: Tariffs) -> None:
        self._asked(None, lambda book: book.set_tariffs(tariffs))

    def _asked(self, vehicle_id: str | None, question: Callable[[Book], _Answer]) -> _Answer:
        with self._folder.held(), open_keeper(self._folder) as keeper:
            for each in keeper.vehicles() if vehicle_id is None else [vehicle_id]:
                keeper.refresh(each)
            journal = open_journal(self._folder)
            try:
                return question(Book(journal, keeper, clock=SystemClock()))
            finally:
                journal.close()


def tariff_document(tariffs: Tariffs) -> object:
    """Tariffs for people: long series of prices by their length."""
    document = msgspec.to_builtins(tariffs)
    for tariff in document["tariffs"]:
        prices = tariff.get("prices")
        if prices is not None:
            tariff["prices"] = {
                **{key: prices[key] for key in ("step_s", "factor")},
                "count": len(prices["starts_s"]),
            }
    return document
