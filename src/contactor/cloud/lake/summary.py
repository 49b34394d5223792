"""What is known of a vehicle's signals, in figures and as series for a picture. The JSON of DESIGN.

    summarise(lake, "leaf", None, since="2024-05-01", until=None)
    series(lake, "leaf", "Vehicle.Speed", None, None, max_points=500)

Both go over the lake piece by piece (some millions of cells) and never hold all of it. Unknown is
None, never 0. `min`, `max` and `mean` are of numbers; booleans have no mean, text and arrays none
of the three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import polars as pl

from contactor.clock import NS_PER_MS, to_iso
from contactor.cloud.lake.instants import Instant, to_ns
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.layouts import wide
from contactor.cloud.lake.reading import Selection, View, event_values, pieces
from contactor.errors import UsageError
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

RAW = "raw"
REDUCED = "reduced"


class SignalSummary(TypedDict):
    """One signal over an interval; instants in ISO 8601."""

    unit: str | None
    datatype: str
    count: int
    unavailable: int
    first: object
    last: object
    min: object
    max: object
    mean: float | None
    first_ts: str | None
    last_ts: str | None


class Summary(TypedDict):
    """Signals of one vehicle over [since, until)."""

    vehicle_id: str
    since: str | None
    until: str | None
    signals: dict[str, SignalSummary]


class Series(TypedDict):
    """Columns for a picture; `ts` in ms."""

    path: str
    unit: str | None
    tier: str
    ts: list[int]
    value: list[object]
    min: list[object]
    max: list[object]


@dataclass(slots=True)
class _Tally:
    """What was seen of one signal so far."""

    count: int = 0
    unavailable: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None
    first: tuple[int, object] | None = None
    last: tuple[int, object] | None = None

    def add(self, cells: pl.DataFrame, *, is_ordered: bool, is_summed: bool) -> None:
        """Take in cells (`ts`, `value`) in stored order; rows without a value are unavailable."""
        known = cells.drop_nulls("value").sort("ts", maintain_order=True)
        self.unavailable += cells.height - known.height
        if known.is_empty():
            return
        ts, values = known["ts"], known["value"]
        self.count += known.height
        if self.first is None or ts[0] < self.first[0]:
            self.first = (ts[0], _plain(values[0]))
        if self.last is None or ts[-1] >= self.last[0]:
            self.last = (ts[-1], _plain(values[-1]))
        if is_ordered:
            low, high = values.min(), values.max()
            assert isinstance(low, int | float)
            assert isinstance(high, int | float)
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
        if is_summed:
            self.total += float(values.cast(pl.Float64).sum())


def summarise(
    lake: Lake,
    vehicle_id: str,
    paths: Sequence[str] | None,
    since: Instant | None,
    until: Instant | None,
) -> Summary:
    """Each signal of `paths` (default: every one stored for the vehicle) in [since, until).

    Raises:
        UnknownVehicle: there is no such vehicle.
        UnknownSignal: a path is not in the catalogue.
        UsageError: an instant that is none.
    """
    view, selection = lake.select(vehicle_id, paths, since, until)
    tallies = {path: _Tally() for path in selection.paths}
    for path, cells in _cells(view, selection):
        signal = catalogue()[path]
        tallies[path].add(
            cells, is_ordered=_is_ordered(signal.datatype), is_summed=_is_number(signal.datatype)
        )
    return {
        "vehicle_id": vehicle_id,
        "since": None if since is None else to_iso(to_ns(since)),
        "until": None if until is None else to_iso(to_ns(until)),
        "signals": {path: _summary(catalogue()[path], tally) for path, tally in tallies.items()},
    }


def _summary(signal: Signal, tally: _Tally) -> SignalSummary:
    has_mean = tally.count and _is_number(signal.datatype)
    return {
        "unit": signal.unit,
        "datatype": signal.datatype.value,
        "count": tally.count,
        "unavailable": tally.unavailable,
        "first": tally.first and tally.first[1],
        "last": tally.last and tally.last[1],
        "min": tally.low,
        "max": tally.high,
        "mean": tally.total / tally.count if has_mean else None,
        "first_ts": tally.first and to_iso(tally.first[0]),
        "last_ts": tally.last and to_iso(tally.last[0]),
    }


def series(
    lake: Lake,
    vehicle_id: str,
    path: str,
    start: Instant | None,
    end: Instant | None,
    max_points: int,
) -> Series:
    """The values of one signal in [start, end), at most `max_points` of them.

    More values than that are reduced to spans of equal length, without hiding extremes: `min` and
    `max` are the span's, `value` is its mean (of booleans, text and arrays its last), `ts` its
    first value's instant. `tier` is then "reduced", else "raw", and `min` and `max` are the value.

    Raises:
        UnknownVehicle: there is no such vehicle.
        UsageError: an unknown path, an instant that is none, or `max_points` under 1.
    """
    if max_points < 1:
        raise UsageError(f"max_points is {max_points}; allowed: 1 or more")
    view, selection = lake.select(vehicle_id, [path], start, end)
    signal, tally = catalogue()[path], _Tally()
    for _, cells in _cells(view, selection):
        tally.add(cells, is_ordered=False, is_summed=False)
    if tally.count <= max_points or tally.first is None or tally.last is None:
        return _raw(view, selection, signal)
    first_ts, last_ts = tally.first[0], tally.last[0]
    span_ns = (last_ts - first_ts) // max_points + 1
    spans = pl.concat(
        _spans(cells, signal.datatype, first_ts, span_ns) for _, cells in _cells(view, selection)
    )
    merged = _merge_spans(spans, signal.datatype)
    return _series(signal, REDUCED, merged, min_of=merged["min"], max_of=merged["max"])


def _raw(view: View, selection: Selection, signal: Signal) -> Series:
    rows = wide(view, selection).drop_nulls()
    rows = rows.select("ts", pl.col(signal.path).alias("value"))
    ends = rows["value"] if _is_ordered(signal.datatype) else _nulls(rows.height)
    return _series(signal, RAW, rows, min_of=ends, max_of=ends)


def _series(
    signal: Signal, tier: str, rows: pl.DataFrame, *, min_of: pl.Series, max_of: pl.Series
) -> Series:
    return {
        "path": signal.path,
        "unit": signal.unit,
        "tier": tier,
        "ts": (rows["ts"] // NS_PER_MS).to_list(),
        "value": rows["value"].to_list(),
        "min": min_of.to_list(),
        "max": max_of.to_list(),
    }


def _spans(cells: pl.DataFrame, datatype: Datatype, first_ts: int, span_ns: int) -> pl.DataFrame:
    """Per span what one piece of the lake knows of it."""
    ordered, number = _is_ordered(datatype), _is_number(datatype)
    value, nothing = pl.col("value"), pl.lit(None, pl.Float64)
    return (
        cells.drop_nulls("value")
        .sort("ts", maintain_order=True)
        .group_by((pl.col("ts") - first_ts) // span_ns, maintain_order=True)
        .agg(
            pl.col("ts").first().alias("first_ts"),
            pl.col("ts").last().alias("last_ts"),
            value.last().alias("last"),
            value.len().alias("count"),
            (value.cast(pl.Float64).sum() if number else nothing).alias("total"),
            (value.min() if ordered else nothing).alias("min"),
            (value.max() if ordered else nothing).alias("max"),
        )
    )


def _merge_spans(spans: pl.DataFrame, datatype: Datatype) -> pl.DataFrame:
    """Spans of several pieces, in stored order, as one each: `ts`, `value`, `min`, `max`."""
    merged = (
        spans.sort("ts", "last_ts", maintain_order=True)
        .group_by("ts", maintain_order=True)
        .agg(
            pl.col("first_ts").min(),
            pl.col("last").last(),
            pl.col("count").sum(),
            pl.col("total").sum(),
            pl.col("min").min(),
            pl.col("max").max(),
        )
    )
    mean = pl.col("total") / pl.col("count")
    value = mean if _is_number(datatype) else pl.col("last")
    return merged.select(pl.col("first_ts").alias("ts"), value.alias("value"), "min", "max")


def _cells(view: View, selection: Selection) -> Iterator[tuple[str, pl.DataFrame]]:
    """The stored cells of each path, piece by piece: `ts`, `value`, null where unavailable."""
    groups = {group for path in selection.paths for group in view.groups_of(path)}
    for group in Group:
        if group not in groups:
            continue
        for piece in pieces(view, selection, group):
            if group is Group.EVENTS:
                yield from _event_cells(piece)
                continue
            for path in piece.columns[1:-1]:
                told = pl.col(path).is_not_null() | pl.col("unavailable").list.contains(path)
                rows = piece.lazy().filter(told).select("ts", pl.col(path).alias("value"))
                yield path, rows.collect()


def _event_cells(piece: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (path,), rows in piece.partition_by("path", as_dict=True, maintain_order=True).items():
        value = event_values(str(path), catalogue()[str(path)].datatype)
        yield str(path), rows.select("ts", value.alias("value"))


def _is_number(datatype: Datatype) -> bool:
    return _is_ordered(datatype) and datatype is not Datatype.BOOLEAN


def _is_ordered(datatype: Datatype) -> bool:
    return not (datatype.is_array or datatype.is_text)


def _plain(value: object) -> object:
    return value.to_list() if isinstance(value, pl.Series) else value


def _nulls(length: int) -> pl.Series:
    return pl.repeat(None, length, dtype=pl.Float64, eager=True)
