"""Numbers of a physics.toml are replaced in their lines; all else stays."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.profiles.profile import PHYSICS, find_profile
from contactor.car.profiles.rewrite import rewritten

CARS = ["contactor_ev", "nissan_leaf_ze1", "renault_twizy", "tesla_model_3"]
KEYS = ["body.mass_kg", "body.drag_area_m2", "driveline.constant_w", "auxiliaries.base_w"]


def text_of(car: str) -> str:
    return (find_profile(car) / PHYSICS).read_text()


@given(
    car=st.sampled_from(CARS),
    values=st.dictionaries(st.sampled_from(KEYS), st.floats(1e-4, 1e6), min_size=1),
)
def test_named_numbers_change_and_no_others(car, values):
    before, after = (
        tomllib.loads(text_of(car)),
        tomllib.loads(rewritten(text_of(car), values, remark="fitted")),
    )
    for name, value in values.items():
        group, key = name.split(".")
        assert after[group][key] == pytest.approx(value, rel=1e-5)
        before[group][key] = after[group][key]
    assert after == before


@pytest.mark.parametrize("car", CARS)
def test_without_values_nothing_changes(car):
    assert rewritten(text_of(car), {}, remark="fitted") == text_of(car)


def test_comment_of_a_changed_number_is_the_remark_and_others_stay():
    text = "# head\n[body]\nmass_kg = 1975  # a driver\nwheel_radius_m = 0.3  # tyre\n"
    assert rewritten(text, {"body.mass_kg": 1850.0}, remark="fitted") == (
        "# head\n[body]\nmass_kg = 1850  # fitted\nwheel_radius_m = 0.3  # tyre\n"
    )


def test_missing_number_comes_first_in_its_group():
    text = "[body]\nmass_kg = 1975\n\n[driveline]\ngear_ratio = 9\n"
    values = {"driveline.gear_efficiency": 0.9, "body.rotating_mass": 0.05}
    assert tomllib.loads(rewritten(text, values, remark="fitted")) == {
        "body": {"mass_kg": 1975, "rotating_mass": 0.05},
        "driveline": {"gear_ratio": 9, "gear_efficiency": 0.9},
    }


def test_same_key_in_another_group_stays():
    text = "[one]\nbase_w = 1\n[two]\nbase_w = 2\n"
    changed = tomllib.loads(rewritten(text, {"two.base_w": 3.0}, remark="fitted"))
    assert changed == {"one": {"base_w": 1}, "two": {"base_w": 3}}
