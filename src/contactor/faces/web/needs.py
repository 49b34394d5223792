"""What a route needs, and whether who asks may: nothing is answered that was not allowed.

    @get("/vehicles/{vehicle_id:str}", needs=of_vehicle(Right.SEE))
    @get("/vehicles", needs=of_some(Right.SEE))         # its handler leaves out the others
    @post("/campaigns", needs=of_all(Right.RULES))
    @get("/healthz", needs=ANYBODY)
    @get("/vehicles", needs=filtered(of_some(Right.SEE)))
    @get("/vehicles/{vehicle_id:str}/trips", needs=history_of(HistoryKind.TRIPS))

Who asks shows `Authorization: Bearer SECRET`, or the cookie of a session. A route that says nothing
of its needs answers nobody. A third party is answered only where a route says that it tells no more
than a consent names (`filtered`, `history_of`). What is asked with a cookie must say from which
page (`Origin`), which `same_site` compares: a browser always does, so a page of somebody else's has
no way in.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope as AsgiScope

from contactor.clock import Clock
from contactor.cloud.access.consent_scope import ConsentScope, HistoryKind
from contactor.cloud.access.door import Doorkeeper
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.rights import SETTING, Scope
from contactor.faces.web.same_site import SAFE_METHODS
from contactor.signals.rights import EVERY_VEHICLE, Right

SEEN: Final = "contactor.seen"
"""Where in an ASGI scope stands what became of a request."""
CHALLENGE: Final = {"www-authenticate": 'Bearer realm="contactor"'}


class Whose(StrEnum):
    """Of which vehicles the right must be held."""

    NONE = "none"
    VEHICLE = "vehicle"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a route needs.

    Fields:
        rights: one of these.
        whose: of the vehicle in the route's path, of any one, or of all.
        has_login: whether who asks must be known at all.
        is_filtered: whether a third party is told what its consent names, and nothing else.
        history: of which kind of history it tells.
    """

    rights: tuple[Right, ...] = ()
    whose: Whose = Whose.NONE
    has_login: bool = True
    is_filtered: bool = False
    history: HistoryKind | None = None

    def admits(self, consent: ConsentScope) -> bool:
        """Whether a third party may be answered at all."""
        return self.is_filtered and (self.history is None or self.history in consent.history)


ANYBODY: Final = Needs(has_login=False)
SOMEBODY: Final = Needs()


def of_vehicle(*rights: Right) -> Needs:
    """One of the rights, of the vehicle in the path."""
    return Needs(rights, Whose.VEHICLE)


def of_some(*rights: Right) -> Needs:
    """One of the rights, of a vehicle; the handler sees to it that it tells of no other."""
    return Needs(rights, Whose.SOME)


def of_all(*rights: Right) -> Needs:
    """One of the rights, of every vehicle."""
    return Needs(rights, Whose.ALL)


def filtered(needs: Needs) -> Needs:
    """The same; its handler sees to it that a third party is told what its consent names alone."""
    return replace(needs, is_filtered=True)


def history_of(kind: HistoryKind) -> Needs:
    """Trips, charges or the battery of the vehicle in the path; a consent may name them."""
    return replace(of_vehicle(Right.HISTORY), is_filtered=True, history=kind)


@dataclass(slots=True)
class Seen:
    """What became of a request, for the audit log."""

    principal: Principal | None = None
    needs: Needs | None = None
    vehicle_id: str | None = None
    about: str | None = None
    route: str = ""
    is_noted: bool = False
    detail: dict[str, str] = field(default_factory=dict)


AnyConnection = ASGIConnection[Any, Principal, Any, State]
Guard = Callable[[AnyConnection, BaseRouteHandler], Coroutine[object, object, None]]


def guard(door: Doorkeeper, clock: Clock) -> Guard:
    """The guard of every route."""

    async def admit(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        needs = handler.opt.get("needs")
        if not isinstance(needs, Needs):
            raise PermissionDeniedException(f"{connection.url.path} says of nobody who may")
        secret, is_cookie = secret_of(connection)
        principal = await door.principal(secret)
        vehicle_id = connection.path_params.get("vehicle_id")
        seen = seen_of(connection.scope)
        seen.needs, seen.vehicle_id, seen.principal = needs, vehicle_id, principal
        seen.route = _route(connection, handler)
        if "/people/{name}" in seen.route:
            seen.about = connection.path_params.get("name")
        connection.scope["user"] = principal
        if not needs.has_login:
            return
        if principal is None:
            raise NotAuthorizedException("log in, or show a token", headers=CHALLENGE)
        if principal.consent is not None and not needs.admits(principal.consent):
            raise PermissionDeniedException("a consent does not reach this")
        if _is_beyond(principal, needs, connection):
            raise PermissionDeniedException(f"a token of scope {principal.scope} may not")
        if is_cookie and _says_origin(connection) and "origin" not in connection.headers:
            raise PermissionDeniedException("with a cookie, a change must say its Origin")
        if needs.rights and not _is_held(principal, needs, vehicle_id, clock.now_ns()):
            words = " or ".join(needs.rights)
            raise PermissionDeniedException(f"{principal.person.name} may not: needs {words}")

    return admit


def secret_of(connection: AnyConnection) -> tuple[str | None, bool]:
    """What who asks shows, and whether it is a cookie."""
    scheme, _, shown = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip(), False
    cookie = connection.cookies.get(cookie_name(connection))
    return cookie, cookie is not None


def cookie_name(connection: AnyConnection) -> str:
    """The cookie of this instance: those of localhost are shared by all ports."""
    _, colon, port = connection.headers.get("host", "").rpartition(":")
    return f"contactor-session-{port}" if colon and port.isdigit() else "contactor-session"


def seen_of(scope: AsgiScope) -> Seen:
    """What became of a request up to now."""
    return cast("dict[str, Seen]", scope).setdefault(SEEN, Seen())


def note(connection: AnyConnection, **detail: str) -> None:
    """Have it stand in the audit log what was asked."""
    seen_of(connection.scope).detail.update(detail)


def note_always(connection: AnyConnection) -> None:
    """Have it stand in the audit log each time that it is asked, though it changes nothing."""
    seen_of(connection.scope).is_noted = True


def may(connection: AnyConnection, right: Right, vehicle_id: str, clock: Clock) -> bool:
    """Whether who asks may do something of a vehicle."""
    return connection.user.may(right, vehicle_id, clock.now_ns())


def reach(connection: AnyConnection, right: Right, clock: Clock) -> frozenset[str] | None:
    """The vehicles of which who asks may do something; None for every one."""
    return connection.user.reach(right, clock.now_ns())


def _route(connection: AnyConnection, handler: BaseRouteHandler) -> str:
    """As the API's description names it."""
    scope = connection.scope
    method = "WS" if scope["type"] == ScopeType.WEBSOCKET else scope["method"]
    return f"{method} {min(handler.paths).replace(':str', '')}"


def _says_origin(connection: AnyConnection) -> bool:
    """Whether a browser says from which page it asks."""
    return connection.scope["type"] == ScopeType.WEBSOCKET or _is_change(connection)


def _is_change(connection: AnyConnection) -> bool:
    scope = connection.scope
    return scope["type"] == ScopeType.HTTP and scope["method"] not in SAFE_METHODS


def _is_beyond(principal: Principal, needs: Needs, connection: AnyConnection) -> bool:
    """Whether a token would change what its scope is not for: it changes a car, or nothing."""
    if principal.scope in (None, Scope.ADMIN) or not _is_change(connection):
        return False
    return principal.scope is Scope.READ or not SETTING.intersection(needs.rights)


def _is_held(principal: Principal, needs: Needs, vehicle_id: str | None, now_ns: int) -> bool:
    if needs.whose is Whose.SOME:
        return any(principal.reach(right, now_ns) != frozenset() for right in needs.rights)
    asked = EVERY_VEHICLE if needs.whose is Whose.ALL else vehicle_id
    if asked is None:
        return False
    reached = (principal.reach(right, now_ns) for right in needs.rights)
    return any(vehicles is None or asked in vehicles for vehicles in reached)
