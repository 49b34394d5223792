"""physics.toml: our own car's is right, and each mistake is a finding with its line."""

import re
from pathlib import Path

import pytest

from contactor.car.profiles.check import check_profile
from contactor.car.profiles.finding import is_ok
from contactor.car.profiles.profile import PHYSICS, find_profile, load_profile
from contactor.errors import MalformedMap

OURS = (find_profile("contactor_ev") / PHYSICS).read_text()


@pytest.fixture
def folder(make_folder) -> Path:
    made = make_folder()
    (made / PHYSICS).write_text(OURS)
    return made


def test_physics_of_our_own_car_are_read() -> None:
    physics = load_profile("contactor_ev").physics
    assert physics.battery.cells_in_series == 96
    assert isinstance(physics.battery.cells_in_series, int)
    assert physics.driveline.power_max_kw == 210
    assert 81 < physics.battery.energy_kwh < 83


def test_profile_without_physics_has_none(make_folder) -> None:
    assert load_profile(make_folder()).physics is None
    assert load_profile("nissan_leaf_ze0").physics is None


def test_profile_with_physics_passes_and_keeps_its_fingerprint(folder, make_folder) -> None:
    assert is_ok(check_profile(folder))
    with_physics = load_profile(folder)
    (folder / PHYSICS).unlink()
    assert with_physics.physics is not None
    assert load_profile(folder).fingerprint == with_physics.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 1", "format = 2", r"format is 2; "),
        ("[body]", "[bdoy]", r"unknown key 'bdoy'; nearest: body"),
        ("mass_kg = 1975", "mass_kg = 19750", r"mass_kg is 19750; 300 to 10000 is allowed"),
        ("mass_kg = 1975", "mass_kg = 'heavy'", r"mass_kg is 'heavy', not a number"),
        ("mass_kg = 1975", "mass = 1975", r"unknown key 'mass'; nearest: mass_kg"),
        ("mass_kg = 1975", "", r"mass_kg is missing"),
        ("mass_kg = 1975", "mass_kg = nan", r"mass_kg is nan, not a number"),
        ("cells_in_series = 96", "cells_in_series = 96.5", r"96\.5, not a whole number"),
        ("dc_power_kw = [90, ", "dc_power_kw = [", r"dc_power_kw has 9 numbers, dc_.* has 10"),
        ("dc_power_kw = [90, ", "dc_power_kw = [true, ", r"True in dc_power_kw is not a number"),
        ("dc_power_kw = [90, ", "dc_power_kw = [0, ", r"0 in dc_power_kw; 0\.1 to 2000 is allowed"),
        ("charge_factor = [", "charge_factor = 3 #[", r"charge_factor is 3, not a list of 2"),
        ("degc = [-20, -10", "degc = [-20, -20", r"charge_factor_degc must go up"),
        (
            "charge = [0.00, 0.05",
            "charge = [0.01, 0.05",
            r"goes from 0\.01 to 1; it must be 0 to 1",
        ),
        ("3.190, 3.340", "3.190, 3.140", r"open_circuit_v must go up"),
        ("min_v = 2.8", "min_v = 3.5", r"must be below the empty cell's 3\.19 V"),
        ("max_v = 4.2", "max_v = 4.1", r"must be above the full cell's 4\.155 V"),
        ("full_kmh = 10", "full_kmh = 2", r"must be above regeneration_from_kmh"),
    ],
)
def test_mistake_is_a_finding_with_its_line(folder, old, new, message) -> None:
    assert OURS.count(old) == 1
    (folder / PHYSICS).write_text(OURS.replace(old, new))
    found = [one for one in check_profile(folder) if re.search(message, one.message)]
    assert len(found) == 1, check_profile(folder)
    assert (found[0].file, found[0].level) == (PHYSICS, "error")
    assert found[0].line is not None
    with pytest.raises(MalformedMap, match=r"physics\.toml"):
        load_profile(folder)


def test_defaults_stand_for_what_is_not_given(folder) -> None:
    text = re.sub(r"(?m)^rotating_mass.*\n|^\[driver\](.|\n)*", "", OURS)
    (folder / PHYSICS).write_text(text)
    physics = load_profile(folder).physics
    assert physics.body.rotating_mass == 0.04
    assert physics.driver.time_constant_s == 0.8
