"""The grants that hold no more, as a vehicle is told. Pure.

    body = ["revocations/1", vehicle_id, counter, made_at, [grant id, ...]]
    list = [body, authority's signature]

MessagePack. The authority signs `REVOCATION_WORDS` and those bytes. A vehicle goes by the list of
the highest counter that it has seen, and never by an older one. A grant whose end has passed may
be left out.

    decode_revocations(encode_revocations(revocations)) == revocations
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from contactor.errors import MalformedRecord
from contactor.signals.grant import GrantId, Instant, Signature

REVOCATION_WORDS: Final = b"contactor revocations 1\0"
"""What a signature of the authority under a list begins with."""
MAX_REVOKED: Final = 4_096
MAX_BODY_BYTES: Final = 300_000

Counter = Annotated[int, Meta(ge=0, le=2**62)]


class Revocations(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="revocations/1"
):
    """The grants of one vehicle that were taken back before their end.

    Args:
        counter: higher in each list than in the one before.
        made_at: ns UTC.
    """

    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    counter: Counter
    made_at: Instant
    grants: Annotated[tuple[GrantId, ...], Meta(max_length=MAX_REVOKED)]


class SealedRevocations(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The bytes of a list, and the authority's signature of them."""

    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
    signature: Signature


_encoder = msgspec.msgpack.Encoder()
_revocations = msgspec.msgpack.Decoder(Revocations)


def encode_revocations(revocations: Revocations) -> bytes:
    """The bytes that are signed."""
    return _encoder.encode(revocations)


def decode_revocations(body: bytes) -> Revocations:
    """The list in those bytes.

    Raises:
        MalformedRecord: it is none.
    """
    try:
        return _revocations.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no list of revocations: {error}") from error
