"""One file with a row per reading: `ts, bus, message, signal, value, label`, in order of frames.

with LongFile(Path("readings.parquet")) as file:
    for chunk in chunks:
        file.add(chunk, chunk.columns())
    file.finish()
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.output.parquet import ParquetWriter
from contactor.can.output.whole import whole_file
from contactor.can.stream import Chunk
from contactor.can.tables import long_schema, long_table, long_tables, require_polars

if TYPE_CHECKING:
    import polars as pl


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
                self._writer: _Csv | ParquetWriter = _Csv(stack.enter_context(part.open("wb")))
            else:
                self._writer = stack.enter_context(ParquetWriter(part, long_schema()))
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
