"""`contactor profile`, called as the command line does."""

import argparse
import json

import pytest

from contactor.app.commands import profile as command
from contactor.car.profiles.profile import installed_profiles
from contactor.errors import UnknownProfile, UsageError


@pytest.fixture
def run(capsys):
    def run_command(*words):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        code = command.run(parser.parse_args(words))
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, captured.out

    return run_command


def test_list_names_every_profile(run):
    code, text = run("list")
    assert code == 0
    assert all(name in text for name in installed_profiles())
    assert "Nissan Leaf ZE1 (2018 on)" in text


def test_list_as_json(run):
    code, text = run("list", "--json")
    assert code == 0
    found = {one["name"]: one for one in json.loads(text)}
    assert sorted(found) == installed_profiles()
    assert found["nissan_leaf_ze1"] == {
        "name": "nissan_leaf_ze1",
        "title": "Nissan Leaf ZE1 (2018 on)",
        "signals": 26,
        "read_only": True,
        "physics": True,
    }
    assert not found["nissan_leaf_ze0"]["physics"]


def test_list_says_what_can_be_done(run):
    _, text = run("list")
    ends = {line.split()[0]: line.split("  ")[-1].strip() for line in text.splitlines()[1:]}
    assert ends["contactor_ev"] == "18 actuators"
    assert ends["nissan_leaf_ze0"] == "read only"
    assert ends["tesla_model_3"] == "physics alone"


def test_show_tells_the_physics(run):
    _, text = run("show", "renault_twizy")
    assert text.splitlines() == [
        "renault_twizy: Renault Twizy 80 (2012 on), physics alone",
        "",
        "mass         549 kg",
        "motor        12 kW, 57 Nm",
        "top speed    80 km/h",
        "battery      6.1 kWh, 14 in series",
        "AC charging  2.1 kW, 1 phase",
        "DC charging  none",
        "",
        "contactor simulate --profile renault_twizy --cycle WLTC3b drives it.",
    ]
    _, text = run("show", "contactor_ev")
    assert "DC charging  170 kW" in text
    assert "AC charging  11 kW, 3 phases" in text
    _, text = run("show", "nissan_leaf_ze0")
    assert "mass " not in text


def test_show_tells_the_physics_as_json(run):
    _, text = run("show", "tesla_model_3", "--json")
    document = json.loads(text)
    assert document["signals"] == []
    assert document["physics"] == {
        "mass_kg": 1928,
        "power_max_kw": 208,
        "torque_max_nm": 420,
        "speed_max_kmh": 201,
        "battery_kwh": 61.0,
        "cells_in_series": 106,
        "ac_power_max_kw": 11,
        "ac_phases": 3,
        "dc_power_max_kw": 170,
    }
    _, text = run("show", "nissan_leaf_ze0", "--json")
    assert json.loads(text)["physics"] is None


def test_show_lists_the_signals(run):
    code, text = run("show", "nissan_leaf_ze1")
    assert code == 0
    assert "Nissan Leaf ZE1 (2018 on), read only" in text
    (line,) = [line for line in text.splitlines() if "CurrentVoltage" in line]
    assert line.split() == [
        "Powertrain.TractionBattery.CurrentVoltage",
        "V",
        "drive",
        "BatteryState.PackVoltage",
        "0x3FF",
    ]


def test_show_as_json(run):
    code, text = run("show", "nissan_leaf_ze1", "--json")
    document = json.loads(text)
    assert code == 0
    assert document["read_only"] is True
    power = next(one for one in document["signals"] if one["path"].endswith("CurrentPower"))
    assert power == {
        "path": "Vehicle.Powertrain.TractionBattery.CurrentPower",
        "source": ["BatteryState.PackVoltage", "BatteryState.PackCurrent"],
        "datatype": "float",
        "unit": "W",
        "group": "drive",
        "mean": True,
        "stale_s": 10.0,
        "unavailable": {"BatteryState.PackVoltage": [1023], "BatteryState.PackCurrent": [1023]},
        "valid": None,
        "values": None,
    }


def test_show_draws_a_message(run):
    code, text = run("show", "nissan_leaf_ze1", "--message", "BatteryState")
    assert code == 0
    assert text.startswith("BatteryState  0x1DB  8 bytes  every 10 ms\n")


def test_show_of_an_unknown_message_names_the_nearest(run):
    with pytest.raises(UsageError, match="no message 'BatteryStat'; nearest: BatteryState"):
        run("show", "nissan_leaf_ze1", "--message", "BatteryStat")


def test_show_of_an_unknown_profile_names_the_installed_ones(run):
    with pytest.raises(UnknownProfile, match="unknown profile 'leef'"):
        run("show", "leef")


def test_show_draws_no_json(run):
    with pytest.raises(UsageError, match="without --json"):
        run("show", "nissan_leaf_ze1", "--message", "BatteryState", "--json")


def test_show_of_a_car_that_takes_commands(run, make_folder):
    path = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
    folder = make_folder(
        'format = 1\ntitle = "Test car"\n[signals."Vehicle.Speed"]\nfrom = "Wheel.Speed"\n'
        f'[actuators."{path}"]\nframe = "Command.Limit"\n'
    )
    _, text = run("show", str(folder))
    assert "Test car, 1 actuators" in text
    assert f"{path} -> Command.Limit" in text
    _, text = run("show", str(folder), "--json")
    assert json.loads(text)["actuators"] == [{"path": path, "frame": "Command.Limit"}]


def test_check_of_a_sound_profile(run, make_folder):
    assert run("check", str(make_folder())) == (0, "test_car: ok\n")
    code, text = run("check", str(make_folder()), "--json")
    assert (code, json.loads(text)) == (0, {"profile": "test_car", "ok": True, "findings": []})


def test_check_of_a_broken_profile(run, make_folder):
    folder = make_folder(
        'format = 1\ntitle = "x"\n[signals."Vehicle.Speed"]\nfrom = "Nix"\n', readme=None
    )
    code, text = run("check", str(folder))
    assert code == 1
    assert text.splitlines()[0].startswith("map.toml, line 4: error: car.dbc has no signal 'Nix'")
    assert text.splitlines()[-1] == "test_car: not ok, 1 error, 1 warning"
    code, text = run("check", str(folder), "--json")
    document = json.loads(text)
    assert (code, document["ok"]) == (1, False)
    assert document["findings"][0]["line"] == 4
    assert document["findings"][1] == {
        "file": "README.md",
        "line": None,
        "level": "warning",
        "message": "this file is missing: which cars, and where do the facts come from?",
    }


def test_check_with_warnings_alone_is_ok(run, make_folder):
    assert run("check", str(make_folder(readme=None)))[0] == 0


def test_check_takes_a_built_in_name(run):
    assert run("check", "nissan_leaf_ze1") == (0, "nissan_leaf_ze1: ok\n")


def test_check_of_no_folder_is_a_usage_error(run):
    with pytest.raises(UsageError, match="no such folder: nix"):
        run("check", "nix")


def test_profile_offers_nothing_that_is_not_there_yet():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    help_text = parser.format_help()
    assert " new" not in help_text
