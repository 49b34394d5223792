"""The journal of an instance over the facts of its history.

    book = Book(journal, facts, clock=clock)
    book.entries("leaf", since_ns, until_ns)           # newest first
    book.change("leaf", entry_id, Change(purpose=Purpose.BUSINESS))
    book.name_place(place_id, "Home")

Calls block, and may come from any thread.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeAlias

import msgspec

from contactor.clock import Clock, to_iso
from contactor.cloud.journal.entries import (
    Change,
    Entry,
    LooseRemark,
    charge_entry,
    trip_entry,
)
from contactor.cloud.journal.fences import FenceJson, fence_of
from contactor.cloud.journal.sheet import Sheet, month_sheet, month_span
from contactor.cloud.journal.store import Journal
from contactor.errors import InvalidValue, UnknownPlace, UnknownTrip, UsageError
from contactor.history.facts import Charge, Location, Trip
from contactor.history.journal import AllTold, Remark, Span, Subject, told_of
from contactor.history.places import Found, Place, PlaceIndex, find_places
from contactor.history.tariff import Tariffs, checked_tariffs, decode_tariffs, zone_of
from contactor.history.tariff_cost import Costs, session_of
from contactor.history.tariff_prices import EnergyCurve

Trips: TypeAlias = Sequence[tuple[str, Trip]]
Charges: TypeAlias = Sequence[tuple[str, Charge]]


class KeptFacts(Protocol):
    """What the history of an instance has found, each with an id that stays."""

    def vehicles(self) -> Sequence[str]:
        """Every vehicle that has a history."""
        ...

    def trips(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Sequence[tuple[str, Trip]]:
        """Trips that start in a span, by time.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def charges(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Sequence[tuple[str, Charge]]:
        """Charges that start in a span, by time.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        ...

    def curves(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Mapping[int, EnergyCurve]:
        """How the energy of charges grew that start in a span, by start; where it is known."""
        ...


class Book:
    """Tells the journal, and takes what is said."""

    def __init__(self, journal: Journal, facts: KeptFacts, *, clock: Clock) -> None:
        self.journal = journal
        self._facts = facts
        self._clock = clock

    def entries(
        self, vehicle_id: str, since_ns: int | None = None, until_ns: int | None = None
    ) -> list[Entry]:
        """Trips and charges that start in a span, with what is said of them, newest first.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        trips, charges = self._all(vehicle_id)
        places = PlaceIndex(self._found(trips, charges).places)
        kept = self.tariffs()
        costs = None if kept is None else Costs(kept)
        curves = {} if costs is None else self._facts.curves(vehicle_id, since_ns, until_ns)
        said_of_trips = self._told(vehicle_id, Subject.TRIP, _spans(trips).values())
        said_of_charges = self._told(vehicle_id, Subject.CHARGE, _spans(charges).values())
        first = -math.inf if since_ns is None else since_ns
        last = math.inf if until_ns is None else until_ns
        found = [
            (trip.start_ns, trip_entry(vehicle_id, trip_id, trip, told, places))
            for (trip_id, trip), told in zip(trips, said_of_trips.of, strict=True)
            if first <= trip.start_ns < last
        ]
        for (charge_id, charge), told in zip(charges, said_of_charges.of, strict=True):
            if not first <= charge.start_ns < last:
                continue
            place = None if charge.location is None else places.place_at(charge.location)
            session = session_of(charge, place=place, curve=curves.get(charge.start_ns))
            cost = None if costs is None else costs.of(session)
            entry = charge_entry(vehicle_id, charge_id, charge, told, places, cost)
            found.append((charge.start_ns, entry))
        found.sort(key=lambda each: each[0], reverse=True)
        return [entry for _, entry in found]

    def loose(self, vehicle_id: str) -> list[LooseRemark]:
        """What was said of trips and charges that are not found any more."""
        trips, charges = self._all(vehicle_id)
        of_trips = self._told(vehicle_id, Subject.TRIP, _spans(trips).values()).loose
        of_charges = self._told(vehicle_id, Subject.CHARGE, _spans(charges).values()).loose
        return [_loose(Subject.TRIP, one) for one in of_trips] + [
            _loose(Subject.CHARGE, one) for one in of_charges
        ]

    def change(self, vehicle_id: str, entry_id: str, change: Change) -> Entry:
        """Say something of a trip or a charge.

        Raises:
            UnknownVehicle, UnknownTrip: there is none of that id.
            UsageError: words that are none.
        """
        trips, charges = self._all(vehicle_id)
        for subject, found in ((Subject.TRIP, _spans(trips)), (Subject.CHARGE, _spans(charges))):
            if entry_id not in found:
                continue
            start_ns, end_ns = found[entry_id]
            said = dict(zip(found, self._told(vehicle_id, subject, found.values()).of, strict=True))
            words = change.applied(said[entry_id].words)
            now_ns = self._clock.now_ns()
            remark = Remark(start_ns=start_ns, end_ns=end_ns, said_ns=now_ns, words=words)
            with _asked():
                self.journal.say(vehicle_id, subject, remark)
            return self._entry(vehicle_id, entry_id)
        raise UnknownTrip(f"no trip or charge {entry_id[:80]!r} of vehicle {vehicle_id!r}")

    def name_place(self, place_id: str, name: str | None) -> Place:
        """Give a place a name, or take it; places that nobody has asked for yet are found first.

        Raises:
            UsageError: a name that is none, or that another place has.
            UnknownPlace: there is none of that id.
        """
        with _asked():
            try:
                return self.journal.name_place(place_id, name)
            except UnknownPlace:
                for vehicle_id in self._facts.vehicles():
                    self.journal.keep_places(vehicle_id, self._found(*self._all(vehicle_id)))
                return self.journal.name_place(place_id, name)

    def draw_place(self, place_id: str, name: str, fence: FenceJson) -> Place:
        """Draw a place: its fence is the owner's from now on.

        Raises:
            UsageError: a fence or a name that is none, or a name that another place has.
        """
        with _asked():
            return self.journal.draw_place(place_id, name, fence_of(fence))

    def set_tariffs(self, tariffs: Tariffs) -> Tariffs:
        """Say what charging costs.

        Raises:
            UsageError: something of it cannot be meant.
        """
        with _asked():
            checked = checked_tariffs(tariffs)
        body = msgspec.json.encode(checked).decode()
        self.journal.set_tariffs(body, self._clock.now_ns())
        return checked

    def month(self, vehicle_id: str, month: str, zone: str | None = None) -> Sheet:
        """A month of a vehicle, by the clock on the wall of a time zone.

        Args:
            zone: that of the tariffs where it is left out, else UTC.

        Raises:
            UnknownVehicle: there is no such vehicle.
            UsageError: no month, or no time zone.
        """
        kept = self.tariffs()
        name = zone or (kept.time_zone if kept is not None else "UTC")
        with _asked():
            place = zone_of(name)
        start_ns, end_ns = month_span(month, place)
        entries = self.entries(vehicle_id, start_ns, end_ns)
        return month_sheet(vehicle_id, entries, month=month, zone=place)

    def tariffs(self) -> Tariffs | None:
        """What charging costs; None where nobody said."""
        body = self.journal.tariffs()
        return None if body is None else decode_tariffs(body)

    def _entry(self, vehicle_id: str, entry_id: str) -> Entry:
        return next(one for one in self.entries(vehicle_id) if one.id == entry_id)

    def _all(self, vehicle_id: str) -> tuple[Trips, Charges]:
        """Every trip and charge: what was said may have been of any of them."""
        return (
            self._facts.trips(vehicle_id, None, None),
            self._facts.charges(vehicle_id, None, None),
        )

    def _told(self, vehicle_id: str, subject: Subject, spans: Iterable[Span]) -> AllTold:
        return told_of(self.journal.remarks(vehicle_id, subject), list(spans))

    def _found(self, trips: Trips, charges: Charges) -> Found:
        """The places of stops: where trips ended and charges were, and the first trip began."""
        stops: list[Location | None] = [trip.end_location for _, trip in trips]
        stops += [trip.start_location for _, trip in trips[:1]]
        stops += [charge.location for _, charge in charges]
        known = self.journal.places()
        return find_places([stop for stop in stops if stop is not None], known=known)


@contextmanager
def _asked() -> Iterator[None]:
    """What is no value is the fault of who asks."""
    try:
        yield
    except InvalidValue as error:
        raise UsageError(str(error)) from error


def _spans(facts: Trips | Charges) -> dict[str, Span]:
    """When each was, by id, by time."""
    return {its_id: (fact.start_ns, fact.end_ns) for its_id, fact in facts}


def _loose(subject: Subject, remark: Remark) -> LooseRemark:
    words = remark.words
    return LooseRemark(
        subject=subject,
        start=to_iso(remark.start_ns),
        end=to_iso(remark.end_ns),
        purpose=words.purpose,
        driver=words.driver,
        tags=words.tags,
        note=words.note,
    )
