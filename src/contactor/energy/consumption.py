"""What a car takes for a kilometre, learnt from its own last drives, by temperature and speed.

    habits = Habits(drives)
    habits.consumption(ambient_degc=-5.0, speed_kmh=90.0, distance_km=40.0).wh_per_km

The last 300 km are laid on a line: a level, more or less of it in each class of speed, more with
each degree of cold or heat. What is usual among electric cars stands in where the car has not
driven yet. The band of 80 % is that of the car's own past: each drive is foretold from those before
it, and what it took beside that is the error; drives of a like length count most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEMORY_KM = 300.0
# Shorter than this a drive tells nothing: its energy is mostly noise.
SHORTEST_KM = 1.0
# Between the classes of speed: town, road, country, motorway; the mean of a whole drive.
CLASS_EDGES_KMH = (28.0, 50.0, 80.0)
# Cold and heat begin here; between them there is nothing to warm or to cool.
COLD_BELOW_DEGC, HOT_ABOVE_DEGC = 18.0, 25.0
MILD_DEGC = 20.0
# What is usual and how far cars are from it: the level in Wh/km; classes, cold and heat as parts
# of the level (winter tests of some dozens of cars: 30 to 40 % more at -10 °C).
USUAL_WH_PER_KM, USUAL_SIGMA = 170.0, 60.0
CLASSES, CLASSES_SIGMA = (0.05, 0.0, 0.0, 0.2), (0.15, 0.1, 0.1, 0.15)
COLD_PER_DEGC, HOT_PER_DEGC, WARMTH_SIGMA = 0.011, 0.008, 0.006
# How far one drive of the first length lies beside the line; a longer one less.
NOISE, NOISE_KM = 0.2, 10.0
# Errors come from so many drives, and drives half or twice as long count so much less.
ERRORS, ALIKE_LOG = 80, math.log(2.0)
# The band is of 80 %; errors of the past are a little smaller than those to come.
BAND = 0.83
# Before there are enough errors of its own, a car is as uncertain as cars are.
USUAL_ERROR, USUAL_WEIGHT = 0.22, 4.0
LEAST_RATIO = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A drive as it was; `energy_kwh` net out of the battery, `speed_kmh` its mean."""

    start_ns: int
    distance_km: float
    energy_kwh: float
    speed_kmh: float
    ambient_degc: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What a kilometre takes, with a band of 80 %."""

    wh_per_km: float
    low_wh_per_km: float
    high_wh_per_km: float


class Habits:
    """What the drives of one car tell, in any order."""

    def __init__(self, drives: Sequence[Drive]) -> None:
        known = [one for one in drives if one.distance_km >= SHORTEST_KM]
        known.sort(key=lambda one: one.start_ns)
        self._distance_km = np.array([one.distance_km for one in known])
        self._taken = np.array([1000 * one.energy_kwh / one.distance_km for one in known])
        self._class = np.array([speed_class(one.speed_kmh) for one in known], np.intp)
        self._sides = np.array(
            [_sides(speed_class(one.speed_kmh), one.ambient_degc) for one in known]
        ).reshape(-1, SIDES)
        self._driven_km = np.concatenate([[0.0], np.cumsum(self._distance_km)])
        self._errors = self._own_errors()

    @property
    def drives(self) -> int:
        """How many drives the line is laid through."""
        return len(self._taken) - self._first(len(self._taken))

    @property
    def distance_km(self) -> float:
        """How far these drives went."""
        return float(self._driven_km[-1] - self._driven_km[self._first(len(self._taken))])

    def consumption(
        self,
        *,
        ambient_degc: float | None = None,
        speed_kmh: float | None = None,
        distance_km: float = MEMORY_KM,
    ) -> Consumption:
        """What is to be expected.

        Args:
            ambient_degc: None for mild.
            speed_kmh: the mean to be driven; None for the mix of the last drives.
            distance_km: how far; over a longer way more evens out.
        """
        line = self._line(len(self._taken))
        expected = max(float(line @ self._asked(ambient_degc, speed_kmh)), 1.0)
        low, high = self._band(distance_km)
        return Consumption(
            wh_per_km=expected,
            low_wh_per_km=expected * max(1 + low, LEAST_RATIO),
            high_wh_per_km=expected * (1 + high),
        )

    def _asked(self, ambient_degc: float | None, speed_kmh: float | None) -> Floats:
        if speed_kmh is not None:
            return _sides(speed_class(speed_kmh), ambient_degc)
        first = self._first(len(self._taken))
        if first == len(self._taken):
            return _sides(1, ambient_degc)
        share = np.bincount(self._class[first:], self._distance_km[first:], len(CLASSES)) / float(
            self._distance_km[first:].sum()
        )
        sides = _sides(0, ambient_degc)
        sides[1 : 1 + len(CLASSES)] = share
        return sides

    def _first(self, end: int) -> int:
        """The first of the drives before `end` that lie within the memory."""
        begin_km = self._driven_km[end] - MEMORY_KM
        return min(int(np.searchsorted(self._driven_km[:end], begin_km)), end)

    def _line(self, end: int) -> Floats:
        """The line through the drives before `end`, with what is usual: least squares."""
        rows = slice(self._first(end), end)
        sides, taken, distance = self._sides[rows], self._taken[rows], self._distance_km[rows]
        level = float(distance @ taken / distance.sum()) if len(taken) else USUAL_WH_PER_KM
        level = max(level, 0.3 * USUAL_WH_PER_KM)
        weights = distance / (NOISE * level) ** 2 / NOISE_KM
        mean, precision = _usual(level)
        normal = sides.T @ (sides * weights[:, None]) + np.diag(precision)
        line: Floats = np.linalg.solve(normal, sides.T @ (weights * taken) + precision * mean)
        return line

    def _own_errors(self) -> Floats:
        """Each drive's consumption over what was to be expected before it, less 1, NaN early on."""
        errors = np.full(len(self._taken), np.nan)
        for index in range(max(len(errors) - ERRORS, 1), len(errors)):
            expected = float(self._line(index) @ self._sides[index])
            errors[index] = self._taken[index] / max(expected, 1.0) - 1
        return errors

    def _band(self, distance_km: float) -> tuple[float, float]:
        """The errors that hold 80 % of all between them, for drives of this length."""
        known = np.flatnonzero(np.isfinite(self._errors))
        errors, length = self._errors[known], self._distance_km[known]
        far = np.log(np.maximum(length, 1.0)) - math.log(
            min(max(distance_km, 1.0), float(length.max()) if len(length) else MEMORY_KM)
        )
        weights = np.exp(-0.5 * (far / ALIKE_LOG) ** 2)
        usual = USUAL_ERROR * np.array([-1.8, -1.28, 1.28, 1.8])
        errors = np.concatenate([errors, usual])
        weights = np.concatenate([weights, np.full(len(usual), USUAL_WEIGHT / len(usual) / 4)])
        order = np.argsort(errors)
        share = np.cumsum(weights[order]) - weights[order] / 2
        ends = np.interp([(1 - BAND) / 2, (1 + BAND) / 2], share / weights.sum(), errors[order])
        return min(float(ends[0]), 0.0), max(float(ends[1]), 0.0)


def speed_class(speed_kmh: float) -> int:
    """The class of a mean speed: 0 town, 1 road, 2 country, 3 motorway."""
    return int(np.searchsorted(CLASS_EDGES_KMH, speed_kmh, side="right"))


SIDES = 1 + len(CLASSES) + 2


def _sides(number: int, ambient_degc: float | None) -> Floats:
    """What the line is laid over: level, classes, degrees of cold and of heat."""
    degc = MILD_DEGC if ambient_degc is None else ambient_degc
    sides = np.zeros(SIDES)
    sides[0] = sides[1 + number] = 1.0
    sides[-2] = max(COLD_BELOW_DEGC - degc, 0.0)
    sides[-1] = max(degc - HOT_ABOVE_DEGC, 0.0)
    return sides


def _usual(level: float) -> tuple[Floats, Floats]:
    """What is believed of the line before any drive: means and precisions."""
    mean = np.array([USUAL_WH_PER_KM, *(level * one for one in CLASSES), 0.0, 0.0])
    mean[-2:] = level * COLD_PER_DEGC, level * HOT_PER_DEGC
    sigma = np.array([USUAL_SIGMA, *(level * one for one in CLASSES_SIGMA), 0.0, 0.0])
    sigma[-2:] = level * WARMTH_SIGMA
    return mean, sigma**-2
