"""The wire, version 2: what goes in comes out, and nothing but our error comes of anything else."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Gap, Record
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import (
    codebook_id_of,
    decode_codebook,
    decode_gap,
    decode_record,
)
from contactor.signals.wire.encode import encode_codebook, encode_gap, encode_record
from contactor.signals.wire.envelope import MessageKind, read_envelope, write_envelope
from tests.signals.wire.records import records, told


def read_back(payload: bytes, codebook: Codebook) -> Record | Gap | Codebook:
    envelope = read_envelope(payload)
    if envelope.kind is MessageKind.GAP:
        return decode_gap(envelope, payload)
    if envelope.kind is MessageKind.CODEBOOK:
        return decode_codebook(envelope, payload)
    codebook_id_of(envelope, payload)
    return decode_record(envelope, payload, codebook)


@given(records())
def test_a_record_comes_back_as_it_went(record: Record) -> None:
    codebook = Codebook()
    payload = encode_record(record, codebook)
    envelope = read_envelope(payload)
    assert envelope.identity == record.identity
    assert codebook_id_of(envelope, payload) == codebook.id
    assert told(decode_record(envelope, payload, codebook)) == told(record)


@given(
    st.builds(
        Gap,
        vehicle_id=st.just("leaf"),
        stream=st.integers(0, 2**64 - 1),
        sequence=st.integers(1, 50),
        last=st.integers(50, 2**62),
        reason=st.text(max_size=200),
        row_count=st.integers(0, 2**62),
        first_ts=st.integers(-(2**63), 2**63 - 1),
        last_ts=st.integers(-(2**63), 2**63 - 1),
    )
)
def test_a_gap_comes_back_as_it_went(gap: Gap) -> None:
    payload = encode_gap(gap)
    assert decode_gap(read_envelope(payload), payload) == gap


@given(st.lists(st.tuples(st.text(min_size=1, max_size=60), st.sampled_from(Datatype)), min_size=1))
def test_a_codebook_comes_back_and_only_grows(entries: list[tuple[str, Datatype]]) -> None:
    codebook = Codebook(entries)
    payload = encode_codebook("leaf", 7, codebook)
    found = decode_codebook(read_envelope(payload), payload)
    assert found.entries == codebook.entries
    assert found.id == codebook.id
    before = codebook.entries
    codebook.code("Vehicle.Something.New", Datatype.INT8_ARRAY)
    assert codebook.entries[: len(before)] == before


@given(records(), st.data())
def test_anything_else_is_our_error(record: Record, data: st.DataObject) -> None:
    codebook = Codebook()
    payload = bytearray(encode_record(record, codebook))
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(payload)) | st.integers(0, len(payload)))
    with suppress(MalformedRecord):
        read_back(bytes(payload[:cut]), codebook)


@given(records())
def test_a_record_cut_off_anywhere_is_refused(record: Record) -> None:
    codebook = Codebook()
    payload = encode_record(record, codebook)
    for end in range(0, len(payload), max(1, len(payload) // 40)):
        with pytest.raises(MalformedRecord):
            read_back(payload[:end], codebook)
    with pytest.raises(MalformedRecord, match="after its end"):
        read_back(payload + b"\0", codebook)


@pytest.mark.parametrize(
    ("first_ns", "step"), [(-(2**63), 2**63 + 1), (0, 2**63), (2**63 - 1, 1), (0, 2**64 - 1)]
)
def test_an_instant_that_does_not_fit_is_refused(first_ns: int, step: int) -> None:
    codebook = Codebook([("Vehicle.Speed", Datatype.FLOAT)])
    head = write_envelope(MessageKind.RECORD, "leaf", 1, 1) + codebook.body[:4] + b"\1"
    block = struct.pack("<BBHIqQ", 0, 0, 0, 2, first_ns, step)
    with pytest.raises(MalformedRecord, match="beyond the year 2262"):
        read_back(head + block, codebook)
