"""Rows of a selection as one frame: wide or long.

    wide    ts | Vehicle.Speed | Vehicle.Cabin.DoorCount ...       one row per stored instant
    long    ts | path | value | text                               one row per stored value

Rows of different groups with the same ts become one wide row. Rows of one group with the same ts
stay apart: the nth of each group meet.

    drive   7 Speed=1        fast   7 Angle=5        wide   7 Speed=1 Angle=5
            7 Speed=2                                       7 Speed=2 Angle=null
"""

from collections.abc import Sequence

import polars as pl

from contactor.cloud.lake.frames import to_json
from contactor.cloud.lake.reading import Selection, View, event_values, pieces
from contactor.cloud.lake.schema import vss_type
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group

_NTH = "nth"  # no path is called so: each has a dot


def wide(view: View, selection: Selection) -> pl.DataFrame:
    """`ts` and a column per path of the selection, in its order."""
    frames = [frame.drop("unavailable") for frame in _wide_groups(view, selection)]
    events = _events(view, selection)
    if events is not None:
        frames.append(_pivot(events, selection.paths))
    rows = _merge(frames) if frames else pl.DataFrame(schema={"ts": pl.Int64})
    return rows.select(
        "ts",
        *(pl.col(path) if path in rows.columns else _nothing(path) for path in selection.paths),
    )


def long(view: View, selection: Selection) -> pl.DataFrame:
    """`ts`, `path`, `value`, `text`: a row per known value, and one without for "not available".

    Numbers and booleans (0, 1) are in `value`; text is in `text`, arrays there as JSON.
    """
    frames = [pl.DataFrame(schema=_LONG)]
    for group in _wide_groups(view, selection):
        frames.extend(_unpivot(group, path) for path in group.columns[1:-1])
    events = _events(view, selection)
    if events is not None:
        integers = pl.col("path").is_in(_of_type(selection.paths, Datatype.INT64))
        number = pl.when(integers).then(pl.col("text").cast(pl.Float64, strict=False))
        text = pl.when(~integers).then(pl.col("text"))
        frames.append(
            events.select(
                "ts", "path", number.otherwise(pl.col("number")).alias("value"), text.alias("text")
            )
        )
    return pl.concat(frames).sort("ts", maintain_order=True)


_LONG = {"ts": pl.Int64, "path": pl.String, "value": pl.Float64, "text": pl.String}


def _wide_groups(view: View, selection: Selection) -> list[pl.DataFrame]:
    groups = {group for path in selection.paths for group in view.groups_of(path)}
    found = []
    for group in Group:
        if group is Group.EVENTS or group not in groups:
            continue
        frames = list(pieces(view, selection, group))
        if frames:
            found.append(pl.concat(frames).sort("ts", maintain_order=True))
    return found


def _events(view: View, selection: Selection) -> pl.DataFrame | None:
    frames = list(pieces(view, selection, Group.EVENTS))
    return pl.concat(frames).sort("ts", maintain_order=True) if frames else None


def _nothing(path: str) -> pl.Expr:
    return pl.lit(None, vss_type(catalogue()[path].datatype)).alias(path)


def _of_type(paths: Sequence[str], datatype: Datatype) -> list[str]:
    return [path for path in paths if catalogue()[path].datatype is datatype]


# ── wide ─────────────────────────────────────────────────────────────────────────────────────────


def _merge(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames ordered by ts as one, the nth row of an instant with the nth of the others."""
    merged = frames[0]
    for frame in frames[1:]:
        if set(merged.columns[1:]) & set(frame.columns[1:]):
            # A signal that moved between groups: no row may hide another's value.
            merged = pl.concat([merged, frame], how="diagonal").sort("ts", maintain_order=True)
            continue
        joined = _numbered(merged).join(
            _numbered(frame), on=["ts", _NTH], how="full", coalesce=True
        )
        merged = joined.sort("ts", _NTH).drop(_NTH)
    return merged


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    repeats = (frame["ts"].diff() == 0).any()
    nth = pl.int_range(pl.len()).over("ts") if repeats else pl.lit(0, pl.Int64)
    return frame.with_columns(nth.alias(_NTH))


def _pivot(events: pl.DataFrame, paths: Sequence[str]) -> pl.DataFrame:
    """Long rows ordered by ts as wide ones, the nth value of an instant in its nth row."""
    numbered = events.with_columns(pl.int_range(pl.len()).over("ts", "path").alias(_NTH))
    rows = numbered.select("ts", _NTH).unique().sort("ts", _NTH)
    for path in paths:
        column = numbered.filter(pl.col("path") == path)
        if not column.is_empty():
            value = event_values(path, catalogue()[path].datatype)
            rows = rows.join(column.select("ts", _NTH, value), on=["ts", _NTH], how="left")
    return rows.sort("ts", _NTH).drop(_NTH)


# ── long ─────────────────────────────────────────────────────────────────────────────────────────


def _unpivot(frame: pl.DataFrame, path: str) -> pl.DataFrame:
    told = pl.col(path).is_not_null() | pl.col("unavailable").list.contains(path)
    rows = frame.select("ts", path, "unavailable").filter(told.fill_null(value=False))
    cells = rows[path]
    if isinstance(cells.dtype, pl.List):
        texts = [None if cell is None else to_json(cell) for cell in cells.to_list()]
        cells = pl.Series(path, texts, pl.String)
    value, text = (None, cells) if cells.dtype == pl.String else (cells.cast(pl.Float64), None)
    return rows.select(
        "ts",
        pl.lit(path).alias("path"),
        pl.lit(value, pl.Float64).alias("value"),
        pl.lit(text, pl.String).alias("text"),
    )
