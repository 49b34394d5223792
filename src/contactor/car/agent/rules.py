"""How a signal is sampled."""

from dataclasses import dataclass

from contactor.signals.groups import Group


@dataclass(frozen=True, slots=True)
class SignalRule:
    """How one signal is sampled: its group, how long it stays known, mean or last."""

    group: Group
    stale_ns: int
    is_mean: bool
