"""A grant, the digital key: this key may do that with this vehicle, from then until then. Pure.

    body = ["grant/1", id, holder, vehicle_id, [right, ...], not_before, not_after, issued_to]

MessagePack. The authority signs `GRANT_WORDS` and those bytes, which are kept and handed on as they
are: nobody writes them anew. docs/reference/commands-wire.md says it byte by byte.

    grant = decode_grant(sealed.body)
    grant.objection(Right.OPEN, vehicle_id="leaf", now_ns=now_ns, revoked=())   # None: it holds
"""

from collections.abc import Collection
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from contactor.clock import to_iso
from contactor.errors import MalformedRecord
from contactor.signals.rights import EVERY_VEHICLE, Right

GRANT_WORDS: Final = b"contactor grant 1\0"
"""What a signature of the authority under a grant begins with."""
MAX_BODY_BYTES: Final = 1_024
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

Signature = Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
Body = Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
GrantId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Instant = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Grant(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="grant/1"):
    """What a key may.

    Args:
        holder: the public key (Ed25519) of whoever has the grant.
        vehicle_id: one vehicle, or `EVERY_VEHICLE`.
        rights: words of `Right`; one that a reader does not know allows it nothing.
        not_before, not_after: ns UTC; it holds from the first until before the second.
        issued_to: a name, or an id that says nothing.
    """

    id: GrantId
    holder: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    vehicle_id: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{1,64}|\*)\Z")]
    rights: Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=16)]
    not_before: Instant
    not_after: Instant
    issued_to: Annotated[str, Meta(max_length=128)]

    def objection(
        self, right: Right, *, vehicle_id: str, now_ns: int, revoked: Collection[str]
    ) -> str | None:
        """Why it does not give a right to a vehicle now; None where it does.

        Args:
            revoked: ids of grants that hold no more.
        """
        if self.id in revoked:
            return f"grant revoked: {self.id}"
        if self.vehicle_id not in {vehicle_id, EVERY_VEHICLE}:
            return f"wrong car: the grant is for {self.vehicle_id}"
        if now_ns < self.not_before:
            return f"grant not valid yet: it begins {to_iso(self.not_before)}"
        if now_ns >= self.not_after:
            return f"grant ended: its end was {to_iso(self.not_after)}"
        if right.value not in self.rights:
            return f"no right: it needs {right.value}; the grant gives {', '.join(self.rights)}"
        return None


class SealedGrant(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The bytes of a grant, and the authority's signature of them."""

    body: Body
    signature: Signature


_encoder = msgspec.msgpack.Encoder()
_grant = msgspec.msgpack.Decoder(Grant)


def encode_grant(grant: Grant) -> bytes:
    """The bytes that are signed."""
    return _encoder.encode(grant)


def decode_grant(body: bytes) -> Grant:
    """The grant in those bytes.

    Raises:
        MalformedRecord: it is none.
    """
    try:
        return _grant.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no grant: {error}") from error
