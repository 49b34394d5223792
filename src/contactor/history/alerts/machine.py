"""One rule and one car: an event in, what somebody is to be told out. Pure.

    event ─► trigger ─► fired ─► too many? ─► quiet hours? ─► Fired(send_at_ns)
                          │
                          └► open ─► acknowledged, or over
                               └► every remind_s: told again

A fired alert is always kept. It is sent now, when the quiet hours end, or, where too many were, not
at all; the next that is sent says how many were not.

    state, fired = step(rule, RuleState.first(rule), event, now_ns)
"""

from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from contactor.clock import NS_PER_S
from contactor.history.alerts.events import Acknowledged, Event
from contactor.history.alerts.quiet import sending_ns
from contactor.history.alerts.rules import Rule, Severity
from contactor.history.alerts.triggers import (
    Firing,
    Outcome,
    TriggerState,
    first_state,
    look,
)

MAX_REMINDERS = 20


class Open(Struct, frozen=True):
    """The last alert that nobody has acknowledged; told `reminders` times again."""

    firing: Firing
    told_ns: int
    reminders: int = 0


class RuleState(Struct, frozen=True):
    """What is known of one rule and car.

    Fields:
        sent: when messages were or will be sent, ns, as far as they count for `at_most`.
        withheld: how many were not sent since.
    """

    trigger: TriggerState
    open: Open | None = None
    sent: tuple[int, ...] = ()
    withheld: int = 0

    @classmethod
    def first(cls, rule: Rule) -> Self:
        """Before anything was heard."""
        return cls(first_state(rule.on))


class Fired(Struct, frozen=True):
    """An alert, or one told again.

    Fields:
        key: with rule and car it names the alert; one told again has the number in it as well.
        at_ns: when it happened.
        send_at_ns: None where too many were sent.
        withheld: how many before it were not.
    """

    key: str
    at_ns: int
    severity: Severity
    words: str
    send_at_ns: int | None
    withheld: int = 0
    reminder: int = 0


def step(
    rule: Rule, state: RuleState, event: Event, now_ns: int
) -> tuple[RuleState, tuple[Fired, ...]]:
    """Let a rule hear an event of its car."""
    outcome = look(rule.on, state.trigger, event, now_ns)
    after = replace(state, trigger=outcome.state)
    after = _closed(after, outcome, event)
    fired: list[Fired] = []
    for firing in outcome.fired:
        after, one = _sent(rule, after, firing, now_ns)
        fired.append(one)
        after = replace(after, open=None if outcome.is_over else Open(firing, now_ns))
    if not outcome.fired:
        after = _reminded(rule, after, now_ns, fired)
    return after, tuple(fired)


def _closed(state: RuleState, outcome: Outcome, event: Event) -> RuleState:
    if state.open is None:
        return state
    is_seen = isinstance(event, Acknowledged) and event.key == state.open.firing.key
    return replace(state, open=None) if is_seen or outcome.is_over else state


def _reminded(rule: Rule, state: RuleState, now_ns: int, fired: list[Fired]) -> RuleState:
    told = state.open
    if told is None or rule.remind_s is None or told.reminders >= MAX_REMINDERS:
        return state
    if now_ns < told.told_ns + round(rule.remind_s * NS_PER_S):
        return state
    number = told.reminders + 1
    state, one = _sent(rule, state, told.firing, now_ns, reminder=number)
    fired.append(one)
    return replace(state, open=Open(told.firing, now_ns, number))


def _sent(
    rule: Rule, state: RuleState, firing: Firing, now_ns: int, *, reminder: int = 0
) -> tuple[RuleState, Fired]:
    """When a firing is sent, if it is."""
    severity = firing.severity or rule.severity
    window_ns = round(rule.at_most.in_s * NS_PER_S)
    sent = tuple(one for one in state.sent if one > now_ns - window_ns)
    send_at_ns: int | None = now_ns
    if len(sent) >= rule.at_most.count:
        send_at_ns = None
    elif rule.quiet is not None and severity is not Severity.CRITICAL:
        send_at_ns = sending_ns(rule.quiet, now_ns)
    one = Fired(
        key=firing.key if not reminder else f"{firing.key}#{reminder}",
        at_ns=firing.at_ns,
        severity=severity,
        words=firing.words,
        send_at_ns=send_at_ns,
        withheld=0 if send_at_ns is None else state.withheld,
        reminder=reminder,
    )
    if send_at_ns is None:
        return replace(state, sent=sent, withheld=state.withheld + 1), one
    return replace(state, sent=(*sent, send_at_ns), withheld=0), one
