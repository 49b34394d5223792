"""What every message of version 2 begins with.

0   2  magic "CT"      4   8  stream      20  1  length of the vehicle id
2   1  version, 2     12   8  sequence    21  n  vehicle id
3   1  kind                               then the body

envelope = read_envelope(payload)
envelope.kind, envelope.identity, envelope.body_at
"""

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contactor.errors import MalformedRecord
from contactor.signals.record import RecordIdentity
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES, MAX_SEQUENCE

MAGIC: Final = b"CT"
VERSION: Final = 2
VEHICLE_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_HEAD: Final = struct.Struct("<2sBBQQB")


class MessageKind(IntEnum):
    """What a message holds."""

    RECORD = 1
    GAP = 2
    CODEBOOK = 3


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whose message it is; `sequence` is 0 for a codebook, which is not counted."""

    kind: MessageKind
    vehicle_id: str
    stream: int
    sequence: int
    body_at: int

    @property
    def identity(self) -> RecordIdentity:
        return RecordIdentity(self.vehicle_id, self.stream, self.sequence)


def write_envelope(kind: MessageKind, vehicle_id: str, stream: int, sequence: int) -> bytes:
    """The bytes before a body."""
    name = vehicle_id.encode("ascii")
    return _HEAD.pack(MAGIC, VERSION, kind, stream, sequence, len(name)) + name


def read_envelope(payload: bytes) -> Envelope:
    """The envelope of a message.

    Raises:
        MalformedRecord: too large, cut off, or not our form; `identity` is set where all but the
            version or the kind is right.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MalformedRecord(f"message of {len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    if len(payload) < _HEAD.size:
        raise MalformedRecord(f"message of {len(payload)} bytes; an envelope has {_HEAD.size}")
    magic, version, kind, stream, sequence, length = _HEAD.unpack_from(payload)
    if magic != MAGIC:
        raise MalformedRecord(f"message begins with {magic!r}; allowed: {MAGIC!r}")
    end = _HEAD.size + length
    name = payload[_HEAD.size : end]
    if len(name) != length or not VEHICLE_ID.fullmatch(name):
        raise MalformedRecord(f"vehicle id {name!r}; allowed: 1 to 64 of A-Z, a-z, 0-9, _ and -")
    identity = RecordIdentity(name.decode("ascii"), stream, sequence)
    if not 1 <= sequence <= MAX_SEQUENCE and not (kind == MessageKind.CODEBOOK and not sequence):
        raise MalformedRecord(f"sequence {sequence}; allowed: 1 to 2^62, 0 for a codebook")
    if version != VERSION:
        raise MalformedRecord(f"wire version {version}; known: 1, {VERSION}", identity)
    if kind not in MessageKind.__members__.values():
        allowed = ", ".join(f"{one.value} {one.name.lower()}" for one in MessageKind)
        raise MalformedRecord(f"message kind {kind}; known: {allowed}", identity)
    return Envelope(MessageKind(kind), identity.vehicle_id, stream, sequence, end)
