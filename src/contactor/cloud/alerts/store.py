"""Rules, channels, alerts and what is to be sent, in the instance's database. Every call blocks.

    store = AlertStore(Database.open(folder / "contactor.sqlite3", [ALERTS]))
    store.put(document, now_ns)
    store.note(states, noted)       # one transaction: what is known, what fired, what is to be sent

An alert's id is made of rule, car and key, so what fires twice, as rows are told again after a
restart, is kept and sent once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contactor.cloud.alerts import tables
from contactor.cloud.alerts.channels import AnyChannel
from contactor.cloud.alerts.document import Document
from contactor.cloud.database.database import Database
from contactor.errors import UnknownAlert
from contactor.history.alerts.machine import Fired, RuleState
from contactor.history.alerts.rules import Rule, Severity

MAX_ALERTS = 100_000
MAX_TEXT_CHARACTERS = 1_000

_rule = msgspec.json.Decoder(Rule)
_channel = msgspec.json.Decoder(AnyChannel)
_state = msgspec.json.Decoder(RuleState)


class KeptRule(msgspec.Struct, frozen=True):
    """A rule, and since when it is as it is (ns)."""

    rule: Rule
    changed_at: int


class Noted(msgspec.Struct, frozen=True):
    """An alert that is to be kept, and sent."""

    rule: str
    vehicle_id: str
    fired: Fired
    text: str
    channels: tuple[str, ...]

    @property
    def id(self) -> str:
        return alert_id(self.rule, self.vehicle_id, self.fired.key)


class Alert(msgspec.Struct, frozen=True):
    """An alert that is kept.

    Fields:
        number: in the order in which they were noted.
        is_sent: whether it was to be sent at all.
    """

    number: int
    id: str
    rule: str
    vehicle_id: str
    key: str
    severity: Severity
    at_ns: int
    text: str
    reminder: int
    withheld: int
    is_sent: bool
    acknowledged_at: int | None


class RuleKey(msgspec.Struct, frozen=True):
    """A rule and a car."""

    rule: str
    vehicle_id: str


def alert_id(rule: str, vehicle_id: str, key: str) -> str:
    """What names an alert everywhere: 16 hexadecimal digits."""
    return hashlib.sha256(f"{rule}\0{vehicle_id}\0{key}".encode()).hexdigest()[:16]


class AlertStore:
    """What is kept of alerts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # ── rules and channels ───────────────────────────────────────────────────────────────────────

    def put(self, document: Document, now_ns: int) -> None:
        """Keep rules and channels in place of those of the same names.

        What was known of a rule that is now another is forgotten.
        """
        with self.database.writing() as connection:
            before = _rules(connection)
            for channel in document.channels:
                _put(connection, tables.channels, name=channel.name, body=_encode(channel))
            for rule in document.rules:
                kept = before.get(rule.name)
                if kept is not None and kept.rule == rule:
                    continue
                _forget_states(connection, rule.name)
                _put(
                    connection,
                    tables.rules,
                    name=rule.name,
                    body=_encode(rule),
                    changed_at=now_ns,
                )

    def rules(self) -> dict[str, KeptRule]:
        """Every rule, by name."""
        with self.database.reading() as connection:
            return _rules(connection)

    def channels(self) -> dict[str, AnyChannel]:
        """Every channel, by name."""
        with self.database.reading() as connection:
            rows = connection.execute(select(tables.channels).order_by(tables.channels.c.name))
            return {row.name: _channel.decode(row.body) for row in rows}

    def remove_rule(self, name: str) -> None:
        """Forget a rule and what was still to be sent for it; its alerts stay.

        Raises:
            UnknownAlert: there is none of that name.
        """
        with self.database.writing() as connection:
            found = connection.execute(delete(tables.rules).where(tables.rules.c.name == name))
            if not found.rowcount:
                raise UnknownAlert(f"no alert rule {name!r}")
            _forget_states(connection, name)
            of_rule = select(tables.fired.c.id).where(tables.fired.c.rule == name)
            connection.execute(
                delete(tables.messages).where(
                    tables.messages.c.state == "pending", tables.messages.c.alert.in_(of_rule)
                )
            )

    def remove_channel(self, name: str) -> None:
        """Forget a channel and what was still to be sent to it.

        Raises:
            UnknownAlert: there is none of that name.
        """
        with self.database.writing() as connection:
            found = connection.execute(
                delete(tables.channels).where(tables.channels.c.name == name)
            )
            if not found.rowcount:
                raise UnknownAlert(f"no alert channel {name!r}")
            connection.execute(
                delete(tables.messages).where(
                    tables.messages.c.state == "pending", tables.messages.c.channel == name
                )
            )

    def key(self, name: str, new: str) -> str:
        """The key of that name; `new` where there is none yet."""
        with self.database.writing() as connection:
            here = select(tables.keys.c.value).where(tables.keys.c.name == name)
            kept = connection.scalar(here)
            if kept is None:
                connection.execute(insert(tables.keys).values(name=name, value=new))
            return str(kept or new)

    # ── what fires ───────────────────────────────────────────────────────────────────────────────

    def states(self) -> dict[RuleKey, RuleState]:
        """What is known of each rule and car."""
        with self.database.reading() as connection:
            rows = connection.execute(select(tables.states)).all()
        return {RuleKey(row.rule, row.vehicle_id): _state.decode(row.body) for row in rows}

    def note(self, states: Mapping[RuleKey, RuleState], noted: Sequence[Noted]) -> list[Noted]:
        """Keep what is known now, what fired and what is to be sent, in one transaction.

        Returns:
            Those of `noted` that were not kept before.
        """
        with self.database.writing() as connection:
            fresh = [one for one in noted if _note(connection, one)]
            for key, state in states.items():
                _put(
                    connection,
                    tables.states,
                    rule=key.rule,
                    vehicle_id=key.vehicle_id,
                    body=_encode(state),
                )
        return fresh

    def alerts(
        self, *, limit: int, before: int | None = None, is_open: bool = False
    ) -> list[Alert]:
        """At most `limit` alerts, newest first.

        Args:
            before: those of a smaller number.
            is_open: those that nobody has acknowledged.
        """
        query = select(tables.fired).order_by(tables.fired.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(tables.fired.c.number < before)
        if is_open:
            query = query.where(tables.fired.c.acknowledged_at.is_(None))
        with self.database.reading() as connection:
            return [_alert(row._mapping) for row in connection.execute(query)]

    def alert(self, alert: str) -> Alert:
        """One alert.

        Raises:
            UnknownAlert: there is none of that id.
        """
        with self.database.reading() as connection:
            return _one(connection, alert)

    def acknowledge(self, alert: str, now_ns: int) -> Alert:
        """Somebody has seen it; the first time counts.

        Raises:
            UnknownAlert: there is none of that id.
        """
        with self.database.writing() as connection:
            _one(connection, alert)
            connection.execute(
                update(tables.fired)
                .where(tables.fired.c.id == alert, tables.fired.c.acknowledged_at.is_(None))
                .values(acknowledged_at=now_ns)
            )
            return _one(connection, alert)

    def prune(self) -> None:
        """Keep the newest alerts only, and nothing that was sent of older ones."""
        with self.database.writing() as connection:
            last = connection.scalar(select(func.max(tables.fired.c.number))) or 0
            old = tables.fired.c.number <= last - MAX_ALERTS
            ids = select(tables.fired.c.id).where(old)
            connection.execute(delete(tables.messages).where(tables.messages.c.alert.in_(ids)))
            connection.execute(delete(tables.fired).where(old))

    def forget(self, vehicle_id: str) -> int:
        """Erase all of a car; how many entries. A rule about no other car goes with it."""
        with self.database.writing() as connection:
            mine = select(tables.fired.c.id).where(tables.fired.c.vehicle_id == vehicle_id)
            connection.execute(delete(tables.messages).where(tables.messages.c.alert.in_(mine)))
            gone = 0
            for table in (tables.fired, tables.states):
                erased = delete(table).where(table.c.vehicle_id == vehicle_id)
                gone += connection.execute(erased).rowcount
            for kept in _rules(connection).values():
                if vehicle_id in kept.rule.vehicles:
                    _leave_out(connection, kept.rule, vehicle_id)
                    gone += 1
            return gone


def _rules(connection: Connection) -> dict[str, KeptRule]:
    rows = connection.execute(select(tables.rules).order_by(tables.rules.c.name))
    return {row.name: KeptRule(_rule.decode(row.body), row.changed_at) for row in rows}


def _leave_out(connection: Connection, rule: Rule, vehicle_id: str) -> None:
    """Take a car out of a rule; without any the rule would be about all, so it goes."""
    mine = tables.rules.c.name == rule.name
    left = tuple(one for one in rule.vehicles if one != vehicle_id)
    if left:
        body = _encode(msgspec.structs.replace(rule, vehicles=left))
        connection.execute(update(tables.rules).where(mine).values(body=body))
    else:
        connection.execute(delete(tables.rules).where(mine))


def _forget_states(connection: Connection, rule: str) -> None:
    connection.execute(delete(tables.states).where(tables.states.c.rule == rule))


def _note(connection: Connection, one: Noted) -> bool:
    """Keep an alert and its messages; False where it was kept before."""
    fired = one.fired
    values = {
        "id": one.id,
        "rule": one.rule,
        "vehicle_id": one.vehicle_id,
        "key": fired.key,
        "severity": fired.severity.value,
        "at_ns": fired.at_ns,
        "text": one.text[:MAX_TEXT_CHARACTERS],
        "reminder": fired.reminder,
        "withheld": fired.withheld,
        "is_sent": int(fired.send_at_ns is not None),
    }
    kept = connection.scalar(select(tables.fired.c.id).where(tables.fired.c.id == one.id))
    if kept is not None:
        return False
    connection.execute(insert(tables.fired).values(**values))
    if fired.send_at_ns is not None:
        for channel in one.channels:
            connection.execute(
                insert(tables.messages).values(
                    alert=one.id,
                    channel=channel,
                    send_at=fired.send_at_ns,
                    due_at=fired.send_at_ns,
                    attempts=0,
                    state="pending",
                )
            )
    return True


def _put(connection: Connection, table: Any, **values: object) -> None:  # a Table of ours
    """Insert a row, or replace the one of the same primary key."""
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    names = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in names}
    statement = kind.insert(table).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=names, set_=rest))


def _one(connection: Connection, alert: str) -> Alert:
    row = connection.execute(select(tables.fired).where(tables.fired.c.id == alert)).first()
    if row is None:
        raise UnknownAlert(f"no alert {alert[:64]!r}")
    return _alert(row._mapping)


def _alert(row: Mapping[Any, Any]) -> Alert:
    return Alert(**{**row, "severity": Severity(row["severity"]), "is_sent": bool(row["is_sent"])})


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value)
