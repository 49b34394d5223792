"""A record together with its codebook, for where it must be read alone: in quarantine.

payload = encode_alone(record)              # or join_alone(codebook's message, record's message)
decode_alone(payload)                       # Record

u32 length, the codebook's message of that length, the record's message
"""

from contactor.errors import MalformedRecord
from contactor.signals.record import Record
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import decode_codebook, decode_record
from contactor.signals.wire.encode import encode_codebook, encode_record
from contactor.signals.wire.envelope import MessageKind, read_envelope


def join_alone(codebook: bytes, record: bytes) -> bytes:
    """The two messages as one."""
    return len(codebook).to_bytes(4, "little") + codebook + record


def encode_alone(record: Record) -> bytes:
    """A record with a codebook of its own signals."""
    codebook = Codebook()
    message = encode_record(record, codebook)
    return join_alone(encode_codebook(record.vehicle_id, record.stream, codebook), message)


def decode_alone(payload: bytes) -> Record:
    """The record in what `join_alone` made.

    Raises:
        MalformedRecord: it is none.
    """
    end = 4 + int.from_bytes(payload[:4], "little")
    first, second = payload[4:end], payload[end:]
    envelopes = read_envelope(first), read_envelope(second)
    if [one.kind for one in envelopes] != [MessageKind.CODEBOOK, MessageKind.RECORD]:
        raise MalformedRecord("no codebook and record in one")
    return decode_record(envelopes[1], second, decode_codebook(envelopes[0], first))
