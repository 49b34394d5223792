"""Least squares for one set of parameters, and how sure each of them is.

    problem = Problem(base, runs, unknown_degc=20.0)
    solution = problem.solve(["body.rolling_resistance", "body.drag_area_m2"])
    solution.trouble()                  # None, or why its numbers are not to be used

Beside the parameters a load is solved for: of the runs that tell of the weather, and of those that
do not. A load is all that the battery gives besides what the speed asks for: the consumers, and the
driveline's constant loss; only their sum can be seen.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.errors import FitError, MissingPart
from contactor.physics.calibration.model import Course
from contactor.physics.calibration.parameters import (
    CONSTANT,
    LOAD,
    LOAD_MAX_W,
    allowed,
    value_of,
    with_value,
)
from contactor.physics.calibration.run import Run
from contactor.physics.parameters import CarParameters

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

Floats = NDArray[np.float64]

# About so many energies are compared; few runs are cut into more pieces than many.
PIECES = 24
# More data than parameters: at least so many.
SPARE = 2
CONFIDENCE = 0.95
# So near to a bound, as a part of the range, is at it.
AT_BOUND = 1e-3
# Of the range, for a slope.
STEP = 1e-4
# Where to stop: relative changes of the sum of squares and of the numbers, far below what is known.
SQUARES_CHANGE, NUMBERS_CHANGE = 1e-6, 1e-6
# Nothing is divided by less.
LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What least squares found.

    Fields:
        names: of the parameters that were solved for.
        values: theirs, then the load of each group, W.
        half_widths: of the intervals that hold the true numbers with a probability of 95 %.
        covariance: of the values, (n, n), times the square of Student's t at 95 %.
        low, high: what was allowed.
        labels: what each value is called in an error.
        criterion: Schwarz's; less is better.
    """

    names: tuple[str, ...]
    values: Floats
    half_widths: Floats
    covariance: Floats
    low: Floats
    high: Floats
    labels: tuple[str, ...]
    criterion: float

    @property
    def loads_w(self) -> Floats:
        """The load of each group."""
        return self.values[len(self.names) :]

    def at_bounds(self) -> str:
        """Which numbers ended at a bound; empty where none did."""
        near = AT_BOUND * (self.high - self.low)
        ended = []
        for place, label in enumerate(self.labels):
            value, low, high = self.values[place], self.low[place], self.high[place]
            if min(value - low, high - value) < near[place]:
                bound = low if value - low < high - value else high
                ended.append(f"{label} ends at {bound:g}, a bound of its range {low:g} to {high:g}")
        return " and ".join(ended)

    def trouble(self) -> str | None:
        """Which number ended at a bound, or is left open by the runs."""
        at_bounds = self.at_bounds()
        if at_bounds:
            return at_bounds
        for place, name in enumerate(self.names):
            half, low, high = self.half_widths[place], self.low[place], self.high[place]
            if np.isinf(half):
                return f"{name} makes no difference in the recordings"
            if not 2 * half < high - low:
                return (
                    f"{name} is left open by the recordings: {self.values[place]:.4g} ± {half:.4g}"
                    f" where {low:g} to {high:g} is allowed"
                )
        return None


class Problem:
    """Runs and a base, ready to be solved for any set of parameters.

    Attributes:
        course: the runs laid side by side.
        groups: of the runs with a load of their own, (runs,) booleans each; those that tell of the
            weather come first.
    """

    def __init__(self, base: CarParameters, runs: Sequence[Run], *, unknown_degc: float) -> None:
        """Lay out the runs.

        Raises:
            FitError: there is none, or the battery gave nothing over all of them.
        """
        if not runs:
            raise FitError("no run to fit")
        given_kwh = sum(run.energy_j for run in runs) / 3.6e6
        if given_kwh <= 0:
            raise FitError(
                f"over all recordings the battery gave {given_kwh:.3g} kWh, net: nothing that a car"
                " could be fitted to; in the catalogue what charges the battery is positive"
            )
        self._base = base
        self.course = Course(runs, base.battery, pieces_least=PIECES, unknown_degc=unknown_degc)
        self._measured_j = self.course.measured_j()
        self._scale_j = self.course.scale_j()
        tells = np.array([run.ambient_degc is not None for run in runs])
        self.groups = [group for group in (tells, ~tells) if group.any()]

    def solve(self, names: Sequence[str], start: Solution | None = None) -> Solution:
        """Least squares for some parameters and the loads.

        Args:
            start: another solution to begin at; without one it begins at the base.

        Raises:
            FitError: too few pieces for so many numbers.
            MissingPart: SciPy or Numba is not installed.
        """
        least_squares, quantile = _scipy()
        low, high = self._ranges(names)
        count, pieces = len(low), len(self._measured_j)
        if pieces < count + SPARE:
            raise FitError(
                f"{pieces} runs, or pieces of a minute, for {count} parameters; at least"
                f" {count + SPARE} are needed"
            )
        width = high - low
        begin = np.clip((self._begin(names, start) - low) / width, 0.01, 0.99)
        found: OptimizeResult = least_squares(
            lambda x: self._errors(names, low + width * x),
            begin,
            jac=lambda x: self._slopes(names, low, width, x),
            bounds=(0.0, 1.0),
            x_scale=0.1,
            ftol=SQUARES_CHANGE,
            xtol=NUMBERS_CHANGE,
        )
        squares = float(found.fun @ found.fun)
        student = quantile((1 + CONFIDENCE) / 2, pieces - count)
        covariance = _covariance(found.jac, found.fun) * student**2 * np.outer(width, width)
        has_effect = np.abs(found.jac).max(axis=0) > 0
        labels = [LOAD, f"{LOAD} of the recordings that do not tell of the weather"]
        return Solution(
            names=tuple(names),
            values=low + width * found.x,
            half_widths=np.where(has_effect, np.sqrt(np.diag(covariance)), np.inf),
            covariance=covariance,
            low=low,
            high=high,
            labels=(*names, *labels[: len(self.groups)]),
            criterion=float(pieces * np.log(squares / pieces) + count * np.log(pieces)),
        )

    def aux_w(self, loads_w: Floats) -> Floats:
        """What each run's consumers take: its group's load, less the base's constant loss."""
        load_w = np.zeros(len(self.course.runs))
        for group, value in zip(self.groups, loads_w, strict=True):
            load_w[group] = value
        return load_w - self._base.driveline.constant_w

    def _ranges(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        ranges = [allowed(self._base, name) for name in names]
        ranges += [(0.0, LOAD_MAX_W)] * len(self.groups)
        low, high = np.array(ranges).T
        return low, high

    def _begin(self, names: Sequence[str], start: Solution | None) -> Floats:
        if start is None:
            load_w = value_of(self._base, LOAD) + value_of(self._base, CONSTANT)
            known, loads_w = {}, [load_w] * len(self.groups)
        else:
            known = dict(zip(start.names, start.values.tolist(), strict=False))
            loads_w = start.loads_w.tolist()
        own = [known.get(name, value_of(self._base, name)) for name in names]
        return np.array([*own, *loads_w])

    def _errors(self, names: Sequence[str], values: Floats) -> Floats:
        """Of each piece, as a part of what it takes at its run's mean."""
        model = self._base
        for name, value in zip(names, values.tolist(), strict=False):
            model = with_value(model, name, value)
        taken_j = self.course.model_j(model, self.aux_w(values[len(names) :]))
        errors: Floats = (taken_j - self._measured_j) / self._scale_j
        return errors

    def _slopes(self, names: Sequence[str], low: Floats, width: Floats, x: Floats) -> Floats:
        """How the errors follow each number, (pieces, numbers), towards the range's middle."""
        steps = np.where(x < 0.5, STEP, -STEP)
        moved = np.vstack([x, x + np.diag(steps)])
        with ThreadPoolExecutor() as pool:
            errors = list(pool.map(lambda at: self._errors(names, low + width * at), moved))
        return (np.stack(errors[1:], axis=1) - errors[0][:, None]) / steps


def _covariance(slopes: Floats, errors: Floats) -> Floats:
    """Of the numbers, where errors scatter unevenly: a short piece errs more than a long one.

    The estimator HC3 of MacKinnon and White, J. Econometrics 29 (1985) 305. What the errors follow
    in no way gets a variance beyond all bounds, not one of 0.
    """
    left, strengths, right = np.linalg.svd(slopes, full_matrices=False)
    leverage = (left**2).sum(axis=1)
    scatter = errors / np.maximum(1 - leverage, LEAST)
    to_numbers = right.T / np.maximum(strengths, LEAST) @ left.T * scatter
    covariance: Floats = to_numbers @ to_numbers.T
    return covariance


def _scipy() -> tuple[Callable[..., "OptimizeResult"], Callable[[float, int], float]]:
    try:
        from scipy.optimize import least_squares
        from scipy.stats import t
    except ImportError as error:
        raise MissingPart("a fit needs SciPy: pip install 'contactor[fit]'") from error
    return least_squares, t.ppf
