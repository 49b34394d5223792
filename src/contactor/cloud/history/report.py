"""A car's history in figures, as JSON: how far, how much, where it went, how far it goes now.

report_document("leaf", facts, battery=battery, range_now=range_now(facts, battery))
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from contactor.clock import NS_PER_DAY, NS_PER_S, to_iso
from contactor.cloud.history.documents import Document
from contactor.energy import Drive, Range, range_of
from contactor.history.facts import Charge, Facts, Stand, State, Trip

_S_PER_HOUR: Final = 3600
_DIGITS: Final = 3
_EPOCH: Final = date(1970, 1, 1)


def report_document(
    vehicle_id: str, facts: Facts, *, battery: Document, range_now: Range | None
) -> Document:
    """Sums over the facts, and what is true now."""
    return {
        "vehicle_id": vehicle_id,
        "since": to_iso(facts.intervals[0].start_ns) if facts.intervals else None,
        "until": to_iso(facts.intervals[-1].end_ns) if facts.intervals else None,
        "trips": _trips(facts.trips),
        "charges": _charges(facts.charges),
        "stands": _stands(facts),
        "hours": _hours(facts),
        "days": _days(facts),
        "battery": {
            name: battery[name]
            for name in ("capacity_kwh", "capacity_uncertainty_kwh", "state_of_health_pct")
        },
        "range": None if range_now is None else _range(range_now),
    }


def range_now(facts: Facts, battery: Document) -> Range | None:
    """How far the car goes with what it had last; None where that is not known."""
    capacity, state_of_charge = battery["capacity_kwh"], _last_charge_pct(facts)
    if not isinstance(capacity, float) or state_of_charge is None:
        return None
    ambient = next(
        (trip.ambient_mean_degc for trip in reversed(facts.trips) if trip.ambient_mean_degc), None
    )
    drives = [drive for trip in facts.trips if (drive := _drive(trip)) is not None]
    return range_of(capacity * state_of_charge / 100, drives, ambient_degc=ambient)


def _drive(trip: Trip) -> Drive | None:
    if trip.energy is None or trip.distance_km <= 0 or trip.moving_s <= 0:
        return None
    return Drive(
        start_ns=trip.start_ns,
        distance_km=trip.distance_km,
        energy_kwh=trip.energy.net_kwh,
        speed_kmh=trip.distance_km * _S_PER_HOUR / trip.moving_s,
        ambient_degc=trip.ambient_mean_degc,
    )


def _last_charge_pct(facts: Facts) -> float | None:
    every: tuple[Trip | Charge | Stand, ...] = (*facts.trips, *facts.charges, *facts.stands)
    ends = [(one.end_ns, one.soc_end_pct) for one in every]
    known = [(end_ns, pct) for end_ns, pct in ends if pct is not None]
    return max(known)[1] if known else None


def _range(found: Range) -> Document:
    return {
        "km": _number(found.km),
        "low_km": _number(found.low_km),
        "high_km": _number(found.high_km),
    }


def _trips(trips: Sequence[Trip]) -> Document:
    told = [trip for trip in trips if trip.energy is not None]
    distance = sum(trip.distance_km for trip in trips)
    known_km = sum(trip.distance_km for trip in told)
    net = sum(trip.energy.net_kwh for trip in told if trip.energy is not None)
    return {
        "count": len(trips),
        "distance_km": _number(distance),
        "energy_kwh": _number(net) if told else None,
        "consumption_wh_per_km": _number(1000 * net / known_km) if known_km > 0 else None,
        "duration_s": sum((trip.end_ns - trip.start_ns) / NS_PER_S for trip in trips),
    }


def _charges(charges: Sequence[Charge]) -> Document:
    energies = [one.energy.in_kwh for one in charges if one.energy is not None]
    walls = [one.wall_kwh for one in charges if one.wall_kwh is not None]
    return {
        "count": len(charges),
        "energy_battery_kwh": _number(sum(energies)) if energies else None,
        "energy_wall_kwh": _number(sum(walls)) if walls else None,
    }


def _stands(facts: Facts) -> Document:
    lost = [one.lost_kwh for one in facts.stands if one.lost_kwh is not None]
    awake = [one.awake_kwh for one in facts.stands if one.awake_kwh is not None]
    heated = [one.preheating_kwh for one in facts.stands if one.preheating_kwh is not None]
    return {
        "count": len(facts.stands),
        "lost_kwh": _number(sum(lost)) if lost else None,
        "awake_kwh": _number(sum(awake)) if awake else None,
        "preheating_kwh": _number(sum(heated)) if heated else None,
    }


def _hours(facts: Facts) -> Document:
    hours = dict.fromkeys((state.value for state in State), 0.0)
    for one in facts.intervals:
        hours[one.state.value] += (one.end_ns - one.start_ns) / NS_PER_S / _S_PER_HOUR
    return {state: _number(value) for state, value in hours.items()}


def _days(facts: Facts) -> list[Document]:
    """A row per UTC day from the first to the last on which a trip or charge began."""
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for trip in facts.trips:
        day = sums[trip.start_ns // NS_PER_DAY]
        day[0] += trip.distance_km
        day[1] += 0.0 if trip.energy is None else trip.energy.net_kwh
    for charge in facts.charges:
        given = 0.0 if charge.energy is None else charge.energy.in_kwh
        sums[charge.start_ns // NS_PER_DAY][2] += given
    if not sums:
        return []
    return [
        {
            "day": (_EPOCH + timedelta(days=number)).isoformat(),
            "distance_km": _number(sums[number][0]),
            "energy_kwh": _number(sums[number][1]),
            "charged_kwh": _number(sums[number][2]),
        }
        for number in range(min(sums), max(sums) + 1)
    ]


def _number(value: float) -> float:
    return round(value, _DIGITS)
