"""The newest value of each signal of each vehicle, without reading the whole lake.

    for cell in newest(store.snapshot(), store.streams()):
        cell.vehicle_id, cell.path, cell.group, cell.ts, cell.value

Most are found in the last two hours before each vehicle's own last word: a group's heartbeat is an
hour at most (`signals.groups`). What is missing then is sought in the last two days, and at last in
older parts, of those signals alone. Each step opens at most `MAX_PARTS` files, the newest first, so
a signal told once and very long ago may stay unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.reading import event_values, read_parts
from contactor.cloud.lake.schema import EVENT, KEY, UNAVAILABLE, StreamState, storage_type, vss_type
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Value

WINDOWS_S = (2 * 3600, 48 * 3600, None)
MAX_PARTS = 2_000


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest cell of one signal of one vehicle; None for "not available"."""

    vehicle_id: str
    path: str
    group: Group
    ts: int
    value: Value | None


def newest(snapshot: Snapshot, streams: Sequence[StreamState]) -> list[Newest]:
    """The newest cell of every signal that was found.

    Raises:
        LakeError: the lake cannot be read.
    """
    missing: dict[str, set[str]] = {}
    until: dict[str, int] = {}
    for state in streams:
        if state.paths and state.last_ts is not None:
            missing.setdefault(state.vehicle_id, set()).update(_known(state.paths))
            until[state.vehicle_id] = max(state.last_ts, until.get(state.vehicle_id, 0))
    found: dict[tuple[str, str], Newest] = {}
    for window_s in WINDOWS_S:
        if not missing:
            break
        for group in Group:
            for cell in _search(snapshot, group, missing, until, window_s):
                key = (cell.vehicle_id, cell.path)
                if key not in found or cell.ts >= found[key].ts:
                    found[key] = cell
        missing = {
            vehicle_id: left
            for vehicle_id, paths in missing.items()
            if (left := {path for path in paths if (vehicle_id, path) not in found})
        }
    return list(found.values())


def _search(
    snapshot: Snapshot,
    group: Group,
    missing: Mapping[str, set[str]],
    until: Mapping[str, int],
    window_s: int | None,
) -> Iterator[Newest]:
    """The newest cells in one group of what is missing."""
    paths = sorted(set().union(*missing.values()))
    if group is not Group.EVENTS:
        paths = [path for path in paths if group in snapshot.groups.get(path, ())]
    names = sorted(missing)
    ends = np.array([until[name] for name in names], np.int64)
    starts = np.zeros_like(ends) if window_s is None else ends - window_s * NS_PER_S
    parts = _parts(snapshot, group, names, starts, ends)
    if not paths or not parts:
        return
    wanted = pl.col("vehicle_id").is_in(names) & (pl.col("ts") >= int(starts.min()))
    if group is Group.EVENTS:
        schema = KEY | EVENT | UNAVAILABLE
        rows = read_parts(parts, schema, wanted & pl.col("path").is_in(paths))
        yield from _events(rows.sort("ts", maintain_order=True), missing)
        return
    types = {path: storage_type(catalogue()[path].datatype) for path in paths}
    rows = read_parts(parts, KEY | types | UNAVAILABLE, wanted).sort("ts", maintain_order=True)
    for path in paths:
        yield from _column(rows, path, group, missing)


def _parts(
    snapshot: Snapshot,
    group: Group,
    names: Sequence[str],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> list[Part]:
    """The newest parts of the group that may hold a row in any vehicle's interval, as stored."""
    ids = np.array(names)
    chosen = []
    for place, part in enumerate(snapshot.parts):
        if part.group != group:
            continue
        may_hold = (starts <= part.ts[1]) & (ends >= part.ts[0])
        if part.vehicles is not None:
            low, high = part.vehicles
            may_hold &= (ids >= low) & (ids <= high)
        if may_hold.any():
            chosen.append((part.ts[1], place))
    newest_first = sorted(chosen, reverse=True)[:MAX_PARTS]
    return [snapshot.parts[place] for place in sorted(place for _, place in newest_first)]


def _column(
    rows: pl.DataFrame, path: str, group: Group, missing: Mapping[str, set[str]]
) -> Iterator[Newest]:
    told = pl.col(path).is_not_null() | pl.col("unavailable").list.contains(path).fill_null(False)
    value = pl.col(path).cast(vss_type(catalogue()[path].datatype)).alias("value")
    last = (
        rows.lazy()
        .select("vehicle_id", "ts", "unavailable", pl.col(path))
        .filter(told)
        .select("vehicle_id", "ts", value)
        .group_by("vehicle_id")
        .last()
        .collect()
    )
    for vehicle_id, ts, cell in last.iter_rows():
        if path in missing.get(vehicle_id, ()):
            yield Newest(vehicle_id, path, group, ts, _plain(cell))


def _events(rows: pl.DataFrame, missing: Mapping[str, set[str]]) -> Iterator[Newest]:
    last = rows.group_by("vehicle_id", "path").last()
    for (path,), cells in last.partition_by("path", as_dict=True).items():
        signal = catalogue()[str(path)]
        told = cells.select("vehicle_id", "ts", event_values(signal.path, signal.datatype))
        for vehicle_id, ts, cell in told.iter_rows():
            if signal.path in missing.get(vehicle_id, ()):
                yield Newest(vehicle_id, signal.path, Group.EVENTS, ts, _plain(cell))


def _plain(cell: object) -> Value | None:
    return tuple(cell) if isinstance(cell, list) else cell  # type: ignore[return-value]  # a cell


def _known(paths: Sequence[str]) -> list[str]:
    """Those of the catalogue; a newer Contactor may have stored others."""
    return [path for path in paths if path in catalogue()]
