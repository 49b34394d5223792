"""A fit finds the numbers of a car that we know, says what it cannot find, and refuses the rest."""

from dataclasses import replace

import numpy as np
import pytest

from contactor.errors import FitError
from contactor.physics.calibration import PARAMETERS, Fit, Run, fit, predict
from contactor.physics.calibration.parameters import value_of
from tests.physics.calibration.made_runs import DRIVES, TRUE, base, made_run, made_runs


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(base(), made_runs())


def error_of(found: Fit, runs: list) -> np.ndarray:
    measured_j = np.array([run.energy_j for run in runs])
    return predict(found, runs) / measured_j - 1


# ── what is found ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TRUE)
def test_true_value_is_inside_the_interval_and_the_bases_is_not(found, name):
    estimate = found.parameters[name]
    assert estimate.low <= TRUE[name] <= estimate.high
    assert estimate.low < estimate.value < estimate.high
    assert not estimate.low <= value_of(base(), name) <= estimate.high


def test_model_is_the_base_with_the_fitted_numbers(found):
    for name, estimate in found.parameters.items():
        assert value_of(found.model, name) == estimate.value
    for name in found.held:
        assert value_of(found.model, name) == value_of(base(), name)
    assert found.model.battery == base().battery


def test_each_parameter_is_fitted_or_held_with_a_reason(found):
    names = {one.name for one in PARAMETERS}
    assert names == (set(found.parameters) - {"auxiliaries.base_w"}) | set(found.held)
    assert not set(found.parameters) & set(found.held)
    assert all(found.held.values())


def test_fitted_runs_are_met_and_so_are_others_of_the_same_car(found):
    runs = made_runs()
    errors = found.energies_j / [run.energy_j for run in runs] - 1
    assert np.abs(errors).mean() < 0.02
    others = made_runs(drives=[("UDDS", 25.0, 0.5), ("CLTC-P", -5.0, 0.7)], seed=7)
    assert np.abs(error_of(found, others)).max() < 0.03


def test_same_runs_give_the_same_fit_and_progress_goes_up_to_its_total(found):
    seen = []
    again = fit(base(), made_runs(), on_progress=lambda done, total: seen.append((done, total)))
    assert again.parameters == found.parameters
    assert again.held == found.held
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


def test_model_keeps_the_speed_of_the_runs(found):
    assert found.speed_errors_mps.shape == (len(DRIVES),)
    assert found.speed_errors_mps.max() < 1.0


# ── the load ─────────────────────────────────────────────────────────────────────────────────────


def test_runs_that_tell_no_weather_have_a_load_of_their_own():
    road = made_runs(TRUE)
    drives = [(name, 20.0, charge) for name, _, charge in DRIVES[:6]]
    bench = [
        made_run(drive, TRUE | {"auxiliaries.base_w": 0.0}, seed=50 + place, ambient_degc=None)
        for place, drive in enumerate(drives)
    ]
    found = fit(base(), [*bench, *road], names=["driveline.copper_w_per_nm2"])
    assert found.bench_load_w == pytest.approx(0, abs=60)
    assert found.parameters["auxiliaries.base_w"].value == pytest.approx(700, abs=70)
    assert np.abs(error_of(found, [*bench, *road])).mean() < 0.02


def test_load_below_the_bases_constant_loss_lowers_that_loss():
    values = TRUE | {"driveline.constant_w": 110.0, "auxiliaries.base_w": 0.0}
    found = fit(base(), made_runs(values), names=["driveline.copper_w_per_nm2"])
    constant = found.parameters["driveline.constant_w"]
    assert constant.low <= 110 <= constant.high
    assert constant.value < base().driveline.constant_w
    assert found.parameters["auxiliaries.base_w"].value == 0
    assert found.model.driveline.constant_w == constant.value


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_parameter_at_a_bound_is_a_failure_that_names_both():
    at_bound = r"body\.rolling_resistance ends at 0\.02, a bound of its range 0\.004 to 0\.02"
    with pytest.raises(FitError, match=at_bound):
        fit(base(), made_runs({"body.rolling_resistance": 0.035}))


def test_parameter_that_was_asked_for_fails_at_its_bound():
    with pytest.raises(FitError, match=r"driveline\.gear_efficiency ends at 0\.99, a bound"):
        fit(
            base(),
            made_runs({"driveline.copper_w_per_nm2": 0.001}),
            names=["driveline.gear_efficiency"],
        )


def steady_runs() -> list[Run]:
    """At 72 km/h, with a meter that is not exact."""
    noise_j = np.random.default_rng(1).normal(0, 500, (3, 1201))
    return [
        Run(
            name=f"steady {place}",
            speed_mps=np.full(1201, 20.0),
            grade=np.zeros(1200),
            given_j=np.arange(1201) * 9000.0 + one,
            ambient_degc=20.0,
        )
        for place, one in enumerate(noise_j)
    ]


def test_runs_at_one_speed_tell_no_resistance_from_another():
    found = fit(base(), steady_runs())
    assert len(found.parameters) == 1
    assert {"body.rolling_resistance", "body.drag_area_m2"} & set(found.held)
    assert found.energies_j.sum() == pytest.approx(3 * 1200 * 9000, rel=0.01)


def test_parameter_that_was_asked_for_may_not_be_left_open():
    with pytest.raises(FitError, match=r"is left open by the recordings: .* is allowed; nothing"):
        fit(base(), steady_runs(), names=[])


def test_resistance_that_the_runs_ask_for_beyond_its_bound_is_a_failure():
    with pytest.raises(FitError, match=r"body\.drag_area_m2 ends at 1\.5, a bound"):
        fit(base(), made_runs({"body.drag_area_m2": 2.2}))


def test_current_with_the_wrong_sign_is_told():
    run = made_run(DRIVES[0], TRUE, seed=1)
    with pytest.raises(FitError, match="what charges the battery is positive"):
        fit(base(), [replace(run, given_j=-run.given_j)])


def test_too_little_is_told_with_what_is_needed():
    run = made_run(DRIVES[0], TRUE, seed=1)
    given_j = run.given_j[600:721] - run.given_j[600]
    short = replace(
        run, speed_mps=run.speed_mps[600:721], grade=run.grade[600:720], given_j=given_j
    )
    with pytest.raises(FitError, match=r"2 runs, or pieces of a minute, for 3 parameters; .* 5"):
        fit(base(), [short])
    with pytest.raises(FitError, match="no run to fit"):
        fit(base(), [])
