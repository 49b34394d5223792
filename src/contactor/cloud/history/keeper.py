"""What is asked of the kept facts; each answer is refreshed first.

    keeper = HistoryKeeper(store=store, reader=lake, clock=clock, journal=journal)
    keeper.refresh("leaf")
    keeper.trips("leaf", since_ns=None, until_ns=None)      # [(id, Trip), ...]
    keeper.trip_documents("leaf", None, None)               # as JSON
    keeper.battery("leaf")

Calls block, and may come from any thread. A trip or charge is asked for by its start: it is in
[since_ns, until_ns) when it begins there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.history.coding import Kind
from contactor.cloud.history.consumption import explain
from contactor.cloud.history.documents import (
    Document,
    charge_document,
    consumption_document,
    fact_id,
    location_document,
    trip_document,
)
from contactor.cloud.history.fleet import rebuild_fleet
from contactor.cloud.history.new_battery import new_battery, profile_of
from contactor.cloud.history.refresh import OnProgress, Refreshed, Refresher
from contactor.cloud.history.report import range_now, report_document
from contactor.cloud.history.store import FactStore
from contactor.cloud.journal.store import Journal
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.lake.reading import View
from contactor.errors import UnknownTrip, UnknownVehicle
from contactor.history.battery import BatteryReport, as_json, conclude, join
from contactor.history.facts import Charge, Facts, Location, Trip
from contactor.history.journal import Subject, Told, told_of
from contactor.history.places import Found, Place, PlaceIndex, find_places
from contactor.history.rules import BRIDGE_NS
from contactor.history.tariff import decode_tariffs
from contactor.history.tariff_cost import Costs, session_of
from contactor.history.tariff_prices import EnergyCurve

LEFT_NS: Final = 60 * NS_PER_S
"""A car that was heard so long after its last trip has been left; less may be a traffic light."""


class HistoryKeeper:
    """Answers from kept facts, the lake and the journal; closes none of the last two."""

    def __init__(
        self, *, store: FactStore, reader: LakeReader, clock: Clock, journal: Journal | None = None
    ) -> None:
        """A keeper over facts in `store`.

        Args:
            journal: what people said of trips, charges and places; without it nothing is said.
        """
        self._store, self._reader, self._journal = store, reader, journal
        self._clock = clock
        self._refresher = Refresher(store, reader, clock=clock)

    def stop(self) -> None:
        """End what is under way soon; the next question goes on there."""
        self._refresher.stop()

    def close(self) -> None:
        """Close the facts."""
        self._store.close()

    # ── facts ────────────────────────────────────────────────────────────────────────────────────

    def vehicles(self) -> list[str]:
        """Every vehicle that the lake has a stream of, by id."""
        return sorted({state.vehicle_id for state in self._reader.streams()})

    def refresh(self, vehicle_id: str, *, on_progress: OnProgress | None = None) -> Refreshed:
        """Find what is new of a vehicle; nothing where there is no such vehicle."""
        done = self._refresher.refresh(vehicle_id, on_progress=on_progress)
        if done.rows_read:
            self._place(vehicle_id, self._stops(vehicle_id, None, None))
        return done

    def rebuild(self, vehicle_id: str, *, on_progress: OnProgress | None = None) -> Refreshed:
        """Find everything of a vehicle anew that there are rows for."""
        done = self._refresher.rebuild(vehicle_id, on_progress=on_progress)
        self._place(vehicle_id, self._stops(vehicle_id, None, None))
        return done

    def rebuild_all(
        self,
        place: str | Path,
        vehicles: Collection[str],
        *,
        executor: Executor,
        workers: int,
        on_progress: OnProgress | None = None,
    ) -> dict[str, int]:
        """Find everything of some vehicles anew, some of them a task: see `fleet`."""
        rows = rebuild_fleet(
            *(place, vehicles, self._store),
            executor=executor,
            workers=workers,
            on_progress=on_progress,
        )
        for vehicle_id in vehicles:
            self._place(vehicle_id, self._stops(vehicle_id, None, None))
        return rows

    def check(self, vehicle_id: str) -> None:
        """See that there is such a vehicle.

        Raises:
            UnknownVehicle: there is none.
        """
        known = self.vehicles()
        if vehicle_id not in known:
            named = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if known[10:] else "")
            raise UnknownVehicle(f"unknown vehicle {vehicle_id!r}; stored: {named or 'none'}")

    def facts(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> Facts:
        """All kinds of facts that touch [since_ns, until_ns)."""
        return self._store.facts(vehicle_id, since_ns, until_ns)

    def trips(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> list[tuple[str, Trip]]:
        """Trips that begin there with their ids, by time."""
        found = self._store.facts(vehicle_id, since_ns, until_ns, (Kind.TRIP,)).trips
        return [
            (fact_id(vehicle_id, trip), trip)
            for trip in found
            if since_ns is None or trip.start_ns >= since_ns
        ]

    def charges(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> list[tuple[str, Charge]]:
        """Charges that begin there with their ids, by time."""
        found = self._store.facts(vehicle_id, since_ns, until_ns, (Kind.CHARGE,)).charges
        return [
            (fact_id(vehicle_id, charge), charge)
            for charge in found
            if since_ns is None or charge.start_ns >= since_ns
        ]

    def curves(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Mapping[int, EnergyCurve]:
        """How the energy of charges grew that begin there, by their start, ns."""
        return self._store.curves(vehicle_id, since_ns, until_ns)

    # ── documents ────────────────────────────────────────────────────────────────────────────────

    def trip_documents(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> list[Document]:
        """The trips that begin there, as JSON, by time."""
        trips = [trip for _, trip in self.trips(vehicle_id, None, None)]
        told = self._told(vehicle_id, Subject.TRIP, trips)
        places = PlaceIndex(self._places())
        return [
            trip_document(
                vehicle_id,
                trip,
                words,
                (_place_at(places, trip.start_location), _place_at(places, trip.end_location)),
            )
            for trip, words in zip(trips, told, strict=True)
            if _begins_in(trip, since_ns, until_ns)
        ]

    def consumption(self, vehicle_id: str, trip_id: str) -> Document:
        """What drove the consumption of a trip, as JSON.

        Raises:
            UnknownTrip: there is none of that id.
            LakeError: the lake cannot be read.
        """
        trips = dict(self.trips(vehicle_id, None, None))
        if trip_id not in trips:
            raise UnknownTrip(f"no trip {trip_id[:80]!r} of vehicle {vehicle_id!r}")
        view, trip = View(self._reader.snapshot()), trips[trip_id]
        told = explain(view, vehicle_id, trip, trips.values())
        return consumption_document(vehicle_id, trip, told)

    def charge_documents(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> list[Document]:
        """The charges that begin there, as JSON, by time."""
        charges = [charge for _, charge in self.charges(vehicle_id, None, None)]
        told = self._told(vehicle_id, Subject.CHARGE, charges)
        places, costs = PlaceIndex(self._places()), self._costs()
        curves = {} if costs is None else self.curves(vehicle_id, since_ns, until_ns)
        documents = []
        for charge, words in zip(charges, told, strict=True):
            if not _begins_in(charge, since_ns, until_ns):
                continue
            place = _place_at(places, charge.location)
            session = session_of(charge, place=place, curve=curves.get(charge.start_ns))
            cost = None if costs is None else costs.of(session)
            amount = None if cost is None or cost.amount is None else round(cost.amount, 2)
            currency = None if amount is None or cost is None else cost.currency
            documents.append(
                charge_document(
                    vehicle_id, charge, words, cost=amount, currency=currency, place=place
                )
            )
        return documents

    def battery(self, vehicle_id: str) -> Document:
        """What is known of a vehicle's battery, as JSON."""
        return as_json(vehicle_id, self.battery_report(vehicle_id))

    def battery_report(self, vehicle_id: str) -> BatteryReport:
        """What is known of a vehicle's battery, against what its profile says of a new one."""
        evidence = join(self._store.evidence(vehicle_id))
        profile = profile_of(self._reader.streams(), vehicle_id)
        new = None if profile is None else new_battery(profile)
        if new is None:
            return conclude(evidence)
        return conclude(evidence, new_capacity_kwh=new.capacity_kwh, ends=new.ends)

    def places(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> list[Document]:
        """Where the vehicle stopped, the most visited first; places that are new are kept."""
        stops = self._stops(vehicle_id, since_ns, until_ns)
        found = self._place(vehicle_id, stops)
        visits: dict[str, tuple[Place, list[Trip | Charge]]] = {}
        for place, (_, fact) in zip(found.at, stops, strict=True):
            visits.setdefault(place.id, (place, []))[1].append(fact)
        documents = [_place_document(place, facts) for place, facts in visits.values()]
        return sorted(documents, key=lambda one: (-int(str(one["stops"])), str(one["id"])))

    def report(self, vehicle_id: str, since_ns: int | None, until_ns: int | None) -> Document:
        """All of it in figures, as JSON: see `report`."""
        facts = self._store.facts(vehicle_id, since_ns, until_ns)
        battery = self.battery(vehicle_id)
        now = self._store.facts(vehicle_id, None, None) if until_ns is not None else facts
        return report_document(
            vehicle_id, facts, battery=battery, range_now=range_now(now, battery)
        )

    def erase(self, vehicle_id: str) -> int:
        """Remove all facts of a vehicle, for good."""
        return self._store.erase(vehicle_id)

    def _stops(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> list[tuple[Location, Trip | Charge]]:
        """Where trips ended and charges were taken; a drive under way has not ended yet."""
        trips = [trip for _, trip in self.trips(vehicle_id, since_ns, until_ns)]
        if trips and self._is_under_way(vehicle_id, trips[-1]):
            trips.pop()
        charges = [charge for _, charge in self.charges(vehicle_id, since_ns, until_ns)]
        stops: list[tuple[Location, Trip | Charge]] = []
        stops += [(trip.end_location, trip) for trip in trips if trip.end_location is not None]
        stops += [(one.location, one) for one in charges if one.location is not None]
        return stops

    def _is_under_way(self, vehicle_id: str, trip: Trip) -> bool:
        """Whether a trip, the last one there is, may still go on."""
        heard_ns = max(one.end_ns for one in self._store.tail(vehicle_id, Kind.INTERVAL, None, 1))
        is_recent = self._clock.now_ns() - trip.end_ns < BRIDGE_NS
        return is_recent and heard_ns - trip.end_ns < LEFT_NS

    def _place(self, vehicle_id: str, stops: Sequence[tuple[Location, Trip | Charge]]) -> Found:
        """The places of stops; those that are new are kept."""
        found = find_places([location for location, _ in stops], known=self._places())
        if self._journal is not None:
            self._journal.keep_places(vehicle_id, found)
        return found

    def _told(
        self, vehicle_id: str, subject: Subject, facts: Sequence[Trip | Charge]
    ) -> Iterable[Told]:
        """What is said of some; a remark is matched with all that there are."""
        if self._journal is None or not facts:
            return [Told() for _ in facts]
        remarks = self._journal.remarks(vehicle_id, subject)
        if not remarks:
            return [Told() for _ in facts]
        ask = self.trips if subject is Subject.TRIP else self.charges
        spans = [(one.start_ns, one.end_ns) for _, one in ask(vehicle_id, None, None)]
        told = dict(zip(spans, told_of(remarks, spans).of, strict=True))
        return [told[one.start_ns, one.end_ns] for one in facts]

    def _places(self) -> list[Place]:
        return [] if self._journal is None else self._journal.places()

    def _costs(self) -> Costs | None:
        text = None if self._journal is None else self._journal.tariffs()
        return None if text is None else Costs(decode_tariffs(text))


def _begins_in(fact: Trip | Charge, since_ns: int | None, until_ns: int | None) -> bool:
    is_late = since_ns is None or fact.start_ns >= since_ns
    return is_late and (until_ns is None or fact.start_ns < until_ns)


def _place_at(places: PlaceIndex, location: Location | None) -> Place | None:
    return None if location is None else places.place_at(location)


def _place_document(place: Place, facts: Sequence[Trip | Charge]) -> Document:
    charges = [one for one in facts if isinstance(one, Charge)]
    given = [one.energy.in_kwh for one in charges if one.energy is not None]
    return {
        "id": place.id,
        "name": place.name,
        "location": location_document(place.location),
        "stops": len(facts) - len(charges),
        "charges": len(charges),
        "energy_kwh": round(sum(given), 3) if given else None,
        "last_seen": to_iso(max(one.end_ns for one in facts)),
    }
