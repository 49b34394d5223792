"""Commands and their answers on the link, as MessagePack, versioned and bounded.

    command     = ["command/1", {id, vehicle_id, path, value, issued_by, issued_at, ...}]
    signed      = ["command/2", [body, [grant, signature], signature]]
    report      = ["report/1", vehicle_id, command_id, state, reason]
    revocations = ["revoked/1", [body, signature]]          cloud to car
    heard       = ["revoked-heard/1", vehicle_id, counter]  car to cloud

What is inside a signed command, a grant and a list of revocations say `signals.signed_command`,
`grant` and `revocations`; a car that has an authority does nothing but what is signed.

The cloud sends a command again until the car answers or it expires; the car answers each copy with
where the command stands, and does it once. Either may be lost.

    decode_command(encode_command(command)) == command
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contactor.link.messages import decode_bounded
from contactor.signals.command import MAX_REASON_CHARACTERS, Command, CommandState
from contactor.signals.revocations import MAX_BODY_BYTES, SealedRevocations
from contactor.signals.signed_command import SignedCommand

MAX_BYTES = 16_384
MAX_REVOCATIONS_BYTES = MAX_BODY_BYTES + 256


class Report(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="report/1"):
    """Where a command stands, said by the car; `reason` where it was refused or expired."""

    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    command_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    state: CommandState
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] | None = None


class _Sent(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="command/1"):
    command: Command


class _SentSigned(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="command/2"
):
    signed: SignedCommand


class _Revoked(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="revoked/1"):
    revocations: SealedRevocations


class RevocationsHeard(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="revoked-heard/1"
):
    """By which list of revocations a car goes; 0 where it has none."""

    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    counter: Annotated[int, Meta(ge=0, le=2**62)]


_encoder = msgspec.msgpack.Encoder()
_sent = msgspec.msgpack.Decoder(_Sent)
_any_sent = msgspec.msgpack.Decoder(_Sent | _SentSigned)
_revoked = msgspec.msgpack.Decoder(_Revoked)
_heard = msgspec.msgpack.Decoder(RevocationsHeard)
_report = msgspec.msgpack.Decoder(Report)


def encode_command(command: Command) -> bytes:
    """The wire form of a command."""
    return _encoder.encode(_Sent(command))


def encode_signed(signed: SignedCommand) -> bytes:
    """The wire form of a signed command."""
    return _encoder.encode(_SentSigned(signed))


def encode_report(report: Report) -> bytes:
    """The wire form of a report."""
    return _encoder.encode(report)


def decode_command(payload: bytes) -> Command:
    """The command in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _sent, "command", limit_bytes=MAX_BYTES).command


def decode_report(payload: bytes) -> Report:
    """The report in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _report, "report", limit_bytes=MAX_BYTES)


def decode_asked(payload: bytes) -> Command | SignedCommand:
    """What a car is asked, signed or not; what a signed one asks is still unread.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    sent = decode_bounded(payload, _any_sent, "command", limit_bytes=MAX_BYTES)
    return sent.command if isinstance(sent, _Sent) else sent.signed


def encode_sealed_revocations(revocations: SealedRevocations) -> bytes:
    """The wire form of a list of revocations."""
    return _encoder.encode(_Revoked(revocations))


def decode_sealed_revocations(payload: bytes) -> SealedRevocations:
    """The list of revocations in `payload`, still unread.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    limit = MAX_REVOCATIONS_BYTES
    return decode_bounded(payload, _revoked, "revocations", limit_bytes=limit).revocations


def encode_revocations_heard(heard: RevocationsHeard) -> bytes:
    """The wire form of a car's answer to a list."""
    return _encoder.encode(heard)


def decode_revocations_heard(payload: bytes) -> RevocationsHeard:
    """The answer in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _heard, "answer to revocations", limit_bytes=MAX_BYTES)
