"""How far a car goes with what its battery has, in its first form.

    range_of(41.0, drives, ambient_degc=3.0)    # Range(km=228.4, low_km=201.7, high_km=262.5, ...)

What can be used now, over what a kilometre takes; see `contactor.energy.consumption`. The band of
80 % is that of the car's own past errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contactor.energy.consumption import Drive, Habits


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """How far, with a band of 80 %, and from what it was learnt.

    Fields:
        drives, learnt_km: the drives that it rests on, and how far they went; 0 where all of it is
            what is usual among cars.
    """

    km: float
    low_km: float
    high_km: float
    wh_per_km: float
    drives: int
    learnt_km: float


def range_of(
    usable_kwh: float,
    drives: Sequence[Drive],
    *,
    ambient_degc: float | None = None,
    speed_kmh: float | None = None,
) -> Range:
    """How far a car goes.

    Args:
        usable_kwh: in the battery now, down to where the car stops.
        drives: of this car, those of the last months at least.
        ambient_degc: outside, None for mild.
        speed_kmh: the mean to be driven; None for the mix of the last drives.
    """
    habits = Habits(drives)
    first = habits.consumption(ambient_degc=ambient_degc, speed_kmh=speed_kmh)
    usable_wh = 1000 * max(usable_kwh, 0.0)
    # The band is that of a drive as long as the range.
    taken = habits.consumption(
        ambient_degc=ambient_degc,
        speed_kmh=speed_kmh,
        distance_km=usable_wh / first.wh_per_km,
    )
    return Range(
        km=usable_wh / taken.wh_per_km,
        low_km=usable_wh / taken.high_wh_per_km,
        high_km=usable_wh / taken.low_wh_per_km,
        wh_per_km=taken.wh_per_km,
        drives=habits.drives,
        learnt_km=habits.distance_km,
    )
