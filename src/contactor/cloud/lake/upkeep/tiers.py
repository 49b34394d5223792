"""Rows as sums per minute and hour, and sums of sums.

    sums_of(rows, MINUTE)       # vehicle_id | ts | path | row_count | min | max | mean | ...
    combine([sums, more])       # one row per vehicle, path and span

Of numbers and booleans (0, 1) a sum knows count, least, greatest, mean and last value, of text and
arrays count and last value (`text`, arrays as JSON). Arrays have sums per hour only: their values
are long, and a picture shows none of them. 64-bit integers are rounded to a double, means to the
seven digits of a float.

Sums of different rows of one span can be combined in any order and any number of times, so late
rows simply become sums of their own. `last_ts` says which value is the last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from contactor.clock import NS_PER_S
from contactor.cloud.lake.frames import to_json
from contactor.cloud.lake.schema import BASE, HOUR, MINUTE, is_signal
from contactor.cloud.lake.tables import Table, day_of

WIDTH_NS: Final[Mapping[str, int]] = {MINUTE: 60 * NS_PER_S, HOUR: 3600 * NS_PER_S}
SUMS: Final = {
    name: BASE[name]
    for name in (
        "vehicle_id",
        "ts",
        "path",
        "row_count",
        "min",
        "max",
        "mean",
        "number",
        "text",
        "last_ts",
    )
}
VALUE: Final = ("number", "text")
ORDER: Final = ("vehicle_id", "path", "ts")
_SPAN: Final = ["vehicle_id", "path", "ts"]


def month_of(ts: int) -> date:
    """The `day` of a tier's partition that holds the span of `ts`: the first of its month, UTC."""
    return day_of(ts).replace(day=1)


def tier_tables(rows: pl.DataFrame, tier: str) -> Iterator[Table]:
    """The sums of `rows`, a table per month; rows are a signal group's, wide or of events."""
    sums = sums_of(rows, tier)
    months = sums["ts"].cast(pl.Datetime("ns")).dt.truncate("1mo").dt.date()
    for month in months.unique().sort().to_list():
        yield Table(tier, month, sums.filter(months == month))


def sums_of(rows: pl.DataFrame, tier: str) -> pl.DataFrame:
    """A row per vehicle, path and span, by vehicle, path and ts."""
    width_ns = WIDTH_NS[tier]
    if "path" in rows.columns:
        found = [_sums(rows.select(_whole(rows, ("vehicle_id", "ts", "path", *VALUE))), width_ns)]
    else:
        found = [
            _array_sums(rows, path, width_ns)
            if isinstance(rows[path].dtype, pl.List)
            else _sums(_cells(rows, path), width_ns)
            for path in filter(is_signal, rows.columns)
            if tier == HOUR or not isinstance(rows[path].dtype, pl.List)
        ]
    return pl.concat([pl.DataFrame(schema=SUMS), *found]).sort(ORDER)


def combine(sums: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row per vehicle, path and span."""
    rows = pl.concat([pl.DataFrame(schema=SUMS), *(some.select(_whole(some)) for some in sums)])
    count = pl.col("row_count")
    return (
        rows.sort(*_SPAN, "last_ts", maintain_order=True)
        .group_by(_SPAN, maintain_order=True)
        .agg(
            count.sum(),
            pl.col("min").min(),
            pl.col("max").max(),
            pl.when(pl.len() == 1)
            .then(pl.col("mean").first())
            .otherwise(_short((pl.col("mean") * count).sum() / count.sum()))
            .alias("total"),
            pl.col("mean").count().alias("means"),
            pl.col("number").last(),
            pl.col("text").last(),
            pl.col("last_ts").last(),
        )
        .with_columns(pl.when(pl.col("means") > 0).then("total").alias("mean"))
        .select(SUMS.keys())
    )


def _whole(rows: pl.DataFrame, names: Iterable[str] = SUMS) -> list[pl.Expr]:
    """All columns of a sum; what a file leaves out is null."""
    return [
        pl.col(name) if name in rows.columns else pl.lit(None, BASE[name]).alias(name)
        for name in names
    ]


def _cells(rows: pl.DataFrame, path: str) -> pl.DataFrame:
    """The known values of a wide column, as events."""
    is_text = rows[path].dtype == pl.String
    value, none = pl.col(path), pl.lit(None)
    return rows.select(
        "vehicle_id",
        "ts",
        pl.lit(path).alias("path"),
        (none.cast(pl.Float64) if is_text else value.cast(pl.Float64)).alias("number"),
        (value if is_text else none.cast(pl.String)).alias("text"),
    )


def _sums(cells: pl.DataFrame, width_ns: int) -> pl.DataFrame:
    number = pl.col("number")
    low, high = number.min(), number.max()
    return (
        cells.lazy()
        .filter(number.is_not_null() | pl.col("text").is_not_null())
        .sort("vehicle_id", "path", "ts", maintain_order=True)
        .group_by("vehicle_id", "path", _span(width_ns), maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("row_count"),
            low.alias("min"),
            high.alias("max"),
            pl.when(low == high).then(low).otherwise(_short(number.mean())).alias("mean"),
            number.last(),
            pl.col("text").last(),
            pl.col("ts").last().alias("last_ts"),
        )
        .rename({"span": "ts"})
        .select(SUMS.keys())
        .collect()
    )


def _array_sums(rows: pl.DataFrame, path: str, width_ns: int) -> pl.DataFrame:
    sums = (
        rows.lazy()
        .select("vehicle_id", "ts", path)
        .drop_nulls(path)
        .group_by("vehicle_id", _span(width_ns), maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("row_count"),
            pl.col(path).last(),
            pl.col("ts").last().alias("last_ts"),
        )
        .rename({"span": "ts"})
        .collect()
    )
    texts = pl.Series("text", map(to_json, sums[path].to_list()), pl.String)
    made = sums.with_columns(texts, pl.lit(path).alias("path"))
    return made.select(_whole(made))


def _short(mean: pl.Expr) -> pl.Expr:
    return mean.cast(pl.Float32).cast(pl.Float64)


def _span(width_ns: int) -> pl.Expr:
    return (pl.col("ts") // width_ns * width_ns).alias("span")
