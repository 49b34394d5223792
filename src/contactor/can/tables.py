"""Decoded columns as polars tables; with `output`, all of the engine that knows polars.

message_tables(frames, groups.rows(), columns)["BatteryState"]     # ts, bus, PackCurrent, ...
long_table(frames, columns)                                        # a row per reading
"""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows, SignalColumn, joined_codes
from contactor.can.frames import FrameTable
from contactor.errors import MissingPart

if TYPE_CHECKING:
    import polars as pl

KEY_COLUMNS = ("ts", "bus")
LONG_ROWS = 2**17


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


def message_rows(
    frame_rows: Mapping[str, Rows], columns: Iterable[SignalColumn]
) -> dict[str, Rows]:
    """The rows of each message: its frames, and those that carry it in a container or end it.

    Args:
        frame_rows: the rows of the messages that are frames, ascending.
    """
    found: dict[str, list[Rows]] = {}
    for column in columns:
        known = frame_rows.get(column.message)
        if known is None or not _are_in(column.rows, known):
            found.setdefault(column.message, []).append(column.rows)
    more = {
        label: np.unique(
            np.concatenate([frame_rows[label], *rows] if label in frame_rows else rows)
        )
        for label, rows in found.items()
    }
    return {**frame_rows, **more}


def _are_in(rows: Rows, known: Rows) -> bool:
    """Whether all rows are among the known ones; both ascend."""
    if len(rows) == len(known) and np.array_equal(rows, known):
        return True
    if not len(known):
        return not len(rows)
    places = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    return bool((known[places] == rows).all())


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
        rows: the message's frames, ascending; every row of the columns is among them.
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

    tables = list(long_tables(frames, columns))
    return pl.concat(tables) if tables else pl.DataFrame(schema=long_schema())


def long_tables(
    frames: FrameTable, columns: Sequence[SignalColumn], rows: int = LONG_ROWS
) -> "Iterator[pl.DataFrame]":
    """The same in tables of `rows` rows, which need less memory."""
    import polars as pl

    if not columns:
        return
    sizes = [len(column.values) for column in columns]
    at_row = np.concatenate([column.rows for column in columns])
    order = np.argsort(at_row, kind="stable")
    signal = np.repeat(np.arange(len(columns), dtype=np.int32), sizes)[order]
    value = np.concatenate([_or_nan(column) for column in columns])[order]
    text, texts = joined_codes(columns)
    text, at_row = text[order], at_row[order]
    messages = pl.Series([column.message for column in columns])
    signals = pl.Series([column.signal for column in columns])
    labels = pl.Series([None, *texts], dtype=pl.String)
    for start in range(0, len(order), rows):
        piece = slice(start, start + rows)
        yield pl.DataFrame(
            {
                "ts": frames.ts[at_row[piece]],
                "bus": frames.bus[at_row[piece]],
                "message": messages[signal[piece]],
                "signal": signals[signal[piece]],
                "value": pl.Series(value[piece], nan_to_null=True),
                "label": labels[text[piece]],
            },
            schema=long_schema(),
        )


def _available(column: SignalColumn) -> "pl.Series":
    """The values, null where not available."""
    import polars as pl

    return pl.Series(_or_nan(column), nan_to_null=column.unavailable_count > 0)


def _spread(column: SignalColumn, rows: NDArray[np.int64]) -> "pl.Series":
    """The values on all rows of the message, null where the frame does not carry the signal.

    Of a message that one frame carries twice, in a container, the last reading stands.
    """
    import polars as pl

    if len(column.rows) == len(rows) and np.array_equal(column.rows, rows):
        return _available(column)
    values = np.full(len(rows), np.nan)
    values[np.searchsorted(rows, column.rows)] = _or_nan(column)
    return pl.Series(values, nan_to_null=True)


def _or_nan(column: SignalColumn) -> NDArray[np.float64]:
    """The values, NaN where not available."""
    if not column.unavailable_count:
        return column.values
    return np.where(column.is_unavailable, np.nan, column.values)
