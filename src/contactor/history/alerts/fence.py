"""On which side of a circle a car is, and when it has passed it. Pure.

        inside        margin        outside
    ───────────────┤►►►►►►►►►├──────────────► distance
                radius   radius + margin      between the two it is where it was

A side counts once the car was on it for as long as the rule says. The first side that is known is
where the car was: nothing was passed.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

from contactor.clock import NS_PER_DAY
from contactor.history.alerts.events import Row, Tick
from contactor.history.alerts.rules import POSITION, Crossing, OnFence

EARTH_RADIUS_M = 6_371_008.8
"""The mean of WGS 84's axes. Source: IUGG."""
OLD_NS = NS_PER_DAY
LONG_AGO = -(2**62)


class FenceState(Struct, frozen=True, tag="fence"):
    """Where the car is.

    Fields:
        is_inside: the side that counts; None before any is known.
        read_is_inside: the side that was read last; since when, ns.
        read_ts: of the last position, ns.
    """

    is_inside: bool | None = None
    read_is_inside: bool | None = None
    read_since: int = LONG_AGO
    read_ts: int = LONG_AGO


def feed(
    on: OnFence, state: FenceState, event: Row | Tick, now_ns: int, *, holds_ns: int
) -> tuple[FenceState, Crossing | None, int]:
    """The state after an event, and which way the circle was passed, and when (ns)."""
    if isinstance(event, Tick):
        return _counted(state, now_ns, holds_ns)
    side = _side(on, state, event)
    if side is None or event.ts < max(state.read_ts, now_ns - OLD_NS):
        return state, None, 0
    state, crossing, at_ns = _counted(state, event.ts, holds_ns)
    is_new = side is not state.read_is_inside
    since = event.ts if is_new else state.read_since
    state = replace(state, read_is_inside=side, read_since=since, read_ts=event.ts)
    if crossing is not None:
        return state, crossing, at_ns
    return _counted(state, event.ts, holds_ns)


def distance_m(latitude_deg: float, longitude_deg: float, on: OnFence) -> float:
    """From a point to the circle's centre, along the surface."""
    here, there = math.radians(latitude_deg), math.radians(on.latitude_deg)
    across = math.radians(longitude_deg - on.longitude_deg)
    chord = (
        math.sin((here - there) / 2) ** 2
        + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(chord, 1.0)))


def _side(on: OnFence, state: FenceState, row: Row) -> bool | None:
    """Whether a row is inside; None where it does not say."""
    latitude, longitude = (row.values.get(path) for path in POSITION)
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    away_m = distance_m(latitude, longitude, on)
    if away_m <= on.radius_m:
        return True
    if away_m > on.radius_m + on.margin_m:
        return False
    return state.read_is_inside


def _counted(state: FenceState, ts: int, holds_ns: int) -> tuple[FenceState, Crossing | None, int]:
    """Once the side that was read has held long enough, it is the one that counts."""
    side, due_ns = state.read_is_inside, state.read_since + holds_ns
    if side is None or side is state.is_inside or ts < due_ns:
        return state, None, 0
    after = replace(state, is_inside=side)
    if state.is_inside is None:
        return after, None, 0
    return after, Crossing.ENTER if side else Crossing.LEAVE, due_ns
