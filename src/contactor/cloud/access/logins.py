"""What lets people in: passwords, sessions, tokens; each known by its hash alone.

    logins = Logins(database, clock=clock)
    session = logins.log_in("mia", "correct horse battery", address="127.0.0.1", device="Firefox")
    logins.by_secret(session.secret)            # Principal, until it is ended

Of whom a second factor is on, the password alone gives a `Step`: it is good for a code, and for
nothing else. Calls block; `log_in` takes an Argon2 hash's time.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.access import area
from contactor.cloud.access.consent_scope import ConsentScope
from contactor.cloud.access.credentials import (
    MAX_SECRET_CHARACTERS,
    SecretKind,
    fingerprint,
    new_secret,
)
from contactor.cloud.access.passwords import hashed, is_password, is_weak
from contactor.cloud.access.pending import Pending
from contactor.cloud.access.rights import SCOPES, Scope, may
from contactor.cloud.access.rows import MAX_NAME, Person, key_of, person_by_id, row_of
from contactor.cloud.access.second_factors import SecondFactors, is_on
from contactor.cloud.access.sessions import SESSION_NS, Opened, Way, insert_session
from contactor.cloud.access.throttle import Throttle, counted_as, refuse_while
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, UsageError
from contactor.signals.rights import EVERY_VEHICLE, Right

SEEN_STEP_NS: Final = 60 * NS_PER_S
"""A session's use is written down no more often."""
STEP_LIFE_S: Final = 300
MAX_STEPS: Final = 10_000
FRESH_NS: Final = 900 * NS_PER_S
"""A session younger than that may change what lets its person in."""
NOT_THESE: Final = "name or password is wrong"
TOO_LATE: Final = "that took too long; begin with the password again"

_people, _sessions, _tokens = area.people, area.sessions, area.tokens


@dataclass(frozen=True, slots=True)
class Session:
    """A login; its secret is known to nobody but whom it was given."""

    id: str
    made_ns: int
    seen_ns: int
    until_ns: int
    address: str
    device: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows instead of a password."""

    id: str
    name: str
    scope: Scope
    vehicle_id: str
    made_ns: int
    until_ns: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """The password was right, and a code is wanted; its secret lets nobody in by itself."""

    secret: str
    until_ns: int


@dataclass(frozen=True, slots=True)
class _HalfIn:
    """Who has shown a password: as long as that one holds."""

    person_id: str
    password: str


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf something is asked, and how far it may go.

    Fields:
        by: 'session' or 'token', and its id.
        scope: None of a session, which has all of its person's rights.
        only: the one vehicle that a token is for; every one with `EVERY_VEHICLE`.
        consent: of a third party, who is no person: all that it may read.
        until_ns: when a token ends, ns UTC; None: never, or it is none.
    """

    person: Person
    by: str
    scope: Scope | None = None
    only: str = EVERY_VEHICLE
    consent: ConsentScope | None = None
    until_ns: int | None = None

    def may(self, right: Right, vehicle_id: str, now_ns: int) -> bool:
        """Whether something is allowed of a vehicle, or of all with `EVERY_VEHICLE`."""
        reach = self.reach(right, now_ns)
        return reach is None or vehicle_id in reach

    def reach(self, right: Right, now_ns: int) -> frozenset[str] | None:
        """The vehicles of which something is allowed; None for every one."""
        if self.consent is not None:
            return self.consent.reach(right, now_ns)
        if self.scope is not None and right not in SCOPES[self.scope]:
            return frozenset()
        vehicles = frozenset(
            held.vehicle_id
            for held in self.person.roles
            if may(held.role, right) and (held.until_ns is None or held.until_ns > now_ns)
        )
        if EVERY_VEHICLE in vehicles:
            return None if self.only == EVERY_VEHICLE else frozenset({self.only})
        return vehicles if self.only == EVERY_VEHICLE else vehicles & {self.only}


class Logins:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.second_factors = SecondFactors(database, clock=clock)
        self._steps = Pending[_HalfIn](life_s=STEP_LIFE_S, most=MAX_STEPS, clock=clock)
        self._by_address = Throttle(burst=10, per_hour=60)
        self._by_both = Throttle(burst=5, per_hour=12)

    def log_in(self, name: str, password: str, *, address: str, device: str) -> Opened | Step:
        """Begin a session, or the second step to one.

        Args:
            address: from where; what fails is counted by it.
            device: what the browser calls itself.

        Raises:
            AccessRefused: name or password is wrong.
            TooManyTries: there were too many from there.
        """
        now_ns = self._clock.now_ns()
        row = self._checked(name, password, address)
        kept = str(row.password)
        with self._database.writing() as connection:
            if is_weak(kept):
                mine = and_(_people.c.id == row.id, _people.c.password == kept)
                kept = hashed(password)
                connection.execute(update(_people).where(mine).values(password=kept))
            _check_is_still(connection, row.id, kept, NOT_THESE)
            if not is_on(connection, row.id):
                return insert_session(connection, row.id, Way(address, device), now_ns=now_ns)
        secret = new_secret(SecretKind.STEP)
        self._steps.put(fingerprint(secret), _HalfIn(row.id, kept))
        return Step(secret, now_ns + STEP_LIFE_S * NS_PER_S)

    def log_in_by_code(self, step: str, code: str, *, address: str, device: str) -> Opened:
        """Begin a session of who has shown the password already.

        Args:
            step: the secret of the first step; it goes on being good while the code is wrong.
            code: of the app, or a recovery code.

        Raises:
            AccessRefused: the step is none, or too old; or the code is wrong.
            TooManyTries: too many codes were.
        """
        key = fingerprint(step[:MAX_SECRET_CHARACTERS])
        half_in = self._steps.look(key)
        if half_in is None:
            raise AccessRefused(TOO_LATE)
        self.second_factors.check(half_in.person_id, code, address=address)
        self._steps.take(key)
        with self._database.writing() as connection:
            _check_is_still(connection, half_in.person_id, half_in.password, TOO_LATE)
            way = Way(address, device)
            return insert_session(connection, half_in.person_id, way, now_ns=self._clock.now_ns())

    def half_in(self, step: str) -> str:
        """The number of whose password a step shows; '' where it is none."""
        found = self._steps.look(fingerprint(step[:MAX_SECRET_CHARACTERS]))
        return "" if found is None else found.person_id

    def is_fresh(self, principal: Principal) -> bool:
        """Whether somebody logged in just now: a cookie that was stolen makes no new way in."""
        kind, _, number = principal.by.partition(" ")
        if kind != "session":
            return False
        since_ns = self._clock.now_ns() - FRESH_NS
        wanted = and_(_sessions.c.id == number, _sessions.c.made_ns > since_ns)
        with self._database.reading() as connection:
            return connection.execute(select(_sessions.c.id).where(wanted)).first() is not None

    def check_password(self, name: str, password: str, *, address: str) -> None:
        """Accept somebody's password; raises as `log_in`."""
        self._checked(name, password, address)

    def make_token(
        self,
        name: str,
        *,
        called: str,
        scope: Scope,
        vehicle_id: str = EVERY_VEHICLE,
        until_ns: int | None = None,
    ) -> Opened:
        """Make a token of somebody.

        Raises:
            UnknownPerson: there is none.
            UsageError: it would end before it began.
        """
        now_ns = self._clock.now_ns()
        if until_ns is not None and until_ns <= now_ns:
            raise UsageError(f"a token until {to_iso(until_ns)}, which is past")
        secret, number = new_secret(SecretKind.TOKEN), secrets.token_hex(8)
        with self._database.writing() as connection:
            connection.execute(
                insert(_tokens).values(
                    id=number,
                    fingerprint=fingerprint(secret),
                    person_id=row_of(connection, name).id,
                    name=called[:MAX_NAME],
                    scope=scope.value,
                    vehicle_id=vehicle_id,
                    made_ns=now_ns,
                    until_ns=until_ns,
                )
            )
        return Opened(number, secret, until_ns)

    def by_secret(self, secret: str) -> Principal | None:
        """On whose behalf a session or a token speaks; None where it has ended or is none."""
        if len(secret) > MAX_SECRET_CHARACTERS:
            return None
        if secret.startswith(SecretKind.SESSION):
            return self._by_session(fingerprint(secret))
        if secret.startswith(SecretKind.TOKEN):
            return self._by_token(fingerprint(secret))
        return None

    def sessions(self, name: str) -> list[Session]:
        """Those of somebody that have not ended, the last used first."""
        with self._database.reading() as connection:
            query = select(_sessions).where(
                _sessions.c.person_id == row_of(connection, name).id,
                _sessions.c.until_ns > self._clock.now_ns(),
            )
            rows = connection.execute(query.order_by(_sessions.c.seen_ns.desc())).all()
        return [
            Session(row.id, row.made_ns, row.seen_ns, row.until_ns, row.address, row.device)
            for row in rows
        ]

    def tokens(self, name: str) -> list[Token]:
        """Those of somebody, the newest first."""
        with self._database.reading() as connection:
            query = select(_tokens).where(_tokens.c.person_id == row_of(connection, name).id)
            rows = connection.execute(query.order_by(_tokens.c.made_ns.desc())).all()
        return [
            Token(row.id, row.name, Scope(row.scope), row.vehicle_id, row.made_ns, row.until_ns)
            for row in rows
        ]

    def end(self, name: str, opened_id: str) -> bool:
        """End a session or a token of somebody at once; whether there was one."""
        with self._database.writing() as connection:
            person_id = row_of(connection, name).id
            gone = 0
            for table in (_sessions, _tokens):
                mine = and_(table.c.id == opened_id, table.c.person_id == person_id)
                gone += connection.execute(delete(table).where(mine)).rowcount
        return gone > 0

    def end_sessions(self, name: str, *, but: str = "") -> int:
        """End every session of somebody, one perhaps excepted by its id; how many there were.

        Raises:
            UnknownPerson: there is none.
        """
        with self._database.writing() as connection:
            mine = and_(_sessions.c.person_id == row_of(connection, name).id, _sessions.c.id != but)
            return connection.execute(delete(_sessions).where(mine)).rowcount

    def _checked(self, name: str, password: str, address: str) -> Row[tuple[object, ...]]:
        """The row of whose name and password these are."""
        now_ns = self._clock.now_ns()
        both = f"{counted_as(address)} {key_of(name)}"
        wait_ns = max(
            self._by_address.wait_ns(address, now_ns), self._by_both.wait_ns(both, now_ns)
        )
        refuse_while(wait_ns)
        with self._database.reading() as connection:
            row = connection.execute(
                select(_people).where(_people.c.key_name == key_of(name))
            ).one_or_none()
        if not is_password(None if row is None else row.password, password):
            self._by_address.count(address, now_ns)
            self._by_both.count(both, now_ns)
            raise AccessRefused(NOT_THESE)
        assert row is not None
        self._by_both.forget(both)
        return row

    def _by_session(self, kept: str) -> Principal | None:
        now_ns = self._clock.now_ns()
        with self._database.reading() as connection:
            mine = and_(_sessions.c.fingerprint == kept, _sessions.c.until_ns > now_ns)
            row = connection.execute(select(_sessions).where(mine)).one_or_none()
            if row is None:
                return None
            person = person_by_id(connection, row.person_id)
        if now_ns - row.seen_ns >= SEEN_STEP_NS:
            used = {"seen_ns": now_ns, "until_ns": now_ns + SESSION_NS}
            with self._database.writing() as connection:
                connection.execute(update(_sessions).where(_sessions.c.id == row.id).values(used))
        return Principal(person, f"session {row.id}")

    def _by_token(self, kept: str) -> Principal | None:
        endless = or_(_tokens.c.until_ns.is_(None), _tokens.c.until_ns > self._clock.now_ns())
        with self._database.reading() as connection:
            query = select(_tokens).where(_tokens.c.fingerprint == kept, endless)
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            person = person_by_id(connection, row.person_id)
        by = f"token {row.id}"
        scope, until_ns = Scope(row.scope), row.until_ns
        return Principal(person, by, scope, row.vehicle_id, until_ns=until_ns)


def _check_is_still(connection: Connection, person_id: str, password: str, words: str) -> None:
    """Refuse who has shown a password that was changed meanwhile; also who is gone.

    Args:
        password: its hash.

    Raises:
        AccessRefused: it is another, with these words.
    """
    same = and_(_people.c.id == person_id, _people.c.password == password)
    if connection.execute(select(_people.c.id).where(same)).first() is None:
        raise AccessRefused(words)
