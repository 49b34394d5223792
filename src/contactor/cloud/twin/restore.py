"""Fills a twin at a start: from what was kept of it, and the rows that the lake has stored since.

    restore(twin, store, kept)          # kept: `snapshot.kept_from`, or None

Without a kept twin the newest value of every signal is sought in the lake. With one only the files
are read that were not there when it was kept. What was taken in and not committed before a crash
comes again from the cars.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from contactor.cloud.lake.newest import Newest, newest
from contactor.cloud.lake.ports import LakeReader, Part, Snapshot
from contactor.cloud.lake.reading import event_values, read_parts
from contactor.cloud.lake.schema import EVENT, KEY, UNAVAILABLE, storage_type, vss_type
from contactor.cloud.twin.kept_cells import restore_cells
from contactor.cloud.twin.snapshot import Kept, is_in
from contactor.cloud.twin.twin import Twin
from contactor.signals.batch import BatchColumn, ListColumn, RowsBatch
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, State, Value, zero_of


def restore(twin: Twin, reader: LakeReader, kept: Kept | None) -> None:
    """Fill a twin that is still empty; its presence is the caller's to restore.

    Raises:
        LakeError: the lake cannot be read.
    """
    snapshot = reader.snapshot()
    if kept is None:
        for column in newest(snapshot, reader.streams()):
            twin.take_batch(_batch_of(column))
        return
    restore_cells(twin.cells, kept.cells)
    for part in snapshot.parts:
        if part.group in tuple(Group) and not is_in(part, kept.parts):
            take_part(twin, snapshot, part)


def take_part(twin: Twin, snapshot: Snapshot, part: Part) -> None:
    """Take the rows of a part into a twin.

    Raises:
        LakeError: the lake cannot be read.
    """
    group = Group(part.group)
    everything = pl.lit(value=True)
    if group is Group.EVENTS:
        for cell in _events(read_parts([part], KEY | EVENT | UNAVAILABLE, everything)):
            vehicle_id, path, ts, value = cell
            twin.put(vehicle_id, path, value, ts=ts, group=group)
        return
    held = sorted(path for path, groups in snapshot.groups.items() if group in groups)
    paths = [path for path in held if path in catalogue()]
    types = {path: storage_type(catalogue()[path].datatype) for path in paths}
    rows = read_parts([part], KEY | types | UNAVAILABLE, everything)
    if rows.height and paths:
        twin.take_batch(_batch(group, rows.sort("vehicle_id", "ts", maintain_order=True), paths))


def _batch_of(column: Newest) -> RowsBatch:
    """A row for each vehicle; what is null is "not available"."""
    rows = column.rows
    marked = np.flatnonzero(rows["value"].is_null().to_numpy())
    told = _column(rows["value"], column.path, marked)
    names = tuple(rows["vehicle_id"].to_list())
    vehicle = np.arange(len(names), dtype=np.int32)
    return RowsBatch(column.group, names, vehicle, rows["ts"].to_numpy(), (told,))


def _batch(group: Group, rows: pl.DataFrame, paths: Sequence[str]) -> RowsBatch:
    """Rows by vehicle and ts as a batch."""
    vehicle = rows["vehicle_id"].rle_id()
    names = rows["vehicle_id"].unique(maintain_order=True).to_list()
    marked = _marked(rows)
    columns = [_column(rows[path], path, marked.get(path)) for path in paths]
    ts = rows["ts"].to_numpy()
    return RowsBatch(group, tuple(names), vehicle.to_numpy().astype(np.int32), ts, tuple(columns))


def _marked(rows: pl.DataFrame) -> dict[str, NDArray[np.int64]]:
    """The rows in which each path is "not available"."""
    told = rows.select(pl.int_range(pl.len()).alias("row"), pl.col("unavailable").alias("path"))
    told = told.filter(pl.col("path").list.len() > 0).explode("path")
    parts = told.partition_by("path", as_dict=True) if told.height else {}
    return {str(path): part["row"].to_numpy() for (path,), part in parts.items()}


def _column(cells: pl.Series, path: str, marked: NDArray[np.int64] | None) -> BatchColumn:
    datatype = catalogue()[path].datatype
    cells = cells.cast(vss_type(datatype))
    state = np.where(cells.is_not_null().to_numpy(), State.VALID, State.UNKNOWN).astype(np.uint8)
    if marked is not None:
        state[marked] = State.UNAVAILABLE
    if datatype.is_array:
        lengths = cells.list.len().fill_null(0)
        elements = cells.filter(lengths > 0).explode().to_numpy()
        return ListColumn(path, datatype, elements, lengths.cum_sum().to_numpy(), state)
    filled = cells.fill_null(zero_of(datatype))
    values = np.array(filled.to_list(), np.object_) if datatype.is_text else filled.to_numpy()
    return Column(path, datatype, values, state)


def _events(rows: pl.DataFrame) -> Iterator[tuple[str, str, int, Value | None]]:
    """The newest of each vehicle and path, of equal instants the later row."""
    last = rows.sort("ts", maintain_order=True).group_by("vehicle_id", "path").last()
    for (path,), cells in last.partition_by("path", as_dict=True).items():
        if path not in catalogue():
            continue
        datatype: Datatype = catalogue()[str(path)].datatype
        told = cells.select("vehicle_id", "ts", event_values(str(path), datatype))
        for vehicle_id, ts, cell in told.iter_rows():
            yield vehicle_id, str(path), ts, tuple(cell) if isinstance(cell, list) else cell
