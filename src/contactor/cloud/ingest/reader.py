"""What came over the link, of any form and version, as records and gaps. No I/O, no accounts.

columns (version 2)   read with the codebook of the stream; without it, parked
arrays (version 1)    what older outboxes still hold
JSON                  made by hand; without numbers of its own it is counted here

reader = Reader(store.codebooks())
for message in reader.read("leaf", payload, ledger, now_ns=now_ns):
    message.content, message.unknown
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from contactor.cloud.ingest.codebooks import Codebooks, Known, Parked
from contactor.cloud.ingest.ledger import Ledger
from contactor.cloud.lake.schema import StoredCodebook
from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.catalogue import catalogue
from contactor.signals.record import Column, Gap, Record, RecordIdentity, Rows
from contactor.signals.wire.alone import encode_alone, join_alone
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import (
    codebook_id_of,
    decode_codebook,
    decode_gap,
    decode_record,
)
from contactor.signals.wire.encode import encode_codebook
from contactor.signals.wire.envelope import MAGIC, VERSION, Envelope, MessageKind, read_envelope
from contactor.signals.wire.json_form import UNNUMBERED_STREAM, is_json, read_json
from contactor.signals.wire.version_1 import decode_version_1

RECORD_HEAD = MAGIC + bytes((VERSION, MessageKind.RECORD))
FIRST_BYTES = frozenset(b"C\x96{[ \t\r\n")
"""What any message of ours may begin with: either version, or JSON."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read.

    Fields:
        content: of a record the signals that the catalogue has.
        payload: its bytes.
        codebook: what they were read with.
        unknown: rows of signals that the catalogue has not, or not so, by reason.
        unknown_payload: these, in a form that reads alone.
        problem: why it can only be quarantined, "" where it can be stored.
    """

    content: Record | Gap
    payload: bytes
    codebook: Codebook | None = None
    unknown: Mapping[str, int] = field(default_factory=dict)
    unknown_payload: bytes = b""
    problem: str = ""

    @property
    def evidence(self) -> bytes:
        """Its bytes, in a form that reads alone."""
        if self.codebook is None:
            return self.payload
        told = encode_codebook(self.content.vehicle_id, self.content.stream, self.codebook)
        return join_alone(told, self.payload)


class Reader:
    """Owns the codebooks, and the records that wait for one."""

    def __init__(self, codebooks: Iterable[StoredCodebook] = ()) -> None:
        self.codebooks = Codebooks(codebooks)
        self.parked = Parked()

    def read(
        self, vehicle_id: str, payload: bytes, ledger: Ledger, *, now_ns: int
    ) -> Iterator[Message]:
        """The messages that can be taken in now that this one came on a vehicle's subject.

        None of a record that is parked; of a codebook all that waited for it.

        Raises:
            MalformedRecord: it cannot be read, or is another vehicle's.
        """
        if (reason := strangeness(payload)) is not None:
            raise MalformedRecord(reason)
        if payload.startswith(MAGIC):
            envelope = read_envelope(payload)
            _check_right(envelope.vehicle_id, vehicle_id)
            if envelope.kind is MessageKind.RECORD:
                yield from self._read_record(envelope, payload, now_ns)
            elif envelope.kind is MessageKind.GAP:
                yield Message(decode_gap(envelope, payload), payload)
            else:
                self.codebooks.add(vehicle_id, envelope.stream, decode_codebook(envelope, payload))
        elif is_json(payload):
            yield _read_json(vehicle_id, payload, ledger, now_ns)
        else:
            content = decode_version_1(payload)
            _check_right(content.vehicle_id, vehicle_id)
            yield (
                Message(content, payload)
                if isinstance(content, Gap)
                else _sorted_out(content, payload)
            )

    def released(self, payload: bytes) -> Iterator[bytes]:
        """The records that waited for the codebook in `payload`, if it is one."""
        if payload.startswith(MAGIC) and payload[3:4] == bytes([MessageKind.CODEBOOK]):
            envelope = read_envelope(payload)
            codebook_id = codebook_id_of(envelope, payload)
            yield from self.parked.release((envelope.vehicle_id, envelope.stream, codebook_id))

    def peek(self, vehicle_id: str, payload: bytes, now_ns: int) -> tuple[Envelope, Known] | None:
        """The envelope and the codebook of a record that can be read; None of anything else."""
        if payload[:4] != RECORD_HEAD:
            return None
        try:
            envelope = read_envelope(payload)
            codebook_id = codebook_id_of(envelope, payload)
        except MalformedRecord:
            return None
        if envelope.vehicle_id != vehicle_id:
            return None
        known = self.codebooks.known(vehicle_id, envelope.stream, codebook_id, now_ns)
        return None if known is None else (envelope, known)

    def read_record(self, envelope: Envelope, payload: bytes, codebook: Codebook) -> Message:
        """The record of version 2 in `payload`.

        Raises:
            MalformedRecord: it cannot be read.
        """
        return _sorted_out(decode_record(envelope, payload, codebook), payload, codebook)

    def _read_record(self, envelope: Envelope, payload: bytes, now_ns: int) -> Iterator[Message]:
        key = (envelope.vehicle_id, envelope.stream, codebook_id_of(envelope, payload))
        known = self.codebooks.known(*key, now_ns)
        if known is None:
            self.parked.add(key, payload)
        else:
            yield self.read_record(envelope, payload, known.codebook)


def strangeness(payload: bytes) -> str | None:
    """Why a message can be none of ours, by its first byte alone; None if it may be one."""
    if not payload or payload[0] in FIRST_BYTES:
        return None
    return f"no record: it begins with 0x{payload[0]:02x}"


def _check_right(named: str, vehicle_id: str) -> None:
    if named != vehicle_id:
        raise MalformedRecord(f"record of {named} on the subject of {vehicle_id}")


def _sorted_out(record: Record, payload: bytes, codebook: Codebook | None = None) -> Message:
    """The record without the signals that the catalogue has not, or not so."""
    unknown: dict[str, int] = {}
    for rows in record.groups:
        for column in rows.columns:
            reason = _why_unknown(column)
            if reason:
                unknown[reason] = unknown.get(reason, 0) + len(rows)
    if not unknown:
        return Message(record, payload, codebook)
    known = _only(record, is_unknown=False)
    try:
        refused = encode_alone(_only(record, is_unknown=True))
    except ValueError:  # of version 1, and beyond the limits of version 2
        refused = Message(record, payload, codebook).evidence
    return Message(known, payload, codebook, unknown, refused)


def _only(record: Record, *, is_unknown: bool) -> Record:
    groups = []
    for rows in record.groups:
        columns = tuple(one for one in rows.columns if bool(_why_unknown(one)) is is_unknown)
        if columns or not (rows.columns or is_unknown):
            groups.append(Rows(rows.group, rows.ts, columns))
    return Record(*record.identity, tuple(groups))


def _why_unknown(column: Column) -> str:
    """Why a column cannot be stored; "" if it can."""
    known = catalogue()
    if column.path not in known:
        return unknown_reason(column.path)
    datatype = known[column.path].datatype
    if datatype is column.datatype:
        return ""
    return f"{column.path} is sent as {column.datatype}; the catalogue has {datatype}"


def unknown_reason(path: str) -> str:
    """Why a signal is refused that the catalogue does not have."""
    return f"unknown signal {path if path.isprintable() else ascii(path)}"


def _read_json(vehicle_id: str, payload: bytes, ledger: Ledger, now_ns: int) -> Message:
    """A message in JSON; one without a number gets the next of a stream of its own."""
    message = read_json(payload)
    stream, sequence = message.stream, message.sequence
    if stream is None or sequence is None:
        stream = UNNUMBERED_STREAM
        sequence = ledger.of(vehicle_id, stream).watermark + 1
    identity = RecordIdentity(vehicle_id, stream, sequence)
    try:
        found = message.rows(now_ns=now_ns)
    except InvalidValue as error:
        return Message(Record(*identity, ()), payload, problem=str(error))
    unknown = {unknown_reason(path): count for path, count in found.unknown.items()}
    return Message(Record(*identity, found.groups), payload, None, unknown, payload)
