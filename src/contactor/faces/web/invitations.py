"""The routes of links with a code: invitations, and passwords chosen anew.

    POST /api/v1/invitations {"role": "driver", "vehicle_id": "leaf"}   {"link": ".../join#CODE"}
    POST /api/v1/join {"code": ..., "name": "Ben", "password": ...}     a cookie, as at log in
    POST /api/v1/people/Ben/reset {}                                    {"link": ".../reset#CODE"}
    POST /api/v1/reset {"code": ..., "password": ...}

    routes = invitation_routes(access)

The code stands behind the `#` of a link and in bodies: in no path, no query and no log.
"""

from collections.abc import Sequence

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from contactor.cloud.access.invitations import Invitation, missing
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Role
from contactor.cloud.access.sessions import Opened
from contactor.cloud.access.told import RoleNow, held_of
from contactor.cloud.access.told_links import InvitationNow, InvitationPage, NewLink
from contactor.errors import UnknownPerson, UsageError
from contactor.faces.web.login import (
    MAX_BODY_BYTES,
    Access,
    SessionOpened,
    SignedIn,
    address_of,
    check_is_fresh,
    come_in,
    way_of,
)
from contactor.faces.web.needs import ANYBODY, note, of_all, of_some
from contactor.faces.web.parameters import Text, decoded
from contactor.faces.web.passkeys import MAX_CREDENTIAL_BYTES, party_of
from contactor.faces.web.problems import described
from contactor.signals.rights import EVERY_VEHICLE, Right

_PASSKEY = "passkey"
"""What the first one is called; it can be called otherwise later."""


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for a vehicle, or all with `*`, and how who gets it may be called."""

    role: Role
    vehicle_id: Text = EVERY_VEHICLE
    until: Text | None = None
    name: Text | None = None


class LinkCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind the `#` of a link."""

    code: Text


class JoinName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of an invitation, and the name that somebody chose."""

    code: Text
    name: Text


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes in by an invitation, with a password or what the browser made: one of the two."""

    code: Text
    name: Text
    password: Text | None = None
    credential: dict[str, object] | None = None


class InvitationShown(msgspec.Struct, frozen=True):
    """What an invitation gives."""

    role: Role
    vehicle_id: str
    until: str | None
    name: str | None


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the second factor and the passkeys go with the password."""

    second_factors_too: bool = False


class ResetShown(msgspec.Struct, frozen=True):
    """Whose password it is."""

    name: str


class ChosenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of a link, and the password from now on."""

    code: Text
    password: Text


def invitation_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """The handlers over the links by which people come in."""
    return [*_giving_routes(access), *_joining_routes(access), *_reset_routes(access)]


def _giving_routes(access: Access) -> Sequence[BaseRouteHandler]:
    async def _own(request: SignedIn) -> list[Invitation]:
        """Those that who asks could have made."""
        now_ns = access.clock.now_ns()
        found = await access.ask(lambda people: people.invitations.all())
        return [one for one in found if not missing(request.user, one.held, now_ns)]

    @post(
        "/invitations",
        summary="Invite somebody: a link that is good once, for 72 hours",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413),
        needs=of_some(Right.SHARE),
    )
    async def invite(request: SignedIn, data: JSONBody[Invite]) -> NewLink:
        asked = decoded(await request.body(), Invite)
        held = held_of(RoleNow(asked.role, asked.vehicle_id, asked.until))
        await check_is_fresh(access, request)
        made = await access.change(
            lambda people: people.invitations.make(request.user, held, name=asked.name)
        )
        note(request, invitation=made.id)
        return NewLink.of(made, f"{_page(access)}/join")

    @get(
        "/invitations",
        summary="Invitations that are open, of what one may give",
        responses=described(),
        needs=of_some(Right.SHARE),
    )
    async def invitations(request: SignedIn) -> InvitationPage:
        return InvitationPage([InvitationNow.of(one) for one in await _own(request)])

    @delete(
        "/invitations/{invitation_id:str}",
        summary="Take an invitation back",
        status_code=204,
        responses=described(400, 404),
        needs=of_some(Right.SHARE),
    )
    async def take_back(request: SignedIn, invitation_id: FromPath[str]) -> None:
        if invitation_id not in {one.id for one in await _own(request)}:
            raise UnknownPerson(f"no invitation {invitation_id[:40]!r} is open")
        await access.change(lambda people: people.invitations.take_back(invitation_id))
        note(request, invitation=invitation_id)

    return [invite, invitations, take_back]


def _joining_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @post(
        "/join/shown",
        summary="What an invitation gives",
        status_code=200,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def shown(request: SignedIn, data: JSONBody[LinkCode]) -> InvitationShown:
        asked, address = decoded(await request.body(), LinkCode), address_of(request)
        found = InvitationNow.of(
            await access.ask(lambda people: people.invitations.shown(asked.code, address=address))
        )
        return InvitationShown(found.role, found.vehicle_id, found.until, found.name)

    @post(
        "/join/options",
        summary="What the browser of who is invited is asked for a passkey",
        status_code=200,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def options(request: SignedIn, data: JSONBody[JoinName]) -> dict[str, object]:
        asked, address = decoded(await request.body(), JoinName), address_of(request)
        party = party_of(access, request)
        return await access.ask(
            lambda people: people.invitations.passkey_options(
                asked.code, asked.name, party, address=address
            )
        )

    @post(
        "/join",
        summary="Come in by an invitation",
        request_max_body_size=MAX_CREDENTIAL_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def join(request: SignedIn, data: JSONBody[Join]) -> Response[SessionOpened]:
        asked, way = decoded(await request.body(), Join), way_of(request)
        if (asked.password is None) == (asked.credential is None):
            raise UsageError("a password or a passkey: one of the two")
        invitation = await access.ask(
            lambda people: people.invitations.shown(asked.code, address=way.address)
        )
        note(request, invitation=invitation.id)

        def change(people: People) -> Opened:
            if asked.credential is not None:
                return people.invitations.accept_by_passkey(
                    asked.code, asked.name, asked.credential, way, called=_PASSKEY
                )
            return people.invitations.accept(asked.code, asked.name, asked.password or "", way)

        return await come_in(access, request, await access.hash(change))

    return [shown, options, join]


def _reset_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @post(
        "/people/{name:str}/reset",
        summary="A link by which somebody chooses another password; good once, for a day",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=of_all(Right.GOVERN),
    )
    async def make(request: SignedIn, name: FromPath[str], data: JSONBody[Reset]) -> NewLink:
        asked = decoded(await request.body(), Reset)
        await check_is_fresh(access, request)
        made = await access.change(
            lambda people: people.resets.make(
                name, by=request.user, has_all=asked.second_factors_too
            )
        )
        return NewLink.of(made, f"{_page(access)}/reset")

    @post(
        "/reset/shown",
        summary="Whose password a link is for",
        status_code=200,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def shown(request: SignedIn, data: JSONBody[LinkCode]) -> ResetShown:
        asked, address = decoded(await request.body(), LinkCode), address_of(request)
        person = await access.ask(lambda people: people.resets.shown(asked.code, address=address))
        return ResetShown(person.name)

    @post(
        "/reset",
        summary="Choose another password by a link; every session ends",
        status_code=204,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def use(request: SignedIn, data: JSONBody[ChosenPassword]) -> None:
        asked, address = decoded(await request.body(), ChosenPassword), address_of(request)
        person = await access.ask(lambda people: people.resets.shown(asked.code, address=address))
        note(request, person=person.id)
        await access.hash(
            lambda people: people.resets.use(asked.code, asked.password, address=address)
        )

    return [make, shown, use]


def _page(access: Access) -> str:
    """How people reach it, for a link."""
    return access.addresses[0] if access.addresses else ""
