"""One vehicle, gone from a lake: its rows, sums, streams, gaps, codebooks and quarantined messages.

    erase(store, "leaf")

A rewrite per group and day leaves out what is the vehicle's; the streams go last, so that a vehicle
that is half erased is still known, and the erasure can be run again. Then replaced files and the
log behind a new checkpoint are deleted at once: statistics in the log name vehicles, too. Whoever
looks at an older snapshot meanwhile loses it and has to look anew.

Not beside an ingest that still hears of the vehicle: it would store it again.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.reading import read_parts
from contactor.cloud.lake.schema import BASE, QUARANTINE, STREAMS
from contactor.cloud.lake.tables import Table
from contactor.cloud.lake.upkeep.merge import by_vehicles, filled, joined
from contactor.cloud.lake.upkeep.plan import MAX_CELLS, TIERS
from contactor.cloud.lake.upkeep.tiers import ORDER
from contactor.errors import LakeError
from contactor.signals.groups import Group

_BY_VEHICLE: Final = (*Group, *TIERS)
_NAMING: Final = {name: BASE[name] for name in ("vehicle_id", "payload", "reason")}
_WORD: Final = rb"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Fields:
        rows: of signals. others: rows of sums and of bookkeeping.
        files: how many were deleted, with those that only named it.
    """

    rows: int
    others: int
    files: int


def erase(
    store: LakeKeeper,
    vehicle_id: str,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    max_cells: int = MAX_CELLS,
) -> Erased:
    """Remove everything of one vehicle, for good. Does nothing but the deleting if there is none.

    Raises:
        FolderFull, StaleWriter, LakeError: as the store; what is left can be erased by a new run.
    """
    tasks = _tasks(store.snapshot().parts, vehicle_id)
    done, total = 0, sum(part.row_count for parts in tasks.values() for part in parts)
    counts = {True: 0, False: 0}
    for (group, day, is_packed), parts in tasks.items():
        removed = _Removed(vehicle_id)
        tables = removed.tables(group, day, parts, max_cells)
        if not store.rewrite(parts, tables, is_packed=is_packed, is_change=True):
            raise LakeError(f"somebody else rewrote files meanwhile; erase {vehicle_id} again")
        counts[group in tuple(Group)] += removed.rows
        done += sum(part.row_count for part in parts)
        if on_progress is not None:
            on_progress(done, total)
    return Erased(counts[True], counts[False], store.vacuum(older_than_s=0))


def mentions(message: bytes, vehicle_id: str) -> bool:
    """Whether a message that could not be read names the vehicle.

    It stands alone, or behind the byte that tells its length (wire versions 1 and 2).
    """
    name = re.escape(vehicle_id.encode())
    length = len(vehicle_id)
    before = re.escape(bytes([length])) + rb"|\xd9" + re.escape(bytes([length]))
    alone = rb"(?<!" + _WORD + rb")" + name + rb"(?!" + _WORD + rb")"
    return re.search(rb"(?:" + before + rb")" + name + rb"|" + alone, message) is not None


def _tasks(
    parts: Sequence[Part], vehicle_id: str
) -> dict[tuple[str, date, bool], tuple[Part, ...]]:
    """The parts that are rewritten together, stream states last."""
    found: dict[tuple[str, date, bool], list[Part]] = defaultdict(list)
    for part in parts:
        found[part.group, part.day, part.is_packed].append(part)
    tasks: dict[tuple[str, date, bool], tuple[Part, ...]] = {}
    for key, some in sorted(found.items(), key=lambda item: (item[0][0] == STREAMS, item[0])):
        holding = [part for part in some if _holds(part, vehicle_id)]
        if holding:
            # Loose parts together, so that their order stays; packed ones are apart anyway.
            tasks[key] = tuple(holding if key[2] else some)
    return tasks


def _holds(part: Part, vehicle_id: str) -> bool:
    """Whether there is a row of the vehicle in a part, not only in its range."""
    if part.group == QUARANTINE:
        return _are_its(read_parts([part], _NAMING, pl.lit(value=True)), vehicle_id).any()
    if not part.may_hold(vehicle_id, None, None):
        return False
    its = pl.col("vehicle_id") == vehicle_id
    return not read_parts([part], {"vehicle_id": _NAMING["vehicle_id"]}, its).is_empty()


def _are_its(quarantined: pl.DataFrame, vehicle_id: str) -> pl.Series:
    """Which messages are the vehicle's, or of nobody known and name it."""
    columns = [
        quarantined[name] if name in quarantined.columns else [None] * quarantined.height
        for name in _NAMING
    ]
    named = [
        vehicle == vehicle_id
        if vehicle is not None
        else mentions((payload or b"") + b" " + (reason or "").encode(), vehicle_id)
        for vehicle, payload, reason in zip(*columns, strict=True)
    ]
    return pl.Series(named, dtype=pl.Boolean)


class _Removed:
    """Leaves one vehicle out, and counts its rows."""

    def __init__(self, vehicle_id: str) -> None:
        self._vehicle_id = vehicle_id
        self.rows = 0

    def tables(
        self, group: str, day: date, parts: Sequence[Part], max_cells: int
    ) -> Iterator[Table]:
        if group in _BY_VEHICLE:
            order = ORDER if group in TIERS else ("vehicle_id", "ts")
            frames = by_vehicles(parts, max_cells=max_cells, order=order)
        else:
            frames = iter([joined(parts)])
        for rows in frames:
            its = rows["vehicle_id"] == self._vehicle_id
            if group == QUARANTINE:
                its = _are_its(rows, self._vehicle_id)
            kept = rows.filter(~its)
            self.rows += rows.height - kept.height
            if not kept.is_empty():
                yield Table(group, day, filled(kept))
