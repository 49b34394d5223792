"""What is to be sent: each alert to each of its channels, until it is there. Every call blocks.

    pending ──► attempts + 1, sent ──► delivered
       ▲                 │
       └── due later ◄───┴──► failed: refused for good, or too old

An attempt is counted before it is made. A process that is killed between the receiver's answer and
its note of it sends the same message, with the same id, once more: none is lost.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from contactor.clock import NS_PER_DAY, NS_PER_S, to_iso
from contactor.cloud.alerts import tables
from contactor.cloud.alerts.message import Message
from contactor.cloud.database.database import Database
from contactor.history.alerts.rules import Severity

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3_600.0
MAX_AGE_NS = NS_PER_DAY
MAX_REASON_CHARACTERS = 200


class Due(msgspec.Struct, frozen=True):
    """A message that is to be sent now; `attempts` is how often it was tried before."""

    alert: str
    channel: str
    send_at: int
    attempts: int
    message: Message


class Sent(msgspec.Struct, frozen=True):
    """How an alert fares on one channel: pending until `due_at`, delivered or failed, and why."""

    channel: str
    state: str
    attempts: int
    reason: str | None
    due_at: int | None
    ended_at: int | None


def wait_s(attempts: int, *, part: float) -> float:
    """How long to wait after so many attempts, s.

    Args:
        part: 0 to 1, by chance: what failed together is not tried again together.
    """
    whole = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 30), LONGEST_WAIT_S)
    return whole * (0.8 + 0.4 * part)


class MessageStore:
    """The messages of an instance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now_ns: int, *, but: Collection[str] = ()) -> dict[str, Due]:
        """Of each channel the message that is due for the longest time.

        Args:
            but: not of these channels.
        """
        message, alert = tables.messages.c, tables.fired.c
        is_due = (message.state == "pending") & (message.due_at <= now_ns)
        first = (
            select(message.channel, func.min(message.due_at).label("due_at"))
            .where(is_due, message.channel.not_in(list(but)))
            .group_by(message.channel)
            .subquery()
        )
        query = (
            select(tables.messages, tables.fired)
            .join(first, (message.channel == first.c.channel) & (message.due_at == first.c.due_at))
            .join(tables.fired, alert.id == message.alert)
            .where(is_due)
            .order_by(alert.number.desc())  # of those due at once the oldest is seen last: it stays
        )
        with self._database.reading() as connection:
            rows = [row._mapping for row in connection.execute(query)]
        return {one.channel: one for one in map(_due, rows)}

    def next_due(self) -> int | None:
        """When the next message is due, ns; None where there is none."""
        message = tables.messages.c
        with self._database.reading() as connection:
            first = connection.scalar(
                select(func.min(message.due_at)).where(message.state == "pending")
            )
        return None if first is None else int(first)

    def attempt(self, due: Due) -> None:
        """It is going to be tried."""
        with self._database.writing() as connection:
            _set(connection, due, attempts=due.attempts + 1)

    def delivered(self, due: Due, now_ns: int) -> None:
        """The receiver has it."""
        with self._database.writing() as connection:
            _set(connection, due, state="delivered", reason=None, ended_at=now_ns)

    def failed(self, due: Due, reason: str, now_ns: int, *, retry_s: float | None) -> bool:
        """The receiver does not have it; whether it is tried again.

        Args:
            retry_s: when; None for never.
        """
        reason = reason[:MAX_REASON_CHARACTERS]
        at_ns = None if retry_s is None else now_ns + round(retry_s * NS_PER_S)
        is_retried = at_ns is not None and at_ns <= due.send_at + MAX_AGE_NS
        with self._database.writing() as connection:
            if is_retried:
                _set(connection, due, due_at=at_ns, reason=reason)
            else:
                _set(connection, due, state="failed", reason=reason, ended_at=now_ns)
        return is_retried

    def sent(self, alerts: Collection[str]) -> dict[str, list[Sent]]:
        """How alerts fare, by id."""
        message = tables.messages.c
        query = (
            select(tables.messages)
            .where(message.alert.in_(list(alerts)))
            .order_by(message.alert, message.channel)
        )
        found: dict[str, list[Sent]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                due_at = row.due_at if row.state == "pending" else None
                said = (row.channel, row.state, row.attempts, row.reason)
                one = Sent(*said, due_at, row.ended_at)
                found.setdefault(row.alert, []).append(one)
        return found

    def counts(self) -> dict[str, int]:
        """How many messages there are, by state."""
        message = tables.messages.c
        with self._database.reading() as connection:
            rows = connection.execute(
                select(message.state, func.count()).group_by(message.state)
            ).all()
        return {str(state): int(count) for state, count in rows}


def _set(connection: Connection, due: Due, **values: object) -> None:
    message = tables.messages.c
    connection.execute(
        update(tables.messages)
        .where(message.alert == due.alert, message.channel == due.channel)
        .values(**values)
    )


def _due(row: Mapping[Any, Any]) -> Due:  # what the database holds, by our schema
    message = Message(
        id=row["alert"],
        rule=row["rule"],
        vehicle_id=row["vehicle_id"],
        severity=Severity(row["severity"]),
        at=to_iso(row["at_ns"]),
        text=row["text"],
        withheld=row["withheld"],
        reminder=row["reminder"],
    )
    return Due(row["alert"], row["channel"], row["send_at"], row["attempts"], message)
