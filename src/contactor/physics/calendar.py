"""Where a car goes on a day: drives one after another, each from where the one before it ended.

    drives = arrange(scenario.wishes(seed=1, day=20_000), ways=scenario.ways, name="1", ...)
    drives[0].start_ns, drives[0].end_ns, drives[0].to_place

A wish to leave a place where the car is not is dropped; one that comes too early waits.
"""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from contactor.physics.road import Place, Way
from contactor.physics.trace import USUAL, Style, Trace, drive_along

# contactor.clock says the same; it waits and asks the time, which nothing here may import.
NS_PER_S = 1_000_000_000
EPOCH = dt.date(1970, 1, 1)
NS_PER_DAY = 86_400 * NS_PER_S
LOCAL_NS = 3600 * NS_PER_S  # UTC+1, all year
MINUTE_NS = 60 * NS_PER_S
# At least this long between two drives, where nothing else is said.
PAUSE_S = 120.0


class Wish(NamedTuple):
    """To leave one place for another, not before a time, and some time after arriving there."""

    not_before_ns: int
    from_place: Place
    to_place: Place
    stay_s: float = PAUSE_S


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive, from `start_ns` on."""

    start_ns: int
    from_place: Place
    to_place: Place
    way: Way
    trace: Trace

    @property
    def end_ns(self) -> int:
        """When the car is at rest at its end."""
        return self.start_ns + int(self.trace.duration_s * NS_PER_S)

    def without_halt(self, now_ns: int, *, left_s: float) -> "Drive":
        """The drive, where a halt of that moment lasts only `left_s` more."""
        time_s = (now_ns - self.start_ns) / NS_PER_S
        ends_s = self.trace.waiting_ends_s(time_s)
        if ends_s is None or ends_s - time_s <= left_s:
            return self
        return replace(self, trace=self.trace.sooner(time_s, ends_s - time_s - left_s))


def day_of(ts_ns: int) -> int:
    """The local day of a moment, counted from 1970-01-01."""
    return (ts_ns + LOCAL_NS) // NS_PER_DAY


def start_of(day: int) -> int:
    """When a local day begins."""
    return day * NS_PER_DAY - LOCAL_NS


def arrange(
    wishes: list[Wish],
    *,
    ways: Mapping[tuple[Place, Place], Way],
    name: str,
    place: Place,
    free_ns: int,
    style: Style = USUAL,
) -> list[Drive]:
    """The drives that come of wishes, for a car that is at `place` and free from `free_ns` on.

    Args:
        name: what the drives' dice are thrown for: other names, other drives.
        style: how the driver drives.
    """
    drives: list[Drive] = []
    for wish in wishes:
        if wish.from_place != place:
            continue
        start_ns = max(wish.not_before_ns, free_ns + int(wish.stay_s * NS_PER_S))
        way = ways[wish.from_place, wish.to_place]
        trace = drive_along(way, random.Random(f"drive {name} {start_ns}"), style)
        drive = Drive(start_ns, wish.from_place, wish.to_place, way, trace)
        drives.append(drive)
        place, free_ns = wish.to_place, drive.end_ns
    return drives
