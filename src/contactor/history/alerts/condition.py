"""When claims that hold together become true: edge-triggered, with hysteresis. Pure.

    value     16   14   17   14   21   14         below = 15, rearm = 20
    fires          *                   *
    armed     yes  no   no   no   yes  no

The rules are those of a campaign's condition in the car. Here they are told row by row, and how
long a value holds is known to the twin: what is no longer known it says so. A row that is a day old
says nothing of now, nor does one that is older than what was read before.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.history.alerts.events import Row, Tick, Unknown
from contactor.signals.campaign import Claim
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import GROUP_RULES
from contactor.signals.record import Value

OLD_NS = NS_PER_DAY
LONG_AGO = -(2**62)


class Says(IntEnum):
    """What a value says of a claim."""

    NOTHING = 0
    BETWEEN = 1
    TRUE = 2
    FALSE = 3


class ConditionState(Struct, frozen=True, tag="condition"):
    """What is known of the claims.

    Fields:
        says, read_ts, values: of each claim, the last that was read.
        true_since: since when all hold, ns.
        is_armed: whether it may fire; False where it has and was not false since.
    """

    says: tuple[Says, ...]
    read_ts: tuple[int, ...]
    values: tuple[Value | None, ...]
    true_since: int | None = None
    is_armed: bool = True

    @classmethod
    def of(cls, claims: Sequence[Claim]) -> Self:
        """Nothing is known."""
        count = len(claims)
        return cls((Says.NOTHING,) * count, (LONG_AGO,) * count, (None,) * count)


Fired = tuple[int, str]
"""The instant, ns, and the values in words."""


def feed(
    claims: Sequence[Claim],
    state: ConditionState,
    event: Row | Unknown | Tick,
    now_ns: int,
    *,
    holds_ns: int,
) -> tuple[ConditionState, list[Fired]]:
    """The state after an event, and the instants at which the condition fired."""
    fired: list[Fired] = []
    if len(state.says) != len(claims):
        state = ConditionState.of(claims)
    if isinstance(event, Row):
        if event.ts < now_ns - OLD_NS or not any(one.signal in event.values for one in claims):
            return state, fired
        state = _fired_until(claims, _forgotten(claims, state, event.ts), event.ts, holds_ns, fired)
        state = _read(claims, state, event)
        state = _looked(state, max(state.read_ts))
        return _fired_until(claims, state, event.ts, holds_ns, fired), fired
    if isinstance(event, Unknown):
        says = tuple(
            Says.NOTHING if claim.signal in event.paths else one
            for claim, one in zip(claims, state.says, strict=True)
        )
        return _looked(replace(state, says=says), now_ns), fired
    return _fired_until(claims, state, now_ns, holds_ns, fired), fired


def says_of(claim: Claim, value: Value | None) -> Says:
    """What a value says of a claim; None is "not available"."""
    if value is None or isinstance(value, tuple):
        return Says.NOTHING
    if claim.equals is not None:
        return Says.TRUE if value == claim.equals else Says.FALSE
    if isinstance(value, str) or value != value:  # noqa: PLR0124  # not a number
        return Says.NOTHING
    if claim.below is not None:
        rearm = claim.below if claim.rearm is None else claim.rearm
        is_true, is_false = value < claim.below, value >= rearm
    else:
        assert claim.above is not None  # `check_claim` saw to it
        rearm = claim.above if claim.rearm is None else claim.rearm
        is_true, is_false = value > claim.above, value <= rearm
    return Says.TRUE if is_true else Says.FALSE if is_false else Says.BETWEEN


def _read(claims: Sequence[Claim], state: ConditionState, row: Row) -> ConditionState:
    says, read_ts, values = list(state.says), list(state.read_ts), list(state.values)
    for place, claim in enumerate(claims):
        if claim.signal in row.values and row.ts >= read_ts[place]:
            value = row.values[claim.signal]
            says[place], read_ts[place], values[place] = says_of(claim, value), row.ts, value
    return replace(state, says=tuple(says), read_ts=tuple(read_ts), values=tuple(values))


def _forgotten(claims: Sequence[Claim], state: ConditionState, ts: int) -> ConditionState:
    """What was read so long before `ts` that the car must have been away says nothing."""
    says = tuple(
        one if ts - read_ts <= known_ns(claim) else Says.NOTHING
        for claim, one, read_ts in zip(claims, state.says, state.read_ts, strict=True)
    )
    if says == state.says:
        return state
    return _looked(replace(state, says=says), ts)


def known_ns(claim: Claim) -> int:
    """How long a value holds: what does not change is told at the heartbeat."""
    rule = GROUP_RULES[catalogue()[claim.signal].group]
    return round((rule.heartbeat_s + rule.stale_s) * NS_PER_S)


def _looked(state: ConditionState, ts: int) -> ConditionState:
    is_armed = state.is_armed or Says.FALSE in state.says
    if any(one is not Says.TRUE for one in map(Says, state.says)):
        return replace(state, is_armed=is_armed, true_since=None)
    since = ts if state.true_since is None else state.true_since
    return replace(state, is_armed=is_armed, true_since=since)


def _fired_until(
    claims: Sequence[Claim], state: ConditionState, ts: int, holds_ns: int, fired: list[Fired]
) -> ConditionState:
    if not state.is_armed or state.true_since is None or ts < state.true_since + holds_ns:
        return state
    fired.append((state.true_since + holds_ns, words_of(claims, state.values)))
    return replace(state, is_armed=False)


def words_of(claims: Sequence[Claim], values: Sequence[Value | None]) -> str:
    """The values of the claims' signals, as people read them."""
    parts = []
    for claim, value in zip(claims, values, strict=True):
        unit = catalogue()[claim.signal].unit
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        parts.append(f"{claim.signal} {shown}" + (f" {unit}" if unit else ""))
    return ", ".join(parts)
