"""A folder with one Parquet file per message: `ts`, `bus`, and a column per signal.

    with MessageFolder(Path("signals"), plan) as folder:
        for chunk in chunks:
            folder.add(chunk, chunk.columns())
        folder.finish()

Other readers see physical values: float64, null where a frame does not carry the signal or the car
marked it "not available". The frames are set aside first, because a Parquet file is written column
by column, and a message's frames lie all over the recording.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
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


class MessageFolder:
    """Collects chunks, and writes the folder when all have come.

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
        self._signals: dict[str, dict[str, None]] = {}
        # Messages that are no frames of their own; there are few of them.
        self._carried: dict[str, list[pl.DataFrame]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._spool)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, chunk: Chunk, columns: Sequence[SignalColumn]) -> None:
        """Take in a chunk and its readings.

        Raises:
            ContactorError: the disk is full.
        """
        if chunk.groups is None:
            return
        rows_of = chunk.groups.rows()
        for column in columns:
            if column.message in rows_of:
                self._signals.setdefault(column.message, {})[column.signal] = None
        carried = carried_rows(columns, rows_of)
        of_carried = [column for column in columns if column.message in carried]
        for label, table in message_tables(chunk.frames, carried, of_carried).items():
            self._carried.setdefault(label, []).append(table)
        try:
            self._spool.add(chunk.frames, rows_of)
        except OSError as error:
            raise ContactorError(f"cannot write into {self._folder}: {error.strerror}") from error

    def finish(self, on_progress: Callable[[int, int], None] | None = None) -> list[Path]:
        """Write the files; gives their paths.

        Args:
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
                self._write(label, part)
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

    def _write(self, label: str, path: Path) -> None:
        from polars.io.plugins import register_io_source

        order = {name: place for place, name in enumerate(self._plan_order(label))}
        signals = sorted(self._signals.get(label, ()), key=lambda name: order.get(name, len(order)))
        tables = self._tables(label, signals)
        first = next(tables)
        second = next(tables, None)
        if second is None:
            first.write_parquet(path, compression="zstd", compression_level=COMPRESSION_LEVEL)
            return

        def source(*_: Any) -> "Iterator[pl.DataFrame]":
            yield from chain((first, second), tables)

        register_io_source(source, schema=first.schema).sink_parquet(
            path, compression="zstd", compression_level=COMPRESSION_LEVEL
        )

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
