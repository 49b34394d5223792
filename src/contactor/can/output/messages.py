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
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.output.carried import CarriedTables
from contactor.can.output.parquet import ParquetWriter, write_parquet
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
        rows_of = self._plan.shown(chunk.groups.rows())
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
            path = self._write(label, on_columns)
            paths += [path] if path is not None else []
            done += self._spool.rows(label)
            if on_progress:
                on_progress(done, total)
        for label in sorted(self._carried.labels - set(self._spool.labels)):
            path = self._path(label)
            with whole_file(path) as part:
                write_parquet(self._carried.table(label), part)
            paths.append(path)
        return paths

    def strangers(self, own: Collection[Path]) -> list[str]:
        """The Parquet files in the folder that are not this recording's `own`."""
        names = {path.name for path in own}
        found = (path.name for path in self._folder.glob("*.parquet"))
        return sorted(name for name in found if name not in names)

    def _path(self, label: str) -> Path:
        """A file that no other message has, on a disk that does not know small from capital."""
        name = NOT_IN_FILE_NAMES.sub("_", label)
        number = 1
        while name.lower() in self._names:
            number += 1
            name = f"{NOT_IN_FILE_NAMES.sub('_', label)}_{number}"
        self._names.add(name.lower())
        return self._folder / f"{name}.parquet"

    def _write(self, label: str, on_columns: OnColumns) -> Path | None:
        """Write the file of a message; one of many frames is decoded twice, first for its names.

        None where signals were chosen, and no frame of the message carries one.
        """
        signals: dict[str, None] = {}
        is_carried = label in self._carried.labels
        tables: list[pl.DataFrame] = []
        for frames, columns in self._decoded(label):
            on_columns(columns)
            signals |= {column.signal: None for column in columns}
            if is_carried or len(frames) == self._spool.rows(label):
                tables.append(message_table(frames, np.arange(len(frames)), label, columns))
        if self._plan.is_chosen and not signals and not is_carried:
            return None
        path = self._path(label)
        with whole_file(path) as part:
            if is_carried:
                write_parquet(self._carried.merged_with(tables, label), part)
            elif tables:
                write_parquet(tables[0], part)
            else:
                self._write_in_parts(label, list(signals), part)
        return path

    def _write_in_parts(self, label: str, signals: list[str], path: Path) -> None:
        """Write the file of a message of many frames, table by table."""
        order = {name: place for place, name in enumerate(self._plan_order(label))}
        signals.sort(key=lambda name: order.get(name, len(order)))
        rest = self._tables(label, signals)
        first = next(rest)
        with ParquetWriter(path, first.schema, row_group_size=self._table_rows(label)) as writer:
            for table in chain((first,), rest):
                writer.write(table)
            writer.finish()

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
