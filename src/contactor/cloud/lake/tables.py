"""A flush as tables: a frame per (group, UTC day), the bookkeeping among them, and back.

    for group, day, frame in tables_of(flush):      # what the drivers store, one file each
        ...
    states(snapshot.frame(STREAMS))                 # the newest StreamState of every stream

Both drivers store these tables and no others, so what is read back does not depend on the driver.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from contactor.clock import NS_PER_DAY
from contactor.cloud.lake.frames import to_json
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.schema import (
    BASE,
    CODEBOOKS,
    GAPS,
    QUARANTINE,
    STREAMS,
    Flush,
    Quarantined,
    StoredCodebook,
    StoredGap,
    StreamState,
    is_signal,
    storage_type,
)
from contactor.errors import LakeError, StaleWriter
from contactor.signals.catalogue import catalogue

_EPOCH = date(1970, 1, 1)
_UNSIGNED = 2**64


class Table(NamedTuple):
    """The rows of one group and UTC day, sorted by vehicle and ts."""

    group: str
    day: date
    frame: pl.DataFrame

    @property
    def signals(self) -> list[str]:
        """The signals that have a column of their own in it."""
        return [name for name in self.frame.columns if is_signal(name)]


def tables_of(flush: Flush, known_streams: pl.DataFrame | None = None) -> Iterator[Table]:
    """The tables of `flush`; `known_streams` are older stream rows to take over, newest wins.

    Raises:
        LakeError: a column is no signal or has another than its storage type.
    """
    for group, frame in flush.tables.items():
        _check_types(frame)
        yield from _by_day(group, frame)
    yield from _by_day(GAPS, _gaps_frame(flush.gaps))
    yield from _by_day(QUARANTINE, _quarantine_frame(flush.quarantined))
    yield from _by_day(CODEBOOKS, _codebooks_frame(flush.codebooks))
    streams = streams_frame(flush.streams)
    if known_streams is not None:
        streams = newest(pl.concat([known_streams.select(streams.columns), streams]))
    if not streams.is_empty():
        # One file, whatever the age of the states in it: they are read together.
        last = int(streams["ts"].max())  # type: ignore[arg-type]  # ts is never null
        yield Table(STREAMS, day_of(last), streams.sort("vehicle_id", "ts", maintain_order=True))


def groups_with(
    groups: Mapping[str, frozenset[str]], tables: Sequence[Table]
) -> dict[str, frozenset[str]]:
    """`groups` (which hold each signal) with what `tables` add."""
    found = dict(groups)
    for table in tables:
        for path in table.signals:
            found[path] = found.get(path, frozenset()) | {table.group}
    return found


def part_of(table: Table, source: Path | str | pl.DataFrame, *, is_packed: bool = False) -> Part:
    """The part that `table` becomes at `source`."""
    vehicles, ts = table.frame["vehicle_id"], table.frame["ts"]
    known = None if vehicles.has_nulls() else (str(vehicles.min()), str(vehicles.max()))
    span = (int(ts.min()), int(ts.max()))  # type: ignore[arg-type]  # integers, never empty
    return Part(table.group, table.day, table.frame.height, known, span, source, is_packed)


def check_number(flush: Flush, next_flush: int) -> None:
    """Refuse a flush that is not the next one.

    Raises:
        StaleWriter: somebody else has written, or this flush is stored already.
    """
    if flush.number != next_flush:
        raise StaleWriter(f"flush {flush.number} offered; the lake expects {next_flush}")


def _check_types(frame: pl.DataFrame) -> None:
    for name, dtype in frame.schema.items():
        if is_signal(name) and name not in catalogue():
            raise LakeError(f"column {name!r} is no signal of the catalogue")
        wanted = storage_type(catalogue()[name].datatype) if is_signal(name) else BASE[name]
        if dtype != wanted:
            raise LakeError(f"column {name!r} is {dtype}; the lake stores {wanted}")


def day_of(ts: int) -> date:
    """The UTC day of an instant in ns."""
    return _EPOCH + timedelta(days=ts // NS_PER_DAY)


def _by_day(group: str, frame: pl.DataFrame) -> Iterator[Table]:
    ordered = _ordered(frame)
    days = ordered["ts"] // NS_PER_DAY
    for day in sorted(days.unique().to_list()):
        part = ordered.filter(days == day) if days.min() != days.max() else ordered
        yield Table(group, _EPOCH + timedelta(days=day), part)


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows by vehicle and ts; those of a flush mostly are, and to see that costs little."""
    vehicle, ts = pl.col("vehicle_id"), pl.col("ts")
    is_later = (vehicle > vehicle.shift()) | ((vehicle == vehicle.shift()) & (ts >= ts.shift()))
    if frame.select(is_later.slice(1).fill_null(value=False).all()).item():
        return frame
    return frame.sort("vehicle_id", "ts", maintain_order=True)


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def streams_frame(states: Sequence[StreamState]) -> pl.DataFrame:
    """A row per state; `ts` is `received_at`, `above` the flattened ranges."""
    columns: dict[str, Sequence[object] | pl.Series] = {
        "vehicle_id": [state.vehicle_id for state in states],
        "ts": [state.received_at for state in states],
        "stream": [signed(state.stream) for state in states],
        "profile": [state.profile for state in states],
        "lane": [state.lane for state in states],
        "watermark": [state.watermark for state in states],
        "above": [[bound for span in state.above for bound in span] for state in states],
        "rows_stored": [state.rows_stored for state in states],
        "rows_refused": [state.rows_refused for state in states],
        "refused": [to_json(dict(state.refused)) if state.refused else "{}" for state in states],
        "paths": _paths([state.paths for state in states]),
        "first_ts": [state.first_ts for state in states],
        "last_ts": [state.last_ts for state in states],
    }
    return pl.DataFrame(columns, {name: BASE[name] for name in columns})


def _paths(of_states: Sequence[tuple[str, ...]]) -> pl.Series:
    """The signals of each state: thousands of cars of one kind have the same few lists."""
    places: dict[tuple[str, ...], int] = {}
    rows = [places.setdefault(paths, len(places)) for paths in of_states]
    return pl.Series([list(paths) for paths in places], dtype=BASE["paths"]).gather(rows)


def newest(streams: pl.DataFrame) -> pl.DataFrame:
    """The newest row of every stream: that in which most is taken in, of equal ones the last.

    Where several write, the files' order does not say which row is newer; an account only grows.
    """
    firsts, lasts = (pl.col("above").list.gather_every(2, offset).list.sum() for offset in (0, 1))
    taken = pl.col("watermark") + lasts - firsts + pl.col("above").list.len() // 2
    ordered = streams.with_columns(taken=taken).sort("taken", maintain_order=True).drop("taken")
    return ordered.unique(["vehicle_id", "stream"], keep="last", maintain_order=True)


def states(streams: pl.DataFrame) -> list[StreamState]:
    """The newest state of every stream, from stream rows in stored order."""
    return [
        StreamState(
            vehicle_id=row["vehicle_id"],
            stream=unsigned(row["stream"]),
            profile=row["profile"],
            lane=row["lane"],
            watermark=row["watermark"],
            above=tuple(zip(row["above"][::2], row["above"][1::2], strict=True)),
            rows_stored=row["rows_stored"],
            rows_refused=row["rows_refused"],
            refused=json.loads(row["refused"]),
            paths=tuple(row["paths"]),
            first_ts=row["first_ts"],
            last_ts=row["last_ts"],
            received_at=row["ts"],
        )
        for row in newest(streams).iter_rows(named=True)
    ]


def signed(stream: int) -> int:
    """The int64 of the same bits as the unsigned `stream`."""
    return stream - _UNSIGNED if stream >= _UNSIGNED // 2 else stream


def unsigned(stream: int) -> int:
    """The stream number of a stored int64."""
    return stream % _UNSIGNED


# ── gaps, quarantine and codebooks ───────────────────────────────────────────────────────────────


def _gaps_frame(gaps: Sequence[StoredGap]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "vehicle_id": gap.vehicle_id,
            "ts": gap.last_ts,
            "stream": signed(gap.stream),
            "sequence": gap.first,
            "last": gap.last,
            "reason": gap.reason,
            "row_count": gap.row_count,
            "first_ts": gap.first_ts,
            "last_ts": gap.last_ts,
        }
        for gap in gaps
    ]
    return _frame(rows, "vehicle_id ts stream sequence last reason row_count first_ts last_ts")


def _quarantine_frame(quarantined: Sequence[Quarantined]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "vehicle_id": item.vehicle_id,
            "ts": item.received_at,
            "stream": None if item.stream is None else signed(item.stream),
            "sequence": item.sequence,
            "reason": item.reason,
            "payload": item.payload,
        }
        for item in quarantined
    ]
    return _frame(rows, "vehicle_id ts stream sequence reason payload")


def _codebooks_frame(codebooks: Sequence[StoredCodebook]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "vehicle_id": one.vehicle_id,
            "ts": one.received_at,
            "stream": signed(one.stream),
            "payload": one.body,
        }
        for one in codebooks
    ]
    return _frame(rows, "vehicle_id ts stream payload")


def codebooks(stored: pl.DataFrame) -> list[StoredCodebook]:
    """The codebooks of rows of that group, in stored order."""
    return [
        StoredCodebook(row["vehicle_id"], unsigned(row["stream"]), row["payload"], row["ts"])
        for row in stored.iter_rows(named=True)
    ]


def _frame(rows: list[dict[str, object]], columns: str) -> pl.DataFrame:
    return pl.DataFrame(rows, {name: BASE[name] for name in columns.split()})
