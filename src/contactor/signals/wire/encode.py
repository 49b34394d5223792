"""Records, gaps and codebooks to bytes.

    payload = encode_record(record, codebook)       # its signals are in the codebook afterwards
    encode_codebook("leaf", stream, codebook)       # what the cloud needs to read it

Times go as one step where they are even, else as differences; a column whose cells are all alike
goes as one cell; states only where not every cell is valid.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows, State
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.envelope import MessageKind, write_envelope
from contactor.signals.wire.limits import (
    MAX_BLOCKS,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MESSAGE_BYTES,
    MAX_ROWS,
    MAX_UNIT,
)

GROUP_NUMBERS: Final = {group: number for number, group in enumerate(Group)}
IRREGULAR: Final = 0x80
CONSTANT: Final = 0b100
ALL_VALID, NONE_AVAILABLE, EACH_STATE = 0, 1, 2
SAME_LENGTH, EACH_LENGTH = 0, 1
_BLOCK: Final = struct.Struct("<BBHIq")
_COLUMN: Final = struct.Struct("<HB")
_GAP: Final = struct.Struct("<QqqQH")


def encode_record(record: Record, codebook: Codebook) -> bytes:
    """The bytes of a record; signals that are new to the codebook are added to it.

    Raises:
        ValueError: it is beyond a limit; the sender must split it.
    """
    filled = [rows for rows in record.groups if len(rows)]
    if not 1 <= len(filled) <= MAX_BLOCKS:
        raise ValueError(f"record of {len(filled)} groups with rows; allowed: 1 to {MAX_BLOCKS}")
    cells = sum(_cell_count(rows) for rows in filled)
    if cells > MAX_CELLS:
        raise ValueError(f"record of {cells} cells; the limit is {MAX_CELLS}")
    blocks = b"".join([_block(rows, codebook) for rows in filled])
    head = write_envelope(MessageKind.RECORD, record.vehicle_id, record.stream, record.sequence)
    return _bounded(b"".join([head, codebook.body[:4], bytes([len(filled)]), blocks]))


def encode_gap(gap: Gap) -> bytes:
    """The bytes of a gap."""
    reason = gap.reason.encode()
    body = _GAP.pack(gap.last, gap.first_ts, gap.last_ts, gap.row_count, len(reason)) + reason
    return write_envelope(MessageKind.GAP, gap.vehicle_id, gap.stream, gap.sequence) + body


def encode_codebook(vehicle_id: str, stream: int, codebook: Codebook) -> bytes:
    """The bytes of a codebook, for the stream whose records use it."""
    head = write_envelope(MessageKind.CODEBOOK, vehicle_id, stream, 0)
    return _bounded(head + codebook.body)


def _bounded(payload: bytes) -> bytes:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ValueError(f"message of {len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    return payload


def _cell_count(rows: Rows) -> int:
    """Rows x columns, each element of an array counted as a cell of its own."""
    count = len(rows) * len(rows.columns)
    for column in rows.columns:
        if column.datatype.is_array:
            count += sum(map(len, column.values.tolist()))
    return count


def _block(rows: Rows, codebook: Codebook) -> bytes:
    if len(rows) > MAX_ROWS or len(rows.columns) > MAX_COLUMNS:
        raise ValueError(
            f"{len(rows)} rows of {len(rows.columns)} signals of {rows.group}; "
            f"the limits are {MAX_ROWS} and {MAX_COLUMNS}"
        )
    flags, times = _times(rows.ts)
    head = _BLOCK.pack(
        GROUP_NUMBERS[rows.group], flags, len(rows.columns), len(rows), int(rows.ts[0])
    )
    return b"".join([head, times, *(_column(column, codebook) for column in rows.columns)])


def _times(ts: NDArray[np.int64]) -> tuple[int, bytes]:
    """The byte that says how the instants after the first are told, and they."""
    if int(ts[-1]) - int(ts[0]) >= 2**63:
        raise ValueError("a record that spans more than 292 years")
    deltas = np.diff(ts)
    if np.any(deltas < 0):
        raise ValueError("time runs backwards")
    common, power = int(np.gcd.reduce(deltas)) if deltas.size else 0, 0
    while common and power < MAX_UNIT and common % 10 == 0:
        common, power = common // 10, power + 1
    units = deltas // 10**power
    if not units.size or np.all(units == units[0]):
        return power, (int(units[0]) if units.size else 0).to_bytes(8, "little")
    return power | IRREGULAR, b"".join(map(_leb128, units.tolist()))


def _leb128(number: int) -> bytes:
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _column(column: Column, codebook: Codebook) -> bytes:
    code = codebook.code(column.path, column.datatype)
    valid = column.state == State.VALID
    if valid.all():
        form, states = ALL_VALID, b""
    elif np.all(column.state == State.UNAVAILABLE):
        return _COLUMN.pack(code, NONE_AVAILABLE)
    else:
        form, states = EACH_STATE, _packed_states(column.state)
    cells, of_valid = column.values, column.values[valid]
    if len(cells) > 1 and len(of_valid) and _are_alike(of_valid):
        form |= CONSTANT
        cells = of_valid[:1]
        valid = np.ones(1, np.bool_)
    if column.datatype.is_array:
        packed = _arrays(column, cells, valid)
    elif column.datatype.is_text:
        packed = _texts(cells.tolist(), valid.tolist())
    else:
        packed = _numbers(np.where(valid, cells, np.zeros(1, cells.dtype)), column)
    return _COLUMN.pack(code, form) + states + packed


def _are_alike(cells: NDArray[np.generic]) -> bool:
    if cells.dtype == np.object_:
        return all(cell == cells[0] for cell in cells[1:])
    # By their bytes: 0.0 is not -0.0.
    raw = np.ascontiguousarray(cells).view(f"u{cells.dtype.itemsize}")
    return bool(np.all(raw == raw[0]))


def _packed_states(state: NDArray[np.uint8]) -> bytes:
    padded = np.zeros(-(-len(state) // 4) * 4, np.uint8)
    padded[: len(state)] = state
    four = padded.reshape(-1, 4)
    return (four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes()


def _numbers(cells: NDArray[np.generic], column: Column) -> bytes:
    return cells.astype(column.datatype.dtype.newbyteorder("<"), copy=False).tobytes()


def _texts(cells: Sequence[str], valid: Sequence[bool]) -> bytes:
    """The distinct texts, then an index for each cell; 0 for one that is not valid."""
    index: dict[str, int] = {}
    indices = [
        index.setdefault(text, len(index)) if is_valid else 0
        for text, is_valid in zip(cells, valid, strict=True)
    ]
    words = [text.encode() for text in index]
    if len(words) > 2**16 - 1:
        raise ValueError(f"{len(words)} distinct texts in one column; the limit is {2**16 - 1}")
    listed = b"".join(len(word).to_bytes(2, "little") + word for word in words)
    packed = np.array(indices, "<u1" if len(words) <= 256 else "<u2").tobytes()
    return len(words).to_bytes(2, "little") + listed + packed


def _arrays(column: Column, cells: NDArray[np.generic], valid: NDArray[np.bool_]) -> bytes:
    """The lengths, then the elements; an array that is not valid has none."""
    arrays = [cell if ok else () for cell, ok in zip(cells.tolist(), valid.tolist(), strict=True)]
    lengths = [len(array) for array in arrays]
    if max(lengths) > 2**16 - 1:
        raise ValueError(f"array of {max(lengths)} elements; the limit is {2**16 - 1}")
    if len(set(lengths)) == 1:
        told = bytes([SAME_LENGTH]) + lengths[0].to_bytes(2, "little")
    else:
        told = bytes([EACH_LENGTH]) + np.array(lengths, "<u2").tobytes()
    elements = [element for array in arrays for element in array]
    if column.datatype.is_text:
        return told + _texts(elements, [True] * len(elements))
    return told + _numbers(np.array(elements, column.datatype.dtype), column)
