"""Many weak measurements of a capacity that slowly falls, fused to one with an honest band.

    counted = capacity · change + nuisance · lever + noise

`counted` is the charge (or energy) of a session, `change` that of the state of charge. The nuisance
is what all sessions share: the offset of the current's sensor, whose lever is the hours, or what
the battery loses, whose lever is the size of the change. A Kalman filter follows both; the capacity
wanders. How fast it wanders and by how much the sessions are worse than they say is not known, so
the filter runs for each of some guesses, and the answers are weighed by how well each foretold the
sessions.

A session far from what is expected is set aside; three in a row that agree with each other are not
outliers: something changed, and the capacity is free to move there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DAY_NS = 86_400e9
# Of the capacity, for each root of a day: 0.2 % to 4 % a year as a random walk.
WANDERS = (1e-4, 3e-4, 1e-3, 2e-3)
SCATTERS = (0.4, 0.7, 1.0, 1.5, 2.5, 4.0)
# In standard deviations; of so many, the third is believed.
OUTLIER = 4.0
AGREEING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One session; `sigma` is of `counted`."""

    ts_ns: int
    counted: float
    change: float
    lever: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Nuisance:
    """What is believed of it before the first session."""

    mean: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Fused:
    """The capacity after a session, with its standard deviation."""

    ts_ns: int
    value: float
    sigma: float
    is_used: bool


@dataclass(slots=True)
class _Track:
    log_likelihood: float
    values: list[float]
    variances: list[float]
    used: list[bool]


def fuse(observations: Sequence[Observation], nuisance: Nuisance) -> list[Fused]:
    """Fuse sessions in the order of time, which must be given so.

    Returns:
        The capacity as it was known after each of them.
    """
    if not observations:
        return []
    guess = _median([one.counted / one.change for one in observations])
    tracks = [
        _follow(observations, nuisance, guess, wander, scatter)
        for wander in WANDERS
        for scatter in SCATTERS
    ]
    best = max(track.log_likelihood for track in tracks)
    weights = [math.exp(track.log_likelihood - best) for track in tracks]
    whole = sum(weights)
    fused = []
    for index, one in enumerate(observations):
        mean = sum(w * t.values[index] for w, t in zip(weights, tracks, strict=True)) / whole
        variance = (
            sum(
                w * (t.variances[index] + (t.values[index] - mean) ** 2)
                for w, t in zip(weights, tracks, strict=True)
            )
            / whole
        )
        used = sum(w for w, t in zip(weights, tracks, strict=True) if t.used[index])
        fused.append(Fused(one.ts_ns, mean, math.sqrt(variance), used * 2 > whole))
    return fused


def _follow(
    observations: Sequence[Observation],
    nuisance: Nuisance,
    guess: float,
    wander: float,
    scatter: float,
) -> _Track:
    """One filter; a two by two covariance, written out."""
    value, shared = guess, nuisance.mean
    p_vv, p_vs, p_ss = (0.5 * guess) ** 2, 0.0, nuisance.sigma**2
    track = _Track(0.0, [], [], [])
    before_ns, streak = observations[0].ts_ns, [0.0]
    for one in observations:
        p_vv += (wander * guess) ** 2 * max(one.ts_ns - before_ns, 0) / DAY_NS
        before_ns = one.ts_ns
        noise = (one.sigma * scatter) ** 2
        left = one.counted - value * one.change - shared * one.lever
        g_v, g_s = p_vv * one.change + p_vs * one.lever, p_vs * one.change + p_ss * one.lever
        spread = one.change * g_v + one.lever * g_s + noise
        away = left / math.sqrt(spread)
        is_used = abs(away) <= OUTLIER
        if not is_used:
            # Charge and drive err to opposite signs where the capacity is not what it was.
            side = math.copysign(1.0, left * one.change)
            streak = [*streak, side] if streak[-1] == side else [side]
            if len(streak) >= AGREEING:
                p_vv += (0.3 * guess) ** 2
                g_v = p_vv * one.change + p_vs * one.lever
                spread = one.change * g_v + one.lever * g_s + noise
                away, is_used = left / math.sqrt(spread), True
        if is_used:
            streak = [0.0]
            k_v, k_s = g_v / spread, g_s / spread
            value, shared = value + k_v * left, shared + k_s * left
            p_vv, p_vs, p_ss = p_vv - k_v * g_v, p_vs - k_v * g_s, p_ss - k_s * g_s
        # An outlier tells the guesses apart no more than the bound does: it may be anything.
        bounded = min(abs(away), OUTLIER)
        track.log_likelihood -= 0.5 * (bounded * bounded + math.log(spread))
        track.values.append(value)
        track.variances.append(p_vv)
        track.used.append(is_used)
    return track


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
