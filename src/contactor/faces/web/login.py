"""The routes by which somebody comes in, and sees to what lets them in.

    POST   /api/v1/first-owner {"code": ..., "name": ..., "password": ...}
    POST   /api/v1/session {"name": ..., "password": ...}       a cookie for browsers
    GET    /api/v1/session                                      who asks, and what they may
    DELETE /api/v1/session                                      log out

    routes = login_routes(access)

A password's hash costs much on purpose: few are made at once, and who finds too many waiting is
told to come again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

import msgspec
from litestar import Response, delete, get, post, put
from litestar.connection import Request
from litestar.datastructures import Cookie, State
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.access.door import Doorkeeper
from contactor.cloud.access.logins import Opened, Principal
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.told import (
    NewToken,
    PersonNow,
    RoleNow,
    SessionNow,
    SessionPage,
    TokenNow,
    TokenPage,
    instant,
)
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from contactor.faces.web.needs import ANYBODY, SOMEBODY, cookie_name, of_all, seen_of
from contactor.faces.web.problems import described
from contactor.signals.rights import EVERY_VEHICLE, Right

MAX_BODY_BYTES: Final = 4_096
HASHES_AT_ONCE: Final = 2
HASHES_WAITING: Final = 16

_Text = Annotated[str, msgspec.Meta(max_length=512)]
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")
SignedIn = Request[Principal, object, State]


class FirstOwner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who opened the first owner's link."""

    code: _Text
    name: _Text
    password: _Text


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name and its password."""

    name: _Text
    password: _Text


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One's own password, and the next one."""

    password: _Text
    new_password: _Text


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that is wanted: for one vehicle or all with `*`; for good where no end is said."""

    name: _Text
    scope: Scope
    vehicle_id: _Text = EVERY_VEHICLE
    expires_at: str | None = None


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


class WhoNow(msgspec.Struct, frozen=True):
    """Who asks, by what, and what they may of which vehicle; nobody has no name."""

    name: str | None
    by: str
    scope: Scope | None
    roles: list[RoleNow]
    rights: dict[str, list[Right]]


NOBODY: Final = WhoNow(name=None, by="", scope=None, roles=[], rights={})


@dataclass(slots=True)
class Access:
    """People, and the door that knows them."""

    people: People
    door: Doorkeeper
    clock: Clock
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
    async def become(request: SignedIn, data: JSONBody[FirstOwner]) -> Response[SessionOpened]:
        asked = decoded(await request.body(), FirstOwner)
        await access.hash(
            lambda people: people.become_first_owner(asked.code, asked.name, asked.password)
        )
        return await _log_in(access, request, asked.name, asked.password)

    return [is_open, code, become]


def _session_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @post(
        "/session",
        summary="Log in",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def log_in(request: SignedIn, data: JSONBody[Login]) -> Response[SessionOpened]:
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
        found = await access.ask(lambda people: people.logins.sessions(_name(request)))
        return SessionPage([SessionNow.of(one, by=request.user.by) for one in found])

    @delete(
        "/sessions/{session_id:str}",
        summary="End one of one's own sessions",
        status_code=204,
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def end(request: SignedIn, session_id: FromPath[str]) -> None:
        await _end(access, request, session_id)

    return [log_in, who, log_out, sessions, end]


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
        asked, name = decoded(await request.body(), NewPassword), _name(request)
        if request.user.scope is not None:
            raise AccessRefused("a token cannot choose a password")

        def change(people: People) -> None:
            people.logins.check_password(name, asked.password, address=address_of(request))
            people.set_password(name, asked.new_password)

        await access.hash(change)

    @get("/tokens", summary="One's own tokens", responses=described(404), needs=SOMEBODY)
    async def tokens(request: SignedIn) -> TokenPage:
        found = await access.ask(lambda people: people.logins.tokens(_name(request)))
        return TokenPage([TokenNow.of(one) for one in found])

    @post(
        "/tokens",
        summary="Make a token of one's own",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=SOMEBODY,
    )
    async def make(request: SignedIn, data: JSONBody[TokenRequest]) -> NewToken:
        asked = decoded(await request.body(), TokenRequest)
        if request.user.scope not in (None, Scope.ADMIN):
            raise UsageError(f"a token of scope {request.user.scope} makes no tokens")
        return await make_token(access, _name(request), asked, only=request.user.only)

    @delete(
        "/tokens/{token_id:str}",
        summary="End one of one's own tokens",
        status_code=204,
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def end(request: SignedIn, token_id: FromPath[str]) -> None:
        await _end(access, request, token_id)

    return [password, tokens, make, end]


async def make_token(
    access: Access, name: str, asked: TokenRequest, *, only: str = EVERY_VEHICLE
) -> NewToken:
    """Make a token of somebody.

    Args:
        only: the one vehicle that who asks may speak of.

    Raises:
        UnknownPerson: there is none of that name.
        UsageError: something of it cannot be meant.
    """
    if only not in (EVERY_VEHICLE, asked.vehicle_id):
        raise UsageError(f"this token is for {only} alone, and makes none for {asked.vehicle_id}")
    until_ns = None if asked.expires_at is None else instant(asked.expires_at)
    made = await access.change(
        lambda people: people.logins.make_token(
            name,
            called=asked.name,
            scope=asked.scope,
            vehicle_id=asked.vehicle_id,
            until_ns=until_ns,
        )
    )
    return NewToken(
        made.id, made.secret, asked.expires_at if until_ns is None else to_iso(until_ns)
    )


def decoded(body: bytes, form: type[_Asked]) -> _Asked:
    """A body in its own form: what the framework reads leniently is read strictly.

    Raises:
        UsageError: it is of another form.
    """
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"body: {error}") from error


def address_of(request: SignedIn) -> str:
    """From where it is asked."""
    return request.client.host if request.client else ""


async def _log_in(
    access: Access, request: SignedIn, name: str, password: str
) -> Response[SessionOpened]:
    device = request.headers.get("user-agent", "")
    opened = await access.hash(
        lambda people: people.logins.log_in(
            name, password, address=address_of(request), device=device
        )
    )
    seen_of(request.scope).principal = await access.door.principal(opened.secret)
    assert opened.until_ns is not None
    body = SessionOpened(name.strip(), to_iso(opened.until_ns))
    return Response(body, status_code=201, cookies=[_cookie(request, opened, access.clock)])


def _cookie(request: SignedIn, opened: Opened, clock: Clock) -> Cookie:
    assert opened.until_ns is not None
    return Cookie(
        key=cookie_name(request),
        value=opened.secret,
        path="/",
        max_age=(opened.until_ns - clock.now_ns()) // NS_PER_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


async def _end(access: Access, request: SignedIn, number: str) -> None:
    name = _name(request)
    if not await access.change(lambda people: people.logins.end(name, number)):
        raise UnknownPerson(f"{name} has no session or token {number[:40]!r}")


def _name(request: SignedIn) -> str:
    return request.user.person.name


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
