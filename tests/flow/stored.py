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
CELL_SCHEMA = {name: pl.Int64 if name == "ts" else pl.String for name in CELL}
NUMBERS = ("stream", "rows_stored", "row_count", "first_ts", "last_ts")
BOOKKEEPING = {"vehicle_id": pl.String, "reason": pl.String} | dict.fromkeys(NUMBERS, pl.Int64)


def rows_settled(data: Path) -> int:
    """How many rows are stored, or declared as missing, by the newest commit's own account."""
    files = _files(data)
    return _rows_stored(files) + int(_group(files, "gaps")["row_count"].sum())


def check(data: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """The lake holds each value produced exactly once, less exactly what is declared.

    Returns:
        The declared gaps, as the lake keeps them.
    """
    files = _files(data)
    quarantined = _group(files, "quarantine")
    assert quarantined.is_empty(), quarantined["reason"].to_list()
    stored = cells(data)
    twice = stored.filter(stored.is_duplicated())
    assert twice.is_empty(), f"stored twice:\n{twice}"
    strange = stored.join(truth, on=CELL, how="anti")
    assert strange.is_empty(), f"stored, but never produced:\n{strange}"
    missing = truth.join(stored, on=CELL, how="anti")
    gaps = _group(files, "gaps").filter(pl.col("row_count") > 0)
    _check_declared(missing, stored, gaps)
    assert rows_settled(data) == truth.select(KEY).n_unique()
    return gaps


def cells(data: Path) -> pl.DataFrame:
    """Every value in the lake: vehicle_id, group, ts, path, value."""
    files = _files(data)
    return pl.concat([_cells(files, group) for group in GROUPS])


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


def _files(data: Path) -> dict[str, list[str]]:
    """The files of the newest version, by group; none where there is no lake yet."""
    table = data / "lake" / "telemetry"
    files: dict[str, list[str]] = {}
    if DeltaTable.is_deltatable(str(table)):
        actions = pl.DataFrame(DeltaTable(str(table)).get_add_actions(flatten=True))
        for path, group in actions.select("path", "partition.group").iter_rows():
            files.setdefault(group, []).append(str(table / path))
    return files


def _frames(files: dict[str, list[str]], group: str) -> list[pl.DataFrame]:
    return [pl.read_parquet(file, hive_partitioning=False) for file in files.get(group, [])]


def _group(files: dict[str, list[str]], group: str) -> pl.DataFrame:
    """All rows of a group of bookkeeping."""
    return pl.concat([pl.DataFrame(schema=BOOKKEEPING), *_frames(files, group)], how="diagonal")


def _rows_stored(files: dict[str, list[str]]) -> int:
    streams = _group(files, "streams").group_by("vehicle_id", "stream")
    return int(streams.agg(pl.col("rows_stored").max())["rows_stored"].sum())


def _cells(files: dict[str, list[str]], group: str) -> pl.DataFrame:
    """The values of a group in long form; what the car said is not available, too."""
    frames = [_long(rows).with_columns(group=pl.lit(group)) for rows in _frames(files, group)]
    return pl.concat([pl.DataFrame(schema=CELL_SCHEMA), *(frame.select(CELL) for frame in frames)])


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    """vehicle_id, ts, path, value of one file."""
    key = ["vehicle_id", "ts"]
    unavailable = (
        rows.select(*key, path="unavailable")
        .explode("path")
        .drop_nulls("path")
        .with_columns(value=pl.lit(UNAVAILABLE))
    )
    if "path" in rows.columns:  # events: a row is one value
        said = rows.select(
            *key, "path", value=pl.coalesce("text", _text(pl.col("number"), pl.Float64()))
        )
        return pl.concat([said.drop_nulls("value"), unavailable])
    parts = [unavailable]
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
