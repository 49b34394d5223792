"""Columns of one vehicle out of the lake: only what history reads, and only those parts.

    columns = read_columns(view, "leaf", start_ns=None, end_ns=None)

Rows of several groups meet by their stamp. Where a stamp comes twice, the value that was stored
last counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.reading import Selection, View, event_values, pieces, read_parts
from contactor.cloud.lake.schema import KEY, storage_type
from contactor.history.battery import CellVoltages
from contactor.history.columns import Columns, Floats
from contactor.history.paths import PATHS, WORDS, columns_of
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

CELLS: Final = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
_SINGLE: Final = frozenset(
    {Datatype.FLOAT, Datatype.BOOLEAN, Datatype.INT8, Datatype.UINT8, Datatype.STRING}
)
"""Datatypes of which a single float holds every value, or the number of every word."""

_Rows: TypeAlias = tuple[NDArray[np.int64], Mapping[str, Floats]]


def wanted_paths() -> tuple[str, ...]:
    """Every path that history may read, the cells' apart."""
    return tuple(dict.fromkeys(path for paths in PATHS.values() for path in paths))


def groups_read(view: View) -> frozenset[str]:
    """The groups that may hold any of them."""
    return frozenset(group for path in (*wanted_paths(), CELLS) for group in view.groups_of(path))


def read_columns(
    view: View,
    vehicle_id: str,
    start_ns: int | None,
    end_ns: int | None,
    *,
    paths: Sequence[str] | None = None,
) -> Columns:
    """The rows of a vehicle in [start_ns, end_ns).

    Args:
        paths: those alone; default all that history reads.

    Raises:
        LakeError: the lake cannot be read.
    """
    wanted = wanted_paths() if paths is None else tuple(paths)
    selection = Selection(vehicle_id, wanted, start_ns, end_ns)
    wide = {group for path in selection.paths for group in view.groups_of(path)} - {Group.EVENTS}
    tables = [_group(view, selection, group) for group in sorted(wide)]
    tables.append(_events(view, selection))
    ts, values = _joined([table for table in tables if len(table[0])])
    return columns_of(values, ts)


def read_fleet(view: View, vehicles: Sequence[str]) -> Iterator[tuple[str, Columns]]:
    """All rows of some vehicles, each part read once for all of them; held whole meanwhile.

    Args:
        vehicles: by id.

    Raises:
        LakeError: the lake cannot be read.
    """
    paths = wanted_paths()
    wide = {group for path in paths for group in view.groups_of(path)} - {Group.EVENTS}
    tables: list[tuple[list[str], list[_Piece]]] = []
    for group in sorted(wide):
        held = [path for path in paths if group in view.groups_of(path)]
        tables.append((held, _whole_group(view, vehicles, held, group)))
    has_events = any(part.group == Group.EVENTS for part in view.snapshot.parts)
    for place, vehicle_id in enumerate(vehicles):
        found = [_placed_rows(pieces, held, place) for held, pieces in tables]
        if has_events:
            found.append(_events(view, Selection(vehicle_id, paths)))
        ts, values = _joined([rows for rows in found if len(rows[0])])
        yield vehicle_id, columns_of(values, ts)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Some rows of some vehicles out of one part.

    Fields:
        columns: by path, those that know anything; of any type that a float holds.
        starts, ends: where the rows of each vehicle lie.
    """

    ts: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    starts: Sequence[int]
    ends: Sequence[int]


def _whole_group(
    view: View, vehicles: Sequence[str], held: Sequence[str], group: str
) -> list[_Piece]:
    """The rows of some vehicles in a wide group, in stored order."""
    schema = KEY | {path: storage_type(catalogue()[path].datatype) for path in held}
    first, last, names = vehicles[0], vehicles[-1], pl.Series(vehicles)
    found: list[_Piece] = []
    for part in view.snapshot.parts:
        low, high = part.vehicles or (first, last)
        if part.group != group or low > last or high < first:
            continue
        wanted = (
            pl.lit(value=True)
            if first <= low and high <= last
            else pl.col("vehicle_id").is_between(pl.lit(first), pl.lit(last))
        )
        found += _pieces(read_parts([part], schema, wanted), held, names)
    return found


def _pieces(rows: pl.DataFrame, held: Sequence[str], vehicles: pl.Series) -> Iterator[_Piece]:
    """Rows by vehicle as arrays, piece by piece as they lie in memory: nothing is copied."""
    starts = rows["vehicle_id"].search_sorted(vehicles, side="left").to_numpy()
    ends = rows["vehicle_id"].search_sorted(vehicles, side="right").to_numpy()
    begin = 0
    for length in rows["ts"].chunk_lengths():
        some, here = rows.slice(begin, length), (0, length)
        known = [path for path in held if some[path].null_count() < length]
        yield _Piece(
            some["ts"].to_numpy(),
            {path: _numbers(path, some[path]) for path in known},
            np.clip(starts.astype(np.int64) - begin, *here).tolist(),
            np.clip(ends.astype(np.int64) - begin, *here).tolist(),
        )
        begin += length


def _placed_rows(pieces: Sequence[_Piece], held: Sequence[str], place: int) -> _Rows:
    """The rows of one vehicle, by stamp, in stored order where it is the same.

    All its columns lie in one block of memory: it is still at hand when it is looked at.
    """
    mine = [(one, slice(one.starts[place], one.ends[place])) for one in pieces]
    mine = [(one, here) for one, here in mine if here.stop > here.start]
    count = sum(here.stop - here.start for _, here in mine)
    known = [path for path in held if any(path in one.columns for one, _ in mine)]
    ts, columns = _block(count, known)
    at = 0
    for one, here in mine:
        there = slice(at, at + here.stop - here.start)
        ts[there] = one.ts[here]
        for path, column in columns.items():
            column[there] = one.columns[path][here] if path in one.columns else np.nan
        at = there.stop
    if (ts[1:] >= ts[:-1]).all():
        return ts, columns
    order = np.argsort(ts, kind="stable")
    return ts[order], {path: column[order] for path, column in columns.items()}


def _block(count: int, paths: Sequence[str]) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Room for stamps and columns, doubles first: each then lies where its type may."""
    doubles = [path for path in paths if not _is_single(path)]
    block = np.empty((1 + len(doubles)) * 2 * count + (len(paths) - len(doubles)) * count, "f4")
    ts, end = block[: 2 * count].view(np.int64), 2 * count
    columns: dict[str, Floats] = {}
    for path in sorted(paths, key=_is_single):
        width = 1 if _is_single(path) else 2
        begin, end = end, end + width * count
        columns[path] = block[begin:end] if width == 1 else block[begin:end].view(np.float64)
    return ts, columns


def _is_single(path: str) -> bool:
    """Whether a single float holds every value of a path."""
    return catalogue()[path].datatype in _SINGLE


def _numbers(path: str, values: pl.Series) -> NDArray[Any]:
    """Numbers, or words as numbers; NaN where unknown. Whole ones stay so until they are placed."""
    if values.dtype.is_integer() and not values.has_nulls():
        return values.to_numpy()
    return _floats(path, values, single=_is_single(path))


def read_cells(
    view: View, vehicle_id: str, start_ns: int | None, end_ns: int | None
) -> CellVoltages | None:
    """The voltages of the cells, or None where the car does not tell them."""
    selection = Selection(vehicle_id, (CELLS,), start_ns, end_ns)
    frames = []
    for group in sorted(view.groups_of(CELLS) - {Group.EVENTS}):
        parts = _parts(view, selection, group)
        schema = KEY | {CELLS: storage_type(catalogue()[CELLS].datatype)}
        wanted = selection.matches() & pl.col(CELLS).is_not_null()
        frames.append(read_parts(parts, schema, wanted).select("ts", CELLS))
    rows = pl.concat(frames) if frames else pl.DataFrame()
    if rows.is_empty():
        return None
    rows = rows.unique("ts", keep="last").sort("ts")
    count = rows[CELLS].list.len().mode()[0]
    rows = rows.filter(pl.col(CELLS).list.len() == count)
    if not count:
        return None
    volts = rows[CELLS].list.to_array(count).to_numpy()
    return CellVoltages(rows["ts"].to_numpy(), volts.astype(np.float64))


def _parts(view: View, selection: Selection, group: str) -> list[Part]:
    return [
        part
        for part in view.snapshot.parts
        if part.group == group
        and part.may_hold(selection.vehicle_id, selection.start, selection.end)
    ]


def _group(view: View, selection: Selection, group: str) -> _Rows:
    """The rows of a wide group: (n,) stamps, by time, and columns that know anything."""
    paths = [path for path in selection.paths if group in view.groups_of(path)]
    types = {path: catalogue()[path].datatype for path in paths}
    schema = KEY | {path: storage_type(types[path]) for path in paths}
    rows = read_parts(_parts(view, selection, group), schema, selection.matches())
    if not rows["ts"].is_sorted():
        rows = rows.sort("ts", maintain_order=True)
    columns = {
        path: _floats(path, rows[path], single=types[path] in _SINGLE)
        for path in paths
        if rows[path].null_count() < rows.height
    }
    return rows["ts"].to_numpy(), columns


def _events(view: View, selection: Selection) -> _Rows:
    """Values that were stored one by one."""
    frames = list(pieces(view, selection, Group.EVENTS))
    if not frames:
        return np.empty(0, np.int64), {}
    told = pl.concat(frames).sort("ts", maintain_order=True)
    ts = told["ts"].unique().sort()
    columns: dict[str, Floats] = {}
    for path in selection.paths:
        mine = told.filter(pl.col("path") == path)
        if mine.is_empty():
            continue
        values = mine.select(event_values(path, catalogue()[path].datatype)).to_series()
        columns[path] = _placed(ts.to_numpy(), mine["ts"].to_numpy(), _floats(path, values))
    return ts.to_numpy(), columns


def _floats(path: str, values: pl.Series, *, single: bool = False) -> Floats:
    """Numbers, or words as numbers, as floats; NaN where unknown."""
    if values.dtype == pl.String:
        values = values.replace_strict(WORDS.get(path, {}), default=None, return_dtype=pl.Float32)
    dtype = pl.Float32 if single or values.dtype == pl.Float32 else pl.Float64
    return values.cast(dtype).to_numpy()


def _joined(tables: Sequence[_Rows]) -> _Rows:
    """Tables, each by time, as one with every stamp once."""
    if not tables:
        return np.empty(0, np.int64), {}
    first = max(tables, key=lambda table: len(table[0]))[0]
    ts = first if len(tables) == 1 else np.unique(np.concatenate([table[0] for table in tables]))
    if len(tables) == 1 and len(ts) > 1 and (ts[1:] == ts[:-1]).any():
        ts = np.unique(ts)
    columns: dict[str, Floats] = {}
    for stamps, values in tables:
        is_whole = len(stamps) == len(ts)
        for path, column in values.items():
            placed = column if is_whole else _placed(ts, stamps, column)
            earlier = columns.get(path)  # a signal that moved between groups
            columns[path] = (
                placed if earlier is None else np.where(np.isnan(placed), earlier, placed)
            )
    return ts, columns


def _placed(ts: NDArray[np.int64], stamps: NDArray[np.int64], column: Floats) -> Floats:
    """A column at the stamps of another table, which has all of its own."""
    placed = np.full(len(ts), np.nan, column.dtype)
    known = ~np.isnan(column)
    placed[np.searchsorted(ts, stamps[known])] = column[known]
    return placed
