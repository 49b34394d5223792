"""Least squares of what a car takes over recorded runs, and how sure each parameter is.

    found = fit(base, runs)
    found.parameters["body.drag_area_m2"].value, .low, .high        # the 95 % interval
    found.model                                                     # the base with them
    predict(found, other_runs)                                      # joule of each

An error is the difference in energy as a part of the measured one. Beyond what is always fitted,
that parameter is added which improves the fit most, as long as Schwarz's criterion (BIC, Ann.
Statist. 6 (1978) 461) falls by 6, strong evidence after Kass and Raftery (J. Am. Stat. Assoc. 90
(1995) 773); one that would end at a bound of its range, or that the runs leave open, is held at the
base's value.

The constant load of runs that tell of the weather is one number, that of the others another: on a
test bench much is switched off. The profile gets the first where there is one.
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
    BY_NAME,
    LOAD,
    LOAD_MAX_W,
    PARAMETERS,
    value_of,
    with_value,
)
from contactor.physics.calibration.run import Run
from contactor.physics.parameters import CarParameters

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

Floats = NDArray[np.float64]

UNKNOWN_DEGC = 20.0
PIECES = 24
# More data than parameters: at least so many.
SPARE = 2
CONFIDENCE = 0.95
BIC_LESS = 6.0
# So near to a bound, as a part of the range, is at it.
AT_BOUND = 1e-3
# Of the range, for a slope.
STEP = 1e-4
CONSTANT = "driveline.constant_w"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A parameter, and the interval that holds the true one with a probability of 95 %."""

    value: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What came of it.

    Fields:
        parameters: by name, those that were fitted.
        held: names of those that the runs do not tell of; they have the base's value.
        model: the base with the fitted ones.
        bench_load_w: of runs that do not tell of the weather; None where none was fitted.
        energies_j: what the model takes on each fitted run, (runs,).
    """

    parameters: dict[str, Estimate]
    held: tuple[str, ...]
    model: CarParameters
    bench_load_w: float | None
    energies_j: Floats


def fit(
    base: CarParameters,
    runs: Sequence[Run],
    *,
    names: Sequence[str] | None = None,
    unknown_degc: float = UNKNOWN_DEGC,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fit:
    """Fit a car to recorded runs.

    Args:
        names: what to fit beside what always is; None for what the runs tell of.
        unknown_degc: the temperature of runs that do not tell theirs.

    Raises:
        FitError: too few runs, a parameter ends at a bound of its range, or the runs leave one that
            is always fitted open.
        MissingPart: SciPy or Numba is not installed.
    """
    problem = _Problem(base, runs, unknown_degc)
    always = [one.name for one in PARAMETERS if one.is_always]
    rest = [one.name for one in PARAMETERS if not one.is_always]
    if names is not None:
        best = problem.solve([*always, *(name for name in names if name not in always)])
        best.check()
        return problem.result(best, [name for name in rest if name not in names])
    best = problem.solve(always)
    total = 1 + sum(range(1, len(rest) + 1))
    done = 1
    while rest:
        tried = []
        for name in rest:
            on_progress(done, total)
            tried.append(problem.solve([*best.names, name], best))
            done += 1
        sound = [one for one in tried if one.is_sound]
        better = min(sound, key=lambda one: one.bic, default=best)
        if better.bic > best.bic - BIC_LESS:
            break
        best = better
        rest.remove(best.names[-1])
    on_progress(total, total)
    best.check()
    return problem.result(best, rest)


def predict(found: Fit, runs: Sequence[Run], *, unknown_degc: float = UNKNOWN_DEGC) -> Floats:
    """What the fitted car takes on other runs, in joule, (runs,)."""
    course = Course(runs, found.model.battery, pieces_least=1, unknown_degc=unknown_degc)
    road_w = found.model.auxiliaries.base_w
    bench_w = road_w if found.bench_load_w is None else found.bench_load_w
    load_w = [bench_w if run.ambient_degc is None else road_w for run in runs]
    return course.run_j(course.model_j(found.model, np.array(load_w)))


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """One least-squares solution; beyond `names`, `values` holds the load of each group."""

    names: tuple[str, ...]
    values: Floats
    spreads: Floats
    low: Floats
    high: Floats
    labels: tuple[str, ...]
    bic: float

    @property
    def is_sound(self) -> bool:
        return not self._at_bounds() and not self._open()

    def _at_bounds(self) -> list[int]:
        near = AT_BOUND * (self.high - self.low)
        is_at = (self.values - self.low < near) | (self.high - self.values < near)
        return np.flatnonzero(is_at).tolist()

    def _open(self) -> list[int]:
        """Those whose interval is as wide as their range, but for the loads."""
        count = len(self.names)
        width = 2 * self.spreads[:count]
        return np.flatnonzero(~(width < (self.high - self.low)[:count])).tolist()

    def check(self) -> None:
        """Raise where a bound was reached, or a parameter is open."""
        for place in self._at_bounds():
            bound = self.low if self.values[place] * 2 < self.low + self.high else self.high
            raise FitError(
                f"{self.labels[place]} ends at {bound[place]:g}, a bound of its range"
                f" {self.low[place]:g} to {self.high[place]:g}: nothing is fitted; look at the"
                " recordings' units and signs, and at the base's mass"
            )
        for place in self._open():
            raise FitError(
                f"the recordings leave {self.labels[place]} open: {self.values[place]:g}"
                f" ± {self.spreads[place]:g}, allowed {self.low[place]:g} to {self.high[place]:g};"
                " more and other drives are needed"
            )


class _Problem:
    """Runs and the base, ready to be solved for any set of parameters."""

    def __init__(self, base: CarParameters, runs: Sequence[Run], unknown_degc: float) -> None:
        if not runs:
            raise FitError("no run to fit")
        self._base = base
        self._course = Course(runs, base.battery, pieces_least=PIECES, unknown_degc=unknown_degc)
        self._measured_j = self._course.measured_j()
        self._scale_j = self._course.scale_j()
        tells = np.array([run.ambient_degc is not None for run in runs])
        # The groups that have a load of their own, the profile's first.
        self._is_of_group = [group for group in (tells, ~tells) if group.any()]
        self._is_mixed = len(self._is_of_group) > 1

    def solve(self, names: Sequence[str], start: _Solution | None = None) -> _Solution:
        """Least squares for some parameters and the loads."""
        least_squares, quantile = _scipy()
        groups = len(self._is_of_group)
        count = len(names) + groups
        pieces = len(self._measured_j)
        if pieces < count + SPARE:
            raise FitError(
                f"{pieces} runs, or pieces of a minute, for {count} parameters; at least"
                f" {count + SPARE} are needed"
            )
        own = [value_of(self._base, name) for name in names]
        ranges = [BY_NAME[name].range_of(value) for name, value in zip(names, own, strict=True)]
        constant_w = self._base.driveline.constant_w
        ranges += [(0.0, LOAD_MAX_W)] * groups
        begin = [*own, *[self._base.auxiliaries.base_w + constant_w] * groups]
        if start is not None:
            known = dict(zip(start.names, start.values, strict=False))
            begin = [known.get(name, value) for name, value in zip(names, own, strict=True)]
            begin += start.values[len(start.names) :].tolist()
        low, high = np.array(ranges).T
        width = high - low
        place = np.clip((np.array(begin) - low) / width, 0.01, 0.99)
        found: OptimizeResult = least_squares(
            lambda x: self._errors(names, low + width * x),
            place,
            jac=lambda x: self._slopes(names, low, width, x),
            bounds=(0.0, 1.0),
            x_scale=0.1,
            xtol=1e-7,
        )
        squares = float(found.fun @ found.fun)
        covariance = np.linalg.pinv(found.jac.T @ found.jac) * squares / (pieces - count)
        spreads = np.sqrt(np.diag(covariance)) * quantile((1 + CONFIDENCE) / 2, pieces - count)
        # A parameter without any effect is open, not sure.
        spreads = np.where(np.abs(found.jac).max(axis=0) > 0, spreads, np.inf)
        bic = pieces * np.log(squares / pieces) + count * np.log(pieces)
        loads = [LOAD, f"{LOAD} of runs that do not tell of the weather"][:groups]
        values = low + width * found.x
        return _Solution(
            tuple(names), values, spreads * width, low, high, (*names, *loads), float(bic)
        )

    def _errors(self, names: Sequence[str], values: Floats) -> Floats:
        """Of each piece, as a part of its measured energy."""
        model, loads_w = self._base, values[len(names) :]
        for name, value in zip(names, values, strict=False):
            model = with_value(model, name, float(value))
        taken_j = self._course.model_j(model, self._aux_w(loads_w))
        errors: Floats = (taken_j - self._measured_j) / self._scale_j
        return errors

    def _slopes(self, names: Sequence[str], low: Floats, width: Floats, x: Floats) -> Floats:
        """How the errors follow each number, (pieces, numbers), towards the range's middle."""
        steps = np.where(x < 0.5, STEP, -STEP)

        def moved(place: int) -> Floats:
            there = x.copy()
            there[place] += steps[place]
            return self._errors(names, low + width * there)

        here = self._errors(names, low + width * x)
        with ThreadPoolExecutor() as pool:
            columns = list(pool.map(moved, range(len(x))))
        return (np.stack(columns, axis=1) - here[:, None]) / steps

    def _aux_w(self, loads_w: Floats) -> Floats:
        """What each run's consumers take: its group's load, less the driveline's constant loss."""
        load_w = np.zeros(len(self._course.runs))
        for is_of, value in zip(self._is_of_group, loads_w, strict=True):
            load_w[is_of] = value
        return load_w - self._base.driveline.constant_w

    def result(self, best: _Solution, held: Sequence[str]) -> Fit:
        """The fit as its caller wants it."""
        model = self._base
        parameters = {}
        for place, name in enumerate(best.names):
            value, spread = float(best.values[place]), float(best.spreads[place])
            model = with_value(model, name, value)
            unit = BY_NAME[name].unit
            parameters[name] = Estimate(value, value - spread, value + spread, unit)
        loads_w = best.values[len(best.names) :]
        energies_j = self._course.run_j(self._course.model_j(model, self._aux_w(loads_w)))
        # A load below the base's constant loss lowers that; only their sum is known.
        constant_w = min(self._base.driveline.constant_w, *loads_w.tolist(), LOAD_MAX_W)
        base_w = float(loads_w[0]) - constant_w
        spread = float(best.spreads[len(best.names)])
        model = with_value(with_value(model, CONSTANT, constant_w), LOAD, base_w)
        parameters[LOAD] = Estimate(base_w, max(base_w - spread, 0.0), base_w + spread, "W")
        bench_w = float(loads_w[-1]) - constant_w
        return Fit(parameters, tuple(held), model, bench_w if self._is_mixed else None, energies_j)


def _scipy() -> tuple[Callable[..., "OptimizeResult"], Callable[[float, int], float]]:
    try:
        from scipy.optimize import least_squares
        from scipy.stats import t
    except ImportError as error:
        raise MissingPart("a fit needs SciPy: pip install 'contactor[fit]'") from error
    return least_squares, t.ppf
