"""The routes by which somebody comes in, and sees to what lets them in.

    POST   /api/v1/first-owner {"code": ..., "name": ..., "password": ...}
    POST   /api/v1/session {"name": ..., "password": ...}       a cookie for browsers; or 202 and a
                                                                step, which `second_factor` takes
    GET    /api/v1/session                                      who asks, and what they may
    DELETE /api/v1/session                                      log out

    routes = login_routes(access)

A password's hash costs much on purpose: few are made at once, and who finds too many waiting is
told to come again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar, cast

import msgspec
from litestar import Response, delete, get, post, put
from litestar.connection import Request
from litestar.datastructures import Cookie, State
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.access.door import Doorkeeper
from contactor.cloud.access.logins import FRESH_NS, Principal, Step
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.sessions import Opened, Way
from contactor.cloud.access.told import (
    PersonNow,
    RoleNow,
    SessionNow,
    SessionPage,
)
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from contactor.faces.web.needs import ANYBODY, SOMEBODY, cookie_name, of_all, seen_of
from contactor.faces.web.parameters import Text, decoded
from contactor.faces.web.problems import described
from contactor.signals.rights import EVERY_VEHICLE, Right

MAX_BODY_BYTES: Final = 4_096
HASHES_AT_ONCE: Final = 2
HASHES_WAITING: Final = 16

_Answer = TypeVar("_Answer")
_Entered: TypeAlias = "Response[SessionOpened | CodeWanted]"
SignedIn = Request[Principal, object, State]


class FirstOwner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who opened the first owner's link."""

    code: Text
    name: Text
    password: Text


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name and its password."""

    name: Text
    password: Text


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One's own password, and the next one."""

    password: Text
    new_password: Text


class FirstOwnerNow(msgspec.Struct, frozen=True):
    """Whether there is a login, and whether it waits for its first owner."""

    has_login: bool
    is_open: bool


class OwnerCode(msgspec.Struct, frozen=True):
    """What makes its holder the first owner; null where there is one."""

    code: str | None


class SessionOpened(msgspec.Struct, frozen=True):
    """A session that begins; its secret is the cookie."""

    name: str
    until: str


class CodeWanted(msgspec.Struct, frozen=True):
    """The password was right; `POST /session/code` takes the step with a code, until then."""

    step: str
    until: str


class WhoNow(msgspec.Struct, frozen=True):
    """Who asks, by what, and what they may of which vehicle; nobody has no name."""

    name: str | None
    by: str
    scope: Scope | None
    roles: list[RoleNow]
    rights: dict[str, list[Right]]


_CODE_WANTED: Final = ResponseSpec(
    CodeWanted, generate_examples=False, description="The password was right; a code is wanted"
)
NOBODY: Final = WhoNow(name=None, by="", scope=None, roles=[], rights={})


@dataclass(slots=True)
class Access:
    """People, and the door that knows them.

    Fields:
        addresses: how people reach it, as a browser names a page's origin; links are made with the
            first.
    """

    people: People
    door: Doorkeeper
    clock: Clock
    addresses: tuple[str, ...] = ()
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    _waiting: int = 0

    async def ask(self, question: Callable[[People], _Answer]) -> _Answer:
        """Read something."""
        return await asyncio.to_thread(question, self.people)

    async def change(self, question: Callable[[People], _Answer]) -> _Answer:
        """Change something; what the door believed is forgotten."""
        try:
            return await asyncio.to_thread(question, self.people)
        finally:
            self.door.forget()

    async def hash(self, question: Callable[[People], _Answer]) -> _Answer:
        """Ask something that takes a password's hash.

        Raises:
            TooManyTries: too many wait already.
        """
        if self._waiting >= HASHES_WAITING:
            raise TooManyTries("too many log in at once; again in a few seconds")
        self._waiting += 1
        try:
            async with self._turns:
                return await self.change(question)
        finally:
            self._waiting -= 1


def login_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """The handlers over the people of an instance."""
    return [*_first_owner_routes(access), *_session_routes(access), *_own_routes(access)]


def _first_owner_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @get("/first-owner", summary="Whether the first owner is awaited", needs=ANYBODY)
    async def is_open() -> FirstOwnerNow:
        has_login = access.door.has_login
        return FirstOwnerNow(has_login, has_login and not await access.ask(People.has_owner))

    @post(
        "/first-owner/code",
        summary="A new code for the first owner; the one before ends",
        status_code=200,
        responses=described(),
        needs=of_all(Right.GOVERN),
    )
    async def code() -> OwnerCode:
        return OwnerCode(await access.change(People.first_owner_code))

    @post(
        "/first-owner",
        summary="Become the first owner, by the code of the link",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def become(request: SignedIn, data: JSONBody[FirstOwner]) -> _Entered:
        asked = decoded(await request.body(), FirstOwner)
        await access.ask(lambda people: people.check_first_owner_code(asked.code))
        await access.hash(
            lambda people: people.become_first_owner(asked.code, asked.name, asked.password)
        )
        return await _log_in(access, request, asked.name, asked.password)

    return [is_open, code, become]


def _session_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @post(
        "/session",
        summary="Log in; 202 where a code is wanted besides",
        request_max_body_size=MAX_BODY_BYTES,
        responses={**described(400, 413, 429), 202: _CODE_WANTED},
        needs=ANYBODY,
    )
    async def log_in(request: SignedIn, data: JSONBody[Login]) -> _Entered:
        asked = decoded(await request.body(), Login)
        return await _log_in(access, request, asked.name, asked.password)

    @get("/session", summary="Who asks, and what they may", needs=ANYBODY)
    async def who(request: SignedIn) -> WhoNow:
        if request.user is None:
            return NOBODY
        return _who(request.user, access.clock.now_ns())

    @delete("/session", summary="Log out", status_code=200, responses=described(), needs=SOMEBODY)
    async def log_out(request: SignedIn) -> Response[WhoNow]:
        kind, _, number = request.user.by.partition(" ")
        if kind == "session":
            await access.change(lambda people: people.logins.end(request.user.person.name, number))
        gone = Response(NOBODY)
        gone.delete_cookie(cookie_name(request), path="/")
        return gone

    @get("/sessions", summary="One's own sessions", responses=described(404), needs=SOMEBODY)
    async def sessions(request: SignedIn) -> SessionPage:
        found = await access.ask(lambda people: people.logins.sessions(name_of(request)))
        return SessionPage([SessionNow.of(one, by=request.user.by) for one in found])

    @delete(
        "/sessions",
        summary="End every other session of one's own",
        status_code=204,
        responses=described(404),
        needs=SOMEBODY,
    )
    async def end_others(request: SignedIn) -> None:
        _, _, number = request.user.by.partition(" ")
        await access.change(lambda people: people.logins.end_sessions(name_of(request), but=number))

    @delete(
        "/sessions/{session_id:str}",
        summary="End one of one's own sessions",
        status_code=204,
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def end(request: SignedIn, session_id: FromPath[str]) -> None:
        await end_own(access, request, session_id)

    return [log_in, who, log_out, sessions, end_others, end]


def _own_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @put(
        "/password",
        summary="Choose another password; every session ends",
        status_code=204,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413, 429),
        needs=SOMEBODY,
    )
    async def password(request: SignedIn, data: JSONBody[NewPassword]) -> None:
        asked, name = decoded(await request.body(), NewPassword), name_of(request)
        if request.user.scope is not None:
            raise AccessRefused("a token cannot choose a password")

        def change(people: People) -> None:
            people.logins.check_password(name, asked.password, address=address_of(request))
            people.set_password(name, asked.new_password)

        await access.hash(change)

    return [password]


def address_of(request: SignedIn) -> str:
    """From where it is asked."""
    return request.client.host if request.client else ""


def way_of(request: SignedIn) -> Way:
    """From where and by what somebody comes in."""
    return Way(address_of(request), request.headers.get("user-agent", ""))


def name_of(request: SignedIn) -> str:
    """Who asks."""
    return request.user.person.name


async def fresh_name(access: Access, request: SignedIn) -> str:
    """Who asks, having logged in just now: needed for what makes another way in.

    Raises:
        UsageError: a token is shown, or the secret of the data folder.
        PermissionDeniedException: that was too long ago.
    """
    if not request.user.by.startswith("session "):
        raise UsageError("this is for people who have logged in; a token cannot")
    await check_is_fresh(access, request)
    return name_of(request)


async def check_is_fresh(access: Access, request: SignedIn) -> None:
    """Refuse a cookie that may have been stolen what outlives it; a token stands for itself.

    Raises:
        PermissionDeniedException: who asks logged in too long ago.
    """
    if not request.user.by.startswith("session "):
        return
    if not await access.ask(lambda people: people.logins.is_fresh(request.user)):
        minutes = FRESH_NS // (60 * NS_PER_S)
        raise PermissionDeniedException(f"log in again: that was over {minutes} minutes ago")


async def end_own(access: Access, request: SignedIn, number: str) -> None:
    """End a session or a token of who asks.

    Raises:
        UnknownPerson: they have none of that number.
    """
    name = name_of(request)
    if not await access.change(lambda people: people.logins.end(name, number)):
        raise UnknownPerson(f"{name} has no session or token {number[:40]!r}")


async def come_in(access: Access, request: SignedIn, opened: Opened) -> Response[SessionOpened]:
    """The answer to who is in now, with the cookie."""
    access.door.forget()
    principal = await access.door.principal(opened.secret)
    assert opened.until_ns is not None
    assert principal is not None
    seen_of(request.scope).principal = principal
    body = SessionOpened(principal.person.name, to_iso(opened.until_ns))
    return Response(body, status_code=201, cookies=[_cookie(access, request, opened)])


async def _log_in(access: Access, request: SignedIn, name: str, password: str) -> _Entered:
    way = way_of(request)
    opened = await access.hash(
        lambda people: people.logins.log_in(name, password, address=way.address, device=way.device)
    )
    if isinstance(opened, Step):
        return Response(CodeWanted(opened.secret, to_iso(opened.until_ns)), status_code=202)
    return cast("_Entered", await come_in(access, request, opened))


def _cookie(access: Access, request: SignedIn, opened: Opened) -> Cookie:
    """For TLS alone where the page has it, whether or not a proxy says so."""
    assert opened.until_ns is not None
    page = f"https://{request.headers.get('host', '').lower()}"
    return Cookie(
        key=cookie_name(request),
        value=opened.secret,
        path="/",
        max_age=(opened.until_ns - access.clock.now_ns()) // NS_PER_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" or page in access.addresses,
    )


def _who(principal: Principal, now_ns: int) -> WhoNow:
    person = PersonNow.of(principal.person)
    return WhoNow(
        name=person.name,
        by=principal.by,
        scope=principal.scope,
        roles=person.roles,
        rights=_rights(principal, now_ns),
    )


def _rights(principal: Principal, now_ns: int) -> dict[str, list[Right]]:
    """By vehicle, or `*`, what may be done of it."""
    found: dict[str, list[Right]] = {}
    for right in Right:
        reached = principal.reach(right, now_ns)
        for vehicle_id in (EVERY_VEHICLE,) if reached is None else sorted(reached):
            found.setdefault(vehicle_id, []).append(right)
    return found
