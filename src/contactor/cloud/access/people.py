"""People of an instance: who they are, and what they are to which vehicle.

    people = People(Database.open(place, [ACCESS]), clock=clock)
    code = people.first_owner_code()                    # None once there is an owner
    mia = people.become_first_owner(code, "Mia", "correct horse battery")
    people.logins.log_in("mia", "correct horse battery", address="127.0.0.1", device="Firefox")

Names are unlike by more than letters' case. Calls block.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import and_, delete, select

from contactor.clock import NS_PER_DAY, Clock, to_iso
from contactor.cloud.access import area
from contactor.cloud.access.codes import Purpose, insert_code, row_of_code, use_code
from contactor.cloud.access.consents import Consents, forget_consents_of
from contactor.cloud.access.credentials import SecretKind, fingerprint, new_secret
from contactor.cloud.access.invitations import Invitations
from contactor.cloud.access.logins import Logins, Principal
from contactor.cloud.access.passkeys import Passkeys
from contactor.cloud.access.passwords import check_password, hashed
from contactor.cloud.access.resets import Resets, put_password
from contactor.cloud.access.rights import Role
from contactor.cloud.access.rows import (
    Held,
    Person,
    insert_person,
    insert_roles,
    keep_an_owner,
    one_end_each,
    owners,
    person_by_id,
    person_name,
    person_of,
    row_of,
)
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, UsageError
from contactor.signals.rights import EVERY_VEHICLE

CODE_NS: Final = NS_PER_DAY

_people, _roles, _sessions = area.people, area.roles, area.sessions
_tokens, _codes = area.tokens, area.codes
_OF_A_PERSON: Final = (
    _roles,
    _sessions,
    _tokens,
    _codes,
    area.second_factors,
    area.recovery_codes,
    area.passkeys,
)


class People:
    """Reads and writes them in an open database, which it closes."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.logins = Logins(database, clock=clock)
        self.passkeys = Passkeys(database, clock=clock)
        self.invitations = Invitations(database, passkeys=self.passkeys, clock=clock)
        self.resets = Resets(database, clock=clock)
        self.consents = Consents(database, clock=clock)

    def by_secret(self, secret: str) -> Principal | None:
        """On whose behalf a session or a token speaks, a third party's too; None where none."""
        if secret.startswith(SecretKind.RECEIVER):
            return self.consents.by_fingerprint(fingerprint(secret))
        return self.logins.by_secret(secret)

    # ── the first owner ──────────────────────────────────────────────────────────────────────────

    def first_owner_code(self) -> str | None:
        """A fresh code that makes its holder the owner of all; None where there is an owner.

        The one before it ends.
        """
        code = new_secret(SecretKind.CODE)
        with self._database.writing() as connection:
            if owners(connection):
                return None
            connection.execute(delete(_codes).where(_codes.c.purpose == Purpose.FIRST_OWNER))
            until_ns = self._clock.now_ns() + CODE_NS
            insert_code(connection, code, Purpose.FIRST_OWNER, until_ns=until_ns)
        return code

    def check_first_owner_code(self, code: str) -> None:
        """Refuse a code before a hash is made for it, which costs much.

        Raises:
            AccessRefused: the code is none, or was used.
        """
        with self._database.reading() as connection:
            row_of_code(connection, code, Purpose.FIRST_OWNER, now_ns=self._clock.now_ns())

    def become_first_owner(self, code: str, name: str, password: str) -> Person:
        """The person who is the owner now; the code has ended.

        Raises:
            AccessRefused: the code is none, or was used; or there is an owner.
            UsageError: the name or the password is none.
        """
        shown = person_name(name)
        check_password(password, name=shown)
        kept, now_ns = hashed(password), self._clock.now_ns()
        roles = [Held(EVERY_VEHICLE, Role.OWNER)]
        with self._database.writing() as connection:
            use_code(connection, code, Purpose.FIRST_OWNER, now_ns=now_ns)
            if owners(connection):
                raise AccessRefused("there is an owner already")
            return insert_person(connection, shown, kept, roles, now_ns=now_ns)

    # ── people ───────────────────────────────────────────────────────────────────────────────────

    def add(self, name: str, password: str | None, roles: Iterable[Held]) -> Person:
        """Add somebody.

        Args:
            password: None for somebody who is invited and will choose one.

        Raises:
            UsageError: the name is taken or none, or the password is none.
        """
        shown = person_name(name)
        if password is not None:
            check_password(password, name=shown)
        kept = None if password is None else hashed(password)
        with self._database.writing() as connection:
            now_ns = self._clock.now_ns()
            return insert_person(connection, shown, kept, list(roles), now_ns=now_ns)

    def all(self) -> list[Person]:
        """Everybody, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_people).order_by(_people.c.key_name)).all()
            return [person_of(connection, row) for row in rows]

    def find(self, name: str) -> Person:
        """The person of a name.

        Raises:
            UnknownPerson: there is none.
        """
        with self._database.reading() as connection:
            return person_of(connection, row_of(connection, name))

    def remove(self, name: str) -> None:
        """Remove somebody, with all that lets them in and what they gave: no byte names them.

        What they consented to goes with them by its table's foreign key.

        Raises:
            UnknownPerson: there is none.
            UsageError: it is the last owner.
        """
        with self._database.writing() as connection:
            person = person_of(connection, row_of(connection, name))
            keep_an_owner(connection, person)
            connection.execute(delete(_codes).where(_codes.c.made_by == person.id))
            for table in _OF_A_PERSON:
                connection.execute(delete(table).where(table.c.person_id == person.id))
            connection.execute(delete(_people).where(_people.c.id == person.id))
        self._database.scrub()

    def set_roles(self, name: str, roles: Iterable[Held]) -> Person:
        """Give somebody these roles instead of those before.

        Raises:
            UnknownPerson: there is none.
            UsageError: it would leave no owner.
        """
        with self._database.writing() as connection:
            person = person_of(connection, row_of(connection, name))
            wanted = one_end_each(roles)
            if Held(EVERY_VEHICLE, Role.OWNER) not in wanted:
                keep_an_owner(connection, person)
            connection.execute(delete(_roles).where(_roles.c.person_id == person.id))
            insert_roles(connection, person.id, wanted)
            return person_of(connection, row_of(connection, name))

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
            how many roles, tokens, codes and consents there were.
        """
        with self._database.writing() as connection:
            gone = [
                connection.execute(delete(table).where(table.c.vehicle_id == vehicle_id)).rowcount
                for table in (_roles, _tokens, _codes, area.aliases)
            ]
            gone.insert(0, forget_consents_of(connection, vehicle_id))
        self._database.scrub()
        return sum(gone[:-1])

    def has_owner(self) -> bool:
        """Whether somebody owns all."""
        with self._database.reading() as connection:
            return bool(owners(connection))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password; all sessions end, and links that would choose one.

        Raises:
            UnknownPerson: there is none.
            UsageError: the password is none.
        """
        check_password(password, name=name)
        kept = hashed(password)
        with self._database.writing() as connection:
            put_password(connection, str(row_of(connection, name).id), kept)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # ── within a transaction ─────────────────────────────────────────────────────────────────────

    def _change_role(self, name: str, held: Held, *, is_given: bool) -> Person:
        with self._database.writing() as connection:
            person = person_of(connection, row_of(connection, name))
            stays_owner = is_given and held.until_ns is None
            if (held.vehicle_id, held.role) == (EVERY_VEHICLE, Role.OWNER) and not stays_owner:
                keep_an_owner(connection, person)
            same = and_(
                _roles.c.person_id == person.id,
                _roles.c.vehicle_id == held.vehicle_id,
                _roles.c.role == held.role.value,
            )
            gone = connection.execute(delete(_roles).where(same)).rowcount
            if is_given:
                insert_roles(connection, person.id, [held])
            elif not gone:
                raise UsageError(f"{person.name} is no {held.role} of {held.vehicle_id}")
            return person_by_id(connection, person.id)
