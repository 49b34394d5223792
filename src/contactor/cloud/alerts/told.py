"""Alerts, rules and channels as people and programs are told of them; instants in ISO 8601.

alert_now(alert, sent)      # AlertNow
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

import msgspec

from contactor.clock import to_iso
from contactor.cloud.alerts.channels import AnyChannel
from contactor.cloud.alerts.messages import Sent
from contactor.cloud.alerts.store import Alert, KeptRule
from contactor.history.alerts.rules import Rule, Severity


class Delivery(StrEnum):
    """How a message fares."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryNow(msgspec.Struct, frozen=True):
    """How an alert fares on one channel.

    Fields:
        reason: why it was not taken last.
        due_at: when it is sent, or tried again.
    """

    channel: str
    state: Delivery
    attempts: int
    reason: str | None
    due_at: str | None
    ended_at: str | None


class AlertNow(msgspec.Struct, frozen=True):
    """An alert.

    Fields:
        at: when it happened.
        reminder: 0, or how often it was told before.
        is_sent: False where the rule's `at_most` held it back.
    """

    id: str
    rule: str
    vehicle_id: str
    severity: Severity
    at: str
    text: str
    reminder: int
    is_sent: bool
    acknowledged_at: str | None
    deliveries: list[DeliveryNow]


class RuleNow(msgspec.Struct, frozen=True):
    """A rule, and since when it is as it is."""

    rule: Rule
    changed_at: str

    @classmethod
    def of(cls, kept: KeptRule) -> Self:
        """A kept rule."""
        return cls(kept.rule, to_iso(kept.changed_at))


class ChannelNow(msgspec.Struct, frozen=True):
    """A channel without what is secret in it: its name, its kind, and where it goes."""

    name: str
    kind: str
    place: str

    @classmethod
    def of(cls, channel: AnyChannel) -> Self:
        """A kept channel."""
        return cls(channel.name, type(channel).__name__.lower(), channel.place)


class AlertPage(msgspec.Struct, frozen=True):
    """One page of alerts, newest first; `next` is the cursor of the next page, or null."""

    items: list[AlertNow]
    next: str | None


class RulePage(msgspec.Struct, frozen=True):
    """Every rule; there is one page."""

    items: list[RuleNow]
    next: str | None = None


class ChannelPage(msgspec.Struct, frozen=True):
    """Every channel; there is one page."""

    items: list[ChannelNow]
    next: str | None = None


class Kept(msgspec.Struct, frozen=True):
    """What was kept of a document."""

    rules: list[RuleNow]
    channels: list[ChannelNow]


def alert_now(alert: Alert, sent: Sequence[Sent]) -> AlertNow:
    """An alert and how it fares."""
    return AlertNow(
        id=alert.id,
        rule=alert.rule,
        vehicle_id=alert.vehicle_id,
        severity=alert.severity,
        at=to_iso(alert.at_ns),
        text=alert.text,
        reminder=alert.reminder,
        is_sent=alert.is_sent,
        acknowledged_at=_iso(alert.acknowledged_at),
        deliveries=[
            DeliveryNow(
                channel=one.channel,
                state=Delivery(one.state),
                attempts=one.attempts,
                reason=one.reason,
                due_at=_iso(one.due_at),
                ended_at=_iso(one.ended_at),
            )
            for one in sent
        ],
    )


def _iso(ts: int | None) -> str | None:
    return None if ts is None else to_iso(ts)
