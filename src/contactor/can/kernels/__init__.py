"""Compiled kernels: the hot loops of the engine in machine code, by Numba.

Every one of them has a plain NumPy path beside it that gives the same values; a module asks here
which to take. Numba costs half a second to load, so it is taken for much work alone.

    if are_wanted(len(frames)):
        from contactor.can.kernels.groups import sort_by_lane

    jit.py        how a kernel is compiled, and where the machine code is kept
    MODULES       the modules of kernels; `python -m contactor.can.kernels` compiles all of them
"""

import importlib
import importlib.util
import logging
import os
import sys
from functools import cache

_log = logging.getLogger(__name__)

MODULES: tuple[str, ...] = ("blf", "candump", "decode", "encode", "groups", "mf4")

# Below, loading Numba takes longer than it saves.
MANY_FRAMES = 100_000
# "0" never takes the kernels, "1" always, for tests and for a machine where they misbehave.
SWITCH = "CONTACTOR_KERNELS"


def are_wanted(frames: int) -> bool:
    """Whether to take the compiled path for that many frames.

    True where Numba is loaded already or the frames are many; never where it is not installed, or
    does not load.
    """
    switch = os.environ.get(SWITCH)
    if switch == "0" or not is_installed():
        return False
    is_worth_it = switch == "1" or frames > MANY_FRAMES or "numba" in sys.modules
    return is_worth_it and _loads()


def cores() -> int:
    """As many as this process may use."""
    has_affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1


@cache
def is_installed() -> bool:
    """Whether Numba can be imported."""
    return importlib.util.find_spec("numba") is not None


@cache
def _loads() -> bool:
    """Whether Numba loads; one that does not fit its NumPy or LLVM says so, and is told once."""
    try:
        importlib.import_module("contactor.can.kernels.jit")
    except Exception as error:  # noqa: BLE001  # whatever is wrong with it, NumPy does the work
        reason = " ".join(str(error).split()) or type(error).__name__
        _log.warning("Numba does not load, so all is decoded without compiled code: %s", reason)
        return False
    return True
