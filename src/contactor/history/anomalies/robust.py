"""Statistics that a few wild values do not move: medians, spreads, days.

low, high = band(values, floor=0.15)        # median -+ 6 spreads, at least 0.15 wide on each side
"""

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_DAY

Floats = NDArray[np.float64]

SPREADS = 6.0
"""How many spreads from the median is odd: of normal values one in 10^9."""
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, of normal values."""


def spread(values: Floats) -> float:
    """How far values lie from their median, as a standard deviation; of none 0."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0
    return float(MAD_TO_SIGMA * np.median(np.abs(known - np.median(known))))


def band(values: Floats, *, floor: float) -> tuple[float, float]:
    """Where more of such values are expected; `floor` is the least distance from the median."""
    middle = float(np.nanmedian(values))
    width = max(SPREADS * spread(values), floor)
    return middle - width, middle + width


def days_of(ts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The UTC days of sorted stamps, ns (d,), and where each begins, with the end (d + 1,)."""
    if not len(ts):
        return np.zeros(0, np.int64), np.zeros(1, np.int64)
    day = ts // NS_PER_DAY
    begins = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
    return day[begins] * NS_PER_DAY, np.r_[begins, len(ts)]


def last_run(is_so: NDArray[np.bool_]) -> int:
    """How many at the end are so without a break."""
    breaks = np.flatnonzero(~is_so)
    return len(is_so) if not len(breaks) else int(len(is_so) - 1 - breaks[-1])
