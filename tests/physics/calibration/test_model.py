"""Runs laid side by side: every second is in one piece, and each run begins as it did."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from contactor.physics.calibration.model import USUAL_CHARGE, Course
from contactor.physics.car import CarPhysics
from contactor.physics.cycles import standard_cycle
from contactor.physics.follow import follow, with_test_driver
from tests.physics.calibration.made_runs import DRIVES, TRUE, base, made_run, made_runs


def course(runs, *, pieces_least: int = 1) -> Course:
    return Course(runs, base().battery, pieces_least=pieces_least, unknown_degc=20.0)


def test_few_runs_are_cut_into_pieces_that_join_without_a_gap():
    runs = made_runs(drives=DRIVES[:3])
    cut = course(runs, pieces_least=24)
    assert len(cut.pieces) == 24
    for lane, run in enumerate(runs):
        ends = [(one.begin, one.end) for one in cut.pieces if one.run == lane]
        assert ends[0][0] == 0
        assert ends[-1][1] == run.steps
        assert all(before[1] == after[0] for before, after in pairwise(ends))
    energies_j = [run.energy_j for run in runs]
    assert cut.run_j(cut.measured_j()) == pytest.approx(energies_j)


def test_many_runs_are_not_cut():
    runs = [made_run(DRIVES[0], TRUE, seed=number) for number in range(30)]
    assert len(course(runs, pieces_least=24).pieces) == 30


def test_pieces_of_the_model_sum_up_to_its_runs():
    runs = made_runs(drives=DRIVES[:3])
    load_w = np.full(3, 500.0)
    whole, cut = course(runs), course(runs, pieces_least=24)
    assert cut.run_j(cut.model_j(base(), load_w)) == pytest.approx(whole.model_j(base(), load_w))


def test_model_takes_what_the_car_of_physics_takes():
    cycle = standard_cycle("UDDS")
    physics = CarPhysics(with_test_driver(base()), state_of_charge=0.6, temperature_degc=10.0)
    drive = follow(physics, cycle, ambient_degc=10.0)
    run = replace(made_run(DRIVES[1], TRUE, seed=0), state_of_charge=0.6, ambient_degc=10.0)
    taken_j = course([run]).model_j(base(), np.array([base().auxiliaries.base_w]))
    assert taken_j[0] == pytest.approx(drive.energy_j, rel=0.02)


def test_short_run_beside_a_long_one_keeps_its_speed_to_its_end():
    runs = made_runs(drives=[("US06", 20.0, 0.6), ("WLTC3b", 20.0, 0.6)])
    _, errors_mps = course(runs).drive(base(), np.full(2, 500.0))
    assert errors_mps.max() < 1.0


@pytest.mark.parametrize(
    ("told", "rest_v", "taken"),
    [
        (0.33, 390.0, 0.33),
        (None, 96 * 3.735, 0.5),
        (None, 96 * 4.155 * 1.005, 1.0),
        (None, 96 * 4.155 * 1.2, USUAL_CHARGE),
        (None, 48.0, USUAL_CHARGE),
        (None, None, USUAL_CHARGE),
    ],
)
def test_charge_is_told_or_read_from_the_voltage_where_that_is_of_such_a_battery(
    told, rest_v, taken
):
    low = made_run(DRIVES[1], TRUE, seed=0, state_of_charge=told, rest_v=rest_v)
    same = replace(low, state_of_charge=taken, rest_v=None)
    load_w = np.array([500.0])
    assert course([low]).model_j(base(), load_w) == pytest.approx(
        course([same]).model_j(base(), load_w), rel=1e-4
    )


def test_error_is_measured_by_the_runs_energy_and_never_by_nothing():
    run = made_run(DRIVES[0], TRUE, seed=0)
    downhill = replace(run, given_j=run.given_j * 0.001)
    scales_j = course([run, downhill]).scale_j()
    assert scales_j[0] == pytest.approx(run.energy_j)
    assert scales_j[1] > 0.2 * run.energy_j
