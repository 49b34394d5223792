"""On which side of a fence a car is, and when it has passed it. Pure.

        inside        margin        outside
    ───────────────┤►►►►►►►►►├──────────────► distance
                 edge        edge + margin    between the two it is where it was

A side counts once the car was on it for as long as the rule says. The first side that is known is
where the car was: nothing was passed.
"""

from msgspec import Struct
from msgspec.structs import replace

from contactor.clock import NS_PER_DAY
from contactor.history.alerts.events import Row, Tick
from contactor.history.alerts.rules import POSITION, Crossing, OnFence, fence_of
from contactor.history.facts import Location
from contactor.history.geofence import step

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
    """The state after an event, and which way the fence was passed, and when (ns)."""
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


def _side(on: OnFence, state: FenceState, row: Row) -> bool | None:
    """Whether a row is inside; None where it does not say."""
    latitude, longitude = (row.values.get(path) for path in POSITION)
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    here = Location(latitude, longitude)
    is_inside, _ = step(fence_of(on), state.read_is_inside, here, leave_margin_m=on.margin_m)
    return is_inside


def _counted(state: FenceState, ts: int, holds_ns: int) -> tuple[FenceState, Crossing | None, int]:
    """Once the side that was read has held long enough, it is the one that counts."""
    side, due_ns = state.read_is_inside, state.read_since + holds_ns
    if side is None or side is state.is_inside or ts < due_ns:
        return state, None, 0
    after = replace(state, is_inside=side)
    if state.is_inside is None:
        return after, None, 0
    return after, Crossing.ENTER if side else Crossing.LEAVE, due_ns
