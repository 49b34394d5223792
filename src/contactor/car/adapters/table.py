"""A table as a source of rows: `contactor import`.

Every instant of the table is given on, also one that repeats; a cell that says nothing is null,
never the value before it. A table whose time runs backwards is put in time order as a whole (equal
instants keep their order). What is left out is counted with its reason.

    source = TableSource([Path("trip.parquet")], table_map=load_table_map(path), now_ns=now)
    for groups in source.read():
        send(groups)                # one Rows per signal group
    source.counts.rows_read

The order and the cut of the rows depend on the source alone: reading it again gives the same.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table_instant import Instants
from contactor.car.adapters.table_map import SignalMap, TableMap
from contactor.car.adapters.table_tally import TableCounts, Tally
from contactor.errors import TableError, UsageError
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State

if TYPE_CHECKING:
    from contactor.car.adapters.table_polars import pl

CHUNK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the time column of one table tells, before anything else of it is read."""

    first_ts: int | None
    last_ts: int | None
    rows_reordered: int


class TableSource:
    """Tables of one vehicle, read one after another through one map.

    Reads each table twice: its time column first, then everything. Memory holds a few chunks, or
    the mapped columns of one table where its time runs backwards.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        table_map: TableMap,
        now_ns: int,
        start_ns: int | None = None,
    ) -> None:
        """The tables, not read yet.

        Args:
            paths: Parquet or delimited text, each also with gzip.
            now_ns: instants more than a day after it are refused.
            start_ns: the origin of a counting clock, in place of the map's; of a clock with dates
                the instant that the first one is moved to.

        Raises:
            UsageError: no path, one that is no file, or one given twice.
        """
        _check_paths(paths)
        self._paths = tuple(paths)
        self._map = table_map
        self._now_ns = now_ns
        self._start_ns = start_ns
        self._tally = Tally()

    @property
    def counts(self) -> TableCounts:
        """What has been met since `read` was called last."""
        return self._tally.counts()

    @cached_property
    def source_hash(self) -> bytes:
        """SHA-256 over the bytes of the files in their order, the map and the start.

        Raises:
            TableError: a file cannot be read.
        """
        total = hashlib.sha256(b"contactor table 1")
        for path in self._paths:
            try:
                with path.open("rb") as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise TableError(f"cannot read {path}: {error.strerror}") from error
        total.update(hashlib.sha256(self._map.content).digest())
        total.update(str(self._start_ns).encode())
        return total.digest()

    def read(self, *, chunk_rows: int = CHUNK_ROWS) -> Iterator[tuple[Rows, ...]]:
        """The rows, about `chunk_rows` instants at a time, one `Rows` per group that has any.

        Raises:
            MissingPart: Polars is not installed.
            TableError: a file is no table, lacks a column of the map, or holds other types.
        """
        self._tally = Tally()
        offset_ns = self._offset_ns(chunk_rows)
        surveys = [self._survey(path, offset_ns, chunk_rows) for path in self._paths]
        self._tally.tables_overlapping = _overlaps(surveys)
        for path, survey in zip(self._paths, surveys, strict=True):
            self._tally.rows_reordered += survey.rows_reordered
            chunks = self._chunks(path, offset_ns, chunk_rows)
            yield from _sorted(chunks, chunk_rows) if survey.rows_reordered else chunks

    def _offset_ns(self, chunk_rows: int) -> int:
        """What is added to the instants as they stand in the tables."""
        if self._map.time.unit.is_relative:
            return self._map.time.origin_ns if self._start_ns is None else self._start_ns
        if self._start_ns is None:
            return 0
        surveys = [self._survey(path, 0, chunk_rows, is_bounded=False) for path in self._paths]
        firsts = [survey.first_ts for survey in surveys if survey.first_ts is not None]
        return self._start_ns - min(firsts) if firsts else 0

    def _survey(
        self, path: Path, offset_ns: int, chunk_rows: int, *, is_bounded: bool = True
    ) -> _Survey:
        first: int | None = None
        last: int | None = None
        reordered = 0
        for _, instants in self._batches(path, self._map.time.columns, chunk_rows):
            moved = instants.moved(offset_ns)
            moved = moved.bounded(self._now_ns) if is_bounded else moved
            ts = moved.ts[moved.is_known]
            if not ts.size:
                continue
            running = np.maximum.accumulate(ts if last is None else np.maximum(ts, last))
            before = np.concatenate([running[:1] if last is None else [last], running[:-1]])
            reordered += int(np.count_nonzero(ts < before))
            low, last = int(ts.min()), int(running[-1])
            first = low if first is None else min(first, low)
        return _Survey(first, last, reordered)

    def _batches(
        self, path: Path, columns: Sequence[str], rows: int
    ) -> Iterator[tuple["pl.DataFrame", Instants]]:
        """The `columns` of a table, batch by batch, with the instants as they stand in it."""
        # Polars is loaded where a table is read, not where this module is imported.
        from contactor.car.adapters.table_cells import check_signal_columns
        from contactor.car.adapters.table_files import OVERLONG, open_table
        from contactor.car.adapters.table_time import check_time_columns, read_instants

        time, layout = self._map.time, self._map.layout
        with open_table(path, layout=layout, wanted=self._map.columns) as table:
            check_time_columns(path, [table.dtype(name) for name in time.columns], time)
            for one in self._map.signals:
                check_signal_columns(path, [table.dtype(name) for name in one.columns], one)
            for frame in table.batches(columns, rows):
                cells = [frame[name] for name in time.columns]
                instants = read_instants(cells, time, decimal=layout.decimal)
                yield frame, instants.without(frame[OVERLONG].to_numpy(), "row: too many cells")

    def _chunks(self, path: Path, offset_ns: int, chunk_rows: int) -> Iterator[tuple[Rows, ...]]:
        for frame, found in self._batches(path, self._map.columns, chunk_rows):
            instants = found.moved(offset_ns).bounded(self._now_ns)
            for refusal in instants.refusals:
                self._tally.refuse(refusal)
            self._tally.rows_read += frame.height
            self._tally.rows_refused += int(np.count_nonzero(~instants.is_known))
            kept = frame.filter(instants.is_known)
            chunk = self._rows(kept, instants.ts[instants.is_known])
            if chunk:
                yield chunk

    def _rows(self, frame: "pl.DataFrame", ts: NDArray[np.int64]) -> tuple[Rows, ...]:
        """One `Rows` per group; an instant of which a group knows nothing is not in it."""
        columns: dict[Group, list[Column]] = defaultdict(list)
        for one in self._map.signals:
            columns[one.stored_group].append(self._column(frame, one))
        is_empty = np.ones(len(ts), np.bool_)
        groups = []
        for group in sorted(columns):
            is_valid = [column.state == State.VALID for column in columns[group]]
            is_known = np.logical_or.reduce(is_valid)
            is_empty &= ~is_known
            if is_known.any():
                groups.append(Rows(group, ts, tuple(columns[group])).take(is_known))
        self._tally.rows_empty += int(np.count_nonzero(is_empty))
        if not is_empty.all():
            self._tally.stored(int(ts[~is_empty].min()), int(ts[~is_empty].max()))
        return tuple(groups)

    def _column(self, frame: "pl.DataFrame", one: SignalMap) -> Column:
        from contactor.car.adapters.table_cells import read_column

        cells = [frame[name] for name in one.columns]
        column, refusals = read_column(cells, one, decimal=self._map.layout.decimal)
        for refusal in refusals:
            self._tally.refuse(refusal)
        return column


def _check_paths(paths: Sequence[Path]) -> None:
    if not paths:
        raise UsageError("no table given")
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path} is a directory, not a table")
        if not path.exists():
            raise UsageError(f"no such file: {path}")
        if not path.is_file():
            raise UsageError(f"{path} is no regular file")
    real = [path.resolve() for path in paths]
    for place, path in enumerate(real):
        if path in real[:place]:
            raise UsageError(f"{paths[place]} is given twice")


def _overlaps(surveys: Sequence[_Survey]) -> int:
    """How many tables begin before one that began earlier has ended."""
    spans = sorted(
        (survey.first_ts, survey.last_ts)
        for survey in surveys
        if survey.first_ts is not None and survey.last_ts is not None
    )
    overlaps, end = 0, None
    for first, last in spans:
        overlaps += end is not None and first < end
        end = last if end is None else max(end, last)
    return overlaps


def _sorted(chunks: Iterator[tuple[Rows, ...]], chunk_rows: int) -> Iterator[tuple[Rows, ...]]:
    """All the rows in time order; equal instants stay in the order of the table."""
    by_group: dict[Group, list[Rows]] = defaultdict(list)
    for chunk in chunks:
        for rows in chunk:
            by_group[rows.group].append(rows)
    whole = []
    for group in sorted(by_group):
        rows = _joined(by_group.pop(group))
        whole.append(rows.take(np.argsort(rows.ts, kind="stable")))
    longest = max((len(rows) for rows in whole), default=0)
    for start in range(0, longest, chunk_rows):
        parts = [rows.take(slice(start, start + chunk_rows)) for rows in whole]
        yield tuple(rows for rows in parts if len(rows))


def _joined(parts: Sequence[Rows]) -> Rows:
    """The rows of one group, one part after another."""
    columns = tuple(
        Column(
            same[0].path,
            same[0].datatype,
            np.concatenate([column.values for column in same]),
            np.concatenate([column.state for column in same]),
        )
        for same in zip(*(rows.columns for rows in parts), strict=True)
    )
    return Rows(parts[0].group, np.concatenate([rows.ts for rows in parts]), columns)
