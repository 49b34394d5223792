"""Rows as Parquet files: quickly, or small.

    write_plain(frame, path)
    write_packed(frame, path, drafts=root.parent / "drafts")

What is read once and then merged is written quickly by Polars. What stays is packed: a coding
chosen for each column, and more time for the compression.
"""

from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl

from contactor.cloud.lake.coding import codings_of
from contactor.cloud.lake.delta_writer import write_parquet

_PLAIN_LEVEL: Final = 1
_PLAIN_ROW_GROUP: Final = 65_536
_PACKED_LEVEL: Final = 9
_PACKED_ROW_GROUP: Final = 32_768  # who wants one car reads one or two of them, and the footer


def write_plain(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` to the new file `path`."""
    # Through memory: so what goes wrong with the disk is a plain OSError.
    content = BytesIO()
    frame.write_parquet(
        content,
        compression="zstd",
        compression_level=_PLAIN_LEVEL,
        row_group_size=_PLAIN_ROW_GROUP,
    )
    with path.open("xb") as file:
        file.write(content.getbuffer())


def write_packed(frame: pl.DataFrame, path: Path, *, drafts: Path) -> None:
    """Write `frame`, sorted by vehicle, to the new file `path`.

    Args:
        drafts: a folder on the same disk for what is half written.
    """
    write_parquet(
        frame,
        path,
        drafts,
        codings=codings_of(frame),
        level=_PACKED_LEVEL,
        row_group_size=_PACKED_ROW_GROUP,
    )
