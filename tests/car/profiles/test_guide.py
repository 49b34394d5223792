"""The guide tells the truth: its output is real, its examples load, and every key is in it."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from contactor.app.commands import profile as command
from contactor.car.profiles.limits import KEYS as LIMIT_KEYS
from contactor.car.profiles.map_file import ACTUATOR_KEYS, SIGNAL_KEYS
from contactor.car.profiles.profile import load_profile

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "profiles.md"
DBC = """VERSION ""

BO_ 1 Battery: 4 X
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" X
 SG_ Current : 16|12@1- (0.5,0) [0|0] "A" X

BO_ 2 Ignition: 1 X
 SG_ Key : 0|2@1+ (1,0) [0|0] "" X

BO_ 3 Request: 1 X
 SG_ ChargeLimit : 0|8@1+ (1,0) [0|0] "%" X
"""
MISTAKES = {
    "map.toml": [
        ('from = "Battery.Voltage"', 'from = "Battery.Voltge"'),
        ("invert = true      ", "inverted = true    "),
        ('1 = "ACC"', '1 = "IGN"'),
    ],
    "limits.toml": [("minimum = 50", "maximum = 120")],
}


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)


@pytest.fixture
def my_car(make_folder, monkeypatch):
    map_text, limits = blocks("toml")
    folder = make_folder(map_text, dbc=DBC, limits=limits)
    folder = folder.rename(folder.with_name("my_car"))
    monkeypatch.chdir(folder.parent)
    return folder


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.partition("\n")[0])
def test_output_in_the_guide_is_real(block, my_car, capsys):
    prompt, _, output = block.partition("\n")
    words = shlex.split(prompt.removeprefix("$ contactor profile "))
    if words[0] == "check":
        for name, changes in MISTAKES.items():
            text = (my_car / name).read_text(encoding="utf-8")
            for right, wrong in changes:
                assert right in text
                text = text.replace(right, wrong, 1)
            (my_car / name).write_text(text, encoding="utf-8")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args(words))
    real = capsys.readouterr().out.splitlines()
    shown = [line for line in output.splitlines() if line != "..."]
    if "..." in output.splitlines():
        assert [line for line in real if line in shown] == shown
    else:
        assert shown == real


def test_examples_in_the_guide_load(my_car):
    profile = load_profile(my_car)
    assert len(profile.map.entries) == 4
    assert len(profile.map.actuators) == 1
    assert len(profile.limits.entries) == 1


@pytest.mark.parametrize(
    "key",
    [
        *SIGNAL_KEYS,
        *ACTUATOR_KEYS,
        *LIMIT_KEYS,
    ],
)
def test_every_key_is_in_the_guide(key):
    assert re.search(rf"\b{key}\b", GUIDE.read_text("utf-8"))
