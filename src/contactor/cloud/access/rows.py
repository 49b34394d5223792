"""Rows of people: who they are, and what they are to which vehicle; within a transaction of others.

row = row_of(connection, "mia")             # UnknownPerson where there is none
person = person_of(connection, row)
"""

import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, insert, select

from contactor.cloud.access import area
from contactor.cloud.access.rights import Role
from contactor.errors import UnknownPerson, UsageError
from contactor.signals.rights import EVERY_VEHICLE

MAX_NAME: Final = 64
LOCAL_ID: Final = "local"
"""The number of who asks from the data folder itself; no person has it."""
CAR_ID: Final = "car"
"""The number of a car that refused something; no person has it."""
_NOT_OF_PEOPLE: Final = (".", "..", LOCAL_ID, CAR_ID, "nobody")
"""What a path, or the audit log, would mean something else by."""
_people, _roles = area.people, area.roles


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


def key_of(name: str) -> str:
    """A name as it is compared; a NUL, which PostgreSQL takes in no text, is in nobody's."""
    return unicodedata.normalize("NFKC", name).casefold().strip().replace("\0", "\ufffd")


def checked_name(name: str) -> str:
    """A name as it is kept.

    Raises:
        UsageError: it is none.
    """
    shown = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(shown) <= MAX_NAME or not shown.isprintable():
        raise UsageError(f"name {name[:MAX_NAME]!r}; allowed: 1 to {MAX_NAME} printable characters")
    return shown


def person_name(name: str) -> str:
    """A person's name as it is kept: one that is nothing else in a path or in the audit log.

    Raises:
        UsageError: it is none.
    """
    shown = checked_name(name)
    if "/" in shown or key_of(shown) in _NOT_OF_PEOPLE:
        raise UsageError(f"name {shown!r}; allowed: no /, and none of {', '.join(_NOT_OF_PEOPLE)}")
    return shown


def row_of(connection: Connection, name: str) -> Row[tuple[object, ...]]:
    """The row of somebody.

    Raises:
        UnknownPerson: there is none.
    """
    row = connection.execute(
        select(_people).where(_people.c.key_name == key_of(name))
    ).one_or_none()
    if row is None:
        raise UnknownPerson(f"nobody is called {name[:MAX_NAME]!r}")
    return row


def person_by_id(connection: Connection, person_id: str) -> Person:
    """Somebody by number."""
    row = connection.execute(select(_people).where(_people.c.id == person_id)).one()
    return person_of(connection, row)


def person_of(connection: Connection, row: Row[tuple[object, ...]]) -> Person:
    """Somebody by row, with roles."""
    query = select(_roles).where(_roles.c.person_id == row.id)
    held = connection.execute(query.order_by(_roles.c.vehicle_id, _roles.c.role)).all()
    roles = tuple(Held(one.vehicle_id, Role(one.role), one.until_ns) for one in held)
    return Person(row.id, row.name, roles, row.password is not None)


def new_person_id() -> str:
    """A number for somebody; it is used for nobody else, ever."""
    return secrets.token_hex(8)


def check_name_is_free(connection: Connection, name: str) -> None:
    """Refuse a name that somebody has.

    Raises:
        UsageError: it is taken.
    """
    if connection.execute(select(_people.c.id).where(_people.c.key_name == key_of(name))).first():
        raise UsageError(f"the name {name!r} is taken")


def insert_person(
    connection: Connection,
    name: str,
    password: str | None,
    roles: list[Held],
    *,
    now_ns: int,
    person_id: str | None = None,
) -> Person:
    """Somebody new.

    Args:
        name: as it is kept.
        password: its hash.
        person_id: theirs already; default a new one.

    Raises:
        UsageError: the name is taken.
    """
    check_name_is_free(connection, name)
    number = new_person_id() if person_id is None else person_id
    connection.execute(
        insert(_people).values(
            id=number, name=name, key_name=key_of(name), password=password, made_ns=now_ns
        )
    )
    insert_roles(connection, number, roles)
    return person_by_id(connection, number)


def one_end_each(roles: Iterable[Held]) -> list[Held]:
    """Of several ends of one role for one vehicle, the last said holds."""
    return list({(one.vehicle_id, one.role): one for one in roles}.values())


def insert_roles(connection: Connection, person_id: str, roles: list[Held]) -> None:
    """What somebody is, besides what they were."""
    for held in one_end_each(roles):
        connection.execute(
            insert(_roles).values(
                person_id=person_id,
                vehicle_id=held.vehicle_id,
                role=held.role.value,
                until_ns=held.until_ns,
            )
        )


def owners(connection: Connection) -> list[str]:
    """Those who own all, for good."""
    query = select(_roles.c.person_id).where(
        _roles.c.vehicle_id == EVERY_VEHICLE,
        _roles.c.role == Role.OWNER.value,
        _roles.c.until_ns.is_(None),
    )
    return list(connection.scalars(query))


def keep_an_owner(connection: Connection, leaving: Person) -> None:
    """Refuse that the last owner goes.

    Raises:
        UsageError: nobody else owns all.
    """
    if owners(connection) == [leaving.id]:
        raise UsageError(f"{leaving.name} is the last owner; make another one first")
