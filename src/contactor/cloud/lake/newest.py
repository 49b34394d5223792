"""The newest value of each signal of each vehicle, without reading the whole lake.

    for column in newest(store.snapshot(), store.streams()):
        column.path, column.group, column.rows          # vehicle_id, ts, value

Most are found in the last two minutes before each vehicle's own last word, nearly all of the others
in two hours: a group's heartbeat is a minute at least and an hour at most (`signals.groups`). What
is missing then is sought in the last two days, and at last in older parts, of those signals alone.
Each step opens at most `MAX_PARTS` files, the newest first, so a signal told once and very long ago
may stay unknown.
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

WINDOWS_S = (120, 2 * 3600, 48 * 3600, None)
MAX_PARTS = 2_000


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest cells of one signal that came by one group.

    Fields:
        rows: `vehicle_id`, each once, `ts`, `value` in the signal's VSS type, null for "not
            available".
    """

    path: str
    group: Group
    rows: pl.DataFrame


def newest(snapshot: Snapshot, streams: Sequence[StreamState]) -> Iterator[Newest]:
    """The newest cells of every signal that is found; where groups differ the later one counts.

    Raises:
        LakeError: the lake cannot be read.
    """
    missing: dict[str, set[str]] = {}
    until: dict[str, int] = {}
    for state in streams:
        if state.paths and state.last_ts is not None:
            for path in state.paths:
                missing.setdefault(path, set()).add(state.vehicle_id)
            until[state.vehicle_id] = max(state.last_ts, until.get(state.vehicle_id, 0))
    # A newer Contactor may have stored others.
    missing = {path: names for path, names in missing.items() if path in catalogue()}
    for window_s in WINDOWS_S:
        found: dict[str, set[str]] = {}
        for group in Group if missing else ():
            for column in _search(snapshot, group, missing, until, window_s):
                if column.rows.height:
                    found.setdefault(column.path, set()).update(column.rows["vehicle_id"])
                    yield column
        missing = {
            path: left
            for path, names in missing.items()
            if (left := names - found.get(path, set()))
        }


def _search(
    snapshot: Snapshot,
    group: Group,
    missing: Mapping[str, set[str]],
    until: Mapping[str, int],
    window_s: int | None,
) -> Iterator[Newest]:
    """The newest cells in one group of what is missing."""
    paths = sorted(missing)
    if group is not Group.EVENTS:
        paths = [path for path in paths if group in snapshot.groups.get(path, ())]
    names = sorted(set().union(*missing.values()))
    ends = np.array([until[name] for name in names], np.int64)
    starts = np.zeros_like(ends) if window_s is None else ends - window_s * NS_PER_S
    parts = _parts(snapshot, group, names, starts, ends)
    if not paths or not parts:
        return
    own_start = pl.col("vehicle_id").replace_strict(
        names, starts.tolist(), default=None, return_dtype=pl.Int64
    )
    wanted = (pl.col("ts") >= int(starts.min())) & (pl.col("ts") >= own_start)
    if group is Group.EVENTS:
        schema = KEY | EVENT | UNAVAILABLE
        rows = read_parts(parts, schema, wanted & pl.col("path").is_in(paths))
        yield from _events(rows.sort("ts", maintain_order=True), missing)
        return
    types = {path: storage_type(catalogue()[path].datatype) for path in paths}
    rows = read_parts(parts, KEY | types | UNAVAILABLE, wanted).sort("ts", maintain_order=True)
    for path in paths:
        yield Newest(path, group, _told(rows, path, missing[path]))


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


def _told(rows: pl.DataFrame, path: str, missing: set[str]) -> pl.DataFrame:
    """The last cell of each vehicle that is missing it, of rows by `ts`."""
    is_told = pl.col(path).is_not_null() | (
        pl.col("unavailable").list.contains(path).fill_null(False)
    )
    value = pl.col(path).cast(vss_type(catalogue()[path].datatype)).alias("value")
    return (
        rows.lazy()
        .select("vehicle_id", "ts", "unavailable", pl.col(path))
        .filter(is_told & pl.col("vehicle_id").is_in(list(missing)))
        .select("vehicle_id", "ts", value)
        .group_by("vehicle_id")
        .last()
        .collect()
    )


def _events(rows: pl.DataFrame, missing: Mapping[str, set[str]]) -> Iterator[Newest]:
    last = rows.group_by("vehicle_id", "path").last()
    for (path,), cells in last.partition_by("path", as_dict=True).items():
        signal = catalogue()[str(path)]
        value = event_values(signal.path, signal.datatype).alias("value")
        is_missing = pl.col("vehicle_id").is_in(list(missing[signal.path]))
        told = cells.filter(is_missing).select("vehicle_id", "ts", value)
        yield Newest(signal.path, Group.EVENTS, told)
