"""Profiles are found by name or folder, and refused with what is installed."""

import hashlib

import pytest

from contactor.car.profiles.limits import Limit
from contactor.car.profiles.profile import installed_profiles, load_profile
from contactor.errors import DatabaseError, MalformedMap, UnknownProfile

LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
START = "Vehicle.Powertrain.TractionBattery.Charging.StartStopCharging"
MAP = f"""format = 1
title = "Test car"
[signals."Vehicle.Speed"]
from = "Wheel.Speed"
[actuators."{LIMIT}"]
frame = "Command.Limit"
[actuators."{START}"]
frame = "Command.Start"
values = {{ 1 = "START", 2 = "STOP" }}
"""
LIMITS = f"""format = 1
[limits."{LIMIT}"]
minimum = 50
maximum = 100
rate_limit_s = 5
[limits."{START}"]
allowed = ["STOP"]
not_while_moving = true
"""


def test_installed_profiles_are_the_leafs():
    assert {"nissan_leaf_ze0", "nissan_leaf_ze1"} <= set(installed_profiles())


@pytest.mark.parametrize("name", installed_profiles())
def test_profile_loads_by_its_name(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.title.strip()
    assert profile.map.entries or not profile.has_can


def test_profile_loads_from_a_folder(make_folder):
    profile = load_profile(str(make_folder()))
    assert (profile.name, profile.title) == ("test_car", "Test car")
    assert profile.map.paths == ("Vehicle.Speed",)
    assert profile.is_read_only


def test_profile_loads_from_the_folder_it_stands_in(make_folder, monkeypatch):
    monkeypatch.chdir(make_folder())
    assert load_profile(".").name == "test_car"


def test_fingerprint_is_that_of_dbc_and_map(make_folder):
    folder = make_folder()
    content = (folder / "car.dbc").read_bytes() + (folder / "map.toml").read_bytes()
    assert load_profile(folder).fingerprint == hashlib.sha256(content).hexdigest()


def test_fingerprint_changes_with_the_map_but_not_with_the_limits(make_folder):
    before = load_profile(make_folder()).fingerprint
    assert load_profile(make_folder(limits="# more\nformat = 1\n")).fingerprint == before
    assert load_profile(make_folder(MAP)).fingerprint != before


def test_unknown_profile_names_the_installed_ones():
    with pytest.raises(UnknownProfile) as caught:
        load_profile("leef")
    text = str(caught.value)
    assert text.startswith("unknown profile 'leef'; installed: ")
    assert text.endswith(", or a folder")
    assert all(name in text for name in installed_profiles())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "no/such/folder", "nissan_leaf_ze1/map.toml"])
def test_unknown_profile_is_what_is_no_folder(name):
    with pytest.raises(UnknownProfile, match="unknown profile"):
        load_profile(name)


def test_unknown_profile_is_a_folder_without_one(tmp_path):
    with pytest.raises(UnknownProfile, match=r"no car\.dbc and no map\.toml"):
        load_profile(tmp_path)


def test_profile_with_a_broken_dbc_names_file_and_line(make_folder):
    folder = make_folder(dbc='VERSION ""\nBO_ 1 A: 8 X\n SG_ B : nonsense\n')
    with pytest.raises(DatabaseError, match=r"car\.dbc: .*line 3"):
        load_profile(folder)


def test_profile_with_a_broken_map_names_file_and_line(make_folder):
    folder = make_folder('format = 1\ntitle = "x"\n[signals."Vehicle.Speed"]\nfrom = "A.B"\n')
    with pytest.raises(MalformedMap, match=r"test_car/map\.toml, line 4: car\.dbc has no signal"):
        load_profile(folder)


def test_profile_with_broken_limits_names_file_and_line(make_folder):
    folder = make_folder(limits='format = 1\n[limits."Vehicle.Sped"]\n')
    with pytest.raises(MalformedMap, match=r"limits\.toml, line 2: unknown signal"):
        load_profile(folder)


def test_profile_without_limits_allows_nothing(make_folder):
    profile = load_profile(make_folder(MAP, limits=None))
    assert profile.limits.entries == ()
    assert profile.limits.of(LIMIT) is None


def test_profile_knows_what_may_be_asked(make_folder):
    profile = load_profile(make_folder(MAP, limits=LIMITS))
    assert not profile.is_read_only
    assert profile.limits.of(LIMIT) == Limit(LIMIT, minimum=50, maximum=100, rate_limit_s=5)
    assert profile.limits.of(START) == Limit(START, allowed=("STOP",), not_while_moving=True)
    assert profile.limits.of("Vehicle.Speed") is None


def test_profile_knows_how_actuators_are_sent(make_folder):
    limit, start = load_profile(make_folder(MAP, limits=LIMITS)).map.actuators
    assert (limit.path, limit.frame, limit.unit, limit.values) == (LIMIT, "Command.Limit", None, {})
    assert start.values == {"START": 1, "STOP": 2}


def test_the_leafs_are_read_only():
    for name in ("nissan_leaf_ze0", "nissan_leaf_ze1"):
        profile = load_profile(name)
        assert profile.is_read_only
        assert profile.limits.entries == ()
        assert "Read only" in (profile.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", installed_profiles())
def test_readme_of_a_profile_names_its_sources(name):
    text = (load_profile(name).folder / "README.md").read_text(encoding="utf-8")
    assert "https://" in text


@pytest.mark.parametrize("name", installed_profiles())
def test_signals_of_a_profile_have_our_own_description(name):
    bare = [entry.path for entry in load_profile(name).map.entries if not entry.signal.description]
    assert bare == []
