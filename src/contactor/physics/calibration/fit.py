"""Which parameters of a car the recorded runs tell of, and their values.

    found = fit(base, runs)
    found.parameters["body.drag_area_m2"].value, .low, .high        # the 95 % interval
    found.model                                                     # the base with them
    predict(found, other_runs)                                      # joule of each

The load is always fitted; rolling resistance and drag first, where the runs tell them apart. Then
that parameter is added which improves the fit most, as long as Schwarz's criterion (BIC, Ann.
Statist. 6 (1978) 461) falls by 6, strong evidence after Kass and Raftery (J. Am. Stat. Assoc. 90
(1995) 773). One that would end at a bound of its range, or that the runs leave open, is held at the
base's value, and it is told why; rolling resistance or drag that the runs ask for beyond a bound is
a failure. An interval is that of least squares: it knows of the errors' scatter, not of what the
equations leave out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.errors import FitError
from contactor.physics.calibration.model import Course
from contactor.physics.calibration.parameters import (
    BY_NAME,
    CONSTANT,
    LOAD,
    PARAMETERS,
    with_value,
)
from contactor.physics.calibration.run import Run
from contactor.physics.calibration.solution import Problem, Solution
from contactor.physics.parameters import CarParameters

Floats = NDArray[np.float64]

UNKNOWN_DEGC = 20.0
CRITERION_LESS = 6.0
NOT_ASKED = "was not to be fitted"
NO_BETTER = "makes the recordings no more likely"


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
        parameters: by name, those that differ from the base.
        held: name of each that has the base's value, and why.
        model: the base with the fitted ones.
        bench_load_w: the consumers' of runs that do not tell of the weather, where others do.
        energies_j: what the model takes on each fitted run, (runs,).
        speed_errors_mps: how far beside each run's speed the model was, at most, (runs,).
    """

    parameters: dict[str, Estimate]
    held: dict[str, str]
    model: CarParameters
    bench_load_w: float | None
    energies_j: Floats
    speed_errors_mps: Floats


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
        names: what to fit beside load, rolling resistance and drag; None for what the runs tell of.
        unknown_degc: the temperature of runs that do not tell theirs.
        on_progress: called with how many sets of parameters have been tried, of how many.

    Raises:
        FitError: too few runs, a parameter that was to be fitted ends at a bound of its range or is
            left open by the runs, or they ask for rolling resistance or drag beyond a bound.
        MissingPart: SciPy or Numba is not installed.
    """
    problem = Problem(base, runs, unknown_degc=unknown_degc)
    if names is None:
        best, held = _told_of(problem, on_progress)
    else:
        asked = [name for name in _names(is_first=False) if name in names]
        best = problem.solve([*_names(is_first=True), *asked])
        held = {name: NOT_ASKED for name in _names(is_first=False) if name not in asked}
    trouble = best.trouble()
    if trouble is not None:
        raise _failure(trouble)
    return _result(base, problem, best, held)


def _told_of(
    problem: Problem, on_progress: Callable[[int, int], None]
) -> tuple[Solution, dict[str, str]]:
    """The best set of parameters, and why each other one is not in it.

    Raises:
        FitError: one of those that are fitted first ends at a bound, and the runs ask for it.
    """
    first, left = _names(is_first=True), _names(is_first=False)
    best = problem.solve(first)
    if best.trouble() is not None:
        best, left = problem.solve([]), [*first, *left]
    done, total = 1, 1 + len(left) * (len(left) + 1) // 2
    while True:
        tried: dict[str, Solution] = {}
        for name in left:
            on_progress(done, total)
            tried[name] = problem.solve([*best.names, name], best)
            done += 1
        sound = [one for one in tried.values() if one.trouble() is None]
        better = min(sound, key=lambda one: one.criterion, default=best)
        if better.criterion > best.criterion - CRITERION_LESS or not left:
            break
        best = better
        left.remove(best.names[-1])
    on_progress(total, total)
    beyond = [
        tried[name].at_bounds()
        for name in first
        if name in tried and _is_asked_for(tried[name], best)
    ]
    if any(beyond):
        raise _failure(" and ".join(one for one in beyond if one))
    return best, {name: _reason(name, one, best) for name, one in tried.items()}


def _names(*, is_first: bool) -> list[str]:
    return [one.name for one in PARAMETERS if one.is_first is is_first]


def _is_asked_for(tried: Solution, best: Solution) -> bool:
    return tried.criterion < best.criterion - CRITERION_LESS


def _reason(name: str, tried: Solution, best: Solution) -> str:
    """Why a parameter is held."""
    trouble = tried.trouble()
    if trouble is None:
        return NO_BETTER
    but = "; all the same it would meet the recordings better" if _is_asked_for(tried, best) else ""
    return trouble.removeprefix(f"{name} ") + but


def _failure(trouble: str) -> FitError:
    return FitError(
        f"{trouble}; nothing is fitted: look at the recordings' units and signs and at the base's"
        " numbers, or give more and other drives"
    )


def predict(found: Fit, runs: Sequence[Run], *, unknown_degc: float = UNKNOWN_DEGC) -> Floats:
    """What the fitted car takes on other runs, in joule, (runs,)."""
    course = Course(runs, found.model.battery, pieces_least=1, unknown_degc=unknown_degc)
    road_w = found.model.auxiliaries.base_w
    bench_w = road_w if found.bench_load_w is None else found.bench_load_w
    load_w = [bench_w if run.ambient_degc is None else road_w for run in runs]
    return course.run_j(course.model_j(found.model, np.array(load_w)))


def _result(base: CarParameters, problem: Problem, best: Solution, held: dict[str, str]) -> Fit:
    model = base
    parameters = {}
    for name, value, half in zip(best.names, best.values, best.half_widths, strict=False):
        parameters[name] = _estimate(float(value), float(half), BY_NAME[name].unit)
        model = with_value(model, name, float(value))
    energies_j, speed_errors_mps = problem.course.drive(model, problem.aux_w(best.loads_w))
    loads = _loads(base, best)
    parameters |= loads
    for name, one in loads.items():
        model = with_value(model, name, one.value)
    bench_w = float(best.loads_w[-1]) - model.driveline.constant_w
    return Fit(
        parameters=parameters,
        held=held,
        model=model,
        bench_load_w=bench_w if len(problem.groups) > 1 else None,
        energies_j=problem.course.run_j(energies_j),
        speed_errors_mps=speed_errors_mps,
    )


def _loads(base: CarParameters, best: Solution) -> dict[str, Estimate]:
    """What consumers take, and the constant loss where even that is more than the least load.

    The profile gets the load of the runs that tell of the weather; on a bench much is switched off.
    """
    first, last = len(best.names), len(best.values) - 1
    load_w, half_w = float(best.values[first]), float(best.half_widths[first])
    least = first if best.values[first] <= best.values[last] else last
    constant_w = float(best.values[least])
    if constant_w >= base.driveline.constant_w:
        return {LOAD: _estimate(load_w - base.driveline.constant_w, half_w, "W")}
    of = best.covariance
    between_w = np.sqrt(of[first, first] + of[least, least] - 2 * of[first, least])
    # Of one group only the sum is known, all of it given to the driveline here.
    spread_w = half_w if least == first else float(between_w)
    return {
        LOAD: _estimate(load_w - constant_w, spread_w, "W"),
        CONSTANT: _estimate(constant_w, float(best.half_widths[least]), "W"),
    }


def _estimate(value: float, half: float, unit: str) -> Estimate:
    """None of the numbers can be below 0."""
    return Estimate(value, max(value - half, 0.0), value + half, unit)
