"""The routes of one's own tokens: what a program shows instead of a password.

POST /api/v1/tokens {"name": "grafana", "scope": "read", "vehicle_id": "leaf"}

routes = token_routes(access)
"""

from collections.abc import Sequence

import msgspec
from litestar import delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from contactor.clock import to_iso
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.told import NewToken, TokenNow, TokenPage, instant
from contactor.errors import UsageError
from contactor.faces.web.login import (
    MAX_BODY_BYTES,
    Access,
    SignedIn,
    check_is_fresh,
    end_own,
    name_of,
)
from contactor.faces.web.needs import SOMEBODY
from contactor.faces.web.parameters import Text, decoded
from contactor.faces.web.problems import described
from contactor.signals.rights import EVERY_VEHICLE


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that is wanted: for one vehicle or all with `*`; for good where no end is said."""

    name: Text
    scope: Scope
    vehicle_id: Text = EVERY_VEHICLE
    expires_at: str | None = None


def token_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """The handlers over the tokens of who asks."""

    @get("/tokens", summary="One's own tokens", responses=described(404), needs=SOMEBODY)
    async def tokens(request: SignedIn) -> TokenPage:
        found = await access.ask(lambda people: people.logins.tokens(name_of(request)))
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
        await check_is_fresh(access, request)
        return await make_token(access, name_of(request), asked, by=request.user)

    @delete(
        "/tokens/{token_id:str}",
        summary="End one of one's own tokens",
        status_code=204,
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def end(request: SignedIn, token_id: FromPath[str]) -> None:
        await end_own(access, request, token_id)

    return [tokens, make, end]


async def make_token(access: Access, name: str, asked: TokenRequest, *, by: Principal) -> NewToken:
    """Make a token of somebody.

    Args:
        by: who asks; a token makes none for other vehicles than its own, and none that outlives it.

    Raises:
        UnknownPerson: there is none of that name.
        UsageError: something of it cannot be meant.
    """
    if by.only not in (EVERY_VEHICLE, asked.vehicle_id):
        words = f"this token is for {by.only} alone, and makes none for {asked.vehicle_id}"
        raise UsageError(words)
    until_ns = None if asked.expires_at is None else instant(asked.expires_at)
    if by.until_ns is not None and (until_ns is None or until_ns > by.until_ns):
        raise UsageError(f"this token ends {to_iso(by.until_ns)}, and makes none that outlives it")
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
