"""Rows of a record as frames in lake schema.

    frame = rows_to_frames("demo", rows)    # vehicle_id | ts | Vehicle.Speed | ... | unavailable
    merge([frame, more])                    # one frame, in the order given

Null means unknown. A cell that the car itself marked "not available" is null too, and its path is
listed in the row's `unavailable` (null where nothing is). The group `events` is long: a row per
known or unavailable cell, numbers and booleans in `number`, text in `text`, arrays and 64-bit
integers (which a double would round) as JSON in `text`.
"""

import json
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from contactor.cloud.lake.schema import EVENT, KEY, UNAVAILABLE, storage_type
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State

_LONG_INTEGERS = (Datatype.INT64, Datatype.UINT64)
_WIDER: dict[Datatype, np.dtype[np.generic]] = {
    Datatype.UINT8: np.dtype(np.int16),
    Datatype.UINT16: np.dtype(np.int32),
    Datatype.UINT32: np.dtype(np.int64),
}


def empty(group: Group) -> pl.DataFrame:
    """A frame of `group` without rows or signals."""
    columns = KEY | EVENT | UNAVAILABLE if group is Group.EVENTS else KEY | UNAVAILABLE
    return pl.DataFrame(schema=columns)


def merge(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of `frames` (at least one, all of one group) in that order.

    A column that a frame lacks is null in its rows.
    """
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")


def rows_to_frames(vehicle_id: str, rows: Rows) -> pl.DataFrame:
    """`rows` of one vehicle in lake schema.

    A column without a known or unavailable cell is left out.

    Raises:
        LakeError: a column's type is one that the lake does not hold.
    """
    if rows.group is Group.EVENTS:
        return _long(vehicle_id, rows)
    present = [column for column in rows.columns if column.state.any()]
    ts = pl.Series("ts", rows.ts, pl.Int64)
    cells = [_cells(column) for column in present]
    vehicle = _constant("vehicle_id", vehicle_id, len(rows))
    return pl.DataFrame([vehicle, ts, *cells, _unavailable(present, len(rows))])


def _constant(name: str, text: str, length: int) -> pl.Series:
    return pl.Series(name, [text], pl.String).new_from_index(0, length)


def _cells(column: Column) -> pl.Series:
    """The column's cells in their storage type, null where not VALID."""
    dtype = storage_type(column.datatype)
    if column.datatype.is_array:
        lists = [None if cell is None else list(cell) for cell in column.to_list()]  # type: ignore[arg-type]  # arrays are tuples
        return pl.Series(column.path, lists, dtype)
    if column.datatype.is_text:
        return pl.Series(column.path, column.to_list(), dtype)
    values = pl.Series(
        column.path,
        column.values.astype(_WIDER.get(column.datatype, column.values.dtype), copy=False),
    )
    valid = column.state == State.VALID
    return values if valid.all() else values.set(pl.Series(~valid), None)


def _unavailable(columns: Sequence[Column], length: int) -> pl.Series:
    """Per row the paths of the cells that the car marked "not available"; null where none is."""
    lists: list[list[str] | None] = [None] * length
    for column in columns:
        if column.state.max() != State.UNAVAILABLE:
            continue
        for row in np.flatnonzero(column.state == State.UNAVAILABLE).tolist():
            lists[row] = [*(lists[row] or ()), column.path]
    return pl.Series("unavailable", lists, pl.List(pl.String))


def _long(vehicle_id: str, rows: Rows) -> pl.DataFrame:
    frames = [_events(vehicle_id, rows.ts, column) for column in rows.columns]
    return merge([empty(Group.EVENTS), *frames]).sort("ts", maintain_order=True)


def _events(vehicle_id: str, ts: NDArray[np.int64], column: Column) -> pl.DataFrame:
    storage_type(column.datatype)
    known = np.flatnonzero(column.state)
    told = column.take(known)
    number, text = _number_and_text(told)
    unavailable = (told.state == State.UNAVAILABLE).tolist()
    return pl.DataFrame(
        {
            "vehicle_id": _constant("vehicle_id", vehicle_id, len(known)),
            "ts": ts[known],
            "path": _constant("path", column.path, len(known)),
            "number": number,
            "text": text,
            "unavailable": [[column.path] if listed else None for listed in unavailable],
        },
        schema=KEY | EVENT | UNAVAILABLE,
    )


def _number_and_text(column: Column) -> tuple[pl.Series, pl.Series]:
    cells, none = column.to_list(), [None] * len(column.state)
    if column.datatype is Datatype.STRING:
        return pl.Series(none, dtype=pl.Float64), pl.Series(cells, dtype=pl.String)
    if column.datatype.is_array or column.datatype in _LONG_INTEGERS:
        texts = [None if cell is None else to_json(cell) for cell in cells]
        return pl.Series(none, dtype=pl.Float64), pl.Series(texts, dtype=pl.String)
    return _cells(column).cast(pl.Float64), pl.Series(none, dtype=pl.String)


def to_json(cell: object) -> str:
    """A value as compact JSON text."""
    return json.dumps(cell, ensure_ascii=False, separators=(",", ":"))
