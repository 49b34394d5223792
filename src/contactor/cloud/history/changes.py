"""Which rows of a vehicle are new in a snapshot of the lake.

    change = change_of(snapshot, "leaf", known, groups)
    change.from_ns               # the least instant of a new row; None where there is none

A part that was not seen before may hold new rows, unless a rewrite made it of flushes that all were
seen. With several writers flushes of one do not tell of those of another: there a rewrite is looked
at again, which costs time and changes no fact.
"""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from contactor.cloud.history.store import Known
from contactor.cloud.lake.parts import number_of
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.reading import read_parts
from contactor.cloud.lake.schema import KEY


@dataclass(frozen=True, slots=True)
class Change:
    """What a snapshot has that was not known.

    Fields:
        from_ns: the least instant of a new row of the vehicle.
        known: what is known when rows from then on were looked at.
    """

    from_ns: int | None
    known: Known


def change_of(
    snapshot: Snapshot, vehicle_id: str, known: Known | None, groups: Collection[str]
) -> Change:
    """What is new of one vehicle, in those groups."""
    before = known or Known()
    named = {
        _name(part): part
        for part in snapshot.parts
        if part.group in groups and part.may_hold(vehicle_id, None, None)
    }
    new = [part for name, part in named.items() if not _is_seen(name, part, snapshot, before)]
    after = Known(max(before.flush, snapshot.flush), frozenset(named), before.dirty_ns)
    return Change(_least(new, vehicle_id), after)


def _is_seen(name: str, part: Part, snapshot: Snapshot, before: Known) -> bool:
    if name in before.parts:
        return True
    if not before.flush or not snapshot.flush or isinstance(part.source, pl.DataFrame):
        return False
    return number_of(name) <= before.flush


def _least(parts: list[Part], vehicle_id: str) -> int | None:
    """The least instant of a row of the vehicle."""
    if not parts:
        return None
    if all(part.vehicles == (vehicle_id, vehicle_id) for part in parts):
        return min(part.ts[0] for part in parts)
    rows = read_parts(parts, dict(KEY), pl.col("vehicle_id") == vehicle_id)
    least = rows["ts"].min()
    assert least is None or isinstance(least, int)
    return least


def _name(part: Part) -> str:
    """A name that no other part of the lake ever has."""
    if isinstance(part.source, pl.DataFrame):
        return f"{part.group}/{part.row_count}/{part.ts[0]}/{part.ts[1]}/{id(part.source)}"
    return str(part.source).rpartition("/")[2]
