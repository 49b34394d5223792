"""Rows that are kept for long as a small Parquet file.

pack(frame)     # the file's bytes
"""

from io import BytesIO
from typing import Final

import polars as pl

_LEVEL: Final = 9
_ROW_GROUP: Final = 65_536


def pack(frame: pl.DataFrame) -> memoryview:
    """`frame`, sorted by vehicle, as a Parquet file."""
    content = BytesIO()
    frame.write_parquet(
        content, compression="zstd", compression_level=_LEVEL, row_group_size=_ROW_GROUP
    )
    return content.getbuffer()
