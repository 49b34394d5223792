"""What the lake holds, read with Polars and deltalake alone, and held against the truth.

check(data, drives.truth)           # fails unless stored = produced less declared, exactly
"""

from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from tests.flow.drives import UNAVAILABLE

GROUPS = ("drive", "fast", "slow", "cells", "events")
KEY = ["vehicle_id", "group", "ts"]
CELL = [*KEY, "path", "value"]


def rows_settled(data: Path) -> int:
    """How many rows are stored, or declared as missing, by the newest commit's own account."""
    table = data / "lake" / "telemetry"
    if not DeltaTable.is_deltatable(str(table)):
        return 0
    streams = _group(data, "streams").group_by("vehicle_id", "stream")
    stored = streams.agg(pl.col("rows_stored").max())["rows_stored"].sum()
    return int(stored) + int(_group(data, "gaps")["row_count"].sum())


def check(data: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """The lake holds each value produced exactly once, less exactly what is declared.

    Returns:
        The declared gaps, as the lake keeps them.
    """
    quarantined = _group(data, "quarantine")
    assert quarantined.is_empty(), quarantined["reason"].to_list()
    stored = cells(data)
    twice = stored.filter(stored.is_duplicated())
    assert twice.is_empty(), f"stored twice:\n{twice}"
    strange = stored.join(truth, on=CELL, how="anti")
    assert strange.is_empty(), f"stored, but never produced:\n{strange}"
    missing = truth.join(stored, on=CELL, how="anti")
    gaps = _group(data, "gaps").filter(pl.col("row_count") > 0)
    _check_declared(missing, stored, gaps)
    assert rows_settled(data) == truth.select(KEY).n_unique()
    return gaps


def cells(data: Path) -> pl.DataFrame:
    """Every value in the lake: vehicle_id, group, ts, path, value."""
    long = [_long(_group(data, group)).with_columns(group=pl.lit(group)) for group in GROUPS]
    return pl.concat([frame.select(CELL) for frame in long])


def _check_declared(missing: pl.DataFrame, stored: pl.DataFrame, gaps: pl.DataFrame) -> None:
    """Every missing row lies in one gap; each gap spans as many as it says, and no stored one."""
    rows = missing.select(KEY).unique()
    for gap in gaps.iter_rows(named=True):
        is_inside = (pl.col("vehicle_id") == gap["vehicle_id"]) & pl.col("ts").is_between(
            gap["first_ts"], gap["last_ts"]
        )
        inside = rows.filter(is_inside)
        assert len(inside) == gap["row_count"], f"{len(inside)} rows are missing in {gap}"
        assert (inside["ts"].min(), inside["ts"].max()) == (gap["first_ts"], gap["last_ts"])
        assert stored.filter(is_inside).is_empty(), f"stored, though declared missing: {gap}"
        rows = rows.filter(~is_inside)
    assert rows.is_empty(), f"missing, and not declared:\n{rows.sort(KEY)}"


def _group(data: Path, group: str) -> pl.DataFrame:
    """All rows of a group in the newest version."""
    table = pl.scan_delta(str(data / "lake" / "telemetry"))
    return table.filter(pl.col("group") == group).collect()


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    """A row per value; what the car said is not available, too."""
    key = ["vehicle_id", "ts"]
    unavailable = rows.select(*key, path="unavailable").explode("path").drop_nulls("path")
    of_event = pl.coalesce("text", _text(pl.col("number"), pl.Float64()))
    events = rows.select(*key, "path", value=of_event).drop_nulls("path")
    parts = [unavailable.with_columns(value=pl.lit(UNAVAILABLE)), events]
    for path, datatype in rows.schema.items():
        if path.startswith("Vehicle."):
            part = rows.select(*key, path=pl.lit(path), value=_text(pl.col(path), datatype))
            parts.append(part.drop_nulls("value"))
    return pl.concat(parts)


def _text(column: pl.Expr, datatype: pl.DataType) -> pl.Expr:
    """A value as `drives.text_of` spells it."""
    if isinstance(datatype, pl.String):
        return column
    if isinstance(datatype, pl.List):
        return column.list.eval(pl.element().cast(pl.Float64).cast(pl.String)).list.join(" ")
    return column.cast(pl.Float64).cast(pl.String)
