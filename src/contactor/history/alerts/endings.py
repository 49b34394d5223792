"""Trips and charges that have ended, as rules hear of them. Pure.

endings(facts, now_ns, limit_pct=80.0, since_ns=...)        # [Ended(...), ...] by time

ended         some minutes are over since: a short stop does not end a trip
interrupted   a trip in which the battery got empty, or after which the car was not heard;
              a charge that stopped under its limit while the cable stayed in
"""

from collections.abc import Callable, Sequence

from contactor.clock import NS_PER_S
from contactor.history.alerts.events import Ended
from contactor.history.alerts.rules import FactKind
from contactor.history.facts import Charge, Facts, Interval, State, Trip

SETTLED_NS = 600 * NS_PER_S
PLUGGED_NS = 120 * NS_PER_S
"""Who wants to leave pulls the cable sooner than that after the charge has ended."""
SILENT_NS = 1_800 * NS_PER_S
EMPTY_PCT, BELOW_PCT = 1.0, 2.0

IdOf = Callable[[Trip | Charge], str]


def by_start(fact: Trip | Charge) -> str:
    """The id of a trip or charge where nothing better is kept: when it began."""
    return f"{'trip' if isinstance(fact, Trip) else 'charge'}-{fact.start_ns}"


def endings(
    facts: Facts,
    now_ns: int,
    *,
    since_ns: int,
    limit_pct: float | None = None,
    id_of: IdOf = by_start,
) -> list[Ended]:
    """Trips and charges that ended since an instant.

    Args:
        limit_pct: of the state of charge at which the car stops charging, where it is known.
        id_of: names one, the same after its history was worked out anew.
    """
    until_ns = now_ns - SETTLED_NS
    found = [
        Ended(
            FactKind.TRIP,
            id_of(trip),
            trip.start_ns,
            trip.end_ns,
            is_interrupted=_is_trip_interrupted(trip, facts.intervals),
            words=_trip_words(trip),
        )
        for trip in facts.trips
        if since_ns <= trip.end_ns <= until_ns
    ]
    found += [
        Ended(
            FactKind.CHARGE,
            id_of(charge),
            charge.start_ns,
            charge.end_ns,
            is_interrupted=_is_charge_interrupted(charge, limit_pct),
            words=_charge_words(charge),
        )
        for charge in facts.charges
        if since_ns <= charge.end_ns <= until_ns
    ]
    return sorted(found, key=lambda one: one.end_ns)


def _is_trip_interrupted(trip: Trip, intervals: Sequence[Interval]) -> bool:
    if trip.soc_end_pct is not None and trip.soc_end_pct <= EMPTY_PCT:
        return True
    after = [one for one in intervals if one.start_ns <= trip.end_ns < one.end_ns]
    return any(
        one.state is State.OFFLINE and one.end_ns - trip.end_ns >= SILENT_NS for one in after
    )


def _is_charge_interrupted(charge: Charge, limit_pct: float | None) -> bool:
    if limit_pct is None or charge.soc_end_pct is None:
        return False
    is_plugged = (
        charge.plugged_end_ns is None or charge.plugged_end_ns - charge.end_ns >= PLUGGED_NS
    )
    return is_plugged and charge.soc_end_pct < limit_pct - BELOW_PCT


def _trip_words(trip: Trip) -> str:
    words = [f"{trip.distance_km:.1f} km", _duration(trip.end_ns - trip.start_ns)]
    if trip.energy is not None:
        words.append(f"{trip.energy.net_kwh:.1f} kWh")
    return ", ".join([*words, *_charge_left(trip.soc_end_pct)])


def _charge_words(charge: Charge) -> str:
    words = [] if charge.energy is None else [f"{charge.energy.in_kwh:.1f} kWh"]
    words.append(_duration(charge.end_ns - charge.start_ns))
    return ", ".join([*words, *_charge_left(charge.soc_end_pct)])


def _charge_left(soc_pct: float | None) -> list[str]:
    return [] if soc_pct is None else [f"now at {soc_pct:.0f} %"]


def _duration(ns: int) -> str:
    minutes = round(ns / NS_PER_S / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
