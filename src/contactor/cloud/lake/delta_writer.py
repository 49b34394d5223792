"""Parquet files with a coding chosen for each column, by the writer that deltalake brings along.

    write_parquet(frame, path, folder, codings={"Vehicle.Speed": Coding.SPLIT}, ...)

That writer makes tables, not files: one is made in `folder` for a moment, and its only file taken.
Polars cannot choose codings; pyarrow could, and is 100 MB more.
"""

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl
from arro3.core import Schema as ArrowSchema
from arro3.core import Table
from deltalake import ColumnProperties, Schema, WriterProperties, write_deltalake

from contactor.cloud.lake.coding import Coding

_BYTES: Final = 1 << 40  # one file, whatever its size
_PROPERTIES: Final[Mapping[Coding, ColumnProperties]] = {
    Coding.DICTIONARY: ColumnProperties(dictionary_enabled=True),
    Coding.PLAIN: ColumnProperties(dictionary_enabled=False, encoding="PLAIN"),
    Coding.SPLIT: ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT"),
    Coding.DELTA: ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED"),
}


def write_parquet(
    frame: pl.DataFrame,
    path: Path,
    folder: Path,
    *,
    codings: Mapping[str, Coding],
    level: int,
    row_group_size: int,
) -> None:
    """Write `frame`, of at least one row, to the new file `path`.

    Args:
        folder: on the same disk as `path`; made where it is missing.
        level: of zstd.

    Raises:
        DeltaError, OSError: it could not be written.
    """
    draft = folder / f"draft-{uuid.uuid4().hex}"
    properties = WriterProperties(
        compression="ZSTD",
        compression_level=level,
        max_row_group_size=row_group_size,
        column_properties={name: _PROPERTIES[coding] for name, coding in codings.items()},
    )
    try:
        draft.mkdir(parents=True)
        table = _plain_types(frame)
        write_deltalake(draft, table, writer_properties=properties, target_file_size=_BYTES)
        (written,) = draft.glob("*.parquet")
        written.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _plain_types(frame: pl.DataFrame) -> Table:
    """The frame in Arrow's plain types.

    Polars hands out views of text, the file would say so, and pyarrow's filters know none.
    """
    schema = ArrowSchema.from_arrow(Schema.from_arrow(frame.schema).to_arrow())
    table = Table.from_arrow(frame)
    columns = [table.column(name).cast(schema.field(name).type) for name in frame.columns]
    return Table.from_arrays(columns, schema=schema)
