"""Writes version 1 of the wire, which outboxes of before may still hold."""

import msgspec
import numpy as np

from contactor.signals.record import Column, Gap, Record, Rows, State, object_array


def encode_version_1(message: Record | Gap) -> bytes:
    """The bytes of a record or gap, as they were written once."""
    if isinstance(message, Record):
        kind, body = "record", [_rows(rows) for rows in message.groups]
    else:
        kind = "gap"
        body = [
            message.last,
            message.reason,
            message.row_count,
            message.first_ts,
            message.last_ts,
        ]
    identity = [message.vehicle_id, message.stream, message.sequence]
    return msgspec.msgpack.encode([1, kind, *identity, body])


def _rows(rows: Rows) -> list[object]:
    ts = rows.ts.astype("<i8", copy=False).tobytes()
    return [rows.group, ts, [_column(column) for column in rows.columns]]


def _column(column: Column) -> list[object]:
    datatype, cells, lengths, words = column.datatype, column.values, b"", list[str]()
    if datatype.is_array:
        lengths = np.array([len(cell) for cell in cells], "<u4").tobytes()
        cells = object_array([element for cell in cells for element in cell])
    if datatype.is_text:
        index: dict[str, int] = {}
        codes = [index.setdefault(text, len(index)) for text in cells]
        words, values = list(index), np.array(codes, "<u4").tobytes()
    else:
        values = cells.astype(datatype.dtype.newbyteorder("<"), copy=False).tobytes()
    state = b"" if np.all(column.state == State.VALID) else column.state.tobytes()
    return [column.path, datatype, state, values, lengths, words]
