"""Frames to rows, whatever they come from: decode → map → sampler.

road = Road(profile, sampling=Sampling.EVERY, origin_ns=first_ts)
rows = road.feed(frames)            # list[Rows]
"""

from collections import Counter
from enum import StrEnum

from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.agent.instants import InstantSampler
from contactor.car.agent.sampler import ProfileSampler, SignalRule
from contactor.car.agent.series import series_of
from contactor.car.profiles.mapping import SignalMap
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_S
from contactor.signals.record import Rows


class Sampling(StrEnum):
    """Which instants are kept: every one, or those that the rules of the groups choose."""

    EVERY = "every"
    PROFILE = "profile"


class Road:
    """Owns the sampling state of one car; counts the values it had to refuse, by reason."""

    def __init__(self, profile: Profile, *, sampling: Sampling, origin_ns: int) -> None:
        self._map = profile.map
        self._plan = compile_plan(
            profile.database, signals=self._map.plan_signals, unavailable=self._map.unavailable
        )
        self._sampler: InstantSampler | ProfileSampler
        if sampling is Sampling.EVERY:
            self._sampler = InstantSampler(self._map.group_of)
        else:
            self._sampler = ProfileSampler(rules_of(self._map), origin_ns=origin_ns)
        self.refused: Counter[str] = Counter()

    def feed(self, frames: FrameTable) -> list[Rows]:
        """The rows that these frames make due, at most one `Rows` per group."""
        readings = self._map.read(decode_columns(frames, self._plan))
        for reading in readings:
            if reading.refused:
                self.refused[f"{reading.path} out of range"] += reading.refused
        return self._sampler.feed(series_of(frames.ts, readings))

    def finish(self) -> list[Rows]:
        """The rows still under way, when no more frames come."""
        return self._sampler.finish()


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
