"""What early warnings are made of, read from the lake: some weeks of one car.

    seen = read_seen(lake, "leaf", now_ns)
    look(seen)

Cells are read day by day, and of each day only its medians stay.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from contactor.clock import NS_PER_DAY
from contactor.cloud.lake.lake import Lake
from contactor.history.anomalies.cells import CellDays, cell_days
from contactor.history.anomalies.look import CELLS, PATHS, Seen, Series
from contactor.history.facts import Facts
from contactor.signals.catalogue import catalogue

DAYS = 45
"""A baseline of some days, and a month in which something may creep."""
NO_FACTS = Facts(intervals=(), trips=(), charges=(), stands=())


def read_seen(lake: Lake, vehicle_id: str, now_ns: int, *, facts: Facts = NO_FACTS) -> Seen:
    """A car's last weeks.

    Raises:
        UnknownVehicle: nothing is stored of it.
        LakeError: the lake cannot be read.
    """
    stored = frozenset(lake.paths(vehicle_id))
    start_ns = now_ns - DAYS * NS_PER_DAY
    columns: dict[str, Series] = {}
    for paths in _by_group([path for path in PATHS if path in stored]):
        rows = lake.signals(vehicle_id, paths, start_ns, now_ns)
        columns |= {path: _series(rows, path) for path in paths}
    cells = _cells(lake, vehicle_id, start_ns, now_ns) if CELLS in stored else None
    return Seen(columns=columns, cells=cells, trips=facts.trips, stands=facts.stands)


def _by_group(paths: Sequence[str]) -> list[list[str]]:
    """Paths of one clock are rows of the same files."""
    found: dict[object, list[str]] = {}
    for path in paths:
        found.setdefault(catalogue()[path].group, []).append(path)
    return list(found.values())


def _series(rows: pl.DataFrame, path: str) -> Series:
    known = rows.select("ts", pl.col(path).cast(pl.Float64)).drop_nulls()
    return Series(known["ts"].to_numpy(), known[path].to_numpy())


def _cells(lake: Lake, vehicle_id: str, start_ns: int, now_ns: int) -> CellDays | None:
    parts: list[CellDays] = []
    first = start_ns // NS_PER_DAY * NS_PER_DAY
    for day_ns in range(first, now_ns, NS_PER_DAY):
        rows = lake.signals(vehicle_id, [CELLS], day_ns, day_ns + NS_PER_DAY).drop_nulls()
        part = _cells_of(rows)
        if part is not None and len(part.ts):
            parts.append(part)
    widths = [part.deviation_v.shape[1] for part in parts]
    same = [part for part, width in zip(parts, widths, strict=True) if width == widths[-1]]
    return CellDays.joined(same) if same else None


def _cells_of(rows: pl.DataFrame) -> CellDays | None:
    """The day's medians of the rows with as many cells as most have."""
    if rows.is_empty():
        return None
    lengths = rows[CELLS].list.len()
    count = int(lengths.mode()[0])
    if not count:
        return None
    whole = rows.filter(lengths == count)
    flat = whole[CELLS].explode().cast(pl.Float64).to_numpy()
    return cell_days(whole["ts"].to_numpy(), np.asarray(flat).reshape(-1, count))
