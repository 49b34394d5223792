"""What a car with other parameters would have taken on the recorded runs: a lane for each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contactor.physics.calibration.run import Run
from contactor.physics.fleet.fleet import Fleet
from contactor.physics.follow import with_test_driver
from contactor.physics.pack import Pack
from contactor.physics.parameters import Battery, CarParameters

Floats = NDArray[np.float64]

# Where a recording does not tell.
USUAL_CHARGE = 0.7
# Of a piece.
SHORTEST_S = 60
# What a piece counts at least as, of its part in the run's time; a run, of what the mean run takes.
STANDING, LEAST = 0.1, 0.5
# The base's battery may be another than the car's: so far from its curve a voltage tells nothing.
OFF_CURVE = 0.02
CHARGES = np.linspace(0.02, 1.0, 197)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a run: from one second to another."""

    run: int
    begin: int
    end: int


class Course:
    """Runs laid side by side, and the pieces of them whose energies are compared."""

    def __init__(
        self, runs: Sequence[Run], battery: Battery, *, pieces_least: int, unknown_degc: float
    ) -> None:
        """Cut the runs so that there are about so many pieces; few runs into more than many."""
        self.runs = tuple(runs)
        longest = max(run.steps for run in runs)
        self._speeds = np.zeros((longest, len(runs)))
        self._grades = np.zeros((longest, len(runs)))
        self.pieces: list[Piece] = []
        for lane, run in enumerate(runs):
            count = max(1, min(-(-pieces_least // len(runs)), run.steps // SHORTEST_S))
            self._speeds[: run.steps, lane] = run.speed_mps[1:]
            self._grades[: run.steps, lane] = run.grade
            ends = np.linspace(0, run.steps, count + 1).round().astype(int).tolist()
            self.pieces += [Piece(lane, begin, end) for begin, end in pairwise(ends)]
        self._ends = sorted({piece.end for piece in self.pieces})
        self._ambient_degc = np.array(
            [unknown_degc if run.ambient_degc is None else run.ambient_degc for run in runs]
        )
        self._charges = _charges(runs, battery)
        self._starts_mps = np.array([run.speed_mps[0] for run in runs])

    def measured_j(self) -> Floats:
        """What the battery gave in each piece."""
        given = [self.runs[one.run].given_j for one in self.pieces]
        return np.array(
            [j[one.end] - j[one.begin] for j, one in zip(given, self.pieces, strict=True)]
        )

    def scale_j(self) -> Floats:
        """What each piece would have taken at its run's mean consumption; the length of an error.

        A piece alone may go downhill and take nothing at all, a run may take next to nothing; an
        error would be endless beside it.
        """
        mean_j_per_m = sum(run.energy_j for run in self.runs) / sum(
            run.distance_m for run in self.runs
        )
        scales = []
        for one in self.pieces:
            run = self.runs[one.run]
            driven_m = run.distance_until_m(one.end) - run.distance_until_m(one.begin)
            part = max(driven_m / run.distance_m, (one.end - one.begin) / run.steps * STANDING)
            least_j = mean_j_per_m * run.distance_m * LEAST
            scales.append(max(run.energy_j, least_j) * part)
        return np.array(scales)

    def model_j(self, model: CarParameters, load_w: Floats) -> Floats:
        """What `model` takes in each piece; `load_w` is each run's, (runs,)."""
        return self.drive(model, load_w)[0]

    def drive(self, model: CarParameters, load_w: Floats) -> tuple[Floats, Floats]:
        """What `model` takes in each piece, and how far it was beside each run's speed, (runs,)."""
        fleet = Fleet(
            with_test_driver(model),
            len(self.runs),
            auxiliary_w=load_w,
            state_of_charge=self._charges,
            temperature_degc=self._ambient_degc,
            speed_mps=self._starts_mps,
        )
        taken_j = {0: np.zeros(len(self.runs))}
        errors_mps = {}
        begin = 0
        for end in self._ends:
            fleet.drive(
                self._speeds[begin:end],
                grades=self._grades[begin:end],
                ambient_degc=self._ambient_degc,
                threads=1,
            )
            totals = fleet.totals
            taken_j[end] = totals.battery_out_j - totals.battery_in_j
            errors_mps[end] = totals.speed_error_mps.copy()
            begin = end
        pieces_j = [taken_j[one.end][one.run] - taken_j[one.begin][one.run] for one in self.pieces]
        run_errors_mps = [errors_mps[run.steps][lane] for lane, run in enumerate(self.runs)]
        return np.array(pieces_j), np.array(run_errors_mps)

    def run_j(self, pieces_j: Floats) -> Floats:
        """The sum over the pieces of each run."""
        lanes = [one.run for one in self.pieces]
        return np.bincount(lanes, pieces_j, len(self.runs)).astype(np.float64)


def _charges(runs: Sequence[Run], battery: Battery) -> Floats:
    """The state of charge that each run began with: told, or read from the voltage at rest."""
    pack = Pack(battery)
    open_v = [pack.open_circuit_v(float(charge)) for charge in CHARGES]
    least_v, most_v = open_v[0] * (1 - OFF_CURVE), open_v[-1] * (1 + OFF_CURVE)
    charges = []
    for run in runs:
        if run.state_of_charge is not None:
            charges.append(run.state_of_charge)
        elif run.rest_v is not None and least_v <= run.rest_v <= most_v:
            charges.append(float(np.interp(run.rest_v, open_v, CHARGES)))
        else:
            charges.append(USUAL_CHARGE)
    return np.array(charges)
