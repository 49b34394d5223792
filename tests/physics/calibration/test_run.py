"""A recording becomes a run on even seconds; what is no drive is refused with place and value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import TableError
from contactor.physics.calibration import Run


def steady(seconds: int = 120, rate_hz: int = 1, **changed) -> dict:
    """Arguments of a run at 20 m/s that takes 10 kW."""
    count = seconds * rate_hz + 1
    arguments = {
        "time_s": np.arange(count) / rate_hz,
        "speed_mps": np.full(count, 20.0),
        "power_w": np.full(count, 10_000.0),
    }
    return arguments | changed


def with_value(array: np.ndarray, place: int, value: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = value
    return changed


def test_energy_and_distance_are_integrals():
    run = Run.of("steady", **steady())
    assert (run.steps, run.distance_m) == (120, pytest.approx(2400))
    assert run.energy_j == pytest.approx(1_200_000)
    assert run.distance_until_m(60) == pytest.approx(1200)
    assert run.given_j[60] == pytest.approx(600_000)


@given(st.integers(0, 2**32 - 1))
def test_energy_is_that_of_all_samples_not_of_the_seconds(seed):
    power_w = np.random.default_rng(seed).uniform(-200_000, 200_000, 1201)
    arguments = steady(rate_hz=10) | {"power_w": power_w}
    run = Run.of("fast", **arguments)
    whole_j = np.trapezoid(arguments["power_w"], arguments["time_s"])
    assert run.energy_j == pytest.approx(whole_j, abs=1e-3)


def test_clock_may_begin_anywhere_and_repeat_an_instant():
    arguments = steady()
    arguments["time_s"] = with_value(arguments["time_s"], 51, 50.0) + 1.7e9
    run = Run.of("epoch", **arguments)
    assert run.steps == 120
    assert run.energy_j == pytest.approx(1_200_000)


def test_driving_backwards_is_driving():
    run = Run.of("back", **steady(speed_mps=np.full(121, -5.0)))
    assert run.distance_m == pytest.approx(600)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=12))
def test_slopes_rise_as_much_as_the_elevation(turns):
    time_s = np.arange(601.0)
    turns_s = np.linspace(0, 600, len(turns))
    elevation_m = np.interp(time_s, turns_s, np.cumsum(turns))
    run = Run.of("hills", **steady(600, elevation_m=elevation_m))
    rise_m = float((run.grade * run.speed_mps[1:]).sum())
    assert rise_m == pytest.approx(elevation_m[-1] - elevation_m[0], abs=0.3)


def test_without_elevation_the_road_is_flat():
    assert not Run.of("flat", **steady()).grade.any()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (steady(59), "trip.csv: 59 s are too short; at least 60 s"),
        ({name: np.zeros(0) for name in steady()}, "trip.csv: 0 s are too short"),
        (steady(speed_mps=np.zeros(121)), "trip.csv: it drives 0 m; at least 500 m"),
        (
            steady(time_s=np.arange(121) + 30.0 * (np.arange(121) > 40)),
            "trip.csv: nothing for 31 s from second 40 on; at most 10 s",
        ),
        (
            steady(time_s=with_value(np.arange(121.0), 41, 10.0)),
            "trip.csv: time runs back by 30 s in row 42",
        ),
        (
            steady(power_w=with_value(np.ones(121), 3, np.nan)),
            "trip.csv: power is nan in row 4, not a number",
        ),
        (
            steady(time_s=with_value(np.arange(121.0), 120, np.inf)),
            "trip.csv: time is inf in row 121",
        ),
        (
            steady(speed_mps=with_value(np.full(121, 20.0), 7, np.nan)),
            "trip.csv: a speed of nan m/s in second 7",
        ),
        (
            steady(speed_mps=with_value(np.full(121, 20.0), 7, 300.0)),
            "trip.csv: a speed of 300 m/s in second 7; -150 to 150 is allowed",
        ),
        (
            steady(elevation_m=with_value(np.zeros(121), 60, np.nan)),
            "trip.csv: elevation is nan in row 61",
        ),
        (
            steady(elevation_m=with_value(np.zeros(121), 60, 500.0)),
            "trip.csv: the elevation rises by",
        ),
    ],
)
def test_what_is_no_drive_is_refused(changed, words):
    with pytest.raises(TableError) as refused:
        Run.of("trip.csv", **changed)
    assert words in str(refused.value)
