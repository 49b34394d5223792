"""One car's life, what it tells, what goes wrong, what is found, and how right that is.

verdict = judge(seed=7, days=30)
verdict.trips.missed, verdict.capacity
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contactor.energy.consumption import Drive, Habits
from contactor.history.battery import battery_report
from contactor.history.facts import Charge, Facts, Trip
from contactor.history.find import find, restart_ns
from tests.history.test_continue import joined
from tests.history.truth.lives import Life, live
from tests.history.truth.spoil import SPOILS
from tests.history.truth.told import KITS, Kit, Rows, Sensors, sensed_j, tell
from tests.history.truth.truth import Telling, Truth, charges_of, drives_of, matched, net_kwh

# Trips from which a range is learnt before it is asked for, and the least that is asked about.
LEARNT, RANGE_KM = 15, 2.0


@dataclass(frozen=True, slots=True)
class Energy:
    """Of one fact, kWh: what was found, what the sensors had without a gap, what truly flowed.

    Fields:
        sources: where it was found.
    """

    found: float
    sensed: float
    true: float
    sources: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many there were to find, were missed, and are wrong."""

    true: int
    missed: int
    wrong: int
    energies: tuple[Energy, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was found with half its band of 95 %, and what was, kWh; from how many windows."""

    found: float
    half: float
    true: float
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """On one car.

    Fields:
        in_range: of each trip not seen whether its consumption lay in the band of 80 %.
        is_continued: whether late rows led to what is found from scratch.
    """

    seed: int
    kit: str
    spoil: str
    rows: int
    trips: Count
    charges: Count
    capacity: Capacity | None
    in_range: tuple[bool, ...]
    is_continued: bool


def judge(
    seed: int, *, days: int = 30, kit: str | None = None, spoil: str | None = None
) -> Verdict:
    """Let a car live, tell and be found; a seed chooses what is not named."""
    kit = kit or list(KITS)[seed % len(KITS)]
    spoil = spoil or list(SPOILS)[seed // len(KITS) % len(SPOILS)]
    return judged(live(seed, days=days), seed, kit, spoil)


def judged(life: Life, seed: int, kit_name: str, spoil: str) -> Verdict:
    """The same of a life that was lived."""
    kit = KITS[kit_name]
    random = np.random.default_rng([seed, *kit_name.encode(), *spoil.encode()])
    sensors = Sensors.of(life, random)
    rows = SPOILS[spoil](tell(life, kit, random, sensors), kit, life, random).in_order()
    facts, telling = find(rows.columns()), Telling(rows)
    sums = sensed_j(life, sensors), life.out_j - life.in_j
    drives, charges = drives_of(life, kit, telling), charges_of(life, kit, telling)
    return Verdict(
        seed=seed,
        kit=kit_name,
        spoil=spoil,
        rows=len(rows),
        trips=_count(life, telling, sums, facts.trips, drives),
        charges=_count(life, telling, sums, facts.charges, charges),
        capacity=_capacity(life, kit, rows, facts),
        in_range=tuple(_in_range(life, facts, drives)),
        is_continued=not rows.late.any() or _continued(rows) == facts,
    )


def _count(
    life: Life,
    telling: Telling,
    sums: tuple[np.ndarray, np.ndarray],
    facts: Sequence[Trip] | Sequence[Charge],
    true: Sequence[Truth],
) -> Count:
    found = matched(facts, true)
    energies = []
    for number, _ in found.pairs:
        fact = facts[number]
        if fact.energy is None:
            continue
        ends = telling.second_of(fact.start_ns), telling.second_of(fact.end_ns)
        sensed, truly = (net_kwh(life, one, *ends) for one in sums)
        energies.append(Energy(fact.energy.net_kwh, sensed, truly, fact.energy.sources))
    missed, wrong = len(found.missed), len(found.wrong)
    return Count(len(found.pairs) + missed, missed, wrong, tuple(energies))


def _capacity(life: Life, kit: Kit, rows: Rows, facts: Facts) -> Capacity | None:
    """None where the car gives neither current nor power, or where it hardly moved."""
    if not kit.gives("current_a", "power_w"):
        return None
    report = battery_report(rows.columns(), facts)
    if report.capacity_kwh is None or report.capacity_uncertainty_kwh is None:
        return None
    half = report.capacity_uncertainty_kwh
    return Capacity(report.capacity_kwh, half, life.capacity_kwh, report.sessions_used)


def _in_range(life: Life, facts: Facts, drives: Sequence[Truth]) -> list[bool]:
    """Of the trips behind the first ones, whether the truth lay in what was foretold."""
    told = [_drive(trip) for trip in facts.trips]
    inside = []
    net_j = life.out_j - life.in_j
    for number, place in sorted(matched(facts.trips, drives).pairs):
        one, true = told[number], drives[place]
        before = [drive for drive in told[:number] if drive is not None]
        if one is None or len(before) < LEARNT or true.amount < RANGE_KM:
            continue
        foretold = Habits(before).consumption(
            ambient_degc=one.ambient_degc, speed_kmh=one.speed_kmh, distance_km=true.amount
        )
        taken = 1000 * net_kwh(life, net_j, true.start_s, true.end_s) / true.amount
        inside.append(foretold.low_wh_per_km <= taken <= foretold.high_wh_per_km)
    return inside


def _drive(trip: Trip) -> Drive | None:
    if trip.energy is None or trip.distance_km <= 0 or trip.moving_s <= 0:
        return None
    return Drive(
        start_ns=trip.start_ns,
        distance_km=trip.distance_km,
        energy_kwh=trip.energy.net_kwh,
        speed_kmh=trip.distance_km * 3600 / trip.moving_s,
        ambient_degc=trip.ambient_mean_degc,
    )


def _continued(rows: Rows) -> Facts:
    """What is found when some rows come late."""
    old = find(rows.columns(~rows.late))
    since = restart_ns(old, int(rows.ts[rows.late].min()))
    return joined(old, find(rows.columns(rows.ts >= since)), since)
