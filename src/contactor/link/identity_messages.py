"""How a car gets its certificate, and the next one; MessagePack, versioned and bounded.

    enrol       = ["enrol/1", code, request]                                    car to cloud
    enrolled    = ["enrolled/1", vehicle_id, certificate, authority, refusal]   cloud to car
    renewal     = ["renewal/1", vehicle_id, request]                            car to cloud
    certificate = ["certificate/1", vehicle_id, certificate]                    cloud to car

A request is PKCS #10, a certificate X.509, both DER; `authority` is PEM. Any of them may be lost: a
car asks again, and the same question gets the same answer.

    decode_enrolment(encode_enrolment(enrolment)) == enrolment
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contactor.link.messages import decode_bounded

MAX_BYTES = 16_384

_VehicleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_Bytes = Annotated[bytes, Meta(max_length=4_096)]
_Text = Annotated[str, Meta(max_length=400)]


class Enrolment(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="enrol/1"):
    """A car that has a code asks for its first certificate."""

    code: _Text
    request: _Bytes


class Enrolled(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="enrolled/1"):
    """What it gets: a certificate, or a refusal and nothing else."""

    vehicle_id: Annotated[str, Meta(max_length=64)]
    certificate: _Bytes
    authority: _Bytes
    refusal: _Text = ""


class Renewal(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="renewal/1"):
    """An enrolled car asks for its next certificate."""

    vehicle_id: _VehicleId
    request: _Bytes


class NewCertificate(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="certificate/1"
):
    """What it gets."""

    vehicle_id: _VehicleId
    certificate: _Bytes


_encoder = msgspec.msgpack.Encoder()
_enrolment = msgspec.msgpack.Decoder(Enrolment)
_enrolled = msgspec.msgpack.Decoder(Enrolled)
_renewal = msgspec.msgpack.Decoder(Renewal)
_certificate = msgspec.msgpack.Decoder(NewCertificate)


def encode(message: Enrolment | Enrolled | Renewal | NewCertificate) -> bytes:
    """The wire form of one of them."""
    return _encoder.encode(message)


def decode_enrolment(payload: bytes) -> Enrolment:
    """The enrolment in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _enrolment, "enrolment", limit_bytes=MAX_BYTES)


def decode_enrolled(payload: bytes) -> Enrolled:
    """The answer to an enrolment in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _enrolled, "answer to an enrolment", limit_bytes=MAX_BYTES)


def decode_renewal(payload: bytes) -> Renewal:
    """The renewal in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _renewal, "renewal", limit_bytes=MAX_BYTES)


def decode_certificate(payload: bytes) -> NewCertificate:
    """The certificate in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _certificate, "certificate", limit_bytes=MAX_BYTES)
