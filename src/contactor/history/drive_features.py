"""What a drive was, in the quantities that physics says its energy follows.

    features = drive_features(columns, trip)
    features.row()                       # in the order of QUANTITIES

Speed is taken second by second, whatever the rate of the rows: the noise of a fast source is no
acceleration. Height is taken with a threshold: the noise of a receiver is no climb.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Trip

WARM_DEGC: Final = 18.0  # under it a cabin is heated
HOT_DEGC: Final = 24.0  # over it a cabin is cooled
COLD_DEGC: Final = 15.0  # under it tyres, grease and cells take more
REST_KMH: Final = 3.0
GRAVITY: Final = 9.80665  # m/s², standard gravity
CLIMB_M: Final = 5.0  # less is noise of the receiver
END_S: Final = 30.0  # the height at an end is the median of so long
_SECOND_NS: Final = 1_000_000_000
_MAX_S: Final = 7 * 86_400

Vector: TypeAlias = NDArray[np.float64]


class Quantity(StrEnum):
    """A quantity of a drive, and its unit."""

    DISTANCE = "distance"  # km
    AIR = "air"  # Wh per N/(m/s)²: cubed speed over time
    ACCELERATION = "acceleration"  # Wh/kg: kinetic energy gained on the way
    LAUNCHES = "launches"  # Wh/kg: kinetic energy gained from rest
    CLIMB = "climb"  # Wh/kg: all that went up
    HEIGHT = "height"  # Wh/kg: what it ended above its start
    TIME = "time"  # h
    HEATING = "heating"  # K·h under 18 °C
    COOLING = "cooling"  # K·h over 24 °C
    COLD = "cold"  # K·km under 15 °C


QUANTITIES: Final = tuple(Quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFeatures:
    """The quantities of one drive; units in their names, energies per mass as in `Quantity`."""

    distance_km: float
    duration_h: float
    air: float
    acceleration: float
    launches: float
    climb_m: float = 0.0
    height_m: float = 0.0
    ambient_degc: float | None = None

    def row(self) -> Vector:
        """The quantities, in the order of QUANTITIES; an unknown temperature is a mild one."""
        ambient = self.ambient_degc if self.ambient_degc is not None else HOT_DEGC
        return np.array(
            [
                self.distance_km,
                self.air,
                self.acceleration,
                self.launches,
                GRAVITY * self.climb_m / 3600,
                GRAVITY * self.height_m / 3600,
                self.duration_h,
                max(0.0, WARM_DEGC - ambient) * self.duration_h,
                max(0.0, ambient - HOT_DEGC) * self.duration_h,
                max(0.0, COLD_DEGC - ambient) * self.distance_km,
            ]
        )


def drive_features(columns: Columns, trip: Trip) -> DriveFeatures | None:
    """The quantities of a trip; None where no speed is known of it.

    Args:
        columns: the car's rows, of which those of the trip are taken.
    """
    first, last = np.searchsorted(columns.ts, [trip.start_ns, trip.end_ns])
    rows = slice(int(first), int(last))
    ts = columns.ts[rows]
    speed = _by_second(ts, columns.speed_kmh, rows)
    if speed is None:
        return None
    speed_mps = np.clip(speed, 0.0, None) / 3.6
    launches, acceleration = _gains(speed_mps)
    height = _by_second(ts, columns.altitude_m, rows)
    climb_m, height_m = (0.0, 0.0) if height is None else _climbs(height)
    return DriveFeatures(
        distance_km=trip.distance_km,
        duration_h=(trip.end_ns - trip.start_ns) / _SECOND_NS / 3600,
        air=float((speed_mps**3).sum()) / 3600,
        acceleration=acceleration,
        launches=launches,
        climb_m=climb_m if trip.elevation_gain_m is None else trip.elevation_gain_m,
        height_m=height_m,
        ambient_degc=trip.ambient_mean_degc,
    )


def _by_second(ts: NDArray[np.int64], column: Floats | None, rows: slice) -> Vector | None:
    """A column at every second of its rows, straight between them; None where nothing is known."""
    if column is None:
        return None
    values = np.asarray(column[rows], np.float64)
    is_known = np.isfinite(values)
    if np.count_nonzero(is_known) < 2:
        return None
    known_s = (ts[is_known] - ts[0]) / _SECOND_NS
    seconds = np.arange(0.0, min(known_s[-1], _MAX_S) + 0.5)
    return np.asarray(np.interp(seconds, known_s, values[is_known]), np.float64)


def _gains(speed_mps: Vector) -> tuple[float, float]:
    """Kinetic energy gained from rest, and on the way, Wh/kg.

    A launch ends where the speed first falls by a fifth below the highest since the rest.
    """
    gained = np.maximum(np.diff(speed_mps**2), 0.0) / 2 / 3600
    is_rest = speed_mps < REST_KMH / 3.6
    is_launch = np.zeros(len(gained), bool)
    highest, launching = 0.0, False
    for place, (speed, rest) in enumerate(zip(speed_mps[1:], is_rest[:-1], strict=True)):
        if rest:
            launching, highest = True, 0.0
        highest = max(highest, float(speed))
        launching = launching and speed >= 0.8 * highest
        is_launch[place] = launching
    from_rest = float(gained[is_launch].sum())
    return from_rest, float(gained.sum()) - from_rest


def _climbs(height_m: Vector) -> tuple[float, float]:
    """All that went up, and what the end is above the start, m."""
    climbed, mark = 0.0, float(height_m[0])
    for height in height_m:
        if height > mark + CLIMB_M:
            climbed += float(height) - mark
            mark = float(height)
        elif height < mark - CLIMB_M:
            mark = float(height)
    end = int(END_S)
    return climbed, float(np.median(height_m[-end:]) - np.median(height_m[:end]))
