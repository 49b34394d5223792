"""A command that is signed by whoever has a grant for it. Pure.

    body   = ["request/1", id, vehicle_id, path, value, issued_by, issued_at, expires_at]
    signed = [body, [grant, authority's signature], holder's signature]

MessagePack. The holder signs `COMMAND_WORDS`, the SHA-256 of the grant's bytes and the body: a
signature holds for this command under this grant, and for nothing else. What was signed is handed
on as it is. docs/reference/commands-wire.md says it byte by byte.

    signature = pair.sign(words_to_sign(body, grant.body))
    decode_body(encode_body(command)) == command
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from contactor.clock import NS_PER_S, to_iso
from contactor.errors import MalformedRecord
from contactor.signals.command import Command
from contactor.signals.grant import Grant, GrantId, Instant, SealedGrant, Signature
from contactor.signals.record import Scalar
from contactor.signals.rights import right_to_set

COMMAND_WORDS: Final = b"contactor command 1\0"
"""What a signature under a command begins with."""
MAX_BODY_BYTES: Final = 12_288
MAX_LIFE_NS: Final = 3_600 * NS_PER_S
"""From a command's making to its end: nothing older is done."""
AHEAD_NS: Final = 10 * NS_PER_S
"""By so much the clock of whoever signs may be ahead of the car's."""


class _Request(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="request/1"):
    id: GrantId
    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    path: Annotated[str, Meta(max_length=256)]
    value: Scalar
    issued_by: Annotated[str, Meta(max_length=128)]
    issued_at: Instant
    expires_at: Instant


class SignedCommand(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The bytes of a command, the grant that it goes by, and its holder's signature of both."""

    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
    grant: SealedGrant
    signature: Signature


@dataclass(frozen=True, slots=True)
class CheckedCommand:
    """A command that its grant's holder has signed, under a grant that the authority has."""

    command: Command
    grant: Grant

    def objection(self, now_ns: int, revoked: Collection[str]) -> str | None:
        """Why the grant does not allow it now; None where it does."""
        return self.grant.objection(
            right_to_set(self.command.path),
            vehicle_id=self.command.vehicle_id,
            now_ns=now_ns,
            revoked=revoked,
        )


_encoder = msgspec.msgpack.Encoder()
_request = msgspec.msgpack.Decoder(_Request)


def encode_body(command: Command) -> bytes:
    """The bytes of a command that are signed; where it stands is not among them."""
    return _encoder.encode(
        _Request(
            command.id,
            command.vehicle_id,
            command.path,
            command.value,
            command.issued_by,
            command.issued_at,
            command.expires_at,
        )
    )


def decode_body(body: bytes) -> Command:
    """The command in those bytes; whose it is, nobody has looked at.

    Raises:
        MalformedRecord: it is none.
    """
    try:
        asked = _request.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no command: {error}") from error
    return Command(
        id=asked.id,
        vehicle_id=asked.vehicle_id,
        path=asked.path,
        value=asked.value,
        issued_by=asked.issued_by,
        issued_at=asked.issued_at,
        expires_at=asked.expires_at,
    )


def words_to_sign(body: bytes, grant_body: bytes) -> bytes:
    """What the holder of a grant signs."""
    return COMMAND_WORDS + hashlib.sha256(grant_body).digest() + body


def freshness_objection(command: Command, now_ns: int) -> str | None:
    """Why a command is not of now; None where it is."""
    if command.expires_at <= now_ns:
        return f"expired: its end was {to_iso(command.expires_at)}"
    ahead_ns, life_ns = command.issued_at - now_ns, command.expires_at - command.issued_at
    if ahead_ns > AHEAD_NS:
        allowed_s = AHEAD_NS / NS_PER_S
        return f"not fresh: made {ahead_ns / NS_PER_S:.0f} s from now; allowed: {allowed_s:g} s"
    if life_ns > MAX_LIFE_NS:
        allowed_s = MAX_LIFE_NS / NS_PER_S
        return f"not fresh: its life is {life_ns / NS_PER_S:.0f} s; allowed: {allowed_s:g} s"
    return None
