"""The standard cycles, each as its rule prints it: a speed for every second.

    standard_cycle("us06").duration_s       # 600.0; capitals and hyphens do not matter

A file opens with what it is and where it is from; then come its unit and its speeds in tenths:

    unit km/h
    11*0 2 17 38                            0.0 eleven times, 0.2, 1.7, 3.8
"""

from functools import cache
from importlib.resources import files

import numpy as np

from contactor.errors import UsageError
from contactor.physics.cycles.cycle import Cycle
from contactor.physics.cycles.nedc import nedc

# The mile is 1609.344 m by definition (international yard and pound agreement, 1959).
MPS_PER_UNIT = {"km/h": 1 / 3.6, "mph": 0.44704}
TENTHS = 10

FILES = {
    "WLTC3b": "wltc3b.txt",
    "UDDS": "udds.txt",
    "HWFET": "hwfet.txt",
    "US06": "us06.txt",
    "CLTC-P": "cltc_p.txt",
}
BY_DEFINITION = {"NEDC": nedc}
ALSO_CALLED = {"wltc": "WLTC3b", "wltp": "WLTC3b", "wltcclass3b": "WLTC3b", "cltc": "CLTC-P"}


def cycle_names() -> list[str]:
    """The names of the standard cycles."""
    return [*FILES, *BY_DEFINITION]


def standard_name(name: str) -> str | None:
    """How a cycle's name is written here; None where there is no such standard cycle."""
    plain = _plain(name)
    names = {_plain(known): known for known in cycle_names()} | ALSO_CALLED
    return names.get(plain)


@cache
def standard_cycle(name: str) -> Cycle:
    """A cycle by name.

    Raises:
        UsageError: there is no such cycle.
    """
    known = standard_name(name)
    if known is None:
        raise UsageError(f"unknown cycle {name[:120]!r}; known: {', '.join(cycle_names())}")
    if known in BY_DEFINITION:
        return BY_DEFINITION[known](known)
    return _read(known, files("contactor.physics.cycles").joinpath(FILES[known]).read_text("utf-8"))


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("", "", " -_."))


def _read(name: str, text: str) -> Cycle:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    unit = lines[0].removeprefix("unit ")
    tenths: list[int] = []
    for word in " ".join(lines[1:]).split():
        times, star, value = word.rpartition("*")
        tenths += [int(value)] * (int(times) if star else 1)
    speed = np.array(tenths, np.float64) / TENTHS
    time_s = np.arange(len(speed), dtype=np.float64)
    return Cycle(name=name, time_s=time_s, speed_mps=speed * MPS_PER_UNIT[unit])
