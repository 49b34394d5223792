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
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.output.spool import FrameSpool
from contactor.can.output.whole import whole_file
from contactor.can.plan import DecodePlan
from contactor.can.stream import Chunk
from contactor.can.summary import carried_rows
from contactor.can.tables import message_table, message_tables, require_polars
from contactor.errors import ContactorError

if TYPE_CHECKING:
    import polars as pl

COMPRESSION_LEVEL = 1
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
        # Messages that are no frames of their own; there are few of them.
        self._carried: dict[str, list[pl.DataFrame]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()

    def add(self, chunk: Chunk) -> None:
        """Take in a chunk.

        Raises:
            ContactorError: the disk is full.
        """
        if chunk.groups is None:
            return
        rows_of = chunk.groups.rows()
        self._add_carried(chunk.frames, chunk.carried, rows_of)
        try:
            self._spool.add(chunk.frames, rows_of)
        except OSError as error:
            raise ContactorError(f"cannot write into {self._folder}: {error.strerror}") from error

    def finish(
        self, on_columns: OnColumns, on_progress: Callable[[int, int], None] | None = None
    ) -> list[Path]:
        """Decode what was set aside, and write the files; gives their paths.

        Args:
            on_columns: shown all readings, each signal's in order of its frames; but not those that
                the chunks had already.
            on_progress: told the frames written and the frames in all.

        Raises:
            ContactorError: a file cannot be written.
        """
        import polars as pl

        total = sum(self._spool.rows(label) for label in self._spool.labels)
        done = 0
        paths = []
        for label in self._spool.labels:
            with whole_file(self._path(label)) as part:
                self._write(label, part, on_columns)
            paths.append(self._path(label))
            done += self._spool.rows(label)
            if on_progress:
                on_progress(done, total)
        for label, tables in self._carried.items():
            with whole_file(self._path(label)) as part:
                pl.concat(tables, how="diagonal").write_parquet(
                    part, compression="zstd", compression_level=COMPRESSION_LEVEL
                )
            paths.append(self._path(label))
        return paths

    def _path(self, label: str) -> Path:
        return self._folder / f"{NOT_IN_FILE_NAMES.sub('_', label)}.parquet"

    def _write(self, label: str, path: Path, on_columns: OnColumns) -> None:
        """Write the file of a message; one of many frames is decoded twice, first for its names."""
        from polars.io.plugins import register_io_source

        signals: dict[str, None] = {}
        for frames in self._spool.tables(label):
            columns = decode_columns(frames, self._plan)
            on_columns(columns)
            signals |= {column.signal: None for column in columns if column.message == label}
            self._add_carried(frames, columns, {label: None})
            if len(frames) == self._spool.rows(label):
                own = [column for column in columns if column.message == label]
                table = message_table(frames, np.arange(len(frames)), label, own)
                table.write_parquet(path, compression="zstd", compression_level=COMPRESSION_LEVEL)
                return
        order = {name: place for place, name in enumerate(self._plan_order(label))}
        names = sorted(signals, key=lambda name: order.get(name, len(order)))
        tables = self._tables(label, names)
        first = next(tables)

        def source(*_: Any) -> "Iterator[pl.DataFrame]":
            yield from chain((first,), tables)

        register_io_source(source, schema=first.schema).sink_parquet(
            path, compression="zstd", compression_level=COMPRESSION_LEVEL
        )

    def _add_carried(
        self, frames: FrameTable, columns: Sequence[SignalColumn], known: Collection[str]
    ) -> None:
        """Keep the tables of messages that are not among `known`."""
        carried = carried_rows(columns, known)
        if not carried:
            return
        of_carried = [column for column in columns if column.message in carried]
        for label, table in message_tables(frames, carried, of_carried).items():
            self._carried.setdefault(label, []).append(table)

    def _plan_order(self, label: str) -> Iterator[str]:
        for message in self._plan.messages:
            if label in (message.name, label.partition(":")[0] + ":" + message.name):
                yield from (signal.name for signal in message.signals)

    def _tables(self, label: str, signals: list[str]) -> "Iterator[pl.DataFrame]":
        """The frames of a message as tables that all have these signals."""
        for frames in self._spool.tables(label):
            columns = [
                column for column in decode_columns(frames, self._plan) if column.message == label
            ]
            yield message_table(frames, np.arange(len(frames)), label, columns, signals)
