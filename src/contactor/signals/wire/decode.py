"""Bytes to records, gaps and codebooks: checked for size, then form; meaning is `validation`'s.

envelope = read_envelope(payload)
decode_record(envelope, payload, codebook)      # Record
codebook_id_of(envelope, payload)               # which codebook that must be
"""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contactor.errors import MalformedRecord
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import (
    Column,
    Gap,
    Record,
    Rows,
    State,
    object_array,
    zero_of,
)
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import (
    CONSTANT,
    EACH_LENGTH,
    EACH_STATE,
    GROUP_NUMBERS,
    IRREGULAR,
    NONE_AVAILABLE,
    SAME_LENGTH,
)
from contactor.signals.wire.envelope import Envelope
from contactor.signals.wire.limits import (
    MAX_BLOCKS,
    MAX_CELLS,
    MAX_COLUMN_CHARACTERS,
    MAX_COLUMNS,
    MAX_REASON_CHARACTERS,
    MAX_ROWS,
    MAX_SEQUENCE,
    MAX_TEXT_CHARACTERS,
    MAX_UNIT,
)

_GROUPS: Final = {number: group for group, number in GROUP_NUMBERS.items()}
_BLOCK: Final = struct.Struct("<BBHIq")
_GAP: Final = struct.Struct("<QqqQH")
_LATEST_NS: Final = 2**63 - 1
_STATES: Final = 0b011


def codebook_id_of(envelope: Envelope, payload: bytes) -> int:
    """The id of the codebook that a record was written with.

    Raises:
        MalformedRecord: it is cut off.
    """
    if len(payload) < envelope.body_at + 4:
        raise MalformedRecord("record ends before its codebook's id", envelope.identity)
    return int.from_bytes(payload[envelope.body_at : envelope.body_at + 4], "little")


def body_of(envelope: Envelope) -> int:
    """Where the blocks of a record begin."""
    return envelope.body_at + 4


def decode_record(envelope: Envelope, payload: bytes, codebook: Codebook) -> Record:
    """The record in `payload`, written with that codebook.

    Raises:
        MalformedRecord: it is cut off or inconsistent.
    """
    cursor = _Cursor(payload, body_of(envelope))
    try:
        groups = _read_blocks(cursor, codebook)
    except ValueError as error:
        raise MalformedRecord(f"record: {error}", envelope.identity) from error
    return Record(envelope.vehicle_id, envelope.stream, envelope.sequence, groups)


def decode_gap(envelope: Envelope, payload: bytes) -> Gap:
    """The gap in `payload`.

    Raises:
        MalformedRecord: it is cut off or inconsistent.
    """
    cursor = _Cursor(payload, envelope.body_at)
    try:
        last, first_ts, last_ts, rows, length = _GAP.unpack(cursor.take(_GAP.size, "gap"))
        reason = cursor.take(length, "reason").decode()
        cursor.end()
        if not envelope.sequence <= last <= MAX_SEQUENCE:
            raise ValueError(f"it ends at {last}, its first is {envelope.sequence}")
        if len(reason) > MAX_REASON_CHARACTERS or rows > MAX_SEQUENCE:
            raise ValueError(f"{rows} rows, reason of {len(reason)} characters")
    except ValueError as error:
        raise MalformedRecord(f"gap: {error}", envelope.identity) from error
    return Gap(
        vehicle_id=envelope.vehicle_id,
        stream=envelope.stream,
        sequence=envelope.sequence,
        last=last,
        reason=reason,
        row_count=rows,
        first_ts=first_ts,
        last_ts=last_ts,
    )


def decode_codebook(envelope: Envelope, payload: bytes) -> Codebook:
    """The codebook in `payload`.

    Raises:
        MalformedRecord: it is cut off or inconsistent.
    """
    try:
        return Codebook.read(payload[envelope.body_at :])
    except ValueError as error:
        raise MalformedRecord(str(error)) from error


class _Cursor:
    """Where in the bytes the reading is."""

    def __init__(self, payload: bytes, at: int) -> None:
        self._payload, self._at = payload, at
        self.cells = 0

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._payload):
            raise ValueError(f"{what}: {size} bytes at {self._at}, of {len(self._payload)}")
        taken, self._at = self._payload[self._at : end], end
        return taken

    def number(self, size: int, what: str) -> int:
        return int.from_bytes(self.take(size, what), "little")

    def varint(self, what: str) -> int:
        """A number as LEB128, of 63 bits at most."""
        number, shift = 0, 0
        while True:
            byte = self.number(1, what)
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number
            if shift > 56:
                raise ValueError(f"{what}: a number of more than 9 bytes")

    def count_cells(self, cells: int) -> None:
        """Note that so many more are told, in few bytes perhaps."""
        self.cells += cells
        if self.cells > MAX_CELLS:
            raise ValueError(f"more than {MAX_CELLS} cells")

    def end(self) -> None:
        if self._at != len(self._payload):
            raise ValueError(f"{len(self._payload) - self._at} bytes after its end")


def _read_blocks(cursor: _Cursor, codebook: Codebook) -> tuple[Rows, ...]:
    count = cursor.number(1, "blocks")
    if not 1 <= count <= MAX_BLOCKS:
        raise ValueError(f"{count} blocks; allowed: 1 to {MAX_BLOCKS}")
    entries = codebook.entries
    groups = tuple(_read_block(cursor, entries) for _ in range(count))
    cursor.end()
    return groups


def _read_block(cursor: _Cursor, entries: tuple[tuple[str, Datatype], ...]) -> Rows:
    group, time, columns, rows, first = _BLOCK.unpack(cursor.take(_BLOCK.size, "block"))
    if group not in _GROUPS:
        raise ValueError(f"group {group}; known: 0 to {len(_GROUPS) - 1}")
    name = _GROUPS[group]
    if not 1 <= rows <= MAX_ROWS or columns > MAX_COLUMNS:
        raise ValueError(
            f"{rows} rows of {columns} signals of {name}; allowed: 1 to {MAX_ROWS}, "
            f"up to {MAX_COLUMNS}"
        )
    cursor.count_cells(rows * columns)
    ts = _read_times(cursor, time, rows, first)
    read = tuple(_read_column(cursor, entries, rows, name) for _ in range(columns))
    if len({column.path for column in read}) != len(read):
        raise ValueError(f"a signal stands twice in {name}")
    return Rows(name, ts, read)


def _read_times(cursor: _Cursor, time: int, rows: int, first: int) -> NDArray[np.int64]:
    power = time & 0x0F
    if time & 0x70 or power > MAX_UNIT:
        raise ValueError(f"time coding 0x{time:02x}")
    unit = 10**power
    if time & IRREGULAR:
        deltas = [cursor.varint("time") for _ in range(rows - 1)]
    else:
        deltas = [cursor.number(8, "step")] * (rows - 1)
    span_ns = sum(deltas) * unit
    if span_ns > _LATEST_NS or first + span_ns > _LATEST_NS:
        raise ValueError("an instant beyond the year 2262, or a span of more than 292 years")
    steps = np.array([0, *deltas], np.int64)
    ts: NDArray[np.int64] = first + np.cumsum(steps) * unit
    return ts


def _read_column(
    cursor: _Cursor, entries: tuple[tuple[str, Datatype], ...], rows: int, group: Group
) -> Column:
    code, form = cursor.number(2, "code"), cursor.number(1, "form")
    if code >= len(entries):
        raise ValueError(f"code {code} in {group}; the codebook has {len(entries)}")
    path, datatype = entries[code]
    if form > (CONSTANT | _STATES) or form & _STATES > EACH_STATE:
        raise ValueError(f"{path}: form 0x{form:02x}")
    try:
        state = _read_states(cursor, form & _STATES, rows)
        cells = _read_cells(cursor, datatype, form, state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    is_valid = state == State.VALID
    if not is_valid.all():
        zero = zero_of(datatype)
        cells = cells.copy()
        for row in np.flatnonzero(~is_valid).tolist():
            cells[row] = zero
    return Column(path, datatype, cells, state)


def _read_states(cursor: _Cursor, states: int, rows: int) -> NDArray[np.uint8]:
    if states != EACH_STATE:
        known = State.UNAVAILABLE if states == NONE_AVAILABLE else State.VALID
        return np.full(rows, known, np.uint8)
    packed = np.frombuffer(cursor.take(-(-rows // 4), "states"), np.uint8)
    each = np.stack([packed >> 2 * place & 3 for place in range(4)], axis=1).ravel()[:rows]
    if each.max() > State.UNAVAILABLE:
        raise ValueError(f"state {each.max()}; allowed: 0, 1, 2")
    return each


def _read_cells(
    cursor: _Cursor, datatype: Datatype, form: int, state: NDArray[np.uint8]
) -> NDArray[np.generic]:
    rows, has_valid = len(state), bool(np.any(state == State.VALID))
    if form & _STATES == NONE_AVAILABLE:
        zero = zero_of(datatype)
        is_object = datatype.is_array or datatype.is_text
        return object_array([zero] * rows) if is_object else np.full(rows, zero, datatype.dtype)
    count = 1 if form & CONSTANT else rows
    if datatype.is_array:
        cells = _read_arrays(cursor, datatype, count, rows)
    elif datatype.is_text:
        cells = _read_texts(cursor, count, rows // count, needs_words=has_valid)
    else:
        cells = _read_numbers(cursor, datatype, count)
    return np.repeat(cells, rows // count) if count < rows else cells


def _read_numbers(cursor: _Cursor, datatype: Datatype, count: int) -> NDArray[np.generic]:
    dtype = datatype.dtype
    data = cursor.take(count * dtype.itemsize, "cells")
    if dtype == np.bool_:
        flags = np.frombuffer(data, np.uint8)
        if np.any(flags > 1):
            raise ValueError(f"boolean {flags.max()}; allowed: 0, 1")
        return flags.astype(np.bool_)
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False)


def _read_texts(
    cursor: _Cursor, count: int, times: int, *, needs_words: bool
) -> NDArray[np.generic]:
    """Texts, each told `times` times; `needs_words` where not all belong to cells without one."""
    words = [
        cursor.take(cursor.number(2, "length of a word"), "word").decode()
        for _ in range(cursor.number(2, "words"))
    ]
    longest = max(map(len, words), default=0)
    if longest > MAX_TEXT_CHARACTERS:
        raise ValueError(f"text of {longest} characters; the limit is {MAX_TEXT_CHARACTERS}")
    width = "<u1" if len(words) <= 256 else "<u2"
    indices = np.frombuffer(cursor.take(count * np.dtype(width).itemsize, "texts"), width)
    if not words and needs_words:
        raise ValueError("a text, and no words")
    if indices.size and int(indices.max()) >= max(len(words), 1):
        raise ValueError(f"text {indices.max()} of {len(words)} words")
    listed = words or [""]
    characters = int(np.array([len(word) for word in listed], np.int64)[indices].sum()) * times
    if characters > MAX_COLUMN_CHARACTERS:
        raise ValueError(f"{characters} characters; the limit is {MAX_COLUMN_CHARACTERS}")
    texts: NDArray[np.generic] = object_array(listed)[indices]
    return texts


def _read_arrays(cursor: _Cursor, datatype: Datatype, count: int, rows: int) -> NDArray[np.generic]:
    coding = cursor.number(1, "lengths")
    if coding == SAME_LENGTH:
        lengths = [cursor.number(2, "length")] * count
    elif coding == EACH_LENGTH:
        lengths = np.frombuffer(cursor.take(2 * count, "lengths"), "<u2").tolist()
    else:
        raise ValueError(f"coding {coding} of lengths; allowed: 0, 1")
    total = sum(lengths)
    cursor.count_cells(total * (rows // count))
    if datatype.is_text:
        elements = _read_texts(cursor, total, rows // count, needs_words=total > 0).tolist()
    else:
        elements = _read_numbers(cursor, datatype.element, total).tolist()
    cells, start = [], 0
    for length in lengths:
        cells.append(tuple(elements[start : start + length]))
        start += length
    return object_array(cells)
