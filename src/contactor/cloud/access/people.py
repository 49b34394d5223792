"""People of an instance: who they are, what they are to which vehicle, and what lets them in.

    people = People(Database.open(place, [ACCESS]), clock=clock)
    code = people.first_owner_code()                    # None once there is an owner
    mia = people.become_first_owner(code, "Mia", "correct horse battery")
    session = people.log_in("mia", "correct horse battery", address="127.0.0.1", device="Firefox")
    people.by_secret(session.secret)                    # Principal, until it is ended

Names are unlike by more than letters' case. Calls block; `log_in` takes an Argon2 hash's time.
"""

import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from contactor.clock import NS_PER_DAY, NS_PER_S, Clock, to_iso
from contactor.cloud.access import area
from contactor.cloud.access.credentials import (
    MAX_SECRET_CHARACTERS,
    SecretKind,
    fingerprint,
    new_secret,
)
from contactor.cloud.access.passwords import check_password, hashed, is_password, is_weak
from contactor.cloud.access.rights import RIGHTS, SCOPES, Role, Scope
from contactor.cloud.access.throttle import Throttle
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from contactor.signals.rights import EVERY_VEHICLE, Right

MAX_NAME: Final = 64
SESSION_NS: Final = 30 * NS_PER_DAY
"""From the last time that it was used."""
SEEN_STEP_NS: Final = 60 * NS_PER_S
"""A session's use is written down no more often."""
CODE_NS: Final = NS_PER_DAY
NOT_THESE: Final = "name or password is wrong"

_people, _roles, _sessions = area.people, area.roles, area.sessions
_tokens, _codes = area.tokens, area.codes


class Purpose(StrEnum):
    """What a code is for."""

    FIRST_OWNER = "first-owner"
    INVITE = "invite"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Held:
    """A role for a vehicle, or all of them, until an instant or for good."""

    vehicle_id: str
    role: Role
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is known."""

    id: str
    name: str
    roles: tuple[Held, ...]
    has_password: bool


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
class Opened:
    """A session or a token that was just made, and its secret, which is not kept."""

    id: str
    secret: str
    until_ns: int | None


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf something is asked, and how far it may go.

    Fields:
        by: 'session' or 'token', and its id.
        scope: None of a session, which has all of its person's rights.
        only: the one vehicle that a token is for; every one with `EVERY_VEHICLE`.
    """

    person: Person
    by: str
    scope: Scope | None = None
    only: str = EVERY_VEHICLE

    def may(self, right: Right, vehicle_id: str, now_ns: int) -> bool:
        """Whether something is allowed of a vehicle, or of all with `EVERY_VEHICLE`."""
        reach = self.reach(right, now_ns)
        return reach is None or vehicle_id in reach

    def reach(self, right: Right, now_ns: int) -> frozenset[str] | None:
        """The vehicles of which something is allowed; None for every one."""
        if self.scope is not None and right not in SCOPES[self.scope]:
            return frozenset()
        vehicles = frozenset(
            held.vehicle_id
            for held in self.person.roles
            if right in RIGHTS[held.role] and (held.until_ns is None or held.until_ns > now_ns)
        )
        if EVERY_VEHICLE in vehicles:
            return None if self.only == EVERY_VEHICLE else frozenset({self.only})
        return vehicles if self.only == EVERY_VEHICLE else vehicles & {self.only}


class People:
    """Reads and writes them in an open database, which it closes."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._by_address = Throttle(burst=10, per_hour=60)
        self._by_both = Throttle(burst=5, per_hour=12)

    # ── the first owner ──────────────────────────────────────────────────────────────────────────

    def first_owner_code(self) -> str | None:
        """A fresh code that makes its holder the owner of all; None where there is an owner.

        The one before it ends.
        """
        code = new_secret(SecretKind.CODE)
        with self._database.writing() as connection:
            if _owners(connection):
                return None
            connection.execute(delete(_codes).where(_codes.c.purpose == Purpose.FIRST_OWNER))
            self._keep_code(connection, code, Purpose.FIRST_OWNER)
        return code

    def become_first_owner(self, code: str, name: str, password: str) -> Person:
        """The person who is the owner now; the code has ended.

        Raises:
            AccessRefused: the code is none, or was used; or there is an owner.
            UsageError: the name or the password is none.
        """
        shown = _checked_name(name)
        check_password(password, name=shown)
        kept = hashed(password)
        with self._database.writing() as connection:
            self._use_code(connection, code, Purpose.FIRST_OWNER)
            if _owners(connection):
                raise AccessRefused("there is an owner already")
            return self._insert(connection, shown, kept, [Held(EVERY_VEHICLE, Role.OWNER)])

    # ── people ───────────────────────────────────────────────────────────────────────────────────

    def add(self, name: str, password: str | None, roles: Iterable[Held]) -> Person:
        """Add somebody.

        Args:
            password: None for somebody who is invited and will choose one.

        Raises:
            UsageError: the name is taken or none, or the password is none.
        """
        shown = _checked_name(name)
        if password is not None:
            check_password(password, name=shown)
        kept = None if password is None else hashed(password)
        with self._database.writing() as connection:
            return self._insert(connection, shown, kept, list(roles))

    def all(self) -> list[Person]:
        """Everybody, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_people).order_by(_people.c.key_name)).all()
            return [_person(connection, row) for row in rows]

    def find(self, name: str) -> Person:
        """The person of a name.

        Raises:
            UnknownPerson: there is none.
        """
        with self._database.reading() as connection:
            return _person(connection, _row(connection, name))

    def remove(self, name: str) -> None:
        """Remove somebody, with all sessions and tokens.

        Raises:
            UnknownPerson: there is none.
            UsageError: it is the last owner.
        """
        with self._database.writing() as connection:
            person = _person(connection, _row(connection, name))
            _keep_an_owner(connection, person)
            for table in (_roles, _sessions, _tokens, _codes):
                connection.execute(delete(table).where(table.c.person_id == person.id))
            connection.execute(delete(_people).where(_people.c.id == person.id))

    def set_roles(self, name: str, roles: Iterable[Held]) -> Person:
        """Give somebody these roles instead of those before.

        Raises:
            UnknownPerson: there is none.
            UsageError: it would leave no owner.
        """
        with self._database.writing() as connection:
            person = _person(connection, _row(connection, name))
            wanted = list(roles)
            if Held(EVERY_VEHICLE, Role.OWNER) not in wanted:
                _keep_an_owner(connection, person)
            connection.execute(delete(_roles).where(_roles.c.person_id == person.id))
            _insert_roles(connection, person.id, wanted)
            return _person(connection, _row(connection, name))

    def grant(self, name: str, held: Held) -> Person:
        """Give somebody a role; the same one for the same vehicle gives way to it.

        Raises:
            UnknownPerson: there is none.
            UsageError: it would end before it began, or leave no owner.
        """
        if held.until_ns is not None and held.until_ns <= self._clock.now_ns():
            raise UsageError(f"a role until {to_iso(held.until_ns)}, which is past")
        return self._change_role(name, held, is_given=True)

    def withdraw(self, name: str, vehicle_id: str, role: Role) -> Person:
        """Take a role away.

        Raises:
            UnknownPerson: there is none.
            UsageError: they do not have it, or it would leave no owner.
        """
        return self._change_role(name, Held(vehicle_id, role), is_given=False)

    def forget_vehicle(self, vehicle_id: str) -> int:
        """Remove all that names a vehicle, so that no byte of the file does.

        Returns:
            how many roles, tokens and codes there were.
        """
        with self._database.writing() as connection:
            gone = [
                connection.execute(delete(table).where(table.c.vehicle_id == vehicle_id)).rowcount
                for table in (_roles, _tokens, _codes, area.aliases)
            ]
        self._database.scrub()
        return sum(gone[:-1])

    def has_owner(self) -> bool:
        """Whether somebody owns all."""
        with self._database.reading() as connection:
            return bool(_owners(connection))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password; all sessions end.

        Raises:
            UnknownPerson: there is none.
            UsageError: the password is none.
        """
        check_password(password, name=name)
        kept = hashed(password)
        with self._database.writing() as connection:
            person_id = _row(connection, name).id
            mine = _people.c.id == person_id
            connection.execute(update(_people).where(mine).values(password=kept))
            connection.execute(delete(_sessions).where(_sessions.c.person_id == person_id))

    # ── what lets them in ────────────────────────────────────────────────────────────────────────

    def log_in(self, name: str, password: str, *, address: str, device: str) -> Opened:
        """Begin a session.

        Args:
            address: from where; what fails is counted by it.
            device: what the browser calls itself.

        Raises:
            AccessRefused: name or password is wrong.
            TooManyTries: there were too many from there.
        """
        now_ns = self._clock.now_ns()
        row = self._checked(name, password, address)
        secret, number = new_secret(SecretKind.SESSION), secrets.token_hex(8)
        until_ns = now_ns + SESSION_NS
        with self._database.writing() as connection:
            if is_weak(row.password):
                mine = and_(_people.c.id == row.id, _people.c.password == row.password)
                connection.execute(update(_people).where(mine).values(password=hashed(password)))
            connection.execute(
                insert(_sessions).values(
                    id=number,
                    fingerprint=fingerprint(secret),
                    person_id=row.id,
                    made_ns=now_ns,
                    seen_ns=now_ns,
                    until_ns=until_ns,
                    address=address,
                    device=device[:MAX_NAME],
                )
            )
        return Opened(number, secret, until_ns)

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
                    person_id=_row(connection, name).id,
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
                _sessions.c.person_id == _row(connection, name).id,
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
            query = select(_tokens).where(_tokens.c.person_id == _row(connection, name).id)
            rows = connection.execute(query.order_by(_tokens.c.made_ns.desc())).all()
        return [
            Token(row.id, row.name, Scope(row.scope), row.vehicle_id, row.made_ns, row.until_ns)
            for row in rows
        ]

    def end(self, name: str, opened_id: str) -> bool:
        """End a session or a token of somebody at once; whether there was one."""
        with self._database.writing() as connection:
            person_id = _row(connection, name).id
            gone = 0
            for table in (_sessions, _tokens):
                mine = and_(table.c.id == opened_id, table.c.person_id == person_id)
                gone += connection.execute(delete(table).where(mine)).rowcount
        return gone > 0

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _checked(self, name: str, password: str, address: str) -> Row[tuple[object, ...]]:
        """The row of whose name and password these are."""
        now_ns = self._clock.now_ns()
        both = f"{address} {_key(name)}"
        wait_ns = max(
            self._by_address.wait_ns(address, now_ns), self._by_both.wait_ns(both, now_ns)
        )
        if wait_ns:
            raise TooManyTries(f"too many tries; again in {-(-wait_ns // NS_PER_S)} s")
        with self._database.reading() as connection:
            row = connection.execute(
                select(_people).where(_people.c.key_name == _key(name))
            ).one_or_none()
        if not is_password(None if row is None else row.password, password):
            self._by_address.count(address, now_ns)
            self._by_both.count(both, now_ns)
            raise AccessRefused(NOT_THESE)
        assert row is not None
        self._by_both.forget(both)
        return row

    # ── within a transaction ─────────────────────────────────────────────────────────────────────

    def _change_role(self, name: str, held: Held, *, is_given: bool) -> Person:
        with self._database.writing() as connection:
            person = _person(connection, _row(connection, name))
            stays_owner = is_given and held.until_ns is None
            if (held.vehicle_id, held.role) == (EVERY_VEHICLE, Role.OWNER) and not stays_owner:
                _keep_an_owner(connection, person)
            same = and_(
                _roles.c.person_id == person.id,
                _roles.c.vehicle_id == held.vehicle_id,
                _roles.c.role == held.role.value,
            )
            gone = connection.execute(delete(_roles).where(same)).rowcount
            if is_given:
                _insert_roles(connection, person.id, [held])
            elif not gone:
                raise UsageError(f"{person.name} is no {held.role} of {held.vehicle_id}")
            return _person_of(connection, person.id)

    def _by_session(self, kept: str) -> Principal | None:
        now_ns = self._clock.now_ns()
        with self._database.reading() as connection:
            mine = and_(_sessions.c.fingerprint == kept, _sessions.c.until_ns > now_ns)
            row = connection.execute(select(_sessions).where(mine)).one_or_none()
            if row is None:
                return None
            person = _person_of(connection, row.person_id)
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
            person = _person_of(connection, row.person_id)
        return Principal(person, f"token {row.id}", Scope(row.scope), row.vehicle_id)

    def _insert(
        self, connection: Connection, name: str, password: str | None, roles: list[Held]
    ) -> Person:
        key = _key(name)
        if connection.execute(select(_people.c.id).where(_people.c.key_name == key)).first():
            raise UsageError(f"the name {name!r} is taken")
        person_id = secrets.token_hex(8)
        connection.execute(
            insert(_people).values(
                id=person_id,
                name=name,
                key_name=key,
                password=password,
                made_ns=self._clock.now_ns(),
            )
        )
        _insert_roles(connection, person_id, roles)
        return _person_of(connection, person_id)

    def _keep_code(self, connection: Connection, code: str, purpose: Purpose) -> None:
        connection.execute(
            insert(_codes).values(
                fingerprint=fingerprint(code),
                purpose=purpose.value,
                until_ns=self._clock.now_ns() + CODE_NS,
            )
        )

    def _use_code(self, connection: Connection, code: str, purpose: Purpose) -> None:
        """End a code.

        Raises:
            AccessRefused: it is none, or was used.
        """
        wanted = and_(
            _codes.c.fingerprint == fingerprint(code[:MAX_SECRET_CHARACTERS]),
            _codes.c.purpose == purpose.value,
            _codes.c.until_ns > self._clock.now_ns(),
        )
        if connection.execute(delete(_codes).where(wanted)).rowcount != 1:
            raise AccessRefused("the code is none of ours, was used, or has ended")


def _key(name: str) -> str:
    """A name as it is compared."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _checked_name(name: str) -> str:
    """A name as it is kept.

    Raises:
        UsageError: it is none.
    """
    shown = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(shown) <= MAX_NAME or not shown.isprintable():
        raise UsageError(f"name {name[:MAX_NAME]!r}; allowed: 1 to {MAX_NAME} printable characters")
    return shown


def _row(connection: Connection, name: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(_people).where(_people.c.key_name == _key(name))).one_or_none()
    if row is None:
        raise UnknownPerson(f"nobody is called {name[:MAX_NAME]!r}")
    return row


def _person_of(connection: Connection, person_id: str) -> Person:
    row = connection.execute(select(_people).where(_people.c.id == person_id)).one()
    return _person(connection, row)


def _person(connection: Connection, row: Row[tuple[object, ...]]) -> Person:
    query = select(_roles).where(_roles.c.person_id == row.id)
    held = connection.execute(query.order_by(_roles.c.vehicle_id, _roles.c.role)).all()
    roles = tuple(Held(one.vehicle_id, Role(one.role), one.until_ns) for one in held)
    return Person(row.id, row.name, roles, row.password is not None)


def _insert_roles(connection: Connection, person_id: str, roles: list[Held]) -> None:
    """Of several ends of one role for one vehicle, the last said holds."""
    for held in {(one.vehicle_id, one.role): one for one in roles}.values():
        connection.execute(
            insert(_roles).values(
                person_id=person_id,
                vehicle_id=held.vehicle_id,
                role=held.role.value,
                until_ns=held.until_ns,
            )
        )


def _owners(connection: Connection) -> list[str]:
    """Those who own all, for good."""
    query = select(_roles.c.person_id).where(
        _roles.c.vehicle_id == EVERY_VEHICLE,
        _roles.c.role == Role.OWNER.value,
        _roles.c.until_ns.is_(None),
    )
    return list(connection.scalars(query))


def _keep_an_owner(connection: Connection, leaving: Person) -> None:
    if _owners(connection) == [leaving.id]:
        raise UsageError(f"{leaving.name} is the last owner; make another one first")
