"""The journal as it is told: trips and charges with what people said of them, as JSON.

PATCH /api/v1/vehicles/leaf/journal/{id} {"purpose": "business", "add_tags": ["north"]}
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from contactor.clock import to_iso
from contactor.history.facts import Charge, Location, Trip
from contactor.history.journal import Purpose, Subject, Told, Words
from contactor.history.places import Place, PlaceIndex
from contactor.history.tariff_cost import Cost


class Spot(msgspec.Struct, frozen=True):
    """Where a trip began or ended: a point, and the place that holds it."""

    latitude_deg: float
    longitude_deg: float
    place_id: str | None = None
    name: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """A trip or a charge, and what is said of it.

    Fields:
        energy_kwh: a trip's net energy out of the battery, a charge's into it.
        start_spot: of a charge, where it was.
        disputed: what was said of it before it was found anew disagrees on purpose or driver.
        cost: of a charge, by the tariff that fits.
    """

    id: str
    vehicle_id: str
    subject: Subject
    start: str
    end: str
    distance_km: float | None
    energy_kwh: float | None
    start_spot: Spot | None
    end_spot: Spot | None
    purpose: Purpose | None
    driver: str | None
    tags: tuple[str, ...]
    note: str | None
    disputed: bool
    cost: float | None
    currency: str | None


class EntryPage(msgspec.Struct, frozen=True):
    """One page of the journal, newest first; `next` is the cursor of the next page, or null."""

    items: list[Entry]
    next: str | None


class LooseRemark(msgspec.Struct, frozen=True):
    """What was said of a trip or charge that is not found any more; it is kept."""

    subject: Subject
    start: str
    end: str
    purpose: Purpose | None
    driver: str | None
    tags: tuple[str, ...]
    note: str | None


class LooseRemarks(msgspec.Struct, frozen=True):
    """Every loose remark of a vehicle."""

    items: list[LooseRemark]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be said from now on; what is left out stays, null takes it away."""

    purpose: Purpose | UnsetType | None = UNSET
    driver: str | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    add_tags: list[str] = msgspec.field(default_factory=list)
    remove_tags: list[str] = msgspec.field(default_factory=list)

    def applied(self, words: Words) -> Words:
        """Words as they are after the change."""
        tags = list(words.tags) if self.tags is UNSET else self.tags
        kept = [tag for tag in [*tags, *self.add_tags] if tag not in self.remove_tags]
        return Words(
            purpose=words.purpose if self.purpose is UNSET else self.purpose,
            driver=words.driver if self.driver is UNSET else self.driver,
            note=words.note if self.note is UNSET else self.note,
            tags=tuple(dict.fromkeys(kept)),
        )


def trip_entry(vehicle_id: str, trip_id: str, trip: Trip, told: Told, places: PlaceIndex) -> Entry:
    """A trip as an entry."""
    return Entry(
        id=trip_id,
        vehicle_id=vehicle_id,
        subject=Subject.TRIP,
        start=to_iso(trip.start_ns),
        end=to_iso(trip.end_ns),
        distance_km=trip.distance_km,
        energy_kwh=None if trip.energy is None else trip.energy.net_kwh,
        start_spot=_spot(trip.start_location, places),
        end_spot=_spot(trip.end_location, places),
        cost=None,
        currency=None,
        purpose=told.words.purpose,
        driver=told.words.driver,
        tags=told.words.tags,
        note=told.words.note,
        disputed=told.is_disputed,
    )


def charge_entry(
    vehicle_id: str,
    charge_id: str,
    charge: Charge,
    told: Told,
    places: PlaceIndex,
    cost: Cost | None,
) -> Entry:
    """A charge as an entry."""
    amount = None if cost is None else cost.amount
    return Entry(
        id=charge_id,
        vehicle_id=vehicle_id,
        subject=Subject.CHARGE,
        start=to_iso(charge.start_ns),
        end=to_iso(charge.end_ns),
        distance_km=None,
        energy_kwh=None if charge.energy is None else charge.energy.in_kwh,
        start_spot=_spot(charge.location, places),
        end_spot=None,
        cost=None if amount is None else round(amount, 2),
        currency=None if cost is None or amount is None else cost.currency,
        purpose=told.words.purpose,
        driver=told.words.driver,
        tags=told.words.tags,
        note=told.words.note,
        disputed=told.is_disputed,
    )


def _spot(location: Location | None, places: PlaceIndex) -> Spot | None:
    if location is None:
        return None
    place: Place | None = places.place_at(location)
    return Spot(
        location.latitude_deg,
        location.longitude_deg,
        None if place is None else place.id,
        None if place is None else place.name,
    )


def page_of(entries: Sequence[Entry], *, limit: int, cursor: str | None) -> EntryPage:
    """Entries that are newest first, those after the one of id `cursor`."""
    first = 0
    if cursor is not None:
        first = 1 + next((n for n, one in enumerate(entries) if one.id == cursor), len(entries))
    items = list(entries[first : first + limit])
    has_more = first + limit < len(entries)
    return EntryPage(items, items[-1].id if has_more else None)
