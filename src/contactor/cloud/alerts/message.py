"""What is sent: one message, the same on every channel.

    message = Message(id="9f2c-1", rule="battery-low", vehicle_id="leaf", severity=..., ...)
    message.title       # 'leaf: battery-low'
    message.json()      # {"id": ..., "vehicle_id": "leaf", ...}

A message that is sent again, as nobody knows whether it arrived, has the same id.
"""

import msgspec

from contactor.clock import to_iso
from contactor.history.alerts.rules import Severity

MAX_TEXT_CHARACTERS = 1_000


class Message(msgspec.Struct, frozen=True):
    """One message.

    Fields:
        id: of the alert; the same however often it is sent.
        at: when it happened, ISO 8601.
        withheld: how many alerts of the same rule and car before it were not sent.
        reminder: 0, or how often it was told before.
    """

    id: str
    rule: str
    vehicle_id: str
    severity: Severity
    at: str
    text: str
    withheld: int = 0
    reminder: int = 0

    @property
    def title(self) -> str:
        """One line that says what it is about."""
        again = " (again)" if self.reminder else ""
        return f"{self.vehicle_id}: {self.rule}{again}"

    @property
    def body(self) -> str:
        """What there is to say, for people."""
        more = f" ({self.withheld} more since the last message)" if self.withheld else ""
        return f"{self.text}{more}\n{self.at}"

    def json(self) -> bytes:
        """For programs."""
        return msgspec.json.encode(self)


def trial(name: str, now_ns: int) -> Message:
    """What `contactor alerts test` sends."""
    return Message(
        id=f"test-{now_ns:x}",
        rule="test",
        vehicle_id="contactor",
        severity=Severity.INFO,
        at=to_iso(now_ns),
        text=f"This is a test of the channel {name}.",
    )
