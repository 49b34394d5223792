"""People of a data folder: through the instance that runs on it, else in its database.

people = open_people(Path("contactor-data"))
people.add("Mia", "correct horse battery", [RoleNow(Role.DRIVER, "leaf")])
people.logins.make_token("Mia", name="grafana", scope=Scope.READ, vehicle_id="*", until=None)
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from contactor.app.database_place import database_at
from contactor.app.folder import DataFolder
from contactor.app.instance_api import InstanceApi, quoted, way_to
from contactor.clock import SystemClock, to_iso
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.audit import AuditLog
from contactor.cloud.access.door import LOCAL
from contactor.cloud.access.people import People
from contactor.cloud.access.records import AuditPage, Record, Records
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.told import (
    NewToken,
    PersonNow,
    PersonPage,
    RoleNow,
    TokenNow,
    TokenPage,
    held_of,
    instant,
)
from contactor.cloud.access.told_links import InvitationNow, InvitationPage, NewLink
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.database.database import Database
from contactor.errors import InstanceError, UnknownPerson

TIMEOUT_S: Final = 60.0
PAGE: Final = 1_000


class AskedPeople(Protocol):
    """What can be done with the people of a data folder."""

    def all(self) -> list[PersonNow]:
        """Everybody, by name."""
        ...

    def add(self, name: str, password: str, roles: Sequence[RoleNow]) -> PersonNow:
        """Add somebody.

        Raises:
            UsageError: the name is taken or none, or the password is none.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove somebody.

        Raises:
            UnknownPerson: there is none.
            UsageError: it is the last owner.
        """
        ...

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password; raises as `add` and `remove`."""
        ...

    def set_roles(self, name: str, roles: Sequence[RoleNow]) -> PersonNow:
        """Let somebody be this, and nothing else; raises as `remove`."""
        ...

    def invite(self, role: RoleNow, name: str | None) -> NewLink:
        """Invite somebody to a role.

        Raises:
            InstanceError: no instance runs that the link would lead to.
            UsageError: the role is none, or the name is none or taken.
        """
        ...

    def invitations(self) -> list[InvitationNow]:
        """Those that are open, the newest first."""
        ...

    def take_back(self, invitation_id: str) -> None:
        """Have an invitation let nobody in.

        Raises:
            UnknownPerson: there is none.
        """
        ...

    def reset(self, name: str, *, has_all: bool) -> NewLink:
        """A link by which somebody chooses another password.

        Args:
            has_all: whether second factor and passkeys go with it.

        Raises:
            InstanceError: no instance runs that the link would lead to.
            UnknownPerson: there is none of that name.
        """
        ...

    def tokens(self, name: str) -> list[TokenNow]:
        """Somebody's tokens, the newest first."""
        ...

    def make_token(
        self, user: str, *, name: str, scope: Scope, vehicle_id: str, until: str | None
    ) -> NewToken:
        """Make a token of somebody.

        Raises:
            UnknownPerson: there is none.
            UsageError: it would end before it began.
        """
        ...

    def end(self, user: str, opened_id: str) -> None:
        """End a token or a session of somebody.

        Raises:
            UnknownPerson: there is none.
        """
        ...

    def audit(self, limit: int) -> list[Record]:
        """The newest entries of the audit log."""
        ...


def open_people(data: Path) -> AskedPeople:
    """The way to the people of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _OfFolder, _OfInstance)


@contextlib.contextmanager
def held_people(folder: DataFolder) -> Iterator[tuple[People, Records]]:
    """The people of a folder and the log of what they do; it is held meanwhile.

    Raises:
        FolderInUse: somebody else holds it.
        FolderError: something cannot be read.
    """
    with folder.held():
        database, clock = Database.open(database_at(folder), [ACCESS]), SystemClock()
        with contextlib.closing(People(database, clock=clock)) as people:
            yield people, Records(AuditLog.open(folder.audit), database, clock=clock)


class _OfFolder:
    """In the database; the folder is held meanwhile."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def all(self) -> list[PersonNow]:
        with self._people() as people:
            return [PersonNow.of(one) for one in people.all()]

    def add(self, name: str, password: str, roles: Sequence[RoleNow]) -> PersonNow:
        with self._people("POST /people") as people:
            return PersonNow.of(people.add(name, password, [held_of(role) for role in roles]))

    def remove(self, name: str) -> None:
        with self._people("DELETE /people/{name}") as people:
            person = people.find(name)
            people.remove(name)
            if self._folder.commands.exists():
                with contextlib.closing(CommandStore(self._folder.commands)) as commands:
                    commands.forget_issuer(person.name)

    def set_password(self, name: str, password: str) -> None:
        with self._people("PUT /people/{name}/password", about=name) as people:
            people.set_password(name, password)

    def set_roles(self, name: str, roles: Sequence[RoleNow]) -> PersonNow:
        with self._people("PUT /people/{name}/roles", about=name) as people:
            return PersonNow.of(people.set_roles(name, [held_of(role) for role in roles]))

    def invite(self, role: RoleNow, name: str | None) -> NewLink:
        raise self._no_page()

    def invitations(self) -> list[InvitationNow]:
        with self._people() as people:
            return [InvitationNow.of(one) for one in people.invitations.all()]

    def take_back(self, invitation_id: str) -> None:
        with self._people("DELETE /invitations/{invitation_id}") as people:
            if invitation_id not in {one.id for one in people.invitations.all()}:
                raise UnknownPerson(f"no invitation {invitation_id[:40]!r} is open")
            people.invitations.take_back(invitation_id)

    def reset(self, name: str, *, has_all: bool) -> NewLink:
        raise self._no_page()

    def tokens(self, name: str) -> list[TokenNow]:
        with self._people() as people:
            return [TokenNow.of(one) for one in people.logins.tokens(name)]

    def make_token(
        self, user: str, *, name: str, scope: Scope, vehicle_id: str, until: str | None
    ) -> NewToken:
        with self._people("POST /people/{name}/tokens", about=user) as people:
            made = people.logins.make_token(
                user,
                called=name,
                scope=scope,
                vehicle_id=vehicle_id,
                until_ns=None if until is None else instant(until),
            )
        return NewToken(
            made.id, made.secret, None if made.until_ns is None else to_iso(made.until_ns)
        )

    def end(self, user: str, opened_id: str) -> None:
        with self._people("DELETE /people/{name}/opened/{opened_id}", about=user) as people:
            if not people.logins.end(user, opened_id):
                raise UnknownPerson(f"{user} has no session or token {opened_id[:40]!r}")

    def audit(self, limit: int) -> list[Record]:
        with held_people(self._folder) as (_, records):
            return records.page(limit=limit, before=None)

    def _no_page(self) -> InstanceError:
        return InstanceError(f"no instance runs on {self._folder.root} for the link to lead to")

    @contextlib.contextmanager
    def _people(self, change: str | None = None, *, about: str | None = None) -> Iterator[People]:
        """Ask them; a change that was made is noted as one over HTTP is."""
        with held_people(self._folder) as (people, records):
            yield people
            if change is not None:
                records.note(LOCAL, change, "done", about=about)


class _OfInstance:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._api = InstanceApi(
            f"{url}/api/v1", secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownPerson
        )

    def all(self) -> list[PersonNow]:
        return msgspec.convert(self._api.ask("GET", "/people"), PersonPage).items

    def add(self, name: str, password: str, roles: Sequence[RoleNow]) -> PersonNow:
        body = {"name": name, "password": password, "roles": roles}
        return self._person("POST", "/people", body)

    def remove(self, name: str) -> None:
        self._api.ask("DELETE", _place(name))

    def set_password(self, name: str, password: str) -> None:
        body = msgspec.json.encode({"password": password})
        self._api.ask("PUT", f"{_place(name)}/password", body)

    def set_roles(self, name: str, roles: Sequence[RoleNow]) -> PersonNow:
        return self._person("PUT", f"{_place(name)}/roles", {"roles": roles})

    def invite(self, role: RoleNow, name: str | None) -> NewLink:
        asked = {"role": role.role, "vehicle_id": role.vehicle_id, "until": role.until}
        body = msgspec.json.encode({**asked, "name": name})
        return msgspec.convert(self._api.ask("POST", "/invitations", body), NewLink)

    def invitations(self) -> list[InvitationNow]:
        return msgspec.convert(self._api.ask("GET", "/invitations"), InvitationPage).items

    def take_back(self, invitation_id: str) -> None:
        self._api.ask("DELETE", f"/invitations/{quoted(invitation_id)}")

    def reset(self, name: str, *, has_all: bool) -> NewLink:
        body = msgspec.json.encode({"second_factors_too": has_all})
        return msgspec.convert(self._api.ask("POST", f"{_place(name)}/reset", body), NewLink)

    def tokens(self, name: str) -> list[TokenNow]:
        return msgspec.convert(self._api.ask("GET", f"{_place(name)}/tokens"), TokenPage).items

    def make_token(
        self, user: str, *, name: str, scope: Scope, vehicle_id: str, until: str | None
    ) -> NewToken:
        body = {"name": name, "scope": scope, "vehicle_id": vehicle_id, "expires_at": until}
        answer = self._api.ask("POST", f"{_place(user)}/tokens", msgspec.json.encode(body))
        return msgspec.convert(answer, NewToken)

    def end(self, user: str, opened_id: str) -> None:
        self._api.ask("DELETE", f"{_place(user)}/opened/{quoted(opened_id)}")

    def audit(self, limit: int) -> list[Record]:
        query = {"limit": min(limit, PAGE)}
        return msgspec.convert(self._api.ask("GET", "/audit", query=query), AuditPage).items

    def _person(self, method: str, place: str, body: object) -> PersonNow:
        return msgspec.convert(self._api.ask(method, place, msgspec.json.encode(body)), PersonNow)


def _place(name: str) -> str:
    return f"/people/{quoted(name)}"
