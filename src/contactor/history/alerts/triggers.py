"""What each kind of rule fires at: its own state and an event in, what fired out. Pure.

    signal     edge-triggered with hysteresis, as a campaign's condition
    fence      the side of the circle, once the car was there long enough
    fact       each trip or charge once
    anomaly    each one once, until it is over
    silence    once, until the car is heard

The key of what fired is made of what happened, never of when it was noticed: the same events told
again after a restart give the same keys.
"""

from typing import TypeAlias

from msgspec import Struct

from contactor.clock import NS_PER_S
from contactor.history.alerts import fence
from contactor.history.alerts.condition import ConditionState, feed
from contactor.history.alerts.events import (
    Anomalies,
    Ended,
    Event,
    Found,
    Row,
    Silence,
    Tick,
    Unknown,
)
from contactor.history.alerts.rules import (
    SEVERITIES,
    How,
    OnAnomaly,
    OnFact,
    OnFence,
    OnSignal,
    OnSilence,
    Severity,
    Trigger,
)

MAX_SEEN = 64


class Firing(Struct, frozen=True):
    """Something happened.

    Fields:
        key: names it; of one rule and car the same key is the same thing.
        at_ns: when it happened.
        words: what there is to say of it, as a value or a distance.
        severity: where it has one of its own.
    """

    key: str
    at_ns: int
    words: str = ""
    severity: Severity | None = None


class SeenState(Struct, frozen=True, tag="seen"):
    """What has fired already, the newest last.

    Fields:
        spans: of facts, from when to when each was, ns.
    """

    keys: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


class SilenceState(Struct, frozen=True, tag="silence"):
    """Since when the car is lost, and whether that was told."""

    since_ns: int | None = None
    is_told: bool = False


TriggerState: TypeAlias = ConditionState | fence.FenceState | SeenState | SilenceState


class Outcome(Struct, frozen=True):
    """What an event did.

    Fields:
        is_over: what fired last, or what fires now, is no longer so.
    """

    state: TriggerState
    fired: tuple[Firing, ...] = ()
    is_over: bool = False


def first_state(on: Trigger) -> TriggerState:
    """Before anything was heard."""
    if isinstance(on, OnSignal):
        return ConditionState.of(on.when)
    if isinstance(on, OnFence):
        return fence.FenceState()
    return SilenceState() if isinstance(on, OnSilence) else SeenState()


def look(on: Trigger, state: TriggerState, event: Event, now_ns: int) -> Outcome:
    """Let a trigger hear an event."""
    if isinstance(on, OnSignal) and isinstance(state, ConditionState):
        return _signal(on, state, event, now_ns)
    if isinstance(on, OnFence) and isinstance(state, fence.FenceState):
        return _fence(on, state, event, now_ns)
    if isinstance(on, OnSilence) and isinstance(state, SilenceState):
        return _silence(on, state, event, now_ns)
    if isinstance(on, OnFact) and isinstance(state, SeenState):
        return _fact(on, state, event)
    if isinstance(on, OnAnomaly) and isinstance(state, SeenState):
        return _anomaly(on, state, event)
    return Outcome(first_state(on))  # the rule is of another kind than it was


def _signal(on: OnSignal, state: ConditionState, event: Event, now_ns: int) -> Outcome:
    if not isinstance(event, Row | Unknown | Tick):
        return Outcome(state)
    after, fired = feed(on.when, state, event, now_ns, holds_ns=_ns(on.holds_s))
    firings = tuple(Firing(str(at_ns), at_ns, words) for at_ns, words in fired)
    return Outcome(after, firings, is_over=after.is_armed and (not state.is_armed or bool(fired)))


def _fence(on: OnFence, state: fence.FenceState, event: Event, now_ns: int) -> Outcome:
    if not isinstance(event, Row | Tick):
        return Outcome(state)
    after, crossing, at_ns = fence.feed(on, state, event, now_ns, holds_ns=_ns(on.holds_s))
    if crossing is None:
        return Outcome(after)
    if crossing is not on.crossing:
        return Outcome(after, is_over=True)
    return Outcome(after, (Firing(str(at_ns), at_ns),))


def _fact(on: OnFact, state: SeenState, event: Event) -> Outcome:
    if not isinstance(event, Ended) or event.fact is not on.fact:
        return Outcome(state)
    is_meant = on.how is How.ENDED or event.is_interrupted is (on.how is How.INTERRUPTED)
    is_known = event.id in state.keys or any(
        start < event.end_ns and event.start_ns < end for start, end in state.spans
    )
    if not is_meant or is_known:
        return Outcome(state)
    spans = (*state.spans, (event.start_ns, event.end_ns))
    seen = SeenState((*state.keys, event.id)[-MAX_SEEN:], spans[-MAX_SEEN:])
    return Outcome(seen, (Firing(event.id, event.end_ns, event.words),))


def _anomaly(on: OnAnomaly, state: SeenState, event: Event) -> Outcome:
    if not isinstance(event, Anomalies):
        return Outcome(state)
    meant = [one for one in event.found if _is_meant(on, one)]
    known = set(state.keys)
    fired = tuple(
        Firing(f"{one.name}:{one.since_ns}", one.since_ns, one.words, one.severity)
        for one in meant
        if one.name not in known
    )
    after = SeenState(tuple(sorted(one.name for one in meant)))
    return Outcome(after, fired, is_over=bool(known) and not after.keys)


def _is_meant(on: OnAnomaly, found: Found) -> bool:
    if on.anomalies and found.kind not in on.anomalies:
        return False
    return SEVERITIES.index(found.severity) >= SEVERITIES.index(on.least)


def _silence(on: OnSilence, state: SilenceState, event: Event, now_ns: int) -> Outcome:
    if isinstance(event, Silence):
        if event.since_ns is None:
            return Outcome(SilenceState(), is_over=state.is_told)
        if state.since_ns is None:
            state = SilenceState(event.since_ns)
    if state.since_ns is None or state.is_told:
        return Outcome(state)
    due_ns = state.since_ns + _ns(on.lost_s)
    if now_ns < due_ns:
        return Outcome(state)
    return Outcome(SilenceState(state.since_ns, is_told=True), (Firing(str(due_ns), due_ns),))


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
