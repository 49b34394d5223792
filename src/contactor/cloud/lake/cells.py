"""The stored cells of signals, piece by piece: what summaries and pictures are made of.

for path, cells in told(view, selection):
    ...             # ts | value, null where the car said "not available"
"""

from collections.abc import Iterator

import polars as pl

from contactor.cloud.lake.reading import Selection, View, event_values, pieces
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group


def told(view: View, selection: Selection) -> Iterator[tuple[str, pl.DataFrame]]:
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
                is_told = pl.col(path).is_not_null() | pl.col("unavailable").list.contains(path)
                rows = piece.lazy().filter(is_told).select("ts", pl.col(path).alias("value"))
                yield path, rows.collect()


def _event_cells(piece: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (path,), rows in piece.partition_by("path", as_dict=True, maintain_order=True).items():
        value = event_values(str(path), catalogue()[str(path)].datatype)
        yield str(path), rows.select("ts", value.alias("value"))


def is_number(datatype: Datatype) -> bool:
    """Whether values have a mean."""
    return is_ordered(datatype) and datatype is not Datatype.BOOLEAN


def is_ordered(datatype: Datatype) -> bool:
    """Whether values have a least and a greatest one."""
    return not (datatype.is_array or datatype.is_text)
