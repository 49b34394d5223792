"""The rows of parts, a range of vehicles at a time, so that memory stays bounded.

    for rows in by_vehicles(parts, max_cells=8_000_000):
        ...             # all rows of those vehicles, by vehicle and ts, in stored order otherwise

Columns are the parts' own: also those of a catalogue that this version does not know.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.reading import columns_of, read_parts
from contactor.cloud.lake.schema import KEY, STREAMS
from contactor.cloud.lake.tables import newest

_ALWAYS: Final = (*KEY, "unavailable")


def by_vehicles(
    parts: Sequence[Part], *, max_cells: int, order: Sequence[str] = ("vehicle_id", "ts")
) -> Iterator[pl.DataFrame]:
    """The rows of `parts` in frames of whole vehicles, each of about `max_cells` at most.

    Columns in which nothing is known are left out, and read as null.
    """
    schema, vehicle = columns_of(parts), pl.col("vehicle_id")
    for low, high in _ranges(parts, max(max_cells // len(schema), 1)):
        some = [part for part in parts if part.vehicles is None or _crosses(part, low, high)]
        rows = read_parts(some, schema, (vehicle >= low) & (vehicle <= high))
        yield filled(rows).sort(order, maintain_order=True)


def joined(parts: Sequence[Part]) -> pl.DataFrame:
    """All rows of parts of one bookkeeping group, of which there is little, by vehicle.

    Of each vehicle, known or not, they are in stored order: the newest counts, whatever its clock.
    """
    rows = read_parts(parts, columns_of(parts), pl.lit(value=True))
    if parts[0].group == STREAMS:
        rows = newest(rows)
    return filled(rows.sort("vehicle_id", maintain_order=True))


def filled(rows: pl.DataFrame) -> pl.DataFrame:
    """Without the columns in which nothing is known."""
    counts = rows.count().row(0, named=True) if rows.width else {}
    return rows.select(name for name in rows.columns if counts[name] or name in _ALWAYS)


def vehicles_of(parts: Sequence[Part]) -> pl.DataFrame:
    """Each vehicle that has rows in `parts`, by id, and how many: `vehicle_id`, `rows`."""
    found = [
        read_parts([part], {"vehicle_id": KEY["vehicle_id"]}, pl.lit(value=True))["vehicle_id"]
        .value_counts(name="rows")
        .with_columns(pl.col("rows").cast(pl.Int64))
        for part in parts
    ]
    return pl.concat(found).group_by("vehicle_id").agg(pl.col("rows").sum()).sort("vehicle_id")


def _ranges(parts: Sequence[Part], max_rows: int) -> Iterator[tuple[str, str]]:
    first: str | None = None
    last, rows = "", 0
    for vehicle_id, count in vehicles_of(parts).iter_rows():
        if first is not None and rows + count > max_rows:
            yield first, last
            first, rows = None, 0
        first, last, rows = first or vehicle_id, vehicle_id, rows + count
    if first is not None:
        yield first, last


def _crosses(part: Part, low: str, high: str) -> bool:
    assert part.vehicles is not None
    return part.vehicles[0] <= high and part.vehicles[1] >= low
