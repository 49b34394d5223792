"""Commands and their answers on the link, as MessagePack, versioned and bounded.

    command = ["command/1", {id, vehicle_id, path, value, issued_by, issued_at, expires_at, ...}]
    report  = ["report/1", vehicle_id, command_id, state, reason]

The cloud sends a command again until the car answers or it expires; the car answers each copy with
where the command stands, and does it once. Either may be lost.

    decode_command(encode_command(command)) == command
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contactor.link.messages import decode_bounded
from contactor.signals.command import MAX_REASON_CHARACTERS, Command, CommandState

MAX_BYTES = 16_384


class Report(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="report/1"):
    """Where a command stands, said by the car; `reason` where it was refused or expired."""

    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    command_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    state: CommandState
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] | None = None


class _Sent(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="command/1"):
    command: Command


_encoder = msgspec.msgpack.Encoder()
_sent = msgspec.msgpack.Decoder(_Sent)
_report = msgspec.msgpack.Decoder(Report)


def encode_command(command: Command) -> bytes:
    """The wire form of a command."""
    return _encoder.encode(_Sent(command))


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
