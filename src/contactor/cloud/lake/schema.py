"""What a flush holds, and how VSS types are stored.

One physical table, partitioned by `group` and UTC `day`. The bookkeeping (streams, gaps,
quarantine, codebooks) lies in partitions of the same table, so that it is committed with the data
or not at all. Every group but `events` is wide:

    group=drive   vehicle_id | ts | Vehicle.Speed | ... | unavailable     one column per path
    group=events  vehicle_id | ts | path | number | text | unavailable   one row per value
    group=streams vehicle_id | ts | stream | watermark | above | ...     the newest row counts
    group=minute  vehicle_id | ts | path | row_count | min | max | mean | number | text | last_ts

The groups `minute` and `hour` are the tiers: per span and path how many values there were, their
least, greatest, mean and last one (`number` or `text`, as in events); `ts` is the span's begin, and
`day` the first of its month. A span may have several rows, each of other values: sums add up.

Delta has no unsigned types: each is stored in the next wider signed one and cast back when read,
so every value is exact. `uint64`, which no leaf of the catalogue has, is refused. Stream numbers
(unsigned, random) are stored as the int64 of the same bits.

    storage_type(Datatype.UINT8), vss_type(Datatype.UINT8)      # (Int16, UInt8)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import polars as pl

from contactor.errors import LakeError
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

STREAMS: Final = "streams"
GAPS: Final = "gaps"
QUARANTINE: Final = "quarantine"
CODEBOOKS: Final = "codebooks"
RAW: Final = "raw"  # not a group: all of the signal groups
MINUTE: Final = "minute"
HOUR: Final = "hour"

_STORAGE: Final[Mapping[Datatype, type[pl.DataType]]] = {
    Datatype.BOOLEAN: pl.Boolean,
    Datatype.INT8: pl.Int8,
    Datatype.INT16: pl.Int16,
    Datatype.INT32: pl.Int32,
    Datatype.INT64: pl.Int64,
    Datatype.UINT8: pl.Int16,
    Datatype.UINT16: pl.Int32,
    Datatype.UINT32: pl.Int64,
    Datatype.FLOAT: pl.Float32,
    Datatype.DOUBLE: pl.Float64,
    Datatype.STRING: pl.String,
}
_VSS: Final[Mapping[Datatype, type[pl.DataType]]] = {
    **_STORAGE,
    Datatype.UINT8: pl.UInt8,
    Datatype.UINT16: pl.UInt16,
    Datatype.UINT32: pl.UInt32,
}

_Columns: TypeAlias = dict[str, pl.DataType]

# Columns of every table before any signal was stored. Signals add theirs when first seen.
PARTITION: Final[_Columns] = {"group": pl.String(), "day": pl.Date()}
KEY: Final[_Columns] = {"vehicle_id": pl.String(), "ts": pl.Int64()}
UNAVAILABLE: Final[_Columns] = {"unavailable": pl.List(pl.String)}
EVENT: Final[_Columns] = {"path": pl.String(), "number": pl.Float64(), "text": pl.String()}
BOOKKEEPING: Final[_Columns] = {
    "stream": pl.Int64(),
    "profile": pl.String(),
    "lane": pl.String(),
    "watermark": pl.Int64(),
    "above": pl.List(pl.Int64),
    "rows_stored": pl.Int64(),
    "rows_refused": pl.Int64(),
    "refused": pl.String(),
    "paths": pl.List(pl.String),
    "first_ts": pl.Int64(),
    "last_ts": pl.Int64(),
    "sequence": pl.Int64(),
    "last": pl.Int64(),
    "row_count": pl.Int64(),
    "reason": pl.String(),
    "payload": pl.Binary(),
}
TIER: Final[_Columns] = {"min": pl.Float64(), "max": pl.Float64(), "mean": pl.Float64()}
BASE: Final[_Columns] = {**PARTITION, **KEY, **UNAVAILABLE, **EVENT, **BOOKKEEPING, **TIER}
OLDEST: Final[_Columns] = {**PARTITION, **KEY, **UNAVAILABLE, **EVENT}  # what no lake lacks


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far a stream is stored.

    Fields:
        stream: unsigned 64 bits.
        watermark: the greatest n with all of 1..n stored.
        above: inclusive ranges stored above the watermark.
        refused: rows refused, by reason.
        paths: every signal ever stored from it.
        received_at: ns, when its newest record arrived.
    """

    vehicle_id: str
    stream: int
    profile: str
    lane: str
    watermark: int
    above: tuple[tuple[int, int], ...]
    rows_stored: int
    rows_refused: int
    refused: Mapping[str, int]
    paths: tuple[str, ...]
    first_ts: int | None
    last_ts: int | None
    received_at: int


@dataclass(frozen=True, slots=True)
class StoredGap:
    """Records `first`..`last` of a stream that the car had to drop, and what they held."""

    vehicle_id: str
    stream: int
    first: int
    last: int
    reason: str
    row_count: int
    first_ts: int
    last_ts: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that could not be stored as rows, kept whole with the reason."""

    vehicle_id: str | None
    stream: int | None
    sequence: int | None
    reason: str
    payload: bytes
    received_at: int


@dataclass(frozen=True, slots=True)
class StoredCodebook:
    """The body of a codebook that records of a stream were written with."""

    vehicle_id: str
    stream: int
    body: bytes
    received_at: int


@dataclass(frozen=True, slots=True)
class Flush:
    """Everything that one commit makes durable at once.

    Fields:
        number: 1, 2, 3, ...; the store's `next_flush`.
        tables: a frame in lake schema (see `frames`) per group.
        streams: the states that changed.
    """

    number: int
    tables: Mapping[Group, pl.DataFrame] = field(default_factory=dict)
    streams: Sequence[StreamState] = ()
    gaps: Sequence[StoredGap] = ()
    quarantined: Sequence[Quarantined] = ()
    codebooks: Sequence[StoredCodebook] = ()


def storage_type(datatype: Datatype) -> pl.DataType:
    """The column type that holds every value of `datatype` exactly.

    Raises:
        LakeError: it is uint64, which no signed type holds.
    """
    return _column_type(_STORAGE, datatype)


def vss_type(datatype: Datatype) -> pl.DataType:
    """The column type in which values of `datatype` are given to readers."""
    return _column_type(_VSS, datatype)


def _column_type(types: Mapping[Datatype, type[pl.DataType]], datatype: Datatype) -> pl.DataType:
    element = types.get(datatype.element)
    if element is None:
        raise LakeError(f"the lake holds no {datatype}; allowed: {', '.join(_STORAGE)}")
    return pl.List(element) if datatype.is_array else element()


def is_signal(column: str) -> bool:
    """Whether a column of the table is a signal's: all others are in `BASE`."""
    return column not in BASE
