"""Many records at once give what each gives alone, and leave aside what is out of the ordinary."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contactor.can.kernels import is_installed
from contactor.cloud.ingest.arrays.signal_table import SignalTable
from contactor.cloud.lake.frames import frame_of
from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.batch import RowsBatch
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from contactor.signals.validation import check_rows
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import decode_record
from contactor.signals.wire.encode import encode_record
from contactor.signals.wire.envelope import read_envelope
from tests.signals.wire.records import records

if not is_installed():
    pytest.skip("Numba is not installed", allow_module_level=True)

from contactor.cloud.ingest.arrays.decode import Decoded, Raw, decode

LATEST_NS = 2**62
Cells = dict[tuple[str, Group, str], list[tuple[object, ...]]]


def raw_of(payload: bytes) -> Raw:
    envelope = read_envelope(payload)
    return Raw(envelope.vehicle_id, payload, envelope.body_at + 4)


def decoded(payloads: list[bytes], codebook: Codebook) -> Decoded:
    table = SignalTable.of(codebook.entries)
    return decode([raw_of(one) for one in payloads], table, latest_ns=LATEST_NS)


def cells_of(vehicle_id: str, rows: Rows) -> Cells:
    found: Cells = defaultdict(list)
    for column in rows.columns:
        for ts, value, state in zip(
            rows.ts.tolist(), column.values.tolist(), column.state.tolist(), strict=True
        ):
            found[vehicle_id, rows.group, column.path].append((ts, repr(value), state))
    return found


def cells_of_batch(batch: RowsBatch) -> Cells:
    found: Cells = defaultdict(list)
    for column in batch.columns:
        for vehicle, ts, value, state in zip(
            batch.vehicle.tolist(),
            batch.ts.tolist(),
            column.values.tolist(),
            column.state.tolist(),
            strict=True,
        ):
            key = (batch.vehicles[vehicle], batch.group, column.path)
            found[key].append((ts, repr(value), state))
    return found


def plain(batch: RowsBatch) -> RowsBatch:
    """The same with every column as plain cells."""
    columns = [Column(one.path, one.datatype, one.values, one.state) for one in batch.columns]
    return replace(batch, columns=tuple(columns))


def together(parts: list[Cells]) -> Cells:
    found: Cells = defaultdict(list)
    for part in parts:
        for key, cells in part.items():
            found[key] += cells
    return {key: sorted(cells) for key, cells in found.items()}


def is_right(record: Record) -> bool:
    try:
        for rows in record.groups:
            check_rows(rows)
    except InvalidValue:
        return False
    return all(rows.ts[0] >= 0 and rows.ts[-1] <= LATEST_NS for rows in record.groups)


@given(st.lists(records(), min_size=1, max_size=6), st.data())
def test_many_records_give_what_each_gives_alone(some: list[Record], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from("abc"), min_size=len(some), max_size=len(some)))
    some = [Record(name, 1, 1, one.groups) for name, one in zip(names, some, strict=True)]
    codebook = Codebook([("Vehicle.Speed", Datatype.FLOAT)])
    payloads = [encode_record(one, codebook) for one in some]
    found = decoded(payloads, codebook)
    for number, (payload, record) in enumerate(zip(payloads, some, strict=True)):
        if number in found.odd:
            has_texts = any(
                column.datatype is Datatype.STRING_ARRAY
                for rows in record.groups
                for column in rows.columns
            )
            assert has_texts or not is_right(record)
            assert found.rows[number] == 0
        else:
            alone = decode_record(read_envelope(payload), payload, codebook)
            assert is_right(alone)
            assert found.rows[number] == record.row_count
            assert found.first_ts[number] == min(rows.ts[0] for rows in record.groups)
            assert found.last_ts[number] == max(rows.ts[-1] for rows in record.groups)
    read = [one for number, one in enumerate(some) if number not in found.odd]
    alone = [cells_of(one.vehicle_id, rows) for one in read for rows in one.groups]
    assert together([cells_of_batch(one) for one in found.batches]) == together(alone)
    for batch in found.batches:
        order = np.lexsort((batch.ts, batch.vehicle))
        assert np.array_equal(order, np.arange(len(batch)))
        assert frame_of(batch).equals(frame_of(plain(batch)))


@given(records(), st.data())
def test_what_is_damaged_is_left_aside(record: Record, data: st.DataObject) -> None:
    codebook = Codebook()
    payload = bytearray(encode_record(record, codebook))
    start = raw_of(bytes(payload)).start
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(start, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(payload)) | st.integers(start, len(payload)))
    spoilt = bytes(payload[:cut])
    good = encode_record(good_record(), good_codebook := Codebook(codebook.entries))
    assume(good_codebook.entries == codebook.entries)
    found = decoded([good, spoilt, good], codebook)
    try:
        alone = decode_record(read_envelope(spoilt), spoilt, codebook)
    except MalformedRecord:
        assert found.odd == (1,)
        return
    if 1 not in found.odd:
        assert is_right(alone)
    assert 0 not in found.odd
    assert 2 not in found.odd


def good_record() -> Record:
    rows = Rows(Group.SLOW, np.array([5, 6], np.int64), ())
    return Record("good", 3, 9, (rows,))


def test_a_value_out_of_range_takes_its_whole_record_out() -> None:
    codebook = Codebook()
    ts = np.array([10, 20], np.int64)
    good = Column.of("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", [50.0, 51.0])
    bad = Column.of("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", [50.0, 101.0])
    other = Rows(Group.SLOW, ts, (Column.of("Vehicle.Speed", [1.0, 2.0]),))
    payloads = [
        encode_record(Record("leaf", 1, place, (Rows(Group.DRIVE, ts, (one,)), other)), codebook)
        for place, one in enumerate((good, bad, good), 1)
    ]
    found = decoded(payloads, codebook)
    assert found.odd == (1,)
    assert found.rows.tolist() == [4, 0, 4]
    assert [len(batch) for batch in found.batches] == [4, 4]


def test_cells_are_bounded_though_their_bytes_are_few() -> None:
    codebook = Codebook([(f"Vehicle.Nothing{number}", Datatype.FLOAT) for number in range(11)])
    whole = encode_record(good_record(), codebook)
    start = raw_of(whole).start
    # One block of 100,000 rows and 11 columns of nothing: more than a million cells.
    head = bytes([1, 0, 0]) + (11).to_bytes(2, "little") + (100_000).to_bytes(4, "little")
    columns = b"".join(code.to_bytes(2, "little") + b"\1" for code in range(11))
    payload = whole[:start] + head + bytes(16) + columns
    with pytest.raises(MalformedRecord, match="1000000 cells"):
        decode_record(read_envelope(payload), payload, codebook)
    assert decoded([payload], codebook).odd == (0,)
