"""The routes of passkeys: made and kept by who is in, shown by who wants in.

    POST /api/v1/passkeys/options                               what the browser is asked for
    POST /api/v1/passkeys {"name": "Phone", "credential": ...}  what it made of that
    POST /api/v1/session/passkey/options
    POST /api/v1/session/passkey {"credential": ...}            a cookie, as with a password

    routes = passkey_routes(access)

`credential` is what `PublicKeyCredential.toJSON()` gives. A passkey is for the page on which it was
made: the request's `Origin` must be one of the instance's own addresses, to the letter.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from contactor.cloud.access.ceremonies import Party
from contactor.cloud.access.told_links import PasskeyNow, PasskeyPage
from contactor.errors import AccessRefused, UsageError
from contactor.faces.web.login import (
    MAX_BODY_BYTES,
    Access,
    SessionOpened,
    SignedIn,
    address_of,
    come_in,
    fresh_name,
    name_of,
    way_of,
)
from contactor.faces.web.needs import ANYBODY, SOMEBODY, note
from contactor.faces.web.parameters import Text, decoded
from contactor.faces.web.problems import described

MAX_CREDENTIAL_BYTES: Final = 16_384
"""An RSA key and its frame take 2 KB."""


class NewPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser made, and how it is to be called."""

    name: Text
    credential: dict[str, object]


class PasskeyName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a passkey is to be called."""

    name: Text


class PasskeyShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser made of a challenge."""

    credential: dict[str, object]


def passkey_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """The handlers over the passkeys of an instance's people."""
    return [*_own_routes(access), *_entrance_routes(access)]


def party_of(access: Access, request: SignedIn) -> Party:
    """For which page a passkey is asked.

    Raises:
        UsageError: it is none of the instance's.
    """
    origin = request.headers.get("origin", "")
    if origin not in access.addresses:
        words = " or ".join(access.addresses) or "no page of this instance"
        raise UsageError(f"a passkey is for {words}, not for {origin[:120]!r}")
    return Party(origin)


def _own_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @get("/passkeys", summary="One's own passkeys", responses=described(404), needs=SOMEBODY)
    async def passkeys(request: SignedIn) -> PasskeyPage:
        found = await access.ask(lambda people: people.passkeys.all(name_of(request)))
        return PasskeyPage([PasskeyNow.of(one) for one in found])

    @post(
        "/passkeys/options",
        summary="What a browser is asked for another passkey",
        status_code=200,
        responses=described(400, 404, 429),
        needs=SOMEBODY,
    )
    async def options(request: SignedIn) -> dict[str, object]:
        name, party = await fresh_name(access, request), party_of(access, request)
        return await access.ask(lambda people: people.passkeys.creation_options(name, party))

    @post(
        "/passkeys",
        summary="Keep the passkey that the browser made",
        request_max_body_size=MAX_CREDENTIAL_BYTES,
        responses=described(400, 404, 413),
        needs=SOMEBODY,
    )
    async def add(request: SignedIn, data: JSONBody[NewPasskey]) -> PasskeyNow:
        asked, name = decoded(await request.body(), NewPasskey), name_of(request)
        made = await access.change(
            lambda people: people.passkeys.add(name, asked.name, asked.credential)
        )
        note(request, passkey=made.id)
        return PasskeyNow.of(made)

    @patch(
        "/passkeys/{passkey_id:str}",
        summary="Call a passkey otherwise",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=SOMEBODY,
    )
    async def rename(
        request: SignedIn, passkey_id: FromPath[str], data: JSONBody[PasskeyName]
    ) -> PasskeyNow:
        asked, name = decoded(await request.body(), PasskeyName), name_of(request)
        return PasskeyNow.of(
            await access.change(lambda people: people.passkeys.rename(name, passkey_id, asked.name))
        )

    @delete(
        "/passkeys/{passkey_id:str}",
        summary="Have a passkey let nobody in any more",
        status_code=204,
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def remove(request: SignedIn, passkey_id: FromPath[str]) -> None:
        name = await fresh_name(access, request)
        await access.change(lambda people: people.passkeys.remove(name, passkey_id))
        note(request, passkey=passkey_id[:40])

    return [passkeys, options, add, rename, remove]


def _entrance_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @post(
        "/session/passkey/options",
        summary="What a browser is asked for a passkey to log in with",
        status_code=200,
        responses=described(400, 429),
        needs=ANYBODY,
    )
    async def options(request: SignedIn) -> dict[str, object]:
        party, address = party_of(access, request), address_of(request)
        return await access.ask(
            lambda people: people.passkeys.request_options(party, address=address)
        )

    @post(
        "/session/passkey",
        summary="Log in with a passkey",
        request_max_body_size=MAX_CREDENTIAL_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def log_in(request: SignedIn, data: JSONBody[PasskeyShown]) -> Response[SessionOpened]:
        asked, way = decoded(await request.body(), PasskeyShown), way_of(request)
        note(request, passkey=await access.ask(lambda one: one.passkeys.known(asked.credential)))
        try:
            opened = await access.ask(lambda one: one.passkeys.log_in(asked.credential, way))
        except AccessRefused as error:
            note(request, reason=str(error))
            raise
        return await come_in(access, request, opened)

    return [options, log_in]
