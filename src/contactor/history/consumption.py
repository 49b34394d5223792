"""What drove the consumption of a car's trips, by a regression with physical parts.

    model = fit_consumption([(features, net_kwh), ...])     # the car's own trips, few are enough
    model.expect(features)                                  # kWh, with a band of 90 %
    model.explain(features, net_kwh).parts                  # they add up to net_kwh

Each part is a quantity of the drive (`drive_features`) times a coefficient: what a kilometre, a
cubed speed, a launch, a metre of height, an hour, a degree of cold cost this car. Coefficients
begin at those of a mid-sized electric car, with wide bands, and are moved by its trips (Bayesian
least squares, none under 0); a trip far off counts less (Huber). The band comes from the model's
own misses on each trip when fitted without it, so that it holds on trips not seen.

Sources: A. Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 14 (regression with known priors);
P. J. Huber, Robust Statistics, ch. 7; R. F. Barber et al., "Predictive inference with the
jackknife+", Annals of Statistics 49 (2021).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.history.drive_features import QUANTITIES, DriveFeatures, Quantity

LEVEL: Final = 0.9
HUBER: Final = 1.5  # misses over so many spreads count less than their square
PRIOR_SPREAD_WH: Final = 40.0  # per root of a kilometre, of a car not known yet
PRIOR_TRIPS: Final = 3.0  # the weight of that spread
MIN_KM: Final = 1.0  # shorter trips are as uncertain as this one
_TURNS: Final = 30
_PINNED: Final = 1e-6

Vector: TypeAlias = NDArray[np.float64]


class Part(StrEnum):
    """What energy went into."""

    ROLLING = "rolling"
    AIR = "air"
    ACCELERATION = "acceleration"
    STOPS = "stops"
    HEIGHT = "height"
    CLIMATE = "climate"
    AUXILIARIES = "auxiliaries"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class _Prior:
    """What a coefficient is of a car not known yet: Wh per unit of its quantity."""

    part: Part
    mean: float
    spread: float


# A mid-sized car: 1,700 kg, drag area 0.65 m², rolling resistance 0.9 %, driveline 0.9; see each
# unit in `Quantity`. Spreads take in a small city car and a van.
_PRIORS: Final = {
    Quantity.DISTANCE: _Prior(Part.ROLLING, 45.0, 25.0),
    Quantity.AIR: _Prior(Part.AIR, 0.45, 0.25),
    Quantity.ACCELERATION: _Prior(Part.ACCELERATION, 600.0, 500.0),
    Quantity.LAUNCHES: _Prior(Part.STOPS, 600.0, 500.0),
    Quantity.CLIMB: _Prior(Part.HEIGHT, 300.0, 300.0),
    Quantity.HEIGHT: _Prior(Part.HEIGHT, 1_800.0, 500.0),
    Quantity.TIME: _Prior(Part.AUXILIARIES, 400.0, 300.0),
    Quantity.HEATING: _Prior(Part.CLIMATE, 60.0, 60.0),
    Quantity.COOLING: _Prior(Part.CLIMATE, 60.0, 60.0),
    Quantity.COLD: _Prior(Part.CLIMATE, 0.5, 0.5),
}
_MEANS: Final = np.array([_PRIORS[quantity].mean for quantity in QUANTITIES])
_SPREADS: Final = np.array([_PRIORS[quantity].spread for quantity in QUANTITIES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a drive should take, kWh, and the band that holds it in nine cases of ten."""

    kwh: float
    low_kwh: float
    high_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one part took of a trip's energy, kWh, and the band of that (90 %)."""

    part: Part
    kwh: float
    low_kwh: float
    high_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A trip's energy in parts, which add up to it, beside what was expected of it."""

    parts: tuple[Share, ...]
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumptionModel:
    """What drives one car's consumption.

    Fields:
        coefficients: Wh per unit of each quantity, (q,).
        covariance: of them, (q, q).
        band: half of the band of a trip, in spreads: Wh per root of a kilometre.
        trips: how many it was fitted to.
    """

    coefficients: Vector
    covariance: Vector
    spread_wh: float
    band: float
    trips: int

    def expect(self, features: DriveFeatures) -> Expected:
        """What a drive should take."""
        row = features.row()
        mean = float(row @ self.coefficients) / 1000
        half = self.band * self._spread_of(row, features) / 1000
        return Expected(kwh=mean, low_kwh=mean - half, high_kwh=mean + half)

    def explain(self, features: DriveFeatures, net_kwh: float) -> Explanation:
        """The energy of a trip in parts; what no part explains is a part of its own."""
        row = features.row()
        parts = [self._share(part, row) for part in Part if part is not Part.UNEXPLAINED]
        rest = math.fsum([net_kwh, *(-share.kwh for share in parts)])
        expected = self.expect(features)
        half = expected.high_kwh - expected.kwh
        left = Share(part=Part.UNEXPLAINED, kwh=rest, low_kwh=rest - half, high_kwh=rest + half)
        return Explanation(parts=(*parts, left), expected=expected)

    def _share(self, part: Part, row: Vector) -> Share:
        mine = np.array([_PRIORS[quantity].part is part for quantity in QUANTITIES])
        taken = np.where(mine, row, 0.0)
        mean = float(taken @ self.coefficients) / 1000
        variance = max(float(taken @ self.covariance @ taken), 0.0)
        half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(variance) / 1000
        return Share(part=part, kwh=mean, low_kwh=mean - half, high_kwh=mean + half)

    def _spread_of(self, row: Vector, features: DriveFeatures) -> float:
        """How far a trip may miss, Wh: its own scatter and that of the coefficients."""
        own = self.spread_wh**2 * max(features.distance_km, MIN_KM)
        return math.sqrt(own + max(float(row @ self.covariance @ row), 0.0))


def fit_consumption(trips: Sequence[tuple[DriveFeatures, float]]) -> ConsumptionModel:
    """Fit a car's trips; without any it is that of a car not known yet.

    Args:
        trips: what each drive was, and its net energy, kWh.
    """
    rows = np.array([features.row() for features, _ in trips]).reshape(-1, len(QUANTITIES))
    energy_wh = 1000 * np.array([net_kwh for _, net_kwh in trips])
    root_km = np.sqrt([max(features.distance_km, MIN_KM) for features, _ in trips])
    design, target = rows / root_km[:, None], energy_wh / root_km
    spread, weights = PRIOR_SPREAD_WH, np.ones(len(trips))
    coefficients, covariance = _posterior(design, target, weights, spread)
    for _ in range(_TURNS):
        misses = target - design @ coefficients
        weights = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(misses), 1e-9))
        found = _spread(misses, weights, _leverage(design, covariance, weights, spread))
        is_settled = abs(found - spread) < 1e-4 * spread
        spread = found
        coefficients, covariance = _posterior(design, target, weights, spread)
        if is_settled:
            break
    misses = target - design @ coefficients
    leverage = _leverage(design, covariance, weights, spread)
    return ConsumptionModel(
        coefficients=coefficients,
        covariance=covariance,
        spread_wh=spread,
        band=_band(misses, leverage, spread),
        trips=len(trips),
    )


def _posterior(
    design: Vector, target: Vector, weights: Vector, spread: float
) -> tuple[Vector, Vector]:
    """Coefficients and their covariance; those that would be under 0 are held there."""
    means, precision = _MEANS.copy(), 1 / _SPREADS**2
    weighted = design * (weights / spread**2)[:, None]
    while True:
        covariance = np.linalg.inv(weighted.T @ design + np.diag(precision))
        coefficients = covariance @ (weighted.T @ target + precision * means)
        worst = int(np.argmin(coefficients / _SPREADS))
        if coefficients[worst] >= -10 * _PINNED * _SPREADS[worst]:
            return np.maximum(coefficients, 0.0), np.asarray(covariance, np.float64)
        means[worst], precision[worst] = 0.0, 1 / (_PINNED * _SPREADS[worst]) ** 2


def _leverage(design: Vector, covariance: Vector, weights: Vector, spread: float) -> Vector:
    """How much each trip pulls its own estimate, 0 to 1."""
    pulls = np.einsum("ij,jk,ik->i", design, covariance, design) * weights / spread**2
    return np.asarray(np.clip(pulls, 0.0, 0.99), np.float64)


def _spread(misses: Vector, weights: Vector, leverage: Vector) -> float:
    """The scatter of trips, begun at that of a car not known yet."""
    free = float((1 - leverage).sum())
    squares = float((weights * misses**2).sum())
    prior = PRIOR_TRIPS * PRIOR_SPREAD_WH**2
    return math.sqrt((squares + prior) / (free + PRIOR_TRIPS))


def _band(misses: Vector, leverage: Vector, spread: float) -> float:
    """Half the band in spreads: the quantile of misses on trips left out, of enough trips."""
    trips = len(misses)
    normal = NormalDist().inv_cdf((1 + LEVEL) / 2)
    careful = normal * math.sqrt(1 + 6 / (trips + PRIOR_TRIPS))
    left_out = np.sort(np.abs(misses) / (np.sqrt(1 - leverage) * spread))
    place = math.ceil((trips + 1) * LEVEL) - 1
    return float(left_out[place]) if place < trips else careful
