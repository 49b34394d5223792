"""Passkeys: made by somebody who is in, shown by who wants in; by themselves both factors.

    passkeys = Passkeys(database, clock=clock)
    options = passkeys.creation_options("mia", party)
    key = passkeys.add("mia", "Phone", credential)              # what the browser made of them
    options = passkeys.request_options(party, address="127.0.0.1")
    opened = passkeys.log_in(credential, Way("127.0.0.1", "Firefox"))

A challenge is good once, for five minutes, for what it was made for and for the page it was made
for. Calls block.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from contactor.clock import Clock
from contactor.cloud.access import area
from contactor.cloud.access.ceremonies import (
    LIFE_S,
    NOT_THIS,
    Credential,
    Party,
    Registered,
    asserted,
    challenge_of,
    creation_options,
    credential_of,
    new_challenge,
    registered,
    request_options,
)
from contactor.cloud.access.pending import Pending
from contactor.cloud.access.rows import checked_name, row_of
from contactor.cloud.access.sessions import Opened, Way, insert_session
from contactor.cloud.access.throttle import Throttle, refuse_while
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, UnknownPerson, UsageError

MAX_PASSKEYS: Final = 20
"""Of one person."""
MAX_CHALLENGES: Final = 10_000
OVER: Final = "that took too long, or was answered already; again from the start"
WENT_BACK: Final = "the passkey counts less than before: it was copied; remove it"

_passkeys = area.passkeys


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of somebody's.

    Fields:
        host: for which page.
        used_ns: when it last let them in; None: never yet.
    """

    id: str
    name: str
    host: str
    made_ns: int
    used_ns: int | None


@dataclass(frozen=True, slots=True)
class Joining:
    """The passkey of somebody who is not there yet, and the number that they will have."""

    person_id: str
    party: Party
    made: Registered


class _For(StrEnum):
    """What a challenge is for."""

    ADD = "add"
    LOG_IN = "log in"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What waits for an answer; `key` is the code of who joins, by its hash."""

    purpose: _For
    challenge: bytes
    party: Party
    person_id: str = ""
    key: str = ""


class Passkeys:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._asked = Pending[_Asked](life_s=LIFE_S, most=MAX_CHALLENGES, clock=clock)
        self._challenges = Throttle(burst=60, per_hour=600)
        self._failures = Throttle(burst=10, per_hour=60)

    # ── of who is in ─────────────────────────────────────────────────────────────────────────────

    def all(self, name: str) -> list[Passkey]:
        """Those of somebody, the newest first.

        Raises:
            UnknownPerson: there is none.
        """
        with self._database.reading() as connection:
            return [_passkey(row) for row in _rows(connection, row_of(connection, name).id)]

    def creation_options(self, name: str, party: Party) -> dict[str, object]:
        """What a browser is asked for another passkey.

        Raises:
            UnknownPerson: there is nobody of that name.
            TooManyTries: they asked for too many.
        """
        with self._database.reading() as connection:
            row = row_of(connection, name)
            self._count_challenge(str(row.id))
            known = [str(one.credential) for one in _rows(connection, row.id)]
        return self._ask(_For.ADD, party, person_id=row.id, name=str(row.name), known=known)

    def add(self, name: str, called: str, credential: Credential) -> Passkey:
        """Keep what the browser made.

        Raises:
            UnknownPerson: there is nobody of that name.
            UsageError: they have too many, or it is to be called what is no name.
            AccessRefused: it answers nothing that was asked of them.
        """
        asked, made = self._made(_For.ADD, credential)
        with self._database.writing() as connection:
            if row_of(connection, name).id != asked.person_id:
                raise AccessRefused(OVER)
            return insert_passkey(
                connection,
                asked.person_id,
                asked.party,
                made,
                called=called,
                now_ns=self._clock.now_ns(),
            )

    def rename(self, name: str, passkey_id: str, called: str) -> Passkey:
        """Call one otherwise.

        Raises:
            UnknownPerson: there is nobody of that name, or they have no such passkey.
            UsageError: that is no name.
        """
        shown = checked_name(called)
        with self._database.writing() as connection:
            mine = _mine(row_of(connection, name).id, passkey_id)
            if connection.execute(update(_passkeys).where(mine).values(name=shown)).rowcount != 1:
                raise _no_such(name, passkey_id)
            return _passkey(connection.execute(select(_passkeys).where(mine)).one())

    def remove(self, name: str, passkey_id: str) -> None:
        """Have one let nobody in any more.

        Raises:
            UnknownPerson: there is nobody of that name, or they have no such passkey.
            UsageError: nothing else would let them in.
        """
        with self._database.writing() as connection:
            row = row_of(connection, name)
            mine = _mine(row.id, passkey_id)
            if connection.execute(delete(_passkeys).where(mine)).rowcount != 1:
                raise _no_such(name, passkey_id)
            if row.password is None and not _rows(connection, row.id):
                raise UsageError("it is the last way in; make another passkey first")

    # ── of who wants in ──────────────────────────────────────────────────────────────────────────

    def request_options(self, party: Party, *, address: str) -> dict[str, object]:
        """What a browser is asked for any passkey that it has for the page.

        Raises:
            TooManyTries: too many were asked for from there.
        """
        self._count_challenge(address)
        return self._ask(_For.LOG_IN, party)

    def log_in(self, credential: Credential, way: Way) -> Opened:
        """Begin a session of whose passkey that is.

        Raises:
            AccessRefused: it is nobody's, answers no challenge, or counts less than before.
            TooManyTries: too many were refused from there.
        """
        now_ns = self._clock.now_ns()
        with self._failures.trying(way.address, now_ns):
            return self._checked(credential, way)

    def known(self, credential: Credential) -> str:
        """The id of a passkey that somebody shows; '' for one that is nobody's."""
        with self._database.reading() as connection:
            row = _row_shown(connection, credential_of(credential)[0])
            return "" if row is None else str(row.id)

    # ── of who is invited ────────────────────────────────────────────────────────────────────────

    def joining_options(
        self, party: Party, *, person_id: str, name: str, key: str, address: str
    ) -> dict[str, object]:
        """What a browser is asked for the passkey of somebody who is not there yet.

        Args:
            key: of the invitation, which has to be shown with it.

        Raises:
            TooManyTries: too many were asked for from there.
        """
        self._count_challenge(address)
        return self._ask(_For.JOIN, party, person_id=person_id, name=name, key=key)

    def made_by_joining(self, credential: Credential, *, key: str) -> Joining:
        """What the browser made for an invitation.

        Raises:
            AccessRefused: it answers nothing that was asked with that invitation.
        """
        asked, made = self._made(_For.JOIN, credential)
        if asked.key != key:
            raise AccessRefused(OVER)
        return Joining(asked.person_id, asked.party, made)

    # ── within a transaction ─────────────────────────────────────────────────────────────────────

    def _checked(self, credential: Credential, way: Way) -> Opened:
        asked = self._take(_For.LOG_IN, credential)
        shown, person_id = credential_of(credential)
        with self._database.reading() as connection:
            row = _row_shown(connection, shown)
        if row is None or row.person_id != person_id:
            raise AccessRefused(NOT_THIS)
        counter = asserted(credential, str(row.public_key), asked.challenge, asked.party)
        now_ns = self._clock.now_ns()
        grows = _passkeys.c.counter < counter if counter else _passkeys.c.counter == 0
        with self._database.writing() as connection:
            used = update(_passkeys).where(and_(_passkeys.c.id == row.id, grows))
            if connection.execute(used.values(counter=counter, used_ns=now_ns)).rowcount != 1:
                raise AccessRefused(WENT_BACK)
            return insert_session(connection, person_id, way, now_ns=now_ns)

    def _ask(
        self,
        purpose: _For,
        party: Party,
        *,
        person_id: str = "",
        name: str = "",
        known: list[str] | None = None,
        key: str = "",
    ) -> dict[str, object]:
        challenge = new_challenge()
        options = (
            request_options(party, challenge)
            if purpose is _For.LOG_IN
            else creation_options(
                party, challenge, person_id=person_id, name=name, known=known or []
            )
        )
        asked = _Asked(purpose, challenge, party, person_id, key)
        self._asked.put(str(options["challenge"]), asked)
        return options

    def _take(self, purpose: _For, credential: Credential) -> _Asked:
        asked = self._asked.take(challenge_of(credential))
        if asked is None or asked.purpose is not purpose:
            raise AccessRefused(OVER)
        return asked

    def _made(self, purpose: _For, credential: Credential) -> tuple[_Asked, Registered]:
        asked = self._take(purpose, credential)
        return asked, registered(credential, asked.challenge, asked.party)

    def _count_challenge(self, asker: str) -> None:
        """So that nobody's challenges push those of others out."""
        now_ns = self._clock.now_ns()
        refuse_while(self._challenges.wait_ns(asker, now_ns))
        self._challenges.count(asker, now_ns)


def insert_passkey(
    connection: Connection,
    person_id: str,
    party: Party,
    made: Registered,
    *,
    called: str,
    now_ns: int,
) -> Passkey:
    """Keep a passkey of somebody's.

    Raises:
        AccessRefused: somebody has it already.
        UsageError: they have too many, or it is to be called what is no name.
    """
    if _row_shown(connection, made.credential) is not None:
        raise AccessRefused(NOT_THIS)
    if len(_rows(connection, person_id)) >= MAX_PASSKEYS:
        raise UsageError(f"{MAX_PASSKEYS} passkeys; remove one first")
    passkey = Passkey(secrets.token_hex(8), checked_name(called), party.host, now_ns, None)
    connection.execute(
        insert(_passkeys).values(
            id=passkey.id,
            credential=made.credential,
            person_id=person_id,
            name=passkey.name,
            host=passkey.host,
            public_key=made.public_key,
            counter=made.counter,
            made_ns=now_ns,
        )
    )
    return passkey


def _rows(connection: Connection, person_id: str) -> list[Row[tuple[object, ...]]]:
    query = select(_passkeys).where(_passkeys.c.person_id == person_id)
    return list(connection.execute(query.order_by(_passkeys.c.made_ns.desc())).all())


def _row_shown(connection: Connection, credential: str) -> Row[tuple[object, ...]] | None:
    query = select(_passkeys).where(_passkeys.c.credential == credential)
    return connection.execute(query).one_or_none()


def _mine(person_id: str, passkey_id: str) -> ColumnElement[bool]:
    return and_(_passkeys.c.person_id == person_id, _passkeys.c.id == passkey_id)


def _passkey(row: Row[tuple[object, ...]]) -> Passkey:
    return Passkey(row.id, row.name, row.host, row.made_ns, row.used_ns)


def _no_such(name: str, passkey_id: str) -> UnknownPerson:
    return UnknownPerson(f"{name} has no passkey {passkey_id[:40]!r}")
