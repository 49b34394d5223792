"""Decoded columns as polars tables, and those tables as files; the engine's only polars.

    message_tables(frames, groups, columns)["BatteryState"]     # ts, bus, PackCurrent, ...
    write_long(long_table(frames, columns), Path("out.parquet"))

A file appears under its name only when it is whole.
"""

import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows, SignalColumn
from contactor.can.frames import FrameTable
from contactor.errors import ContactorError, MissingPart

if TYPE_CHECKING:
    import polars as pl

KEY_COLUMNS = ("ts", "bus")
NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\0]')


def message_tables(
    frames: FrameTable, rows_of: Mapping[str, Rows], columns: Sequence[SignalColumn]
) -> "dict[str, pl.DataFrame]":
    """A table for each message that occurs: `ts`, `bus`, and a column per signal decoded."""
    _require_polars()
    import polars as pl

    by_message: dict[str, list[SignalColumn]] = {}
    for column in columns:
        by_message.setdefault(column.message, []).append(column)
    tables = {}
    for label, rows in rows_of.items():
        series = [pl.Series("ts", frames.ts[rows]), pl.Series("bus", frames.bus[rows])]
        for column in by_message.get(label, ()):
            name = column.name if column.signal in KEY_COLUMNS else column.signal
            series.append(pl.Series(name, _spread(column, rows), nan_to_null=True))
        tables[label] = pl.DataFrame(series)
    return tables


def long_table(frames: FrameTable, columns: Sequence[SignalColumn]) -> "pl.DataFrame":
    """A row per reading, in the order of frames; a value that is not available is null."""
    _require_polars()
    import polars as pl

    schema = {
        "ts": pl.Int64,
        "bus": pl.UInt8,
        "message": pl.String,
        "signal": pl.String,
        "value": pl.Float64,
        "label": pl.String,
    }
    parts = [
        pl.DataFrame(
            {
                "ts": frames.ts[column.rows],
                "bus": frames.bus[column.rows],
                "message": pl.repeat(column.message, len(column.rows), eager=True),
                "signal": pl.repeat(column.signal, len(column.rows), eager=True),
                "value": pl.Series(_available(column), nan_to_null=True),
                "label": _labels(column),
            },
            schema=schema,
        )
        for column in columns
    ]
    if not parts:
        return pl.DataFrame(schema=schema)
    order = np.argsort(np.concatenate([column.rows for column in columns]), kind="stable")
    return pl.concat(parts)[order]


def write_messages(tables: "Mapping[str, pl.DataFrame]", folder: Path) -> list[Path]:
    """Write one Parquet file per message into a folder, which is made where it is missing.

    Raises:
        ContactorError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ContactorError(f"cannot make {folder}: {error.strerror}") from error
    paths = []
    for label, table in tables.items():
        path = folder / f"{NOT_IN_FILE_NAMES.sub('_', label)}.parquet"
        _write(path, table.write_parquet)
        paths.append(path)
    return paths


def write_long(table: "pl.DataFrame", path: Path) -> None:
    """Write the long form as Parquet, or as CSV where the name ends so.

    Raises:
        ContactorError: the file cannot be written.
    """
    _write(path, table.write_csv if path.suffix == ".csv" else table.write_parquet)


def _write(path: Path, write: Callable[[Path], None]) -> None:
    from polars.exceptions import PolarsError

    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    except (OSError, PolarsError) as error:
        part.unlink(missing_ok=True)
        raise ContactorError(f"cannot write {path}: {' '.join(str(error).split())}") from error


def _require_polars() -> None:
    if importlib.util.find_spec("polars") is None:
        raise MissingPart("tables need polars: pip install 'contactor[cloud]'")


def _available(column: SignalColumn) -> NDArray[np.float64]:
    """The values, NaN where not available."""
    return np.where(column.is_unavailable, np.nan, column.values)


def _spread(column: SignalColumn, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values on all rows of the message, NaN where the frame does not carry the signal."""
    if len(column.rows) == len(rows):
        return _available(column)
    values = np.full(len(rows), np.nan)
    values[np.searchsorted(rows, column.rows)] = _available(column)
    return values


def _labels(column: SignalColumn) -> "pl.Series":
    """The text of each reading, null where its raw value has none."""
    import polars as pl

    limits = np.iinfo(np.uint64 if column.raw.dtype == np.uint64 else np.int64)
    known = sorted(raw for raw in column.labels if limits.min <= raw <= limits.max)
    if not known:
        return pl.repeat(None, len(column.raw), dtype=pl.String, eager=True)
    keys = np.array(known).astype(column.raw.dtype)
    places = np.minimum(np.searchsorted(keys, column.raw), len(keys) - 1)
    texts = pl.Series([*(column.labels[raw] for raw in known), None], dtype=pl.String)
    return texts[np.where(keys[places] == column.raw, places, len(keys))]
