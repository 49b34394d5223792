"""A fleet is many single cars: same equations, same numbers, all energy accounted for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.errors import InvalidValue
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.fleet.fleet import Fleet

PARAMETERS = load_profile("contactor_ev").physics
assert PARAMETERS is not None
BASE_W = PARAMETERS.auxiliaries.base_w

drives = st.lists(st.tuples(st.floats(0, 50), st.floats(-0.12, 0.12)), min_size=1, max_size=60)
steps = st.sampled_from([0.01, 0.1, 0.5, 1.0])


def random_drive(seed: int, count: int) -> np.ndarray:
    """Speeds of a walk that stops now and then, (count,)."""
    random = np.random.default_rng(seed)
    speeds = np.cumsum(random.normal(0, 1.2, count))
    return np.clip(np.abs(speeds) - 3, 0, 45)


@settings(max_examples=60, deadline=None)
@given(drives, steps, st.floats(0.01, 1.0), st.floats(-25, 45))
@example([(3.0, 0.0), (2.0, 0.0), (1.0, 0.0), (1.0, 0.0)], 0.1, 1.0, 0.0)
def test_fleet_drives_as_the_single_car_does(
    drive: list[tuple[float, float]], dt_s: float, state_of_charge: float, ambient_degc: float
) -> None:
    speeds, grades = np.array(drive).T
    fleet = Fleet(PARAMETERS, 1, state_of_charge=state_of_charge, temperature_degc=ambient_degc)
    fleet.drive(speeds, dt_s=dt_s, grades=grades, ambient_degc=ambient_degc)
    car = CarPhysics(
        # The fleet has no thermal management, so the single car gets none either.
        replace(PARAMETERS, climate=replace(PARAMETERS.climate, battery_thermal_max_kw=0.0)),
        state_of_charge=state_of_charge,
        state_of_health=1.0,
        temperature_degc=ambient_degc,
    )
    for speed, grade in drive:
        controls = Controls(
            target_speed_mps=speed, grade=grade, ambient_degc=ambient_degc, is_driving=True
        )
        car.step(dt_s, controls)
    state, totals = car.state, fleet.totals
    assert fleet.state_of_charge[0] == pytest.approx(state.state_of_charge, abs=1e-6)
    assert totals.distance_m[0] == pytest.approx(state.distance_m, rel=1e-4, abs=0.02)
    assert totals.battery_out_j[0] == pytest.approx(state.battery_energy_out_j, rel=1e-4, abs=20)
    assert fleet.battery_temperature_degc[0] == pytest.approx(
        state.battery_temperature_degc, abs=1e-3
    )


@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-6), (np.float32, 1e-4)])
@pytest.mark.parametrize("seed", range(4))
def test_energy_balance_of_any_cars_closes(
    dtype: type[np.floating], close: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    count, seconds = 200, 1500
    fleet = Fleet(
        PARAMETERS,
        count,
        mass_kg=random.uniform(900, 3000, count),
        drag_area_m2=random.uniform(0.4, 1.2, count),
        rolling_resistance=random.uniform(0.006, 0.015, count),
        auxiliary_w=random.uniform(0, 3000, count),
        state_of_charge=random.uniform(0.02, 1.0, count),
        temperature_degc=random.uniform(-25, 45, count),
        dtype=dtype,
    )
    speeds = np.stack([random_drive(seed * count + car, seconds) for car in range(count)], axis=1)
    grades = random.uniform(-0.08, 0.08, (seconds, count))
    fleet.drive(speeds, grades=grades, ambient_degc=float(random.uniform(-20, 40)))
    totals = fleet.totals
    used_j = totals.battery_out_j - totals.battery_in_j
    gone_j = (
        totals.auxiliary_j
        + totals.motor_loss_j
        + totals.gear_loss_j
        + totals.friction_j
        + totals.road_j
        + fleet.kinetic_j
    )
    through_j = totals.battery_out_j + totals.battery_in_j + totals.friction_j
    is_alive = fleet.state_of_charge > 1e-3  # an empty battery cannot feed the consumers
    assert is_alive.sum() > count / 2
    assert (np.abs(used_j - gone_j) / through_j)[is_alive].max() < close
    assert (totals.motor_loss_j >= 0).all()
    assert (totals.gear_loss_j >= 0).all()
    assert (totals.friction_j >= 0).all()


def test_each_car_of_a_fleet_is_one_of_its_own_whatever_the_threads() -> None:
    speeds = np.stack([random_drive(car, 300) for car in range(300)], axis=1)
    masses = np.linspace(1000, 2500, 300)
    whole = Fleet(PARAMETERS, 300, mass_kg=masses)
    whole.drive(speeds, threads=2)
    again = Fleet(PARAMETERS, 300, mass_kg=masses)
    again.drive(speeds, threads=1)
    assert all((a == b).all() for a, b in zip(whole.totals, again.totals, strict=True))
    one = Fleet(PARAMETERS, 1, mass_kg=masses[137])
    one.drive(speeds[:, 137])
    for alone, among in zip(one.totals, whole.totals, strict=True):
        assert alone[0] == among[137]


def test_car_that_cannot_follow_says_by_how_much() -> None:
    fleet = Fleet(PARAMETERS, 2, mass_kg=[1500, 9000])
    fleet.drive(np.linspace(0, 40, 16)[1:])
    light, heavy = fleet.totals.speed_error_mps
    assert light < 0.5
    assert heavy > 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mass_kg": [1.0, 2.0]}, r"mass_kg has the shape \(2,\); a number or \(3,\) is expected"),
        ({"auxiliary_w": float("nan")}, "auxiliary_w holds nan"),
    ],
)
def test_fleet_of_wrong_numbers_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        Fleet(PARAMETERS, 3, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"speeds_mps": [1.0, -2.0]}, "speeds_mps is -2 in step 1; 0 to 150 is allowed"),
        ({"speeds_mps": [1.0, float("nan")]}, "speeds_mps is nan in step 1"),
        ({"speeds_mps": np.zeros((5, 2))}, r"speeds_mps has the shape \(5, 2\)"),
        ({"speeds_mps": [1.0, 2.0], "grades": [0.0]}, "grades has 1 steps, speeds_mps 2"),
        ({"speeds_mps": [1.0], "dt_s": 5.0}, "dt_s is 5; 0.01 to 1 is allowed"),
    ],
)
def test_trace_that_is_none_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        Fleet(PARAMETERS, 3).drive(**given)  # type: ignore[arg-type]
