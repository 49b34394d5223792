"""What a drive cycle is: points of time and speed, between which the speed runs straight.

cycle = Cycle(name="hill", time_s=time_s, speed_mps=speed_mps, elevation_m=elevation_m)
cycle.distance_m, cycle.grades()
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]


# Elevations say little of what is shorter: a grade is the mean over so much of the road.
GRADE_OVER_M = 25.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cycle:
    """Speed over time.

    Fields:
        time_s, speed_mps: float64 (n,), n >= 2; times ascend, the first is 0.
        elevation_m, ambient_degc: float64 (n,), or None where the cycle does not say.
    """

    name: str
    time_s: Values
    speed_mps: Values
    elevation_m: Values | None = None
    ambient_degc: Values | None = None

    @property
    def duration_s(self) -> float:
        """From the first point to the last."""
        return float(self.time_s[-1])

    @property
    def distance_m(self) -> float:
        """The integral of the speed."""
        return float(self.distances_m()[-1])

    def distances_m(self) -> Values:
        """How far from the start each point is, (n,)."""
        means = (self.speed_mps[1:] + self.speed_mps[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(means * np.diff(self.time_s))])

    def grades(self) -> Values:
        """Rise per distance of equal pieces of the road, about 25 m each, (m,); flat: one 0.

        All pieces together rise as much as the cycle does from its first point to its last.
        """
        length_m = self.distance_m
        if self.elevation_m is None or length_m <= 0:
            return np.zeros(1)
        pieces = max(1, round(length_m / GRADE_OVER_M))
        ends_m = np.linspace(0.0, length_m, pieces + 1)
        distances_m = self.distances_m()
        # Of points at one place the last counts, and the first of all for the start.
        moves = np.append(np.diff(distances_m) > 0, True)
        moves[0] = True
        heights_m = np.interp(ends_m, distances_m[moves], self.elevation_m[moves])
        return np.asarray(np.diff(heights_m) / (length_m / pieces), np.float64)
