"""A small car for the tests: a DBC with every kind of signal, and folders made of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.profiles.mapping import Reading
from contactor.car.profiles.profile import Profile, load_profile

DBC = """VERSION ""

BO_ 256 Pack: 8 Vector__XXX
 SG_ Voltage : 0|16@1+ (0.1,0) [0|6553.5] "V" Vector__XXX
 SG_ Current : 16|12@1- (0.5,0) [-1024|1023.5] "A" Vector__XXX
 SG_ Charge : 28|8@1+ (0.5,0) [0|127.5] "%" Vector__XXX
 SG_ Mode : 36|4@1+ (1,0) [0|15] "" Vector__XXX
 SG_ Plugged : 40|1@1+ (1,0) [0|1] "" Vector__XXX
 SG_ Warmth : 48|8@1+ (1,0) [0|255] "degF" Vector__XXX
 SG_ Strange : 56|8@1+ (1,0) [0|255] "furlong" Vector__XXX

BO_ 257 Wheel: 8 Vector__XXX
 SG_ Speed : 7|16@0+ (0.01,0) [0|655.35] "m/s" Vector__XXX
 SG_ Exact : 32|32@1- (1,0) [0|0] "km/h" Vector__XXX

BO_ 2147483906 Command: 2 Vector__XXX
 SG_ Limit : 0|8@1+ (1,0) [0|255] "%" Vector__XXX
 SG_ Start : 8|2@1+ (1,0) [0|3] "" Vector__XXX

SIG_VALTYPE_ 257 Exact : 1;
"""
MAP = """format = 1
title = "Test car"

[signals."Vehicle.Speed"]
from = "Wheel.Speed"
"""
LIMITS = "format = 1\n"


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a profile folder; None leaves a file out."""

    def make(
        map_text: str | None = MAP,
        *,
        dbc: str | None = DBC,
        limits: str | None = LIMITS,
        readme: str | None = "# Test car\n",
    ) -> Path:
        folder = tmp_path / "test_car"
        folder.mkdir(exist_ok=True)
        texts = {"car.dbc": dbc, "map.toml": map_text, "limits.toml": limits, "README.md": readme}
        for name, text in texts.items():
            (folder / name).unlink(missing_ok=True)
            if text is not None:
                (folder / name).write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def load_map(make_folder: Callable[..., Path]) -> Callable[[str], Profile]:
    """A profile of the test car with these entries."""

    def load(entries: str) -> Profile:
        return load_profile(make_folder(f'format = 1\ntitle = "Test car"\n{entries}'))

    return load


def read_frames(profile: Profile, frames: FrameTable) -> dict[str, Reading]:
    """What a profile reads in frames, by path."""
    plan = compile_plan(
        profile.database, signals=profile.map.plan_signals, unavailable=profile.map.unavailable
    )
    return {reading.path: reading for reading in profile.map.read(decode_columns(frames, plan))}


@pytest.fixture
def readings() -> Callable[[Profile, FrameTable], dict[str, Reading]]:
    return read_frames


@pytest.fixture
def cells() -> Callable[[Reading], list[object]]:
    """A reading as plain values: None for unknown, "n/a" for what the car marked so."""

    def plain(reading: Reading) -> list[object]:
        words = {0: lambda _: None, 1: lambda value: value, 2: lambda _: "n/a"}
        values = reading.values.tolist()
        return [words[state](value) for value, state in zip(values, reading.state, strict=True)]

    return plain
