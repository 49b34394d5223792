"""Recordings of a car that we know: `CarPhysics` drives cycles, and a meter is not exact."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from contactor.car.profiles.profile import load_profile
from contactor.physics.calibration import Run
from contactor.physics.calibration.parameters import with_value
from contactor.physics.car import CarPhysics
from contactor.physics.cycles import standard_cycle
from contactor.physics.follow import CycleDrive, follow, with_test_driver
from contactor.physics.parameters import CarParameters

METER_W = 1000.0
"""How far off the power of a second is, one standard deviation."""

TRUE = {
    "body.rolling_resistance": 0.0085,
    "body.drag_area_m2": 0.70,
    "driveline.copper_w_per_nm2": 0.2,
    "auxiliaries.base_w": 700.0,
}
DRIVES = (
    ("WLTC3b", 20.0, 0.8),
    ("UDDS", 10.0, 0.6),
    ("HWFET", 25.0, 0.7),
    ("US06", 15.0, 0.5),
    ("NEDC", 0.0, 0.9),
    ("CLTC-P", 20.0, 0.4),
    ("WLTC3b", 5.0, 0.5),
    ("HWFET", 0.0, 0.4),
)
"""Cycle, temperature (°C), state of charge at the start."""


def base() -> CarParameters:
    """Our own car, where a fit starts."""
    physics = load_profile("contactor_ev").physics
    assert physics is not None
    return physics


def other_car(values: dict[str, float]) -> CarParameters:
    """Our own car with other numbers."""
    car = base()
    for name, value in values.items():
        car = with_value(car, name, value)
    return car


@cache
def _driven(values: tuple[tuple[str, float], ...], drive: tuple[str, float, float]) -> CycleDrive:
    cycle, degc, charge = drive
    physics = CarPhysics(
        with_test_driver(other_car(dict(values))),
        seed=3,
        state_of_charge=charge,
        temperature_degc=degc,
    )
    return follow(physics, standard_cycle(cycle), ambient_degc=degc)


def series_of(
    drive: tuple[str, float, float], values: dict[str, float], *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds, m/s and watts out of the battery, as a meter shows them."""
    series = _driven(tuple(values.items()), drive).series
    time_s = np.concatenate([[0.0], series["time_s"]])
    speed_mps = np.concatenate([[0.0], series["speed_kmh"]]) / 3.6
    given_w = -1000 * np.concatenate([[0.0], series["battery_power_kw"]])
    noise_w = np.random.default_rng(seed).normal(0, METER_W, len(given_w))
    return time_s, speed_mps, given_w + noise_w


def made_run(
    drive: tuple[str, float, float], values: dict[str, float], *, seed: int, **changed: object
) -> Run:
    """One recorded run of the car."""
    run = Run.of(
        f"{drive[0]} at {drive[1]:g} °C",
        *series_of(drive, values, seed=seed),
        ambient_degc=drive[1],
        state_of_charge=drive[2],
    )
    return replace(run, **changed)  # type: ignore[arg-type]  # fields of a run


def made_runs(
    values: dict[str, float] = TRUE,
    *,
    drives: Sequence[tuple[str, float, float]] = DRIVES,
    seed: int = 0,
) -> list[Run]:
    """All the recorded runs of the car."""
    return [made_run(drive, values, seed=seed * 100 + place) for place, drive in enumerate(drives)]
