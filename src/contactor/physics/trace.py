"""How fast one drives along a road: pieces of constant acceleration, made of seeded stretches.

    trace = drive_along(way, random.Random(1))
    trace.at(60.0)          # (speed_mps, distance_m) a minute after the start
    trace.duration_s        # it begins and ends at rest, and its distance is the road's

Speeds at the ends of stretches are lowered until every stretch can be driven within its own
acceleration and deceleration, first forwards, then backwards.
"""

import math
import random
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.road import Way, Zone

TOWN_KMH = 60.0
# How often a crossing is a halt, or is only passed slowly.
HALTS, SLOWS = 0.45, 0.35
LEAST_STRETCH_M = 120.0


class Style(NamedTuple):
    """How someone drives, as ratios to what is usual.

    Fields:
        speed: of the limit; acceleration: and deceleration.
    """

    speed: float = 1.0
    acceleration: float = 1.0


USUAL = Style()


class Stretch(NamedTuple):
    """A part of a drive with one wish for speed.

    Fields:
        end_mps: the most at its end.
        wait_s: how long the car then stands, where it ends at rest.
    """

    length_m: float
    cruise_mps: float
    end_mps: float
    wait_s: float
    acceleration_mps2: float
    deceleration_mps2: float


class Piece(NamedTuple):
    """Constant acceleration from `start_s` on."""

    start_s: float
    distance_m: float
    speed_mps: float
    acceleration_mps2: float


class Trace:
    """Speed and distance over the time since the start of a drive."""

    __slots__ = ("_pieces", "_starts", "duration_s", "length_m")

    def __init__(self, pieces: list[Piece], *, duration_s: float, length_m: float) -> None:
        self._pieces = pieces
        self._starts = [piece.start_s for piece in pieces]
        self.duration_s = duration_s
        self.length_m = length_m

    def at(self, time_s: float) -> tuple[float, float]:
        """Speed and distance; at rest before the start and after the end."""
        if time_s >= self.duration_s:
            return 0.0, self.length_m
        if time_s <= 0:
            return 0.0, 0.0
        start_s, distance_m, speed, acceleration = self._pieces[
            bisect_right(self._starts, time_s) - 1
        ]
        time_s -= start_s
        now = speed + acceleration * time_s
        return max(now, 0.0), distance_m + (speed + now) / 2 * time_s

    def speeds_mps(self, times_s: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
        """The speed at each of some ascending times, (n,)."""
        starts_s, _, speeds, accelerations = np.array(self._pieces, np.float64).T
        place = np.maximum(np.searchsorted(starts_s, times_s, "right") - 1, 0)
        reached = speeds[place] + accelerations[place] * (times_s - starts_s[place])
        return np.where(times_s < self.duration_s, np.maximum(reached, 0.0), 0.0)

    def waiting_ends_s(self, time_s: float) -> float | None:
        """When the halt of that moment ends; None where the car moves."""
        if not 0 < time_s < self.duration_s:
            return None
        index = bisect_right(self._starts, time_s) - 1
        piece = self._pieces[index]
        if piece.speed_mps > 0 or piece.acceleration_mps2 > 0 or index + 1 == len(self._pieces):
            return None
        return self._pieces[index + 1].start_s

    def sooner(self, after_s: float, by_s: float) -> "Trace":
        """The same drive, with all that begins after `after_s` sooner by `by_s`."""
        pieces = [
            piece._replace(start_s=piece.start_s - by_s) if piece.start_s > after_s else piece
            for piece in self._pieces
        ]
        return Trace(pieces, duration_s=self.duration_s - by_s, length_m=self.length_m)


def drive_along(way: Way, source: random.Random, style: Style = USUAL) -> Trace:
    """A drive along the whole of `way`."""
    stretches = _stretches(way, source, style)
    ends = _reachable(stretches)
    pieces: list[Piece] = []
    time_s, done_m = 0.0, 0.0
    for stretch, (first, last) in zip(stretches, pairwise(ends), strict=True):
        up, down = stretch.acceleration_mps2, stretch.deceleration_mps2
        length_m = stretch.length_m
        # The top speed where there is no room to cruise: v² = (2 a d s + d v0² + a v1²) / (a + d).
        top = (2 * up * down * length_m + down * first**2 + up * last**2) / (up + down)
        top = max(min(math.sqrt(top), stretch.cruise_mps), first, last)
        parts = (
            (top - first, up, (top**2 - first**2) / (2 * up)),
            (last - top, down, (top**2 - last**2) / (2 * down)),
        )
        cruise_m = max(0.0, length_m - parts[0][2] - parts[1][2])
        begin_m = done_m
        for change, rate, part_m in (parts[0], (0.0, 0.0, cruise_m), parts[1]):
            lasts_s = abs(change) / rate if rate else part_m / top
            if lasts_s > 0:
                speed = first if change > 0 else top
                pieces.append(Piece(time_s, done_m, speed, math.copysign(rate, change)))
            time_s += lasts_s
            done_m += part_m
        done_m = begin_m + length_m
        if stretch.wait_s:
            pieces.append(Piece(time_s, done_m, 0.0, 0.0))
            time_s += stretch.wait_s
    return Trace(pieces, duration_s=time_s, length_m=way.length_m)


def _stretches(way: Way, source: random.Random, style: Style) -> list[Stretch]:
    stretches: list[Stretch] = []
    start_m = 0.0
    for zone in way.zones:
        left_m = zone.until_m - start_m
        while left_m > 0:
            mean_m = zone.stops_every_m or 1_500.0
            length_m = mean_m * source.uniform(0.6, 1.4)
            if left_m - length_m < LEAST_STRETCH_M:
                length_m = left_m
            stretches.append(_stretch(zone, length_m, source, style))
            left_m -= length_m
        start_m = zone.until_m
    stretches[-1] = stretches[-1]._replace(end_mps=0.0, wait_s=0.0)
    return stretches


def _stretch(zone: Zone, length_m: float, source: random.Random, style: Style) -> Stretch:
    cruise_mps = zone.limit_kmh / KMH_PER_MPS * source.uniform(0.88, 1.0) * style.speed
    is_town = zone.limit_kmh < TOWN_KMH
    end_mps, wait_s = cruise_mps, 0.0
    luck = source.random() if zone.stops_every_m else 1.0
    if luck < (HALTS if is_town else HALTS / 3):
        end_mps, wait_s = 0.0, source.uniform(5.0, 30.0)
    elif luck < HALTS + SLOWS:
        end_mps = cruise_mps * source.uniform(0.45, 0.8)
    return Stretch(
        length_m=length_m,
        cruise_mps=cruise_mps,
        end_mps=end_mps,
        wait_s=wait_s,
        acceleration_mps2=style.acceleration
        * (source.uniform(1.2, 2.0) if is_town else source.uniform(0.9, 1.3)),
        deceleration_mps2=style.acceleration
        * (source.uniform(1.1, 1.9) if is_town else source.uniform(0.9, 1.3)),
    )


def _reachable(stretches: list[Stretch]) -> list[float]:
    """The speeds at the ends of all stretches, (n + 1,), that can be driven."""
    ends = [0.0]
    for stretch, following in zip(stretches, [*stretches[1:], None], strict=True):
        most = min(stretch.end_mps, stretch.cruise_mps)
        if following is not None:
            most = min(most, following.cruise_mps)
        gained = 2 * stretch.acceleration_mps2 * stretch.length_m
        ends.append(min(most, math.sqrt(ends[-1] ** 2 + gained)))
    for index in range(len(stretches) - 1, -1, -1):
        stretch = stretches[index]
        lost = 2 * stretch.deceleration_mps2 * stretch.length_m
        ends[index] = min(ends[index], math.sqrt(ends[index + 1] ** 2 + lost))
    return ends
