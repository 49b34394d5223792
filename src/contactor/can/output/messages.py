"""A folder with one Parquet file per message: `ts`, `bus`, and a column per signal.

    with MessageFolder(Path("signals"), plan) as folder:
        for chunk in chunks:
            folder.add(chunk)
        folder.finish(builder.add_columns)

Other readers see physical values: float64, null where a frame does not carry the signal or the car
marked it "not available". The frames are set aside first, because a Parquet file is written column
by column, and a message's frames lie all over the recording; they are decoded to be written.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.output.carried import COMPRESSION_LEVEL, CarriedTables, write_parquet
from contactor.can.output.spool import FrameSpool
from contactor.can.output.whole import whole_file
from contactor.can.plan import DecodePlan, name_in
from contactor.can.stream import Chunk
from contactor.can.tables import message_table, require_polars
from contactor.errors import ContactorError

if TYPE_CHECKING:
    import polars as pl

# The values of a table that is decoded and written at a time, 8 MB of them.
TABLE_VALUES = 1_000_000
NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\0]')
OnColumns = Callable[[Sequence[SignalColumn]], None]


class MessageFolder:
    """Collects the frames of chunks, and writes the folder when all have come.

    Args:
        folder: made where it is missing.

    Raises:
        MissingPart: polars is not installed.
        ContactorError: the folder cannot be made.
    """

    def __init__(self, folder: Path, plan: DecodePlan) -> None:
        require_polars()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ContactorError(f"cannot make {folder}: {error.strerror}") from error
        self._folder = folder
        self._plan = plan
        self._spool = FrameSpool(folder)
        self._carried = CarriedTables(plan)
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()

    def add(self, chunk: Chunk) -> Sequence[SignalColumn]:
        """Take in a chunk; gives the readings that `finish` will not show.

        Raises:
            ContactorError: the disk is full.
        """
        if chunk.groups is None:
            return ()
        rows_of = chunk.groups.rows()
        columns = self._carried.add(chunk, rows_of)
        try:
            self._spool.add(chunk.frames, rows_of)
        except OSError as error:
            raise ContactorError(f"cannot write into {self._folder}: {error.strerror}") from error
        return columns

    def finish(
        self, on_columns: OnColumns, on_progress: Callable[[int, int], None] | None = None
    ) -> list[Path]:
        """Decode what was set aside, and write the files; gives their paths.

        Args:
            on_columns: shown all readings that `add` did not give, each signal's in the order of
                frames.
            on_progress: told the frames written and the frames in all.

        Raises:
            ContactorError: a file cannot be written.
        """
        total = sum(self._spool.rows(label) for label in self._spool.labels)
        done = 0
        paths = []
        for label in self._spool.labels:
            path = self._path(label)
            with whole_file(path) as part:
                self._write(label, part, on_columns)
            paths.append(path)
            done += self._spool.rows(label)
            if on_progress:
                on_progress(done, total)
        for label in self._carried.labels - set(self._spool.labels):
            path = self._path(label)
            with whole_file(path) as part:
                write_parquet(self._carried.table(label), part)
            paths.append(path)
        return paths

    def _path(self, label: str) -> Path:
        """A file that no other message has, on a disk that does not know small from capital."""
        name = NOT_IN_FILE_NAMES.sub("_", label)
        number = 1
        while name.lower() in self._names:
            number += 1
            name = f"{NOT_IN_FILE_NAMES.sub('_', label)}_{number}"
        self._names.add(name.lower())
        return self._folder / f"{name}.parquet"

    def _write(self, label: str, path: Path, on_columns: OnColumns) -> None:
        """Write the file of a message; one of many frames is decoded twice, first for its names."""
        from polars.io.plugins import register_io_source

        signals: dict[str, None] = {}
        is_carried = label in self._carried.labels
        tables: list[pl.DataFrame] = []
        for frames, columns in self._decoded(label):
            on_columns(columns)
            signals |= {column.signal: None for column in columns}
            if is_carried or len(frames) == self._spool.rows(label):
                tables.append(message_table(frames, np.arange(len(frames)), label, columns))
        if is_carried:
            write_parquet(self._carried.merged_with(tables, label), path)
            return
        if tables:
            write_parquet(tables[0], path)
            return
        order = {name: place for place, name in enumerate(self._plan_order(label))}
        names = sorted(signals, key=lambda name: order.get(name, len(order)))
        rest = self._tables(label, names)
        first = next(rest)

        def source(*_: Any) -> "Iterator[pl.DataFrame]":
            yield from chain((first,), rest)

        register_io_source(source, schema=first.schema).sink_parquet(
            path,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            row_group_size=self._table_rows(label),
        )

    def _table_rows(self, label: str) -> int:
        """The frames of a message that are decoded and written at a time."""
        return max(1, TABLE_VALUES // (1 + sum(1 for _ in self._plan_order(label))))

    def _plan_order(self, label: str) -> Iterator[str]:
        for message in self._plan.messages:
            if name_in(label, (message.name,)) == message.name:
                yield from (signal.name for signal in message.signals)

    def _decoded(self, label: str) -> Iterator[tuple[FrameTable, list[SignalColumn]]]:
        """The frames of a message, table by table, with its own readings."""
        for frames in self._spool.tables(label, self._table_rows(label)):
            columns = decode_columns(frames, self._plan)
            yield frames, [column for column in columns if column.message == label]

    def _tables(self, label: str, signals: list[str]) -> "Iterator[pl.DataFrame]":
        """The frames of a message as tables that all have these signals."""
        for frames, columns in self._decoded(label):
            yield message_table(frames, np.arange(len(frames)), label, columns, signals)
