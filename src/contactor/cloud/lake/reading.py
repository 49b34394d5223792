"""A selection of rows out of a view, typed as VSS.

    view = View(snapshot, pending)
    for frame in pieces(view, selection, group):    # bounded in size, in stored order
        ...                                         # ts | a column per path | unavailable

A view is one instant of the lake: what was committed, and what an instance holds that is not yet.
Of the parts only those are opened whose group, vehicles and instants may match.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl
from polars.exceptions import PolarsError

from contactor.cloud.lake.failures import is_panic, one_line
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.schema import BASE, EVENT, KEY, UNAVAILABLE, storage_type, vss_type
from contactor.errors import LakeError
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

_T = TypeVar("_T")
MAX_CELLS = 4_000_000  # 32 MB of doubles


@dataclass(frozen=True, slots=True, eq=False)
class PendingFrame:
    """Rows that will be part of flush number `flush`, not yet committed."""

    flush: int
    group: Group
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One instant of the lake.

    Fields:
        max_cells: where a piece ends: rows x columns of the parts that it is read from.
    """

    snapshot: Snapshot
    pending: tuple[PendingFrame, ...] = ()
    max_cells: int = MAX_CELLS

    def groups_of(self, path: str) -> set[str]:
        """The groups that may hold a value of `path`."""
        held = self.snapshot.groups.get(path, frozenset())
        waiting = {item.group for item in self.pending if path in item.frame.columns}
        return {*held, *waiting, Group.EVENTS}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows and columns: `paths` of one vehicle in [start, end), ns."""

    vehicle_id: str
    paths: tuple[str, ...]
    start: int | None = None
    end: int | None = None

    def matches(self) -> pl.Expr:
        """The rows of the vehicle in the interval."""
        wanted = pl.col("vehicle_id") == self.vehicle_id
        if self.start is not None:
            wanted &= pl.col("ts") >= self.start
        if self.end is not None:
            wanted &= pl.col("ts") < self.end
        return wanted


def read_all(snapshot: Snapshot, group: str, vehicle_id: str | None = None) -> pl.DataFrame:
    """Every row of a bookkeeping group, or those of one vehicle, in stored order."""
    parts = [
        part
        for part in snapshot.parts
        if part.group == group and part.may_hold(vehicle_id, None, None)
    ]
    rows = _scan(parts, {name: BASE[name] for name in BASE if name not in ("group", "day")})
    if vehicle_id is not None:
        rows = rows.filter(pl.col("vehicle_id") == vehicle_id)
    return _collect(rows)


def pieces(view: View, selection: Selection, group: str) -> Iterator[pl.DataFrame]:
    """`ts`, a column per path that the group may hold, `unavailable`: rows in stored order.

    Rows in which nothing asked for is known or unavailable are left out. Of `events` the rows are
    long: `ts`, `path`, `number`, `text`, `unavailable`.
    """
    if group == Group.EVENTS:
        schema = KEY | EVENT | UNAVAILABLE
        told = pl.col("path").is_in(selection.paths)
        typed = [pl.col(name) for name in ("ts", *EVENT, *UNAVAILABLE)]
    else:
        paths = [path for path in selection.paths if group in view.groups_of(path)]
        types = {path: catalogue()[path].datatype for path in paths}
        schema = KEY | {path: storage_type(types[path]) for path in paths} | UNAVAILABLE
        told = _told(paths)
        cells = [pl.col(path).cast(vss_type(types[path])) for path in paths]
        typed = [pl.col("ts"), *cells, pl.col("unavailable")]
    for chunk in _chunks(_parts(view, selection, group), len(schema), view.max_cells):
        rows = _scan(chunk, schema).filter(selection.matches() & told).select(typed)
        frame = _collect(rows)
        if not frame.is_empty():
            yield frame


def read_parts(
    parts: Sequence[Part], schema: dict[str, pl.DataType], wanted: pl.Expr
) -> pl.DataFrame:
    """The rows of `parts` that are wanted, in stored order; null where a part lacks a column."""
    return _collect(_scan(parts, schema).filter(wanted))


def columns_of(parts: Sequence[Part]) -> dict[str, pl.DataType]:
    """Every column that a part has, with its type, by name.

    Raises:
        LakeError: a column has two types, or a file cannot be read.
    """
    found: dict[str, pl.DataType] = {}
    for part in parts:
        for name, dtype in _schema(part.source).items():
            if found.setdefault(name, dtype) != dtype:
                raise LakeError(f"column {name!r} is {found[name]} in one file, {dtype} in another")
    return dict(sorted(found.items()))


def _schema(source: Path | str | pl.DataFrame) -> pl.Schema:
    if isinstance(source, pl.DataFrame):
        return source.schema
    scan = pl.scan_parquet(source, glob=False, hive_partitioning=False)
    return _translated(scan.collect_schema)


def _told(paths: Sequence[str]) -> pl.Expr:
    listed = pl.col("unavailable").list.eval(pl.element().is_in(paths)).list.any()
    return pl.any_horizontal(*(pl.col(path).is_not_null() for path in paths), listed)


def _parts(view: View, selection: Selection, group: str) -> list[Part | pl.DataFrame]:
    committed = [
        part
        for part in view.snapshot.parts
        if part.group == group
        and part.may_hold(selection.vehicle_id, selection.start, selection.end)
    ]
    return [*committed, *(item.frame for item in view.pending if item.group == group)]


def _chunks(
    parts: Sequence[Part | pl.DataFrame], width: int, max_cells: int
) -> Iterator[list[Part | pl.DataFrame]]:
    chunk: list[Part | pl.DataFrame] = []
    cells = 0
    for part in parts:
        chunk.append(part)
        cells += width * (part.row_count if isinstance(part, Part) else part.height)
        if cells >= max_cells:
            yield chunk
            chunk, cells = [], 0
    if chunk:
        yield chunk


def _scan(parts: Sequence[Part | pl.DataFrame], schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The columns of `schema` from all parts, null where a part lacks one."""
    scans: list[pl.LazyFrame] = [pl.LazyFrame(schema=schema)]
    files: list[Path | str] = []
    for part in parts:
        source = part.source if isinstance(part, Part) else part
        if not isinstance(source, pl.DataFrame):
            files.append(source)
            continue
        scans.extend(_scan_files(files, schema))
        scans.append(_scan_frame(source, schema))
        files = []
    scans.extend(_scan_files(files, schema))
    return pl.concat(scans) if len(scans) > 2 else scans[-1]


def _scan_files(files: Sequence[Path | str], schema: dict[str, pl.DataType]) -> list[pl.LazyFrame]:
    if not files:
        return []
    scan = pl.scan_parquet(
        [str(file) for file in files],
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
    )
    return [scan]


def _scan_frame(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    columns = [
        pl.col(name) if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    ]
    return frame.lazy().select(columns)


def _collect(rows: pl.LazyFrame) -> pl.DataFrame:
    return _translated(rows.collect)


def _translated(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except FileNotFoundError as error:
        raise LakeError(
            "the lake cannot be read: a file seen before was replaced and is deleted; look anew"
        ) from error
    except (PolarsError, OSError) as error:
        raise LakeError(f"the lake cannot be read: {one_line(error)}") from error
    except BaseException as error:
        if is_panic(error):
            raise LakeError(f"the lake cannot be read: {one_line(error)}") from error
        raise


def event_values(path: str, datatype: Datatype) -> pl.Expr:
    """The values of `path` in its VSS type, from event rows of that path alone."""
    dtype = vss_type(datatype)
    if datatype is Datatype.STRING:
        value = pl.col("text")
    elif datatype.is_array:
        value = pl.col("text").str.json_decode(dtype)
    elif datatype is Datatype.INT64:
        value = pl.col("text").cast(dtype)
    elif datatype is Datatype.BOOLEAN:
        value = pl.col("number") != 0.0
    else:
        value = pl.col("number").cast(dtype)
    return value.alias(path)
