"""Decoded columns as polars tables; with `output`, all of the engine that knows polars.

message_tables(frames, groups.rows(), columns)["BatteryState"]     # ts, bus, PackCurrent, ...
long_table(frames, columns)                                        # a row per reading
"""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows, SignalColumn
from contactor.can.frames import FrameTable
from contactor.errors import MissingPart

if TYPE_CHECKING:
    import polars as pl

KEY_COLUMNS = ("ts", "bus")


def require_polars() -> None:
    """Say what to install where polars is missing.

    Raises:
        MissingPart: it is.
    """
    if importlib.util.find_spec("polars") is None:
        raise MissingPart("tables need polars: pip install 'contactor[cloud]'")


def column_names(message: str, signals: Iterable[str]) -> dict[str, str]:
    """The column of each signal: its name, and more where that is the name of a key."""
    return {
        signal: f"{message}.{signal}" if signal in KEY_COLUMNS else signal for signal in signals
    }


def message_tables(
    frames: FrameTable, rows_of: Mapping[str, Rows], columns: Sequence[SignalColumn]
) -> "dict[str, pl.DataFrame]":
    """A table for each message that occurs: `ts`, `bus`, and a column per signal decoded.

    Raises:
        MissingPart: polars is not installed.
    """
    by_message: dict[str, list[SignalColumn]] = {}
    for column in columns:
        by_message.setdefault(column.message, []).append(column)
    return {
        label: message_table(frames, rows, label, by_message.get(label, ()))
        for label, rows in rows_of.items()
    }


def message_table(
    frames: FrameTable,
    rows: Rows,
    message: str,
    columns: Sequence[SignalColumn],
    signals: Sequence[str] | None = None,
) -> "pl.DataFrame":
    """The table of one message.

    Args:
        rows: the message's frames, ascending.
        signals: the columns wanted, null where there is no reading; None for those in `columns`.
    """
    require_polars()
    import polars as pl

    by_signal = {column.signal: column for column in columns}
    names = column_names(message, by_signal if signals is None else signals)
    table = {"ts": pl.Series(frames.ts[rows]), "bus": pl.Series(frames.bus[rows])}
    for signal, name in names.items():
        found = by_signal.get(signal)
        if found is None:
            table[name] = pl.repeat(None, len(rows), dtype=pl.Float64, eager=True)
        else:
            table[name] = _spread(found, rows)
    return pl.DataFrame(table)


def long_schema() -> "dict[str, Any]":
    """The columns of the long form."""
    import polars as pl

    return {
        "ts": pl.Int64,
        "bus": pl.UInt8,
        "message": pl.String,
        "signal": pl.String,
        "value": pl.Float64,
        "label": pl.String,
    }


def long_table(frames: FrameTable, columns: Sequence[SignalColumn]) -> "pl.DataFrame":
    """A row per reading, in the order of frames; a value that is not available is null.

    Raises:
        MissingPart: polars is not installed.
    """
    require_polars()
    import polars as pl

    schema = long_schema()
    parts = [
        pl.DataFrame(
            {
                "ts": frames.ts[column.rows],
                "bus": frames.bus[column.rows],
                "message": pl.repeat(column.message, len(column.rows), eager=True),
                "signal": pl.repeat(column.signal, len(column.rows), eager=True),
                "value": _available(column),
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


def _available(column: SignalColumn) -> "pl.Series":
    """The values, null where not available."""
    import polars as pl

    if not column.unavailable_count:
        return pl.Series(column.values)
    return pl.Series(np.where(column.is_unavailable, np.nan, column.values), nan_to_null=True)


def _spread(column: SignalColumn, rows: NDArray[np.int64]) -> "pl.Series":
    """The values on all rows of the message, null where the frame does not carry the signal."""
    import polars as pl

    if len(column.rows) == len(rows):
        return _available(column)
    values = np.full(len(rows), np.nan)
    values[np.searchsorted(rows, column.rows)] = np.where(
        column.is_unavailable, np.nan, column.values
    )
    return pl.Series(values, nan_to_null=True)


def _labels(column: SignalColumn) -> "pl.Series":
    """The text of each reading, null where its raw value has none."""
    import polars as pl

    if not column.labels:
        return pl.repeat(None, len(column.values), dtype=pl.String, eager=True)
    limits = np.iinfo(np.uint64 if column.raw.dtype == np.uint64 else np.int64)
    known = sorted(raw for raw in column.labels if limits.min <= raw <= limits.max)
    if not known:
        return pl.repeat(None, len(column.values), dtype=pl.String, eager=True)
    keys = np.array(known).astype(column.raw.dtype)
    places = np.minimum(np.searchsorted(keys, column.raw), len(keys) - 1)
    texts = pl.Series([*(column.labels[raw] for raw in known), None], dtype=pl.String)
    return texts[np.where(keys[places] == column.raw, places, len(keys))]
