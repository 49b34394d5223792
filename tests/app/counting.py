"""A car of our own making whose one signal counts 1, 2, 3, ...: a profile and its recordings."""

from pathlib import Path

FIRST_S = 1_700_000_000
STEP_MS = 10
COUNT = "Vehicle.TraveledDistance"

DBC = """VERSION ""

BU_: Counter

BO_ 256 Counting: 4 Counter
 SG_ Number : 0|32@1+ (1,0) [0|4294967295] "m" Vector__XXX
"""
MAP = f"""format = 1
title = "A car that counts"

[signals."{COUNT}"]
from = "Counting.Number"
"""


def make_profile(folder: Path) -> Path:
    """A profile folder whose car counts."""
    profile = folder / "counting"
    profile.mkdir()
    (profile / "car.dbc").write_text(DBC)
    (profile / "map.toml").write_text(MAP)
    (profile / "limits.toml").write_text("format = 1\n")
    (profile / "README.md").write_text("# A car that counts\n")
    return profile


def make_log(path: Path, count: int) -> Path:
    """A candump log in which the car counts from 1 to `count`, one frame each `STEP_MS`."""
    with path.open("w") as log:
        for number in range(1, count + 1):
            at_ms = FIRST_S * 1000 + number * STEP_MS
            payload = number.to_bytes(4, "little").hex().upper()
            log.write(f"({at_ms // 1000}.{at_ms % 1000:03d}000) can0 100#{payload}\n")
    return path


def ts_of(number: int) -> int:
    """The instant (ns) at which the car says `number`."""
    return (FIRST_S * 1000 + number * STEP_MS) * 1_000_000
