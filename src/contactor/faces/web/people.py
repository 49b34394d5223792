"""The routes of who governs: people, their roles, sessions and tokens, and the audit log.

    GET  /api/v1/people
    POST /api/v1/people {"name": "Mia", "roles": [{"role": "driver", "vehicle_id": "leaf"}]}
    PUT  /api/v1/vehicles/leaf/people/Mia {"role": "guest", "until": "2026-12-01T00:00:00Z"}
    GET  /api/v1/audit

    routes = people_routes(access, records, clock)

Who may share a vehicle gives others no more of it than they have themselves, nor for longer, and
takes no more away.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post, put
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from contactor.cloud.access.invitations import missing
from contactor.cloud.access.people import People
from contactor.cloud.access.records import AuditPage, Records
from contactor.cloud.access.rights import Role
from contactor.cloud.access.rows import Held, Person
from contactor.cloud.access.told import (
    NewToken,
    PersonNow,
    PersonPage,
    RoleNow,
    SessionNow,
    SessionPage,
    TokenNow,
    TokenPage,
    held_of,
)
from contactor.errors import UnknownPerson, UsageError
from contactor.faces.web.login import (
    MAX_BODY_BYTES,
    Access,
    SignedIn,
    check_is_fresh,
)
from contactor.faces.web.needs import of_all, of_vehicle
from contactor.faces.web.parameters import Limit, Text, decoded
from contactor.faces.web.problems import described
from contactor.faces.web.tokens import TokenRequest, make_token
from contactor.signals.rights import EVERY_VEHICLE, Right

_GOVERN: Final = of_all(Right.GOVERN)
_SHARE: Final = of_vehicle(Right.SHARE)


class NewPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to be added."""

    name: Text
    password: Text | None = None
    roles: Annotated[list[RoleNow], msgspec.Meta(max_length=1_000)] = []


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody is to be, in place of what they were."""

    roles: Annotated[list[RoleNow], msgspec.Meta(max_length=1_000)]


class SetPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password for somebody."""

    password: Text


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for one vehicle, until an instant or for good."""

    role: Role
    until: str | None = None


def people_routes(
    access: Access, records: Records, forget: Callable[[str], None]
) -> Sequence[BaseRouteHandler]:
    """The handlers over the people of an instance and its audit log.

    Args:
        forget: lets the rest of the instance forget a name; of somebody who is removed.
    """
    return [
        *_people_routes(access, forget),
        *_opened_routes(access),
        *_share_routes(access),
        *_audit_routes(access, records),
    ]


def _people_routes(access: Access, forget: Callable[[str], None]) -> Sequence[BaseRouteHandler]:
    @get("/people", summary="Everybody, by name", responses=described(), needs=_GOVERN)
    async def people() -> PersonPage:
        return PersonPage([PersonNow.of(one) for one in await access.ask(People.all)])

    @post(
        "/people",
        summary="Add somebody",
        request_max_body_size=MAX_BODY_BYTES * 16,
        responses=described(400, 413, 429),
        needs=_GOVERN,
    )
    async def add(request: SignedIn, data: JSONBody[NewPerson]) -> PersonNow:
        asked = decoded(await request.body(), NewPerson)
        await check_is_fresh(access, request)
        roles = [held_of(one) for one in asked.roles]
        return PersonNow.of(
            await access.hash(lambda people: people.add(asked.name, asked.password, roles))
        )

    @get("/people/{name:str}", summary="Somebody", responses=described(400, 404), needs=_GOVERN)
    async def one(name: FromPath[str]) -> PersonNow:
        return PersonNow.of(await access.ask(lambda people: people.find(name)))

    @delete(
        "/people/{name:str}",
        summary="Remove somebody, with all sessions, tokens and consents",
        status_code=204,
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def remove(name: FromPath[str]) -> None:
        person = await access.ask(lambda people: people.find(name))
        await access.change(lambda people: people.remove(name))
        forget(person.name)

    @put(
        "/people/{name:str}/roles",
        summary="Give somebody these roles instead of those before",
        request_max_body_size=MAX_BODY_BYTES * 16,
        responses=described(400, 404, 413),
        needs=_GOVERN,
    )
    async def roles(request: SignedIn, name: FromPath[str], data: JSONBody[Roles]) -> PersonNow:
        wanted = [held_of(one) for one in decoded(await request.body(), Roles).roles]
        await check_is_fresh(access, request)
        return PersonNow.of(await access.change(lambda people: people.set_roles(name, wanted)))

    @put(
        "/people/{name:str}/password",
        summary="Give somebody another password; every session of theirs ends",
        status_code=204,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413, 429),
        needs=_GOVERN,
    )
    async def password(request: SignedIn, name: FromPath[str], data: JSONBody[SetPassword]) -> None:
        asked = decoded(await request.body(), SetPassword)
        await check_is_fresh(access, request)
        await access.hash(lambda people: people.set_password(name, asked.password))

    return [people, add, one, remove, roles, password]


def _opened_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @get(
        "/people/{name:str}/sessions",
        summary="Somebody's sessions",
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def sessions(name: FromPath[str]) -> SessionPage:
        found = await access.ask(lambda people: people.logins.sessions(name))
        return SessionPage([SessionNow.of(one) for one in found])

    @delete(
        "/people/{name:str}/sessions",
        summary="End every session of somebody",
        status_code=204,
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def end_all(name: FromPath[str]) -> None:
        await access.change(lambda people: people.logins.end_sessions(name))

    @get(
        "/people/{name:str}/tokens",
        summary="Somebody's tokens",
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def tokens(name: FromPath[str]) -> TokenPage:
        found = await access.ask(lambda people: people.logins.tokens(name))
        return TokenPage([TokenNow.of(one) for one in found])

    @post(
        "/people/{name:str}/tokens",
        summary="Make a token of somebody",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=_GOVERN,
    )
    async def make(
        request: SignedIn, name: FromPath[str], data: JSONBody[TokenRequest]
    ) -> NewToken:
        asked = decoded(await request.body(), TokenRequest)
        await check_is_fresh(access, request)
        return await make_token(access, name, asked, by=request.user)

    @delete(
        "/people/{name:str}/opened/{opened_id:str}",
        summary="End a session or a token of somebody",
        status_code=204,
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def end(name: FromPath[str], opened_id: FromPath[str]) -> None:
        if not await access.change(lambda people: people.logins.end(name, opened_id)):
            raise UnknownPerson(f"{name} has no session or token {opened_id[:40]!r}")

    return [sessions, end_all, tokens, make, end]


def _share_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @get(
        "/vehicles/{vehicle_id:str}/people",
        summary="Who is what to a vehicle",
        responses=described(400, 404),
        needs=_SHARE,
    )
    async def shared(vehicle_id: FromPath[str]) -> PersonPage:
        everybody = await access.ask(People.all)
        return PersonPage(
            [_of_vehicle(one, vehicle_id) for one in _with_role(everybody, vehicle_id)]
        )

    @put(
        "/vehicles/{vehicle_id:str}/people/{name:str}",
        summary="Give somebody a role for a vehicle",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=_SHARE,
    )
    async def share(
        request: SignedIn, vehicle_id: FromPath[str], name: FromPath[str], data: JSONBody[Share]
    ) -> PersonNow:
        asked = decoded(await request.body(), Share)
        now_ns = access.clock.now_ns()
        held = held_of(RoleNow(asked.role, vehicle_id, asked.until))
        more = missing(request.user, held, now_ns)
        if more:
            words = ", ".join(more)
            raise UsageError(f"to make {name} {asked.role} you must hold, as long: {words}")
        return _of_vehicle(await access.change(lambda people: people.grant(name, held)), vehicle_id)

    @delete(
        "/vehicles/{vehicle_id:str}/people/{name:str}/{role:str}",
        summary="Take somebody's role for a vehicle away",
        status_code=200,
        responses=described(400, 404),
        needs=_SHARE,
    )
    async def withdraw(
        request: SignedIn, vehicle_id: FromPath[str], name: FromPath[str], role: FromPath[str]
    ) -> PersonNow:
        if role not in tuple(Role):
            raise UsageError(f"role {role[:40]!r}; allowed: {', '.join(Role)}")
        now_ns = access.clock.now_ns()
        more = missing(request.user, Held(vehicle_id, Role(role), now_ns), now_ns)
        if more:
            raise UsageError(f"to take {role} from {name} you must hold: {', '.join(more)}")
        person = await access.change(lambda people: people.withdraw(name, vehicle_id, Role(role)))
        return _of_vehicle(person, vehicle_id)

    return [shared, share, withdraw]


def _audit_routes(access: Access, records: Records) -> Sequence[BaseRouteHandler]:
    @get(
        "/audit",
        summary="What was done and refused, newest first",
        responses=described(400),
        needs=_GOVERN,
    )
    async def audit(
        limit: Limit = 100,
        cursor: Annotated[FromQuery[int | None], QueryParameter(ge=1, le=2**53)] = None,
    ) -> AuditPage:
        found = await access.ask(lambda _: records.page(limit=limit + 1, before=cursor))
        return AuditPage.of(found, limit)

    return [audit]


def _with_role(people: Sequence[Person], vehicle_id: str) -> list[Person]:
    here = (EVERY_VEHICLE, vehicle_id)
    return [one for one in people if any(held.vehicle_id in here for held in one.roles)]


def _of_vehicle(person: Person, vehicle_id: str) -> PersonNow:
    """Somebody, as who may share one vehicle sees them."""
    told = PersonNow.of(person)
    here = [role for role in told.roles if role.vehicle_id in (vehicle_id, EVERY_VEHICLE)]
    return msgspec.structs.replace(told, roles=here)
