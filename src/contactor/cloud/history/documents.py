"""Facts as the JSON of commands and API: instants in ISO 8601, unknown is None.

trip_document("leaf", trip, told)
consumption_document("leaf", trip, explained)
charge_document("leaf", charge, told, cost)
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from contactor.clock import NS_PER_S, to_iso
from contactor.cloud.history.consumption import Explained
from contactor.history.facts import Charge, Location, Trip
from contactor.history.journal import Told
from contactor.history.places import Place

Document: TypeAlias = Mapping[str, object]
DIGITS: Final = 6
_ID_BYTES: Final = 6
_DEGREE_DIGITS: Final = 6  # a tenth of a metre


def fact_id(vehicle_id: str, fact: Trip | Charge) -> str:
    """The id of a trip or charge: the same however often it is found anew."""
    kind = "trip" if isinstance(fact, Trip) else "charge"
    text = f"{vehicle_id} {kind} {fact.start_ns}"
    return hashlib.blake2s(text.encode(), digest_size=_ID_BYTES).hexdigest()


def trip_document(
    vehicle_id: str, trip: Trip, told: Told, places: Sequence[Place | None] = (None, None)
) -> Document:
    """A trip.

    Args:
        places: where it begins and ends, where these are places that are known.
    """
    energy = trip.energy
    net = None if energy is None else energy.net_kwh
    has_rate = net is not None and trip.distance_km > 0
    return {
        "id": fact_id(vehicle_id, trip),
        "vehicle_id": vehicle_id,
        "start": to_iso(trip.start_ns),
        "end": to_iso(trip.end_ns),
        "duration_s": _number((trip.end_ns - trip.start_ns) / NS_PER_S),
        "moving_s": _number(trip.moving_s),
        "distance_km": _number(trip.distance_km),
        "energy_kwh": _number(net),
        "energy_out_kwh": _number(None if energy is None else energy.out_kwh),
        "energy_in_kwh": _number(None if energy is None else energy.in_kwh),
        "consumption_wh_per_km": _number(
            1000 * net / trip.distance_km if has_rate and net is not None else None
        ),
        "soc_start_pct": _number(trip.soc_start_pct),
        "soc_end_pct": _number(trip.soc_end_pct),
        "speed_max_kmh": _number(trip.speed_max_kmh),
        "ambient_mean_degc": _number(trip.ambient_mean_degc),
        "battery_mean_degc": _number(trip.battery_mean_degc),
        "elevation_gain_m": _number(trip.elevation_gain_m),
        "auxiliary_kwh": _number(trip.auxiliary_kwh),
        "heating_kwh": _number(trip.heating_kwh),
        "start_location": location_document(trip.start_location),
        "end_location": location_document(trip.end_location),
        "start_place": _place(places[0]),
        "end_place": _place(places[1]),
        "energy_source": None if energy is None else energy.sources,
        "energy_check_source": _source(trip),
        "energy_check_kwh": _number(None if energy is None else energy.check_net_kwh),
        **_words(told),
    }


def charge_document(
    vehicle_id: str,
    charge: Charge,
    told: Told,
    *,
    cost: float | None = None,
    currency: str | None = None,
    place: Place | None = None,
) -> Document:
    """A charge; `cost` and `currency` are None where nobody said what it costs."""
    energy = charge.energy
    kwh = None if energy is None else energy.in_kwh
    duration_s = (charge.end_ns - charge.start_ns) / NS_PER_S
    mean_kw = None if kwh is None or duration_s <= 0 else kwh * 3600 / duration_s
    return {
        "id": fact_id(vehicle_id, charge),
        "vehicle_id": vehicle_id,
        "start": to_iso(charge.start_ns),
        "end": to_iso(charge.end_ns),
        "duration_s": _number(duration_s),
        "kind": None if charge.kind is None else charge.kind.value,
        "energy_battery_kwh": _number(kwh),
        "energy_wall_kwh": _number(charge.wall_kwh),
        "soc_start_pct": _number(charge.soc_start_pct),
        "soc_end_pct": _number(charge.soc_end_pct),
        "power_max_kw": _number(charge.power_max_kw),
        "power_mean_kw": _number(mean_kw),
        "battery_mean_degc": _number(charge.battery_mean_degc),
        "location": location_document(charge.location),
        "place": _place(place),
        "plugged_start": _instant(charge.plugged_start_ns),
        "plugged_end": _instant(charge.plugged_end_ns),
        "energy_source": None if energy is None else energy.sources,
        "cost": cost,
        "currency": currency,
        **_words(told),
    }


def consumption_document(vehicle_id: str, trip: Trip, explained: Explained) -> Document:
    """Why a trip took what it took; no parts where its speed or its energy is not known."""
    expected, explanation = explained.expected, explained.explanation
    return {
        "id": fact_id(vehicle_id, trip),
        "vehicle_id": vehicle_id,
        "start": to_iso(trip.start_ns),
        "end": to_iso(trip.end_ns),
        "distance_km": _number(trip.distance_km),
        "energy_kwh": _number(None if trip.energy is None else trip.energy.net_kwh),
        "expected_kwh": _number(None if expected is None else expected.kwh),
        "expected_low_kwh": _number(None if expected is None else expected.low_kwh),
        "expected_high_kwh": _number(None if expected is None else expected.high_kwh),
        "trips_used": explained.trips_used,
        "parts": [
            {
                "part": share.part.value,
                "energy_kwh": _number(share.kwh),
                "low_kwh": _number(share.low_kwh),
                "high_kwh": _number(share.high_kwh),
            }
            for share in (() if explanation is None else explanation.parts)
        ],
    }


def _source(trip: Trip) -> str | None:
    check = None if trip.energy is None else trip.energy.check_source
    return None if check is None else check.value


def _words(told: Told) -> dict[str, object]:
    words = told.words
    return {
        "purpose": None if words.purpose is None else words.purpose.value,
        "driver": words.driver,
        "tags": list(words.tags),
        "note": words.note,
    }


def _number(value: float | None) -> float | None:
    """As many digits as any sensor of a car carries; nothing for what is no number."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")


def location_document(location: Location | None) -> Document | None:
    """A point on the Earth; None where it is not known."""
    if location is None:
        return None
    return {
        "latitude_deg": round(location.latitude_deg, _DEGREE_DIGITS),
        "longitude_deg": round(location.longitude_deg, _DEGREE_DIGITS),
    }


def _place(place: Place | None) -> Document | None:
    return None if place is None else {"id": place.id, "name": place.name}


def _instant(ts: int | None) -> str | None:
    return None if ts is None else to_iso(ts)
