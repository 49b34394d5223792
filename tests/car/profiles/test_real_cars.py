"""The profiles of real cars: published road load, energy, consumption and acceleration."""

from pathlib import Path

import pytest

from contactor.car.profiles.check import check_profile
from contactor.car.profiles.profile import (
    PHYSICS,
    find_profile,
    installed_profiles,
    load_profile,
)
from contactor.car.virtual.car import VirtualCar
from contactor.errors import UsageError
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.constants import GRAVITY_MPS2
from contactor.physics.cycles import Cycle, cycle_names, standard_cycle
from contactor.physics.follow import CycleDrive, follow, recharge_wall_j, with_test_driver
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import drag_kg_per_m, rolling_resistance

CARS = ("nissan_leaf_ze1", "renault_twizy", "tesla_model_3")
ALONE = ("renault_twizy", "tesla_model_3")
N_PER_LBF, MPS_PER_MPH = 4.4482216152605, 0.44704  # NIST SP 811 (2008), appendix B
KM_PER_MILE = 1.609344
J_PER_WH = 3600
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "profiles.md"


def physics_of(name: str) -> CarParameters:
    physics = load_profile(name).physics
    assert physics is not None
    return physics


def wh_per_km(energy_j: float, drive: CycleDrive) -> float:
    return energy_j / J_PER_WH / (drive.distance_m / 1000)


def told_of(name: str) -> dict[str, str]:
    """What the guide says a car takes, by cycle."""
    rows = [line.strip("|").split("|") for line in GUIDE.read_text("utf-8").splitlines()]
    head = next(row for row in rows if row[1:2] == [" UDDS "])
    row = next(row for row in rows if row[0].strip() == f"`{name}`" and len(row) == len(head))
    return {cycle.strip(): cell.strip() for cycle, cell in zip(head, row, strict=True)}


def car_of(name: str) -> CarPhysics:
    parameters = with_test_driver(physics_of(name))
    return CarPhysics(parameters, state_of_charge=0.8, temperature_degc=20.0)


@pytest.mark.parametrize("name", CARS)
def test_real_car_loads_without_findings(name):
    assert name in installed_profiles()
    assert check_profile(find_profile(name)) == []
    assert load_profile(name).physics is not None


@pytest.mark.parametrize("speed_kmh", [30, 50, 70, 90, 120])
@pytest.mark.parametrize(
    ("name", "a_lbf", "b_lbf", "c_lbf"),
    [
        ("tesla_model_3", 27.02, 0.2873, 0.0122),
        ("nissan_leaf_ze1", 25.89, 0.3449, 0.01945),
    ],
)
def test_road_load_is_that_of_the_certificate(name, a_lbf, b_lbf, c_lbf, speed_kmh):
    body = physics_of(name).body
    speed_mps, speed_mph = speed_kmh / 3.6, speed_kmh / 3.6 / MPS_PER_MPH
    published_n = (a_lbf + b_lbf * speed_mph + c_lbf * speed_mph**2) * N_PER_LBF
    rolling = rolling_resistance(body, 20.0) + body.rolling_resistance_per_mps * speed_mps
    drag_n = drag_kg_per_m(body, 20.0) * speed_mps**2
    assert rolling * body.mass_kg * GRAVITY_MPS2 + drag_n == pytest.approx(published_n, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "published_kwh"),
    [("nissan_leaf_ze1", 39.0), ("renault_twizy", 6.1), ("tesla_model_3", 60.997)],
)
def test_battery_holds_what_is_published(name, published_kwh):
    assert physics_of(name).battery.energy_kwh == pytest.approx(published_kwh, rel=0.01)


@pytest.mark.parametrize(
    ("name", "cycle", "published_wh_per_km"),
    [
        # EPA certificate RTSLV00.0L13-006: 149.6 and 167.7 Wh a mile.
        ("tesla_model_3", "UDDS", 149.6 / KM_PER_MILE),
        ("tesla_model_3", "HWFET", 167.7 / KM_PER_MILE),
        # The label's ranges in city and on highways, in miles and lowered to 0.7, out of 39 kWh.
        ("nissan_leaf_ze1", "UDDS", 39_000 * 0.7 / (163.2 * KM_PER_MILE)),
        ("nissan_leaf_ze1", "HWFET", 39_000 * 0.7 / (131.3 * KM_PER_MILE)),
        ("nissan_leaf_ze1", "WLTC3b", 39_000 / 285),
    ],
)
def test_battery_gives_what_is_published(name, cycle, published_wh_per_km):
    drive = follow(car_of(name), standard_cycle(cycle), ambient_degc=20.0)
    assert wh_per_km(drive.energy_j, drive) == pytest.approx(published_wh_per_km, rel=0.05)


def test_quadricycle_has_its_range_in_the_city_cycle():
    whole = standard_cycle("NEDC")
    # UN Regulation 83: four times the urban cycle, 195 s each, before the faster part.
    city = Cycle(name="city", time_s=whole.time_s[:781], speed_mps=whole.speed_mps[:781])
    drive = follow(car_of("renault_twizy"), city, ambient_degc=20.0)
    assert drive.speed_error_max_kmh < 2
    assert wh_per_km(drive.energy_j, drive) == pytest.approx(6100 / 100, rel=0.05)


def test_wall_gives_the_model_3_what_is_published():
    drive = follow(car_of("tesla_model_3"), standard_cycle("WLTC3b"), ambient_degc=20.0)
    wall_j = recharge_wall_j(
        physics_of("tesla_model_3"),
        state_of_charge=drive.state_of_charge_end,
        limit=drive.state_of_charge_start,
    )
    assert wh_per_km(wall_j, drive) == pytest.approx(132, rel=0.05)


@pytest.mark.parametrize(
    ("name", "to_kmh", "published_s"),
    [("nissan_leaf_ze1", 100, 7.9), ("renault_twizy", 45, 6.1), ("tesla_model_3", 100, 6.1)],
)
def test_full_pedal_takes_the_published_time(name, to_kmh, published_s):
    car = car_of(name)
    steps = 0
    while car.state.speed_mps * 3.6 < to_kmh and steps < 1000:
        wanted_mps = car.state.speed_mps + 30
        car.step(0.02, Controls(target_speed_mps=wanted_mps, ambient_degc=20.0, is_driving=True))
        steps += 1
    assert steps * 0.02 == pytest.approx(published_s, rel=0.10)


@pytest.mark.parametrize("cycle", cycle_names())
@pytest.mark.parametrize("name", ["contactor_ev", *CARS])
def test_cycle_is_driven_unless_the_car_is_too_weak_for_it(name, cycle):
    wanted = standard_cycle(cycle)
    drive = follow(car_of(name), wanted, ambient_degc=20.0)
    if drive.at_limit_s == 0:
        assert drive.speed_error_max_kmh < 2
        assert drive.distance_m == pytest.approx(wanted.distance_m, rel=0.005)
    # Only the quadricycle is too slow, and then nearly always at a limit: else it catches up.
    assert (drive.at_limit_s > 0) == (name == "renault_twizy")
    assert drive.behind_s - drive.at_limit_s <= 0.2 * drive.behind_s
    assert f"{wh_per_km(drive.energy_j, drive):.1f}" == told_of(name)[cycle]


@pytest.mark.parametrize(
    ("name", "published_kmh"),
    [("nissan_leaf_ze1", 144), ("renault_twizy", 80), ("tesla_model_3", 201)],
)
def test_car_is_as_fast_as_published(name, published_kmh):
    car = car_of(name)
    for _ in range(240):
        car.step(1.0, Controls(target_speed_mps=70.0, ambient_degc=20.0, is_driving=True))
    assert car.state.speed_mps * 3.6 == pytest.approx(published_kmh, abs=1)


@pytest.mark.parametrize(
    ("name", "station_kw", "phases", "published_kw"),
    [
        ("contactor_ev", 22.0, 3, 11.0),
        ("nissan_leaf_ze1", 22.0, 3, 6.6),
        ("nissan_leaf_ze1", 11.0, 3, 11 / 3),
        ("tesla_model_3", 7.4, 1, 3.7),
        ("renault_twizy", 7.4, 1, 2.1),
    ],
)
def test_wall_gives_what_the_charger_takes(name, station_kw, phases, published_kw):
    car = CarPhysics(physics_of(name), state_of_charge=0.3, temperature_degc=20.0)
    plugged = Controls(plug="ac", station_power_w=station_kw * 1000, station_phases=phases)
    for _ in range(30):
        car.step(1.0, plugged)
    assert car.state.charge_wall_power_w == pytest.approx(published_kw * 1000, rel=0.02)


@pytest.mark.parametrize("name", ALONE)
def test_profile_of_physics_alone_says_what_is_missing(name):
    profile = load_profile(name)
    assert not profile.has_can
    assert profile.is_read_only
    assert profile.title != name
    with pytest.raises(UsageError, match=rf"{name} has no car\.dbc and no map\.toml"):
        VirtualCar(profile, start_ns=0)


def test_folder_with_physics_alone_is_a_profile(tmp_path):
    text = (find_profile("renault_twizy") / PHYSICS).read_text(encoding="utf-8")
    (tmp_path / PHYSICS).write_text(text, encoding="utf-8")
    profile = load_profile(tmp_path)
    assert (profile.title, profile.has_can) == (tmp_path.name, False)
    assert [one.file for one in check_profile(tmp_path)] == ["README.md"]
    (tmp_path / "map.toml").write_text("format = 1\n")
    assert any(one.file == "car.dbc" for one in check_profile(tmp_path))
