"""Parquet files: one of a table that is there, or of many that come one after another.

    with ParquetWriter(Path("out.parquet"), tables[0].schema) as writer:
        for table in tables:
            writer.write(table)
        writer.finish()

The tables are written by another thread: what tells the process to end (SIGTERM, SIGINT) reaches
only the first thread, and only while that is not deep in a library that writes a long file.
"""

import queue
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import polars as pl

COMPRESSION_LEVEL = 1
WAITING_TABLES = 1


def write_parquet(table: "pl.DataFrame", path: Path) -> None:
    """Write one table."""
    table.write_parquet(path, compression="zstd", compression_level=COMPRESSION_LEVEL)


class ParquetWriter:
    """Tables handed to a writer in another thread, which pulls them one by one.

    Args:
        schema: of every table.
        row_group_size: rows that lie together in the file; None for what polars takes.
    """

    def __init__(
        self, path: Path, schema: "Mapping[str, Any]", *, row_group_size: int | None = None
    ) -> None:
        self._path = path
        self._schema = schema
        self._row_group_size = row_group_size
        self._tables: queue.Queue[pl.DataFrame | None] = queue.Queue(WAITING_TABLES)
        self._failure: BaseException | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="contactor-parquet", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, table: "pl.DataFrame") -> None:
        """Hand over a table; what failed before is raised."""
        while not self._is_over.is_set():
            try:
                self._tables.put(table, timeout=0.1)
                return
            except queue.Full:
                continue
        self._raise()

    def finish(self) -> None:
        """End the file; what failed is raised."""
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
            register_io_source(source, schema=self._schema).sink_parquet(
                self._path,
                compression="zstd",
                compression_level=COMPRESSION_LEVEL,
                row_group_size=self._row_group_size,
            )
        except BaseException as error:  # noqa: BLE001  # told to the thread that waits for it
            self._failure = error
        finally:
            self._is_over.set()
