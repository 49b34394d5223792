"""One file with a row per reading: `ts, bus, message, signal, value, label`, in order of frames.

with LongFile(Path("readings.parquet")) as file:
    for chunk in chunks:
        file.add(chunk, chunk.columns())
    file.finish()
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.output.carried import COMPRESSION_LEVEL
from contactor.can.output.whole import whole_file
from contactor.can.stream import Chunk
from contactor.can.tables import long_schema, long_table, long_tables, require_polars

if TYPE_CHECKING:
    import polars as pl

WAITING_TABLES = 1


class LongFile:
    """Writes chunk by chunk; CSV where the name ends so, else Parquet.

    Raises:
        MissingPart: polars is not installed.
    """

    def __init__(self, path: Path) -> None:
        require_polars()
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            part = stack.enter_context(whole_file(self._path))
            if self._path.suffix == ".csv":
                self._writer: _Csv | _Parquet = _Csv(stack.enter_context(part.open("wb")))
            else:
                self._writer = _Parquet(part)
                stack.callback(self._writer.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, chunk: Chunk, columns: Sequence[SignalColumn]) -> None:
        """Write the readings of a chunk."""
        for table in long_tables(chunk.frames, columns):
            self._writer.write(table)

    def finish(self, on_progress: Callable[[int, int], None] | None = None) -> list[Path]:
        """Write what is left; the file is whole after the `with`."""
        self._writer.finish()
        return [self._path]


class _Csv:
    """Rows appended to a text file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._is_first = True

    def write(self, table: "pl.DataFrame") -> None:
        table.write_csv(self._file, include_header=self._is_first)
        self._is_first = False

    def finish(self) -> None:
        if self._is_first:
            self.write(long_table(FrameTable.empty(), ()))
        self._file.flush()


class _Parquet:
    """Tables handed to a writer in another thread, which pulls them one by one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: queue.Queue[pl.DataFrame | None] = queue.Queue(WAITING_TABLES)
        self._failure: BaseException | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="contactor-parquet", daemon=True)
        self._thread.start()

    def write(self, table: "pl.DataFrame") -> None:
        while not self._is_over.is_set():
            try:
                self._tables.put(table, timeout=0.1)
                return
            except queue.Full:
                continue
        self._raise()

    def finish(self) -> None:
        self.close()
        self._raise()

    def close(self) -> None:
        """End the file; a failure is told by `finish`."""
        while self._thread.is_alive():
            try:
                self._tables.put(None, timeout=0.1)
                break
            except queue.Full:
                continue
        self._thread.join()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        from polars.io.plugins import register_io_source

        def source(*_: Any) -> "Iterator[pl.DataFrame]":
            while (table := self._tables.get()) is not None:
                yield table

        try:
            register_io_source(source, schema=long_schema()).sink_parquet(
                self._path, compression="zstd", compression_level=COMPRESSION_LEVEL
            )
        except BaseException as error:  # noqa: BLE001  # told to the thread that waits for it
            self._failure = error
        finally:
            self._is_over.set()
