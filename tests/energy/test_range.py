"""Range from a car's own drives: on drives that it has not seen, of cars that live."""

import os
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.energy import Drive, range_of
from contactor.energy.consumption import USUAL_WH_PER_KM, Habits
from contactor.physics.scenarios import load_scenario
from contactor.physics.scenarios.living import live

# All of it: CONTACTOR_TEST_CARS=30.
CARS = int(os.environ.get("CONTACTOR_TEST_CARS", "2"))
MODELS = ("contactor_ev", "nissan_leaf_ze1", "tesla_model_3")
DRIVERS = (None, "calm", "brisk")
SHORT_KM = 2.0


def drives_of(car: int) -> list[Drive]:
    scenario = load_scenario("year")
    scenario = replace(scenario, first_day=scenario.first_day + car * 31 % 330)
    life = live(
        load_profile(MODELS[car % 3]).physics,
        scenario,
        seed=car,
        driver=scenario.driver(DRIVERS[car // 3 % 3]),
        days=45,
    )
    return [
        Drive(
            start_ns=one.start_ns,
            distance_km=one.distance_m / 1000,
            energy_kwh=(one.energy_out_j - one.energy_in_j) / 3.6e6,
            speed_kmh=3.6 * one.distance_m / one.duration_s,
            ambient_degc=one.ambient_degc,
        )
        for one in life.drives
        if one.distance_m > 1000 * SHORT_KM
    ]


def test_truth_lies_in_the_band_on_drives_not_seen() -> None:
    inside = []
    for car in range(CARS):
        drives = drives_of(car)
        for index in range(len(drives) // 2, len(drives)):
            one = drives[index]
            expected = Habits(drives[:index]).consumption(
                ambient_degc=one.ambient_degc,
                speed_kmh=one.speed_kmh,
                distance_km=one.distance_km,
            )
            taken = 1000 * one.energy_kwh / one.distance_km
            inside.append(expected.low_wh_per_km <= taken <= expected.high_wh_per_km)
    assert 0.75 <= np.mean(inside) <= 0.9


def drive(number: int, wh_per_km: float, speed_kmh: float = 60.0, degc: float = 20.0) -> Drive:
    return Drive(
        start_ns=number * 10**12,
        distance_km=20.0,
        energy_kwh=wh_per_km * 20 / 1000,
        speed_kmh=speed_kmh,
        ambient_degc=degc,
    )


@settings(max_examples=50)
@given(
    usable_kwh=st.floats(0.0, 120.0),
    taken=st.lists(st.floats(-50.0, 600.0), max_size=40),
    degc=st.floats(-30.0, 45.0),
)
def test_range_is_a_number_in_its_band(usable_kwh: float, taken: list[float], degc: float) -> None:
    drives = [drive(number, one) for number, one in enumerate(taken)]
    found = range_of(usable_kwh, drives, ambient_degc=degc)
    assert 0 <= found.low_km <= found.km <= found.high_km < float("inf")


def test_range_of_a_car_that_never_drove_is_the_usual() -> None:
    found = range_of(50.0, [])
    assert found.drives == 0
    assert abs(found.wh_per_km / USUAL_WH_PER_KM - 1) < 0.01
    assert found.low_km < 0.85 * found.km


def test_range_follows_what_the_car_takes() -> None:
    found = range_of(50.0, [drive(number, 140.0) for number in range(40)], speed_kmh=60.0)
    assert abs(found.wh_per_km - 140.0) < 2.0
    assert found.learnt_km <= 320


def test_cold_and_motorway_shorten_the_range() -> None:
    mild = [drive(number, 150.0) for number in range(40)]
    fast = [drive(number, 210.0, speed_kmh=110.0) for number in range(40, 50)]
    here = range_of(50.0, mild + fast, ambient_degc=20.0, speed_kmh=60.0)
    cold = range_of(50.0, mild + fast, ambient_degc=-10.0, speed_kmh=60.0)
    motorway = range_of(50.0, mild + fast, ambient_degc=20.0, speed_kmh=110.0)
    assert cold.km < 0.9 * here.km
    assert motorway.km < 0.8 * here.km
