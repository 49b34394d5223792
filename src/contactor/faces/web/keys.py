"""The routes of digital keys: give one, see them, take one back, and ask a car with one.

    POST /api/v1/vehicles/leaf/keys {"public_key": ..., "issued_to": "Ben's phone", "until": ...}
    DELETE /api/v1/vehicles/leaf/keys/5f0c...
    POST /api/v1/vehicles/leaf/commands/signed {"signed": ...}

Whoever holds the private key signs commands himself, and shows nothing else: the car checks them,
also while it hears nothing of the cloud. `docs/reference/commands-wire.md` has the bytes.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from contactor.clock import Clock, to_iso
from contactor.cloud.access.rights import SETTING
from contactor.cloud.access.told import instant
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.keys import DigitalKey
from contactor.cloud.commands.revoker import Revoker
from contactor.errors import (
    CommandRefused,
    IdentityError,
    MalformedRecord,
    UnknownIdentity,
    UsageError,
)
from contactor.faces.web.commands import CommandNow
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.identities import NO_GATE
from contactor.faces.web.login import SignedIn
from contactor.faces.web.needs import ANYBODY, note, of_vehicle
from contactor.faces.web.parameters import decoded
from contactor.faces.web.problems import described
from contactor.link.command_messages import decode_asked
from contactor.signals.grant import KEY_BYTES, decode_grant
from contactor.signals.rights import Right
from contactor.signals.signed_command import SignedCommand, decode_body

MAX_BODY_BYTES: Final = 24_576
LONGEST_NS: Final = 366 * 86_400 * 10**9
_SHARE: Final = of_vehicle(Right.SHARE)

_Text = Annotated[str, msgspec.Meta(max_length=128)]


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that is wanted.

    Fields:
        public_key: Ed25519, 32 bytes in base64.
        until: its end; `begins` is now where it is not said.
    """

    public_key: _Text
    issued_to: _Text
    until: _Text
    rights: tuple[Right, ...] = (Right.COMFORT, Right.OPEN)
    begins: _Text | None = None


class KeyNow(msgspec.Struct, frozen=True):
    """A key that was given; `revoked` is null while it holds."""

    id: str
    vehicle_id: str
    issued_to: str
    rights: list[str]
    begins: str
    until: str
    revoked: str | None


class KeyPage(msgspec.Struct, frozen=True):
    """The keys of a vehicle, by their end."""

    items: list[KeyNow]


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just given.

    Fields:
        grant, signature: base64, to be sent with every command.
        authority: the certificate by which the car checks them, PEM.
    """

    id: str
    grant: str
    signature: str
    authority: str
    until: str


class SignedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command that its asker has signed: a message `command/2` in base64."""

    signed: Annotated[str, msgspec.Meta(max_length=22_000)]


def key_routes(
    fleet: Fleet, dispatcher: Dispatcher, revoker: Revoker | None, clock: Clock
) -> Sequence[BaseRouteHandler]:
    """The handlers over the keys of an instance.

    Args:
        revoker: None where the broker is somebody else's.
    """

    def at_desk() -> Revoker:
        if revoker is None:
            raise IdentityError(NO_GATE)
        return revoker

    @post(
        "/vehicles/{vehicle_id:str}/keys",
        summary="Give a digital key of a vehicle to whoever holds a private key",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 409, 413),
        needs=_SHARE,
    )
    async def give(
        request: SignedIn, vehicle_id: FromPath[str], data: JSONBody[KeyRequest]
    ) -> NewKey:
        fleet.vehicle(vehicle_id)
        desk, asked = at_desk(), decoded(await request.body(), KeyRequest)
        now_ns = clock.now_ns()
        begins = now_ns if asked.begins is None else instant(asked.begins)
        until = instant(asked.until)
        if not max(begins, now_ns) < until <= now_ns + LONGEST_NS:
            raise UsageError(
                f"until {asked.until}; allowed: after it begins, within a year from now"
            )
        more = [
            right
            for right in asked.rights
            if right not in SETTING or not request.user.may(right, vehicle_id, until - 1)
        ]
        if more or not asked.rights:
            allowed = ", ".join(sorted(SETTING))
            raise UsageError(
                f"rights {', '.join(asked.rights)}; allowed, while you hold them: {allowed}"
            )
        sealed = desk.keys.give(
            _key_bytes(asked.public_key),
            vehicle_id=vehicle_id,
            rights=asked.rights,
            not_before=begins,
            not_after=until,
            issued_to=asked.issued_to,
        )
        return NewKey(
            id=decode_grant(sealed.body).id,
            grant=base64.b64encode(sealed.body).decode(),
            signature=base64.b64encode(sealed.signature).decode(),
            authority=desk.keys.authority_pem.decode(),
            until=to_iso(until),
        )

    @get(
        "/vehicles/{vehicle_id:str}/keys",
        summary="The digital keys of a vehicle",
        responses=described(400, 404, 409),
        needs=_SHARE,
    )
    async def keys(vehicle_id: FromPath[str]) -> KeyPage:
        fleet.vehicle(vehicle_id)
        found = at_desk().keys.given(vehicle_id)
        return KeyPage([_told(one) for one in found if one.vehicle_id == vehicle_id])

    @delete(
        "/vehicles/{vehicle_id:str}/keys/{key_id:str}",
        summary="Take a digital key back; the car is told at once",
        status_code=200,
        responses=described(400, 404, 409),
        needs=_SHARE,
    )
    async def take_back(vehicle_id: FromPath[str], key_id: FromPath[str]) -> KeyNow:
        desk = at_desk()
        _find(desk, vehicle_id, key_id)
        desk.revoke(key_id)
        return _told(_find(desk, vehicle_id, key_id))

    @post(
        "/vehicles/{vehicle_id:str}/commands/signed",
        summary="Ask with a digital key: the command is signed by its holder",
        status_code=202,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 409, 413),
        needs=ANYBODY,
    )
    async def ask(
        request: SignedIn, vehicle_id: FromPath[str], data: JSONBody[SignedRequest]
    ) -> CommandNow:
        asked = decoded(await request.body(), SignedRequest)
        at_desk()
        known = fleet.vehicles([vehicle_id])
        profile = known[0].profile if known else None  # not told to who has no key of it
        try:
            signed = _signed(asked.signed, vehicle_id)
            command = await dispatcher.submit_signed(signed, profile=profile)
        except MalformedRecord as error:
            raise UsageError(f"signed: {error}"[:400]) from error
        note(request, path=command.path, value=str(command.value), by=command.issued_by)
        return CommandNow.of(command)

    return [give, keys, take_back, ask]


def _key_bytes(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("public_key is no base64") from error
    if len(found) != KEY_BYTES:
        raise UsageError(f"public_key of {len(found)} bytes; allowed: {KEY_BYTES}, of Ed25519")
    return found


def _signed(text: str, vehicle_id: str) -> SignedCommand:
    """A signed command for that vehicle; its signatures are still to be checked."""
    try:
        payload = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedRecord("it is no base64") from error
    signed = decode_asked(payload)
    if not isinstance(signed, SignedCommand):
        raise MalformedRecord("it is a command that nobody has signed")
    named = decode_body(signed.body).vehicle_id
    if named != vehicle_id:
        raise CommandRefused(f"wrong car: the command is for {named}")
    return signed


def _find(desk: Revoker, vehicle_id: str, key_id: str) -> DigitalKey:
    for one in desk.keys.given(vehicle_id):
        if one.id == key_id and one.vehicle_id == vehicle_id:
            return one
    raise UnknownIdentity(f"no key {key_id[:80]!r} of {vehicle_id[:80]!r}")


def _told(key: DigitalKey) -> KeyNow:
    return KeyNow(
        id=key.id,
        vehicle_id=key.vehicle_id,
        issued_to=key.issued_to,
        rights=list(key.rights),
        begins=to_iso(key.not_before),
        until=to_iso(key.not_after),
        revoked=None if key.revoked_at is None else to_iso(key.revoked_at),
    )
