"""What every contender of the CAN benchmark prints: one line of JSON."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Where it is set, contenders also say what each signal adds up to, to compare them with ours.
SUMS = "BENCH_SUMS"


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


def peak_memory_mb() -> float:
    """The high-water mark of resident memory, as Linux counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
