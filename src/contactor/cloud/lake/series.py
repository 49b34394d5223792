"""A signal over time for a picture: few points, no extreme hidden. The JSON of DESIGN.

    series(view, Selection("leaf", ("Vehicle.Speed",)), max_points=500)

Where a point would span a minute or an hour and more, the sums of the tiers are read instead of the
rows, and the rows of parts that are in no tier yet; where rows are not kept any more, their sums.

    kept from      minute: April        raw: 3 May                     running day
    ───────────────┬────────────────────┬──────────────────────────────┬──────────
    hours          minutes              rows, or their minutes, hours  rows

It goes over the lake piece by piece (some millions of cells) and never holds all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypedDict

import polars as pl

from contactor.clock import NS_PER_DAY, NS_PER_MS
from contactor.cloud.lake.cells import is_number, is_ordered, told
from contactor.cloud.lake.layouts import wide
from contactor.cloud.lake.reading import Selection, View, read_parts
from contactor.cloud.lake.schema import HOUR, MINUTE, RAW, vss_type
from contactor.cloud.lake.upkeep.tiers import SUMS, WIDTH_NS
from contactor.errors import UsageError
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

REDUCED: Final = "reduced"
_EPOCH: Final = date(1970, 1, 1)


class Series(TypedDict):
    """Columns for a picture; `ts` in ms."""

    path: str
    unit: str | None
    tier: str
    ts: list[int]
    value: list[object]
    min: list[object]
    max: list[object]


def series(view: View, selection: Selection, max_points: int) -> Series:
    """The values of the one signal of the selection, at most `max_points` of them.

    More values than that are reduced to spans of equal length, without hiding extremes: `min` and
    `max` are the span's, `value` is its mean (of booleans, text and arrays its last), `ts` its
    first value's instant. `tier` says what they were made of: "raw" if they are the values
    themselves (`min` and `max` are then the value), "reduced" if of rows, else "minute" or "hour".

    Raises:
        UsageError: `max_points` is under 1.
        LakeError: the lake cannot be read.
    """
    if max_points < 1:
        raise UsageError(f"max_points is {max_points}; allowed: 1 or more")
    signal = catalogue()[selection.paths[0]]
    stretch = _stretch(view, selection)
    tier = _tier(signal.datatype, stretch, max_points)
    source = _Source(view, selection, signal, tier)
    count, points, first_ts, last_ts = source.measure()
    if count <= max_points and tier != RAW:
        source = _Source(view, selection, signal, RAW)
        count, points, first_ts, last_ts = source.measure()
    if count <= max_points and source.tier == RAW:
        return _raw(view, selection, signal)
    span_ns = 1 if points <= max_points else (last_ts - first_ts) // max_points + 1
    spans = pl.concat(_spans(some, first_ts, span_ns) for some in source.points())
    merged = _merge_spans(spans, signal.datatype)
    tier = REDUCED if source.tier == RAW else source.tier
    return _series(signal, tier, merged, min_of=merged["min"], max_of=merged["max"])


# ── where values come from ───────────────────────────────────────────────────────────────────────


def _stretch(view: View, selection: Selection) -> int:
    """How many ns there may be values in."""
    tiers = (*Group, MINUTE, HOUR)
    vehicle_id, start, end = selection.vehicle_id, selection.start, selection.end
    spans = [
        part.ts
        for part in view.snapshot.parts
        if part.group in tiers and part.may_hold(vehicle_id, start, end)
    ]
    if not spans:
        return 0
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    low = low if start is None else max(low, start)
    high = high if end is None else min(high, end)
    return max(high - low, 0)


def _tier(datatype: Datatype, stretch_ns: int, max_points: int) -> str:
    """The coarsest tier that a point is no shorter than."""
    span_ns = stretch_ns // max_points
    if span_ns >= WIDTH_NS[HOUR]:
        return HOUR
    return MINUTE if span_ns >= WIDTH_NS[MINUTE] and not datatype.is_array else RAW


@dataclass(frozen=True, slots=True)
class _Segment:
    """An interval, and what is read in it."""

    tier: str
    start: int | None
    end: int | None


class _Source:
    """The points of one signal, each a value or a sum of values: read as often as asked."""

    def __init__(self, view: View, selection: Selection, signal: Signal, tier: str) -> None:
        self._view, self._selection, self._signal = view, selection, signal
        self._segments = list(_segments(view, selection, signal.datatype, tier))
        self.tier = RAW
        """The coarsest in which something was found so far."""

    def measure(self) -> tuple[int, int, int, int]:
        """How many values, how many points, the first and last instant; 0 without any."""
        values, points, first_ts, last_ts = 0, 0, None, None
        for some in self.points():
            low, high = some["ts"].min(), some["last_ts"].max()
            assert isinstance(low, int)
            assert isinstance(high, int)
            values, points = values + int(some["count"].sum()), points + some.height
            first_ts = low if first_ts is None else min(first_ts, low)
            last_ts = high if last_ts is None else max(last_ts, high)
        return values, points, first_ts or 0, last_ts or 0

    def points(self) -> Iterator[pl.DataFrame]:
        """`ts`, `last_ts`, `last`, `count`, `total`, `min`, `max`; none is empty."""
        for segment in self._segments:
            selection = replace(self._selection, start=segment.start, end=segment.end)
            view = self._view
            if segment.tier != RAW:
                yield from self._sums(segment)
                loose = [part for part in view.snapshot.parts if not part.is_packed]
                view = replace(view, snapshot=replace(view.snapshot, parts=tuple(loose)))
            for _, cells in told(view, selection):
                points = _points(cells, self._signal.datatype)
                if not points.is_empty():
                    yield points

    def _sums(self, segment: _Segment) -> Iterator[pl.DataFrame]:
        width_ns = WIDTH_NS[segment.tier]
        start = None if segment.start is None else segment.start // width_ns * width_ns
        selection = replace(self._selection, start=start, end=segment.end)
        wanted = selection.matches() & (pl.col("path") == self._signal.path)
        for part in self._view.snapshot.parts:
            if part.group == segment.tier and part.may_hold(
                selection.vehicle_id, selection.start, selection.end
            ):
                sums = read_parts([part], SUMS, wanted)
                if not sums.is_empty():
                    self.tier = max(self.tier, segment.tier, key=(RAW, MINUTE, HOUR).index)
                    yield _points_of_sums(sums, self._signal.datatype, segment.start)


def _segments(
    view: View, selection: Selection, datatype: Datatype, tier: str
) -> Iterator[_Segment]:
    """The selection's interval, cut where rows or sums are not kept any more."""
    kept = {name: _begin(day) for name, day in view.snapshot.kept_from.items()}
    coarser = [(RAW, kept.get(RAW)), (MINUTE, kept.get(MINUTE)), (HOUR, None)]
    if datatype.is_array:
        coarser = [(RAW, kept.get(RAW)), (HOUR, None)]
    names = [name for name, _ in coarser]
    end = selection.end
    for name, since in coarser[names.index(tier) :]:
        start = selection.start if since is None else max(since, selection.start or since)
        if start is None or end is None or start < end:
            yield from _edged(name, start, end, kept.get(RAW))
        if since is None or start != since:
            return
        end = since if end is None else min(end, since)


def _edged(
    tier: str, start: int | None, end: int | None, raw_from: int | None
) -> Iterator[_Segment]:
    """An interval whose sums reach over its ends has rows there, if they are kept."""
    if tier != RAW:
        width_ns, kept_ns = WIDTH_NS[tier], raw_from or 0
        if start is not None and start % width_ns and kept_ns <= start:
            whole = start - start % width_ns + width_ns
            yield _Segment(RAW, start, whole if end is None else min(whole, end))
            start = whole
        if end is not None and end % width_ns and kept_ns <= end - end % width_ns:
            whole = end - end % width_ns
            if start is None or start <= whole:
                yield _Segment(RAW, whole, end)
            end = whole
    if start is None or end is None or start < end:
        yield _Segment(tier, start, end)


def _begin(day: date) -> int:
    return (day - _EPOCH).days * NS_PER_DAY


# ── points ───────────────────────────────────────────────────────────────────────────────────────


def _points(cells: pl.DataFrame, datatype: Datatype) -> pl.DataFrame:
    ordered, number = is_ordered(datatype), is_number(datatype)
    value, nothing = pl.col("value"), pl.lit(None, pl.Float64)
    return cells.drop_nulls("value").select(
        "ts",
        pl.col("ts").alias("last_ts"),
        value.alias("last"),
        pl.lit(1, pl.Int64).alias("count"),
        (value.cast(pl.Float64) if number else nothing).alias("total"),
        (value if ordered else nothing).alias("min"),
        (value if ordered else nothing).alias("max"),
    )


def _points_of_sums(sums: pl.DataFrame, datatype: Datatype, start: int | None) -> pl.DataFrame:
    dtype, nothing = vss_type(datatype), pl.lit(None, pl.Float64)
    ordered, number = is_ordered(datatype), is_number(datatype)
    last = pl.col("number") if ordered else pl.col("text")
    if datatype.is_array:
        last = last.str.json_decode(dtype)
    begin = pl.col("ts") if start is None else pl.max_horizontal("ts", pl.lit(start))
    return sums.select(
        begin.alias("ts"),
        pl.max_horizontal("last_ts", begin).alias("last_ts"),
        _typed(last, datatype).alias("last"),
        pl.col("row_count").alias("count"),
        (pl.col("mean") * pl.col("row_count") if number else nothing).alias("total"),
        (_typed(pl.col("min"), datatype) if ordered else nothing).alias("min"),
        (_typed(pl.col("max"), datatype) if ordered else nothing).alias("max"),
    )


def _typed(value: pl.Expr, datatype: Datatype) -> pl.Expr:
    if datatype is Datatype.BOOLEAN:
        return value != 0.0
    return value.cast(vss_type(datatype))


def _spans(points: pl.DataFrame, first_ts: int, span_ns: int) -> pl.DataFrame:
    """Per span what one piece of the lake knows of it."""
    return (
        points.sort("last_ts", maintain_order=True)
        .group_by(((pl.col("ts") - first_ts) // span_ns).alias("span"), maintain_order=True)
        .agg(
            pl.col("ts").min(),
            pl.col("last_ts").last(),
            pl.col("last").last(),
            pl.col("count").sum(),
            pl.col("total").sum(),
            pl.col("min").min(),
            pl.col("max").max(),
        )
    )


def _merge_spans(spans: pl.DataFrame, datatype: Datatype) -> pl.DataFrame:
    """Spans of several pieces, in stored order, as one each: `ts`, `value`, `min`, `max`."""
    merged = (
        spans.sort("span", "last_ts", maintain_order=True)
        .group_by("span", maintain_order=True)
        .agg(
            pl.col("ts").min(),
            pl.col("last").last(),
            pl.col("count").sum(),
            pl.col("total").sum(),
            pl.col("min").min(),
            pl.col("max").max(),
        )
    )
    mean = pl.col("total") / pl.col("count")
    value = mean if is_number(datatype) else pl.col("last")
    return merged.select("ts", value.alias("value"), "min", "max")


# ── the document ─────────────────────────────────────────────────────────────────────────────────


def _raw(view: View, selection: Selection, signal: Signal) -> Series:
    rows = wide(view, selection).drop_nulls()
    rows = rows.select("ts", pl.col(signal.path).alias("value"))
    ends = rows["value"] if is_ordered(signal.datatype) else _nulls(rows.height)
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


def _nulls(length: int) -> pl.Series:
    return pl.repeat(None, length, dtype=pl.Float64, eager=True)
