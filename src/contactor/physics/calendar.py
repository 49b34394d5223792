"""Where a car goes on a day: drives one after another, each from where the one before it ended.

    drives = arrange(wishes_of(seed=1, day=20_000), name="1", place="home", free_ns=...)
    drives[0].start_ns, drives[0].end_ns, drives[0].to_place

On weekdays to work and back, with a shop now and then and a fast charge on the way once a week; at
the weekend a shop or the mountain. A wish to leave a place where the car is not is dropped; one
that comes too early waits.
"""

import random
from dataclasses import dataclass, replace
from typing import NamedTuple

from contactor.physics.road import HOME, MOUNTAIN, SHOP, STATION, WORK, Place, Way, roads
from contactor.physics.trace import Trace, drive_along

# contactor.clock says the same; it waits and asks the time, which nothing here may import.
NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
LOCAL_NS = 3600 * NS_PER_S  # UTC+1, all year
MINUTE_NS = 60 * NS_PER_S
THURSDAY = 3  # 1970-01-01
SATURDAY = 5
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


def is_plugged_in(*, seed: int, day: int) -> bool:
    """Whether the car is plugged in at home after that day's last drive: about every other day."""
    return (day + seed) % 2 == 0


def wishes_of(*, seed: int, day: int) -> list[Wish]:
    """What the calendar says of a day."""
    source = random.Random(f"calendar {seed} {day}")
    weekday = (day + THURSDAY) % 7
    start_ns = start_of(day)

    def about(hour: float, spread_minutes: float = 8.0) -> int:
        minutes = hour * 60 + source.uniform(-spread_minutes, spread_minutes)
        return start_ns + int(minutes * MINUTE_NS)

    if weekday >= SATURDAY:
        goal = MOUNTAIN if (day // 7 + weekday + seed) % 2 else SHOP
        stay_s = source.uniform(1800, 9000) if goal == MOUNTAIN else source.uniform(1500, 4000)
        leaves_ns = about(11.5, 45.0)
        return [Wish(leaves_ns, HOME, goal), Wish(leaves_ns, goal, HOME, stay_s)]
    wishes = [Wish(about(7.5), HOME, WORK)]
    leaves_ns = about(17.0, 15.0)
    if weekday == seed % 5:
        wishes.append(Wish(leaves_ns, WORK, STATION))
        wishes.append(Wish(leaves_ns, STATION, HOME, source.uniform(1080, 1500)))
    else:
        wishes.append(Wish(leaves_ns, WORK, HOME))
    if source.random() < 0.4:
        leaves_ns = about(19.2, 20.0)
        wishes.append(Wish(leaves_ns, HOME, SHOP))
        wishes.append(Wish(leaves_ns, SHOP, HOME, source.uniform(1200, 2400)))
    return wishes


def wishes_from(place: Place, *, now_ns: int, seed: int) -> list[Wish]:
    """A drive that begins at once: home, or from home to the shop and back."""
    if place != HOME:
        return [Wish(now_ns, place, HOME, 0.0)]
    stay_s = random.Random(f"at once {seed} {now_ns}").uniform(600, 900)
    return [Wish(now_ns, HOME, SHOP, 0.0), Wish(now_ns, SHOP, HOME, stay_s)]


def arrange(wishes: list[Wish], *, name: str, place: Place, free_ns: int) -> list[Drive]:
    """The drives that come of wishes, for a car that is at `place` and free from `free_ns` on.

    Args:
        name: what the drives' dice are thrown for: other names, other drives.
    """
    drives: list[Drive] = []
    for wish in wishes:
        if wish.from_place != place:
            continue
        start_ns = max(wish.not_before_ns, free_ns + int(wish.stay_s * NS_PER_S))
        way = roads()[wish.from_place, wish.to_place]
        trace = drive_along(way, random.Random(f"drive {name} {start_ns}"))
        drive = Drive(start_ns, wish.from_place, wish.to_place, way, trace)
        drives.append(drive)
        place, free_ns = wish.to_place, drive.end_ns
    return drives
