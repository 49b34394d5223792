"""What every contender of the CAN benchmark prints: one line of JSON."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Where it is set, contenders also say what each signal adds up to, to compare them with ours.
SUMS = "BENCH_SUMS"


# As much as the greediest contender asks for.
MEMORY_BYTES = 2 * 1024**3

Columns = Mapping[str, Any]


def tell(seconds: float, frames: int, columns: Callable[[], Columns] | None = None) -> None:
    """Print frames, readings, seconds and the greatest memory this process ever had.

    Args:
        columns: the values of each signal by `Message.Signal`, asked for after the clock stopped.
    """
    peak_mb = peak_memory_mb()
    facts: dict[str, Any] = {"seconds": seconds, "frames": frames, "peak_mb": peak_mb}
    if columns:
        made = columns()
        facts["signals"] = sum(map(len, made.values()))
        if os.environ.get(SUMS):
            facts["sums"] = {
                name: (len(values), float(np.sum(values, dtype=np.float64)))
                for name, values in made.items()
            }
    print(json.dumps(facts))


def begin() -> float:
    """Start the clock, the machine's memory at hand.

    A virtual machine gives what is unused back to its host within seconds, and to have it again
    takes seconds a gigabyte: without this the host would be measured, not the program. The
    high-water mark of memory begins anew.
    """
    assert np.ones(MEMORY_BYTES, np.uint8)[-1]  # in huge pages, as NumPy asks for later
    Path("/proc/self/clear_refs").write_text("5")
    return time.perf_counter()


def peak_memory_mb() -> float:
    """The high-water mark of resident memory, as Linux counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
