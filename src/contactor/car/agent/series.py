"""Readings of one signal laid on time: what the samplers work on.

series_of(frames.ts, profile.map.read(columns))     # one Series per signal, sorted by time
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.car.profiles.mapping import Reading


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """k readings of one signal in time order.

    Fields:
        path: the catalogue's path.
        ts: int64 (k,) ns UTC, never decreasing.
        values: (k,), the signal's dtype; object for text and arrays.
        state: uint8 (k,), a `State` each.
    """

    path: str
    ts: NDArray[np.int64]
    values: NDArray[np.generic]
    state: NDArray[np.uint8]

    def take(self, rows: NDArray[np.int64] | slice) -> "Series":
        """The readings at `rows`, in that order."""
        return Series(self.path, self.ts[rows], self.values[rows], self.state[rows])


def series_of(frame_ts: NDArray[np.int64], readings: Iterable[Reading]) -> list[Series]:
    """Each signal's readings by time; the order of the recording breaks ties.

    Args:
        frame_ts: int64 (n,) ns UTC, the instants of the frames that `readings` point into.
    """
    if bool((frame_ts[1:] >= frame_ts[:-1]).all()):
        return [
            Series(reading.path, frame_ts[reading.rows], reading.values, reading.state)
            for reading in readings
            if len(reading.rows)
        ]
    made = []
    for reading in readings:
        ts = frame_ts[reading.rows]
        if not len(ts):
            continue
        order = np.argsort(ts, kind="stable")
        made.append(Series(reading.path, ts[order], reading.values[order], reading.state[order]))
    return made


def merge_series(parts: Sequence[Series]) -> Series:
    """All of one signal in time order; of equal instants the earlier parts come first."""
    if len(parts) == 1:
        return parts[0]
    joined = Series(
        parts[0].path,
        np.concatenate([one.ts for one in parts]),
        np.concatenate([one.values for one in parts]),
        np.concatenate([one.state for one in parts]),
    )
    if bool((joined.ts[1:] >= joined.ts[:-1]).all()):
        return joined
    return joined.take(np.argsort(joined.ts, kind="stable"))
