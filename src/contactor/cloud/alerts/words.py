"""What a message says, in words: the rule's own, or made of what it is about.

text_of(rule, fired)        # 'StateOfCharge.Current under 15: ... 14.5 percent'
"""

from contactor.history.alerts.machine import Fired
from contactor.history.alerts.rules import (
    Crossing,
    OnAnomaly,
    OnFact,
    OnFence,
    OnSignal,
    Rule,
)
from contactor.signals.campaign import Claim


def text_of(rule: Rule, fired: Fired) -> str:
    """The text of an alert."""
    said = rule.text or told_at(rule)
    return f"{said}: {fired.words}" if fired.words else said


def told_at(rule: Rule) -> str:
    """What a rule waits for, in words."""
    on = rule.on
    if isinstance(on, OnSignal):
        return " and ".join(_claim(claim) for claim in on.when)
    if isinstance(on, OnFence):
        way = "has entered" if on.crossing is Crossing.ENTER else "has left"
        return f"The car {way} the area"
    if isinstance(on, OnFact):
        return f"A {on.fact} has {'ended' if on.how == 'ended' else f'been {on.how}'}"
    if isinstance(on, OnAnomaly):
        return "An early warning"
    return f"The car has not been heard for {on.lost_s / 60:g} min"


def _claim(claim: Claim) -> str:
    name = claim.signal.removeprefix("Vehicle.")
    if claim.below is not None:
        return f"{name} under {claim.below:g}"
    if claim.above is not None:
        return f"{name} over {claim.above:g}"
    return f"{name} is {claim.equals}"
