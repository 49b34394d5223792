"""Why a trip took what it took, out of the rows of a lake."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from contactor.cloud.history import consumption
from contactor.cloud.history.consumption import Explained, explain
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.reading import View
from contactor.history.facts import Trip
from contactor.history.find import find
from tests.cloud.history.stored import store_rows
from tests.history.made import live

DAYS = live(["park 60", "drive 20", "park 480", "drive 20", "park 860"] * 6)
NAMES = ("speed_kmh", "odometer_m", "is_on", "voltage_v", "current_a")
ROWS = DAYS.columns(every_s=5.0, names=NAMES)
TRIPS = find(ROWS).trips


def explained(trip: Trip, trips: tuple[Trip, ...] = TRIPS, kept: object = None) -> Explained:
    store = MemoryStore()
    store_rows(store, ROWS, kept=kept)  # type: ignore[arg-type]  # a mask, or None for all
    return explain(View(store.snapshot()), "leaf", trip, trips)


def test_parts_are_those_of_the_trip_and_the_model_that_of_the_others() -> None:
    assert len(TRIPS) == 12
    told = explained(TRIPS[4])
    assert told.trips_used == 11
    assert told.explanation is not None
    assert told.expected == told.explanation.expected
    assert TRIPS[4].energy is not None
    total = math.fsum(share.kwh for share in told.explanation.parts)
    assert total == pytest.approx(TRIPS[4].energy.net_kwh)


def test_a_trip_is_no_proof_of_itself() -> None:
    trip = TRIPS[4]
    assert trip.energy is not None
    towing = replace(trip, energy=replace(trip.energy, out_kwh=3 * trip.energy.out_kwh))
    others = tuple(towing if one is trip else one for one in TRIPS)
    assert explained(towing, others).expected == explained(trip).expected


def test_the_nearest_trips_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumption, "OTHERS", 3)
    assert explained(TRIPS[4]).expected == explained(TRIPS[4], TRIPS[2:6]).expected
    assert explained(TRIPS[4]).trips_used == 3


def test_what_is_not_known_is_not_told() -> None:
    silent = replace(TRIPS[4], energy=None)
    told = explained(silent)
    assert told.expected is not None
    assert told.explanation is None
    gone = np.asarray(ROWS.ts >= TRIPS[5].start_ns)
    assert explained(TRIPS[4], kept=gone) == Explained(trips_used=0)
    assert explained(TRIPS[6], kept=gone).trips_used == 6
    alone = explained(TRIPS[4], TRIPS[4:5])
    assert alone.trips_used == 0
    assert alone.explanation is not None
