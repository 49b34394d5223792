"""Consents: what somebody lets a third party read of their vehicles, what for, and until when.

    consents = Consents(database, clock=clock)
    consent, opened = consents.give(asked, by="Mia")
    consents.by_fingerprint(fingerprint(opened.secret))     # Principal, who reads that alone
    consents.withdraw(consent.id)                           # and is nobody at once

A consent is good as long as whoever gave it governs the vehicle. It is kept when it has ended, so
that it can be shown who was given what; it goes with the person who gave it, and of a vehicle that
is erased. Calls block.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from contactor.clock import NS_PER_DAY, Clock, to_iso
from contactor.cloud.access.consent_scope import (
    ConsentScope,
    HistoryKind,
    checked_branches,
    paths_of,
)
from contactor.cloud.access.consent_tables import consent_tokens, consent_vehicles, consents
from contactor.cloud.access.credentials import SecretKind, fingerprint, new_secret
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.rows import MAX_NAME, Person, checked_name, person_by_id, row_of
from contactor.cloud.access.sessions import Opened
from contactor.cloud.database.database import Database
from contactor.errors import UnknownConsent, UsageError
from contactor.signals.rights import EVERY_VEHICLE, Right
from contactor.signals.wire.limits import VEHICLE_ID

LONGEST_NS: Final = 366 * NS_PER_DAY
"""From now to its end: what nobody remembers was not agreed to, so it is asked again each year."""
MAX_PURPOSE: Final = 512
MAX_VEHICLES: Final = 1_000
MAX_TOKENS: Final = 16


class ConsentKind(StrEnum):
    """What kind of purpose it is."""

    INSURANCE = "insurance"
    CHARGING = "charging"
    SERVICE = "service"
    RESEARCH = "research"
    ENERGY = "energy"
    OTHER = "other"


class ConsentState(StrEnum):
    """Where a consent stands."""

    COMING = "coming"
    IN_FORCE = "in-force"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """A consent that is to be given.

    Fields:
        signals: VSS paths, or branches of them.
        begin_ns: None for at once.
    """

    receiver: str
    purpose: str
    kind: ConsentKind
    vehicles: tuple[str, ...]
    signals: tuple[str, ...]
    history: tuple[HistoryKind, ...]
    until_ns: int
    begin_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ConsentToken:
    """What a receiver shows; its secret is kept nowhere."""

    id: str
    made_ns: int


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was given.

    Fields:
        giver: who gave it; None where commands on the data folder did.
        backed: of its vehicles those of which the giver may still say so.
    """

    id: str
    giver: Person | None
    receiver: str
    purpose: str
    kind: ConsentKind
    vehicles: tuple[str, ...]
    signals: tuple[str, ...]
    history: tuple[HistoryKind, ...]
    made_ns: int
    begin_ns: int
    until_ns: int
    withdrawn_ns: int | None
    backed: frozenset[str]
    tokens: tuple[ConsentToken, ...]

    def state(self, now_ns: int) -> ConsentState:
        """Where it stands."""
        if self.withdrawn_ns is not None:
            return ConsentState.WITHDRAWN
        if self.until_ns <= now_ns or not self.backed:
            return ConsentState.ENDED
        return ConsentState.COMING if now_ns < self.begin_ns else ConsentState.IN_FORCE

    def scope(self) -> ConsentScope:
        """How far its receiver may read."""
        return ConsentScope(
            consent_id=self.id,
            vehicles=self.backed,
            paths=paths_of(self.signals),
            history=frozenset(self.history),
            begin_ns=self.begin_ns,
            until_ns=self.until_ns,
        )


class Consents:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def give(self, asked: ConsentAsked, *, by: str | None) -> tuple[Consent, Opened]:
        """Keep a consent, and make its receiver a token.

        Args:
            by: the name of who gives it; None for commands on the data folder.

        Raises:
            UsageError: something of it cannot be meant, it would last too long, or who gives it
                does not govern one of the vehicles.
            UnknownSignal: a signal is none.
            UnknownPerson: nobody has that name.
        """
        now_ns = self._clock.now_ns()
        begin_ns = now_ns if asked.begin_ns is None else max(asked.begin_ns, now_ns)
        _check_span(begin_ns, asked.until_ns, now_ns)
        vehicles = _checked_vehicles(asked.vehicles)
        signals = checked_branches(asked.signals)
        if not signals and not asked.history:
            raise UsageError("a consent to nothing; name signals, or kinds of history")
        number = secrets.token_hex(8)
        with self._database.writing() as connection:
            connection.execute(
                insert(consents).values(
                    id=number,
                    person_id=None if by is None else row_of(connection, by).id,
                    receiver=checked_name(asked.receiver),
                    purpose=_checked_purpose(asked.purpose),
                    kind=asked.kind.value,
                    signals=_listed(signals),
                    history=_listed(tuple(dict.fromkeys(asked.history))),
                    made_ns=now_ns,
                    begin_ns=begin_ns,
                    until_ns=asked.until_ns,
                )
            )
            for vehicle_id in vehicles:
                values = {"consent_id": number, "vehicle_id": vehicle_id}
                connection.execute(insert(consent_vehicles).values(values))
            opened = self._open(connection, number, asked.until_ns)
            consent = self._of(connection, _row(connection, number))
            for vehicle_id in vehicles:
                if vehicle_id not in consent.backed:
                    raise UsageError(f"{by} does not own {vehicle_id}; only its owner consents")
            return consent, opened

    def make_token(self, consent_id: str) -> Opened:
        """Make the receiver another token; those before it stay.

        Raises:
            UnknownConsent: there is none of that id.
            UsageError: it has ended, or there are too many.
        """
        with self._database.writing() as connection:
            consent = self._of(connection, _row(connection, consent_id))
            state = consent.state(self._clock.now_ns())
            if state not in (ConsentState.COMING, ConsentState.IN_FORCE):
                raise UsageError(f"consent {consent_id} is {state}; give another one")
            if len(consent.tokens) >= MAX_TOKENS:
                raise UsageError(f"consent {consent_id} has {MAX_TOKENS} tokens, the limit")
            return self._open(connection, consent_id, consent.until_ns)

    def withdraw(self, consent_id: str) -> Consent:
        """End a consent now, and its tokens; one that has been withdrawn stays as it is.

        Raises:
            UnknownConsent: there is none of that id.
        """
        with self._database.writing() as connection:
            mine = consents.c.id == consent_id
            connection.execute(
                update(consents)
                .where(mine, consents.c.withdrawn_ns.is_(None))
                .values(withdrawn_ns=self._clock.now_ns())
            )
            connection.execute(
                delete(consent_tokens).where(consent_tokens.c.consent_id == consent_id)
            )
            return self._of(connection, _row(connection, consent_id))

    def find(self, consent_id: str) -> Consent:
        """One consent.

        Raises:
            UnknownConsent: there is none of that id.
        """
        with self._database.reading() as connection:
            return self._of(connection, _row(connection, consent_id))

    def all(self) -> list[Consent]:
        """Every consent, also those that have ended, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(consents).order_by(consents.c.made_ns.desc())).all()
            return [self._of(connection, row) for row in rows]

    def by_fingerprint(self, kept: str) -> Principal | None:
        """Whose token that is: a receiver, who is no person; None where its consent has ended."""
        with self._database.reading() as connection:
            query = select(consent_tokens).where(consent_tokens.c.fingerprint == kept)
            token = connection.execute(query).one_or_none()
            if token is None:
                return None
            consent = self._of(connection, _row(connection, token.consent_id))
        if consent.state(self._clock.now_ns()) is not ConsentState.IN_FORCE:
            return None
        receiver = Person(consent.id, consent.receiver, (), has_password=False)
        return Principal(receiver, f"token {token.id}", Scope.READ, consent=consent.scope())

    def _open(self, connection: Connection, consent_id: str, until_ns: int) -> Opened:
        secret, number = new_secret(SecretKind.RECEIVER), secrets.token_hex(8)
        connection.execute(
            insert(consent_tokens).values(
                id=number,
                fingerprint=fingerprint(secret),
                consent_id=consent_id,
                made_ns=self._clock.now_ns(),
            )
        )
        return Opened(number, secret, until_ns)

    def _of(self, connection: Connection, row: Row[tuple[object, ...]]) -> Consent:
        mine = select(consent_vehicles.c.vehicle_id).where(consent_vehicles.c.consent_id == row.id)
        vehicles = tuple(connection.scalars(mine.order_by(consent_vehicles.c.vehicle_id)))
        opened = select(consent_tokens).where(consent_tokens.c.consent_id == row.id)
        tokens = connection.execute(opened.order_by(consent_tokens.c.made_ns)).all()
        giver = None if row.person_id is None else person_by_id(connection, row.person_id)
        return Consent(
            id=row.id,
            giver=giver,
            receiver=row.receiver,
            purpose=row.purpose,
            kind=ConsentKind(row.kind),
            vehicles=vehicles,
            signals=tuple(msgspec.json.decode(row.signals)),
            history=tuple(map(HistoryKind, msgspec.json.decode(row.history))),
            made_ns=row.made_ns,
            begin_ns=row.begin_ns,
            until_ns=row.until_ns,
            withdrawn_ns=row.withdrawn_ns,
            backed=_backed(giver, vehicles, self._clock.now_ns()),
            tokens=tuple(ConsentToken(one.id, one.made_ns) for one in tokens),
        )


# ── within a transaction of others ───────────────────────────────────────────────────────────────


def forget_consents_of(connection: Connection, vehicle_id: str) -> int:
    """Take a vehicle out of all consents; one about no other goes with it. How many named it."""
    mine = consent_vehicles.c.vehicle_id == vehicle_id
    gone = connection.execute(delete(consent_vehicles).where(mine)).rowcount
    others = select(consent_vehicles.c.consent_id)
    connection.execute(delete(consents).where(consents.c.id.not_in(others)))
    return gone


def receivers(connection: Connection) -> dict[str, str]:
    """Consent → its receiver's name; the audit log knows them by their consents."""
    rows = connection.execute(select(consents.c.id, consents.c.receiver)).all()
    return {row.id: row.receiver for row in rows}


def _row(connection: Connection, consent_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(consents).where(consents.c.id == consent_id)).one_or_none()
    if row is None:
        raise UnknownConsent(f"no consent {consent_id[:40]!r}")
    return row


def _backed(giver: Person | None, vehicles: tuple[str, ...], now_ns: int) -> frozenset[str]:
    """Of which of them its giver may say what is given."""
    if giver is None:
        return frozenset(vehicles)
    own = Principal(giver, "")
    return frozenset(one for one in vehicles if own.may(Right.GOVERN, one, now_ns))


def _checked_vehicles(vehicles: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(vehicles))
    if not 1 <= len(asked) <= MAX_VEHICLES:
        raise UsageError(f"{len(asked)} vehicles; allowed: 1 to {MAX_VEHICLES}")
    for one in asked:
        if one == EVERY_VEHICLE or not VEHICLE_ID.fullmatch(one):
            raise UsageError(f"vehicle {one[:80]!r}; allowed: {VEHICLE_ID.pattern}, each named")
    return asked


def _check_span(begin_ns: int, until_ns: int, now_ns: int) -> None:
    if until_ns <= begin_ns:
        raise UsageError(f"a consent until {to_iso(until_ns)}, which is past or before it begins")
    if until_ns - now_ns > LONGEST_NS:
        longest = LONGEST_NS // NS_PER_DAY
        raise UsageError(f"a consent until {to_iso(until_ns)}; allowed: {longest} days from now")


def _checked_purpose(purpose: str) -> str:
    shown = " ".join(purpose.split())
    if not 1 <= len(shown) <= MAX_PURPOSE or not shown.isprintable():
        raise UsageError(
            f"purpose {shown[:MAX_NAME]!r}; allowed: 1 to {MAX_PURPOSE} printable characters"
        )
    return shown


def _listed(words: tuple[str, ...]) -> str:
    return msgspec.json.encode(words).decode()
