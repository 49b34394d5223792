"""One recorded drive, on even seconds, as a fit needs it.

run = Run.of("trip.csv", time_s, speed_mps, power_w, elevation_m=elevation_m)
run.energy_j, run.distance_m
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.errors import TableError
from contactor.physics.cycles.cycle import Cycle

Floats = NDArray[np.float64]

LEAST_S, LEAST_M = 60, 500.0
# A hole in the recording that is longer is no drive that could be followed.
HOLE_S = 10.0
FASTEST_MPS = 150.0
# Rise per distance over 25 m of road; the steepest streets have 0.35.
STEEPEST = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Run:
    """Speed and what it took.

    Fields:
        speed_mps: float64 (n + 1,), at each second; grade: (n,), rise per distance over each.
        given_j: float64 (n + 1,), what the battery gave, net, since the start.
        ambient_degc: the mean, or None where the recording does not tell of the weather.
        state_of_charge: at the start, 0 to 1, or None where it is unknown.
        rest_v: the battery's voltage at the start, or None.
    """

    name: str
    speed_mps: Floats
    grade: Floats
    given_j: Floats
    ambient_degc: float | None = None
    state_of_charge: float | None = None
    rest_v: float | None = None

    @property
    def steps(self) -> int:
        """How many seconds."""
        return len(self.grade)

    @property
    def energy_j(self) -> float:
        """What the battery gave, less what it took."""
        return float(self.given_j[-1])

    @property
    def distance_m(self) -> float:
        """The integral of the speed."""
        return float(((self.speed_mps[1:] + self.speed_mps[:-1]) / 2).sum())

    def distance_until_m(self, step: int) -> float:
        """How far it is after so many seconds."""
        return float(((self.speed_mps[1 : step + 1] + self.speed_mps[:step]) / 2).sum())

    @classmethod
    def of(
        cls,
        name: str,
        time_s: Floats,
        speed_mps: Floats,
        power_w: Floats,
        *,
        elevation_m: Floats | None = None,
        ambient_degc: float | None = None,
        state_of_charge: float | None = None,
        rest_v: float | None = None,
    ) -> "Run":
        """A run out of a recording.

        Args:
            time_s: float64 (n,), not descending.
            speed_mps: - backwards.
            power_w: out of the battery, + gives.

        Raises:
            TableError: it is too short, stands still, has a hole, time that runs backwards, a value
                that is no number, a speed that no car has, or a slope that no road has.
        """
        _check_numbers(name, "time", time_s)
        _check_numbers(name, "power", power_w)
        if elevation_m is not None:
            _check_numbers(name, "elevation", elevation_m)
        if len(time_s) < 2 or time_s[-1] - time_s[0] < LEAST_S:
            length_s = float(time_s[-1] - time_s[0]) if len(time_s) else 0.0
            raise TableError(f"{name}: {length_s:.0f} s are too short; at least {LEAST_S} s")
        steps_s = np.diff(time_s)
        if (steps_s < 0).any():
            place = int((steps_s < 0).argmax())
            raise TableError(f"{name}: time runs back by {-steps_s[place]:g} s in row {place + 2}")
        hole = int(steps_s.argmax())
        if steps_s[hole] > HOLE_S:
            raise TableError(
                f"{name}: nothing for {steps_s[hole]:.0f} s"
                f" from second {time_s[hole] - time_s[0]:.0f} on; at most {HOLE_S:.0f} s"
            )
        wrong = ~(np.abs(speed_mps) <= FASTEST_MPS)
        if wrong.any():
            place = int(wrong.argmax())
            raise TableError(
                f"{name}: a speed of {speed_mps[place]:g} m/s in second"
                f" {time_s[place] - time_s[0]:.0f}; {-FASTEST_MPS:g} to {FASTEST_MPS:g} is allowed"
            )
        seconds = np.arange(int(time_s[-1] - time_s[0]) + 1) + time_s[0]
        # Backwards it rolls all the same.
        speeds = np.abs(np.interp(seconds, time_s, speed_mps))
        given_j = np.concatenate(
            [[0.0], np.cumsum((power_w[1:] + power_w[:-1]) / 2 * np.diff(time_s))]
        )
        heights = None if elevation_m is None else np.interp(seconds, time_s, elevation_m)
        run = cls(
            name=name,
            speed_mps=speeds,
            grade=_grades(name, seconds - seconds[0], speeds, heights),
            given_j=np.interp(seconds, time_s, given_j),
            ambient_degc=ambient_degc,
            state_of_charge=state_of_charge,
            rest_v=rest_v,
        )
        if run.distance_m < LEAST_M:
            raise TableError(
                f"{name}: it drives {run.distance_m:.0f} m; at least {LEAST_M:.0f} m are needed"
            )
        return run


def _check_numbers(name: str, what: str, values: Floats) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(f"{name}: {what} is {values[row]} in row {row + 1}, not a number")


def _grades(name: str, time_s: Floats, speed_mps: Floats, heights_m: Floats | None) -> Floats:
    """The rise per distance over each second."""
    if heights_m is None:
        return np.zeros(len(time_s) - 1)
    way = Cycle(name="", time_s=time_s, speed_mps=speed_mps, elevation_m=heights_m)
    grades, distances_m = way.grades(), way.distances_m()
    places = distances_m[:-1] / (way.distance_m / len(grades) or 1.0)
    steps = grades[np.minimum(places.astype(np.int64), len(grades) - 1)]
    steepest = int(np.abs(steps).argmax())
    if abs(steps[steepest]) > STEEPEST:
        raise TableError(
            f"{name}: the elevation rises by {steps[steepest]:.0%} in second"
            f" {time_s[steepest]:.0f}; at most {STEEPEST:.0%} is a road"
        )
    return steps
