"""Rows as frames in lake schema.

    frame = frame_of(batch)                 # vehicle_id | ts | Vehicle.Speed | ... | unavailable
    merge([frame, more])                    # one frame, in the order given

Null means unknown. A cell that the car itself marked "not available" is null too, and its path is
listed in the row's `unavailable` (null where nothing is). The group `events` is long: a row per
known or unavailable cell, numbers and booleans in `number`, text in `text`, arrays and 64-bit
integers (which a double would round) as JSON in `text`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from contactor.cloud.lake.ordering import Order
from contactor.cloud.lake.schema import EVENT, KEY, UNAVAILABLE, storage_type
from contactor.signals.batch import BatchColumn, ListColumn, RowsBatch, TextColumn
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Rows, State

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
    """`rows` of one vehicle in lake schema, as `frame_of`."""
    return frame_of(RowsBatch.of(vehicle_id, rows))


def frame_of(batch: RowsBatch) -> pl.DataFrame:
    """Rows of many vehicles in lake schema, in their order.

    A column without a known or unavailable cell is left out.

    Raises:
        LakeError: a column's type is one that the lake does not hold.
    """
    vehicles = _vehicles(batch.vehicles, batch.vehicle)
    return _frame(batch.group, vehicles, batch.ts, batch.columns)


def frame_in_order(batches: Sequence[RowsBatch]) -> pl.DataFrame:
    """The rows of batches (at least one, of one group and with the same columns), as `frame_of`.

    They are by vehicle and ts; where both are the same, as they came.

    Raises:
        LakeError: a column's type is one that the lake does not hold.
    """
    order = Order.of(batches)
    vehicles = _vehicles(order.names, order.vehicle)
    return _frame(batches[0].group, vehicles, order.ts, order.columns(batches))


def _frame(
    group: Group, vehicles: pl.Series, ts: NDArray[np.int64], columns: Iterable[BatchColumn]
) -> pl.DataFrame:
    if group is Group.EVENTS:
        return _long(vehicles, ts, columns)
    cells, marks = list[pl.Series](), dict[str, NDArray[np.bool_]]()
    for column in columns:
        if not column.state.any():
            continue
        cells.append(_cells(column))
        if column.state.max() == State.UNAVAILABLE:
            marks[column.path] = column.state == State.UNAVAILABLE
    instants = pl.Series("ts", ts, pl.Int64)
    return pl.DataFrame([vehicles, instants, *cells, _unavailable(marks, len(ts))])


def _vehicles(names: Sequence[str], vehicle: NDArray[np.int32]) -> pl.Series:
    """The vehicle of each row."""
    known = pl.Series("vehicle_id", names, pl.String)
    if len(known) == 1:
        return known.new_from_index(0, len(vehicle))
    return known.gather(vehicle)


def _cells(column: BatchColumn) -> pl.Series:
    """The column's cells in their storage type, null where not VALID."""
    dtype = storage_type(column.datatype)
    if isinstance(column, TextColumn):
        values = pl.Series(column.path, [*column.words, ""], dtype).gather(column.codes)
    elif isinstance(column, ListColumn):
        values = _lists(column, dtype)
    elif column.datatype.is_array:
        lists = [None if cell is None else list(cell) for cell in column.to_list()]  # type: ignore[arg-type]  # arrays are tuples
        return pl.Series(column.path, lists, dtype)
    elif column.datatype.is_text:
        return pl.Series(column.path, column.to_list(), dtype)
    else:
        wider = _WIDER.get(column.datatype, column.values.dtype)
        values = pl.Series(column.path, column.values.astype(wider, copy=False))
    valid = column.state == State.VALID
    return values if valid.all() else _null_where(values, ~valid)


def _null_where(values: pl.Series, absent: NDArray[np.bool_]) -> pl.Series:
    if not values.dtype.is_nested():
        return values.set(pl.Series(absent), None)
    whole = pl.select(pl.when(pl.lit(pl.Series(~absent))).then(pl.lit(values))).to_series()
    return whole.alias(values.name)


def _lists(column: ListColumn, dtype: pl.DataType) -> pl.Series:
    """Arrays of one length at once; others one by one."""
    lengths = np.diff(column.ends, prepend=0)
    wider = _WIDER.get(column.datatype.element, column.elements.dtype)
    elements = column.elements.astype(wider, copy=False)
    is_even = len(lengths) and lengths[0] and bool(np.all(lengths == lengths[0]))
    if is_even:
        even = pl.Series(column.path, elements).reshape((len(lengths), int(lengths[0])))
        return even.cast(dtype)
    split = np.split(elements, column.ends[:-1])
    return pl.Series(column.path, [one.tolist() for one in split], dtype)


def _unavailable(marks: Mapping[str, NDArray[np.bool_]], length: int) -> pl.Series:
    """Per row the paths of the cells that are marked "not available"; null where none is."""
    if not marks:
        return pl.Series("unavailable", [None], pl.List(pl.String)).new_from_index(0, length)
    rows = np.packbits(np.stack(list(marks.values()), axis=1), axis=1)
    patterns, which = np.unique(rows, axis=0, return_inverse=True)
    lists = [
        [path for path, is_marked in zip(marks, row, strict=True) if is_marked] or None
        for row in np.unpackbits(patterns, axis=1, count=len(marks)).tolist()
    ]
    return pl.Series("unavailable", lists, pl.List(pl.String)).gather(which.ravel())


def _long(
    vehicles: pl.Series, ts: NDArray[np.int64], columns: Iterable[BatchColumn]
) -> pl.DataFrame:
    frames = [_events(vehicles, ts, column) for column in columns]
    return merge([empty(Group.EVENTS), *frames]).sort("ts", maintain_order=True)


def _events(vehicles: pl.Series, ts: NDArray[np.int64], column: BatchColumn) -> pl.DataFrame:
    storage_type(column.datatype)
    known = np.flatnonzero(column.state)
    told = column.take(known)
    number, text = _number_and_text(told)
    unavailable = (told.state == State.UNAVAILABLE).tolist()
    return pl.DataFrame(
        {
            "vehicle_id": vehicles.gather(known),
            "ts": ts[known],
            "path": pl.Series([column.path], dtype=pl.String).new_from_index(0, len(known)),
            "number": number,
            "text": text,
            "unavailable": [[column.path] if listed else None for listed in unavailable],
        },
        schema=KEY | EVENT | UNAVAILABLE,
    )


def _number_and_text(column: BatchColumn) -> tuple[pl.Series, pl.Series]:
    if column.datatype.is_array or column.datatype in _LONG_INTEGERS:
        cells = zip(column.values.tolist(), column.state.tolist(), strict=True)
        texts = [to_json(cell) if state == State.VALID else None for cell, state in cells]
        return _none(len(texts)), pl.Series(texts, dtype=pl.String)
    cells_of_it = _cells(column)
    if column.datatype is Datatype.STRING:
        return _none(len(cells_of_it)), cells_of_it
    return cells_of_it.cast(pl.Float64), pl.Series([None] * len(cells_of_it), dtype=pl.String)


def _none(length: int) -> pl.Series:
    return pl.Series([None] * length, dtype=pl.Float64)


def to_json(cell: object) -> str:
    """A value as compact JSON text."""
    return json.dumps(cell, ensure_ascii=False, separators=(",", ":"))
