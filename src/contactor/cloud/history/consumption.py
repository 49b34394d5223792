"""What drove the consumption of a trip, against what the car's other trips took.

    told = explain(view, "leaf", trip, trips)
    told.explanation.parts               # rolling, air, ...: they add up to the trip's energy

The trip itself is left out of the model that explains it, else it would be its own proof.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from contactor.clock import NS_PER_DAY
from contactor.cloud.history.rows import read_columns
from contactor.cloud.lake.reading import View
from contactor.history.consumption import MIN_KM, Expected, Explanation, fit_consumption
from contactor.history.drive_features import DriveFeatures, drive_features
from contactor.history.facts import Trip
from contactor.history.paths import PATHS

OTHERS: Final = 60
"""So many trips, the nearest in time, tell what the car takes; more say little more of it."""
_PATHS: Final = (*PATHS["speed_kmh"], *PATHS["altitude_m"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why a trip took what it took.

    Fields:
        trips_used: how many others the car is known by; with none it is a mid-sized one.
        expected: of this drive; None where no speed is known of it any more.
        explanation: None where its speed or its energy is not known.
    """

    trips_used: int
    expected: Expected | None = None
    explanation: Explanation | None = None


def explain(view: View, vehicle_id: str, trip: Trip, trips: Iterable[Trip]) -> Explained:
    """Split the energy of a trip into parts.

    Args:
        trips: every trip of the car; only those near are read.

    Raises:
        LakeError: the lake cannot be read.
    """
    mine = dict(_features(view, vehicle_id, [trip])).get(trip)
    if mine is None:
        return Explained(trips_used=0)
    others = _features(view, vehicle_id, _near(trip, trips))
    known = [(features, one.energy.net_kwh) for one, features in others if one.energy is not None]
    model = fit_consumption(known)
    if trip.energy is None:
        return Explained(trips_used=len(known), expected=model.expect(mine))
    explanation = model.explain(mine, trip.energy.net_kwh)
    return Explained(trips_used=len(known), expected=explanation.expected, explanation=explanation)


def _near(trip: Trip, trips: Iterable[Trip]) -> list[Trip]:
    """The others that are long enough to tell something, the nearest in time."""
    told = [
        one
        for one in trips
        if one.start_ns != trip.start_ns and one.energy is not None and one.distance_km >= MIN_KM
    ]
    return sorted(told, key=lambda one: abs(one.start_ns - trip.start_ns))[:OTHERS]


def _features(
    view: View, vehicle_id: str, trips: Sequence[Trip]
) -> Iterator[tuple[Trip, DriveFeatures]]:
    """What each drive was, of those whose speed the lake still has; read day by day."""
    by_time = sorted(trips, key=lambda one: one.start_ns)
    for _, group in groupby(by_time, key=lambda one: one.start_ns // NS_PER_DAY):
        some = list(group)
        columns = read_columns(view, vehicle_id, some[0].start_ns, some[-1].end_ns, paths=_PATHS)
        for one in some:
            features = drive_features(columns, one)
            if features is not None:
                yield one, features
