"""Frames to rows, whatever they come from: decode → map → sampler.

road = Road(profile, sampling=Sampling.EVERY, origin_ns=first_ts)
rows = road.feed(frames)            # list[Rows]
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.agent.instants import InstantSampler
from contactor.car.agent.rules import SignalRule
from contactor.car.agent.sampler import ProfileSampler
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.series import Series, series_of
from contactor.car.profiles.lists import ListCollector
from contactor.car.profiles.mapping import SignalMap
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.signals.record import Rows

SET_BACK_NS = 60 * NS_PER_S
"""A step back in time longer than this is a clock that was set; a shorter one is jitter."""
GATHER_NS = 250 * NS_PER_MS
"""What a live car's frames span before they are read: three batches of 100 ms in one step, which
costs little more than one."""


class Road:
    """Owns the sampling state of one car; counts the values it had to refuse, by reason.

    Args:
        on_read: is shown all that the car says, before it is sampled.
        gather_ns: frames wait until they span so much, and are read together then.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        sampling: Sampling,
        origin_ns: int,
        on_read: Callable[[Sequence[Series]], None] | None = None,
        gather_ns: int = 0,
    ) -> None:
        self._map = profile.map
        self._on_read = on_read
        self._plan = compile_plan(
            profile.database, signals=self._map.plan_signals, unavailable=self._map.unavailable
        )
        self._sampler: InstantSampler | ProfileSampler
        if sampling is Sampling.EVERY:
            self._sampler = InstantSampler(self._map.group_of)
        else:
            self._sampler = ProfileSampler(rules_of(self._map), origin_ns=origin_ns)
        self._lists = ListCollector(self._map.lists)
        self._last_ts: int | None = None
        self._gather_ns = gather_ns
        self._gathered: list[FrameTable] = []
        self.refused: Counter[str] = Counter()

    def feed(self, frames: FrameTable) -> Iterator[list[Rows]]:
        """The rows that these frames make due, at most one `Rows` per group at a time.

        Where the source's clock was set back, what is under way is finished first, and the frames
        after it begin anew.
        """
        for piece in between_set_backs(frames):
            if self._last_ts is not None and int(piece.ts[0]) < self._last_ts - SET_BACK_NS:
                if self._gathered:
                    yield self.settle()
                yield self.finish()
            self._last_ts = int(piece.ts[-1])
            self._gathered.append(piece)
            if self._last_ts - int(self._gathered[0].ts[0]) >= self._gather_ns:
                yield self.settle()

    def read(self, ts: NDArray[np.int64], columns: Sequence[SignalColumn]) -> list[Rows]:
        """The rows that decoded values make due.

        Args:
            ts: int64 (n,) ns UTC, the instants that the columns' rows point into.
            columns: decoded with the map's signals and "not available" values.
        """
        readings = [*self._map.read(columns), *self._lists.feed(ts, columns)]
        for reading in readings:
            if reading.refused:
                self.refused[f"{reading.path} out of range"] += reading.refused
        series = series_of(ts, readings)
        if self._on_read is not None:
            self._on_read(series)
        return self._sampler.feed(series)

    def settle(self) -> list[Rows]:
        """The rows that the frames gathered so far make due."""
        if not self._gathered:
            return []
        frames = FrameTable.concat(self._gathered)
        self._gathered.clear()
        return self.read(frames.ts, decode_columns(frames, self._plan))

    def finish(self) -> list[Rows]:
        """The rows still under way, when no more frames come; `settle` first."""
        self._lists.clear()
        return self._sampler.finish()


def between_set_backs(frames: FrameTable) -> Iterator[FrameTable]:
    """The frames in pieces within which no clock was set back."""
    cuts = np.flatnonzero(np.diff(frames.ts) < -SET_BACK_NS) + 1
    for start, end in pairwise([0, *cuts.tolist(), len(frames)]):
        if start < end:
            yield frames.take(slice(start, end))


def rules_of(signal_map: SignalMap) -> dict[str, SignalRule]:
    """The sampler's rule for each signal that a profile maps."""
    return {
        path: SignalRule(
            group=signal_map.group_of(path),
            stale_ns=round(signal_map.stale_s_of(path) * NS_PER_S),
            is_mean=signal_map.is_mean(path),
        )
        for path in signal_map.paths
    }
