"""Which message of a plan an id means, for many ids at once.

    identities = Identities(plan.messages)
    identities.places_of(keys_of(frames, rows))      # (n,), places in the plan, NO_PLACE of none

What is of one bus alone counts more than what is of any; the id itself more than its J1939
parameter group. Ids are keys: bus, kind of id and id in one number.

    63      40 39  32 31        30   0
    (any: -1)   bus   extended    id
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FrameTable
from contactor.can.j1939 import (
    SOURCE_MASK,
    nearest,
    parameter_group,
    parameter_groups,
    source_address,
)
from contactor.can.plan import MessagePlan

NO_PLACE = -1
BUS_SHIFT, EXTENDED_SHIFT = 32, 31
ANY_BUS = -1
ID_MASK = (1 << EXTENDED_SHIFT) - 1
KEY_MASK = (1 << BUS_SHIFT) - 1
SOURCES = 256
SOURCE_SHIFT = 8
# Beyond 29 bits: an id of which nothing but its source is any message's.
NOBODYS_ID = 1 << 29


def keys_of(frames: FrameTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The keys of some frames, (n,)."""
    keys = frames.bus[rows].astype(np.int64) << BUS_SHIFT
    keys |= frames.is_extended[rows].astype(np.int64) << EXTENDED_SHIFT
    return keys | frames.can_id[rows]


class Identities:
    """The ids and the parameter groups of a plan's messages."""

    def __init__(self, messages: Sequence[MessagePlan]) -> None:
        places: dict[int, int] = {}
        groups: dict[int, list[int]] = {}
        for place, message in enumerate(messages):
            places.setdefault(_key(message.bus, message.can_id, message.is_extended), place)
            if message.is_j1939 and message.is_extended:  # a whole file may be called J1939
                group = _key(message.bus, parameter_group(message.can_id))
                groups.setdefault(group, []).append(message.can_id)
        by_source: dict[int, int] = {}
        by_group: dict[int, int] = {}
        for group, ids in groups.items():
            bus = group >> BUS_SHIFT
            sources = {source_address(can_id) for can_id in ids}
            for source in sources:
                place = places[_key(bus, _nearest(source, ids), is_extended=True)]
                by_source[group << SOURCE_SHIFT | source] = place
            other = min(set(range(SOURCES)) - sources, default=0)
            by_group[group] = places[_key(bus, _nearest(other, ids), is_extended=True)]
        self._ids = _Table.of(places)
        self._by_source = _Table.of(by_source)
        self._by_group = _Table.of(by_group)

    def places_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place of each key's message, (n,)."""
        buses, ids = keys >> BUS_SHIFT, keys & ID_MASK
        any_bus = np.full_like(buses, ANY_BUS)
        places = np.full(len(keys), NO_PLACE, np.int64)
        for wanted in (buses, any_bus):
            self._ids.fill(places, wanted << BUS_SHIFT | keys & KEY_MASK)
        if not len(self._by_group.keys):
            return places
        is_open = (places == NO_PLACE) & (keys >> EXTENDED_SHIFT & 1 == 1)
        rows = np.flatnonzero(is_open)
        found = places[rows]
        groups, sources = parameter_groups(ids[rows]), ids[rows] & SOURCE_MASK
        for wanted in (buses[rows], any_bus[rows]):
            of_group = wanted << BUS_SHIFT | groups
            self._by_source.fill(found, of_group << SOURCE_SHIFT | sources)
            self._by_group.fill(found, of_group)
        places[rows] = found
        return places


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Keys, ascending, and the place of each."""

    keys: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, places: Mapping[int, int]) -> Self:
        keys = np.array(sorted(places), np.int64)
        return cls(keys, np.array([places[key] for key in keys.tolist()], np.int64))

    def fill(self, places: NDArray[np.int64], wanted: NDArray[np.int64]) -> None:
        """Put the places of the wanted keys where there is none yet."""
        if not len(self.keys):
            return
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        is_found = (self.keys[at] == wanted) & (places == NO_PLACE)
        places[is_found] = self.places[at[is_found]]


def _key(bus: int | None, number: int, is_extended: bool = False) -> int:
    """The key of an id, or of a group."""
    return (ANY_BUS if bus is None else bus) << BUS_SHIFT | is_extended << EXTENDED_SHIFT | number


def _nearest(source: int, ids: Sequence[int]) -> int:
    """Which of a group's ids stands for frames of a source."""
    found = nearest(NOBODYS_ID | source, ids)
    if found is None:
        raise ValueError("a parameter group has an id at least")
    return found
