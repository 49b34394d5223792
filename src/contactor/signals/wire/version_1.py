"""Version 1 of the wire, read for ever and never written again: MessagePack, columns of bytes.

    message  = [1, "record", vehicle_id, stream, sequence, [rows, ...]]
             | [1, "gap",    vehicle_id, stream, sequence, [last, reason, rows, first_ts, last_ts]]
    rows     = [group, ts, [column, ...]]              ts: n x int64
    column   = [path, datatype, state, values, lengths, words]
    state    = n bytes, 0 unknown, 1 valid, 2 unavailable; empty: all valid
    values   = the elements packed by data type (text: uint32 indices into words)
    lengths  = n x uint32, elements of each cell, for arrays; else empty
    words    = the distinct texts, for text; else empty

Untrusted bytes are checked for size, then form; meaning is checked in `validation`. The envelope is
read first, so that a body that cannot be read still names the record it belongs to.

    decode_version_1(payload)                   # Record or Gap
"""

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct
from numpy.typing import NDArray

from contactor.errors import MalformedRecord
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, RecordIdentity, Rows, State, object_array
from contactor.signals.wire.limits import (
    MAX_COLUMN_CHARACTERS,
    MAX_COLUMNS,
    MAX_MESSAGE_BYTES,
    MAX_REASON_CHARACTERS,
    MAX_ROWS,
    MAX_SEQUENCE,
    MAX_TEXT_CHARACTERS,
)

VERSION = 1
MAX_GROUPS = 16

_Sequence = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE)]
_Instant = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class _Envelope(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    version: int
    kind: Literal["record", "gap"]
    vehicle_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    stream: Annotated[int, Meta(ge=0)]
    sequence: _Sequence
    body: Raw


class _Column(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    path: Annotated[str, Meta(max_length=256)]
    datatype: Datatype
    state: bytes
    values: bytes
    lengths: bytes
    words: list[Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)]]


class _Rows(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    group: Group
    ts: bytes
    columns: Annotated[list[_Column], Meta(max_length=MAX_COLUMNS)]


class _Gap(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    last: _Sequence
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)]
    row_count: Annotated[int, Meta(ge=0, le=2**62)]
    first_ts: _Instant
    last_ts: _Instant


_envelope = msgspec.msgpack.Decoder(_Envelope)
_rows = msgspec.msgpack.Decoder(Annotated[list[_Rows], Meta(max_length=MAX_GROUPS)])
_gap = msgspec.msgpack.Decoder(_Gap)


def decode_version_1(payload: bytes) -> Record | Gap:
    """The record or gap in `payload`.

    Raises:
        MalformedRecord: too large, not our form, or inconsistent; `identity` is set where the
            envelope could be read.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MalformedRecord(f"message of {len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    try:
        envelope = _envelope.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no record: {error}") from error
    if envelope.stream >= 2**64:
        raise MalformedRecord(f"stream {envelope.stream} is no unsigned 64-bit number")
    identity = RecordIdentity(envelope.vehicle_id, envelope.stream, envelope.sequence)
    if envelope.version != VERSION:
        raise MalformedRecord(f"wire version {envelope.version}; known: {VERSION}", identity)
    try:
        return _read_body(envelope, identity)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"body: {error}", identity) from error


def _read_body(envelope: _Envelope, identity: RecordIdentity) -> Record | Gap:
    if envelope.kind == "gap":
        gap = _gap.decode(envelope.body)
        if gap.last < envelope.sequence:
            raise ValueError(f"gap ends at {gap.last}, before its first {envelope.sequence}")
        return Gap(
            vehicle_id=envelope.vehicle_id,
            stream=envelope.stream,
            sequence=envelope.sequence,
            last=gap.last,
            reason=gap.reason,
            row_count=gap.row_count,
            first_ts=gap.first_ts,
            last_ts=gap.last_ts,
        )
    groups = tuple(_unpack_rows(rows) for rows in _rows.decode(envelope.body))
    return Record(identity.vehicle_id, identity.stream, identity.sequence, groups)


def _unpack_rows(packed: _Rows) -> Rows:
    ts = _numbers(packed.ts, np.dtype("<i8"), "ts")
    if ts.size > MAX_ROWS:
        raise ValueError(f"{ts.size} rows of {packed.group}; the limit is {MAX_ROWS}")
    if np.any(ts[1:] < ts[:-1]):
        raise ValueError(f"time runs backwards in {packed.group}")
    paths = [column.path for column in packed.columns]
    if len(set(paths)) != len(paths):
        raise ValueError(f"a signal stands twice in {packed.group}")
    columns = tuple(_unpack_column(column, ts.size) for column in packed.columns)
    return Rows(packed.group, ts.astype(np.int64, copy=False), columns)


def _unpack_column(packed: _Column, rows: int) -> Column:
    try:
        values = _unpack_cells(packed, rows)
        state = _unpack_state(packed.state, rows)
    except ValueError as error:
        raise ValueError(f"{packed.path}: {error}") from error
    return Column(packed.path, packed.datatype, values, state)


def _unpack_state(state: bytes, rows: int) -> NDArray[np.uint8]:
    if not state:
        return np.full(rows, State.VALID, np.uint8)
    states = np.frombuffer(state, np.uint8)
    if states.size != rows:
        raise ValueError(f"{states.size} states for {rows} rows")
    if states.max() > max(State):
        raise ValueError(f"state {states.max()}; allowed: 0, 1, 2")
    return states


def _unpack_cells(packed: _Column, rows: int) -> NDArray[np.generic]:
    datatype = packed.datatype
    if datatype.is_text:
        elements = _texts(packed.values, packed.words)
    elif datatype is Datatype.BOOLEAN or datatype is Datatype.BOOLEAN_ARRAY:
        elements = _booleans(packed.values)
    else:
        numbers = _numbers(packed.values, datatype.dtype.newbyteorder("<"), "values")
        elements = numbers.astype(datatype.dtype, copy=False)
    if datatype.is_array:
        return _split(elements, _numbers(packed.lengths, np.dtype("<u4"), "lengths"), rows)
    if elements.size != rows:
        raise ValueError(f"{elements.size} values for {rows} rows")
    return elements


def _numbers(data: bytes, dtype: np.dtype[np.generic], what: str) -> NDArray[np.number[Any]]:
    if len(data) % dtype.itemsize:
        raise ValueError(f"{what}: {len(data)} bytes are no whole number of {dtype.name}")
    return np.frombuffer(data, dtype)


def _booleans(data: bytes) -> NDArray[np.generic]:
    flags = np.frombuffer(data, np.uint8)
    if np.any(flags > 1):
        raise ValueError(f"boolean {flags.max()}; allowed: 0, 1")
    return flags.astype(np.bool_)


def _texts(data: bytes, words: list[str]) -> NDArray[np.generic]:
    codes = _numbers(data, np.dtype("<u4"), "values")
    if codes.size and int(codes.max()) >= len(words):
        raise ValueError(f"text {codes.max()} of {len(words)} words")
    characters = int(np.array([len(word) for word in words], np.int64)[codes].sum())
    if characters > MAX_COLUMN_CHARACTERS:
        raise ValueError(f"{characters} characters; the limit is {MAX_COLUMN_CHARACTERS}")
    texts: NDArray[np.generic] = object_array(words)[codes]
    return texts


def _split(
    elements: NDArray[np.generic], lengths: NDArray[np.generic], rows: int
) -> NDArray[np.generic]:
    sizes: list[int] = lengths.tolist()
    if len(sizes) != rows or sum(sizes) != elements.size:
        raise ValueError(f"{elements.size} elements in {len(sizes)} arrays for {rows} rows")
    flat, cells, start = elements.tolist(), [], 0
    for size in sizes:
        cells.append(tuple(flat[start : start + size]))
        start += size
    return object_array(cells)
