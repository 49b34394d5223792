"""What a rule hears of one car.

Row(ts, {"Vehicle.Speed": 41.5})        # None: the car says "not available"
Unknown(("Vehicle.Speed",))             # its last value is no longer known to hold
Silence(since_ns)                       # lost; None: heard, or asleep
Tick()                                  # time has passed, and nothing else
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from contactor.history.alerts.rules import FactKind, Severity
from contactor.signals.record import Value


@dataclass(frozen=True, slots=True)
class Row:
    """Values of one instant of the car, ns UTC; what it does not name is as it was."""

    ts: int
    values: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Signals whose last value is no longer known to hold."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A trip or a charge has ended.

    Fields:
        id: the same for the same one, however often its history is worked out anew; where its
            start has moved, it is known by its overlap with what was told.
        is_interrupted: it ended before it should have.
        words: what there is to say of it.
    """

    fact: FactKind
    id: str
    start_ns: int
    end_ns: int
    is_interrupted: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One anomaly that history shows now.

    Fields:
        subject: which of several it is, as a cell's number; "" where there is one.
    """

    kind: str
    subject: str
    since_ns: int
    severity: Severity
    words: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Anomalies:
    """All anomalies that history shows now; what is not among them is over."""

    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when the car is lost, ns UTC; None where it is heard or asleep."""

    since_ns: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has seen the alert of that key."""

    key: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event: TypeAlias = Row | Unknown | Ended | Anomalies | Silence | Acknowledged | Tick
