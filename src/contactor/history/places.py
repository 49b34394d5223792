"""Places: where a car stops again and again, found from its stops, kept once found.

    found = find_places(locations, known=kept)
    found.at[3]                  # the place of the fourth stop
    found.new                    # to be kept, so that they are known next time

A place is a fence. One that was found is a circle of `RADIUS_M` and stays where it is: a later stop
joins it or begins another, and moves none. So a place keeps its id, a stop its place, and a street
of stops is many places, never one long one. What the owner drew wins over what was found; of drawn
fences that hold a stop the smallest, of found ones the oldest: their order is part of what is kept.
"""

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from contactor.history.facts import Location
from contactor.history.geofence import (
    EARTH_RADIUS_M,
    Circle,
    Fence,
    Vectors,
    distance_to_m,
    distances_m,
    location_of,
    middle_of,
    size_m,
    vectors_of,
)

RADIUS_M = 100.0
"""Two stops on one spot are that far apart at most where the receiver is off by 50 m."""
BLOCK = 4_096
"""As many stops are looked at together: the work at one spot grows with the square of its stops."""
_REACH_M = RADIUS_M - 0.001  # so that rounding leaves no member outside of its fence
_SETTLE_TURNS = 5
_NEARBY = tuple(product((-1, 0, 1), repeat=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where cars stop.

    Fields:
        id: stays its own for good.
        fence: what belongs to it.
        name: as the owner calls it.
        is_drawn: whether the fence is the owner's, not found.
    """

    id: str
    fence: Fence
    name: str | None = None
    is_drawn: bool = False

    @property
    def location(self) -> Location:
        return middle_of(self.fence)


@dataclass(frozen=True, slots=True)
class Found:
    """Stops by place.

    Fields:
        places: all that are known now, those known before first.
        new: those of them that were not.
        at: the place of each stop that was asked for.
    """

    places: tuple[Place, ...]
    new: tuple[Place, ...]
    at: tuple[Place, ...]


def find_places(locations: Sequence[Location], *, known: Sequence[Place] = ()) -> Found:
    """Give every stop its place; stops that no place holds make new ones, the busiest first.

    Up to `BLOCK` stops in any order make the same new places.
    """
    new: tuple[Place, ...] = ()
    at: list[Place] = []
    for start in range(0, len(locations), BLOCK):
        block = locations[start : start + BLOCK]
        index = PlaceIndex([*known, *new])
        held = [index.place_at(location) for location in block]
        left = [location for location, place in zip(block, held, strict=True) if place is None]
        made = _new_places(left, {place.id for place in (*known, *new)})
        index = PlaceIndex(made)
        whole = [place or index.place_at(one) for place, one in zip(held, block, strict=True)]
        at += [place for place in whole if place is not None]
        new += made
    return Found((*known, *new), new, tuple(at))


class PlaceIndex:
    """Finds the place that holds a point, among many."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._drawn = sorted((p for p in places if p.is_drawn), key=lambda p: size_m(p.fence))
        self._found = [place for place in places if not place.is_drawn]
        self._centres = vectors_of([place.location for place in self._found])
        self._radii_m = np.array([size_m(place.fence) for place in self._found])

    def place_at(self, location: Location) -> Place | None:
        """The place that holds it, or None."""
        for place in self._drawn:
            if distance_to_m(place.fence, location) <= 0:
                return place
        if not self._found:
            return None
        holds = distances_m(self._centres, vectors_of((location,))) <= self._radii_m
        first = int(np.argmax(holds))
        return self._found[first] if holds[first] else None


def _new_places(locations: Collection[Location], taken: Collection[str]) -> tuple[Place, ...]:
    """Circles round the busiest spots, each over stops that none before it holds."""
    stops = sorted(locations, key=lambda one: (one.latitude_deg, one.longitude_deg))
    grid = _Grid(vectors_of(stops))
    heap = [(-len(grid.near(spot)), number) for number, spot in enumerate(grid.vectors)]
    heapq.heapify(heap)
    ids, places = set(taken), []
    while heap:
        busy, number = heapq.heappop(heap)
        if not grid.is_left[number]:
            continue
        near = grid.near(grid.vectors[number])
        if len(near) < -busy:  # others took some of them meanwhile
            heapq.heappush(heap, (-len(near), number))
            continue
        centre, members = _settle(grid, number, near)
        grid.is_left[members] = False
        place = Place(id=_new_id(centre, ids), fence=Circle(centre, RADIUS_M))
        ids.add(place.id)
        places.append(place)
    return tuple(places)


def _settle(grid: "_Grid", seed: int, near: list[int]) -> tuple[Location, list[int]]:
    """The middle of the stops about a seed, moved while that takes in more; the seed stays in."""
    centre = grid.vectors[near].mean(axis=0)
    members = grid.near(centre)
    for _ in range(_SETTLE_TURNS):
        moved = grid.vectors[members].mean(axis=0)
        found = grid.near(moved)
        if len(found) <= len(members):
            break
        centre, members = moved, found
    if seed not in members:
        centre, members = grid.vectors[seed], near
    return location_of(centre), members


class _Grid:
    """Stops in cubes as wide as a place's radius: what is near lies in the cubes next to it."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors
        self.is_left = np.ones(len(vectors), bool)
        self._cells: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for number, cell in enumerate(map(self._cell, vectors)):
            self._cells[cell].append(number)

    def near(self, vector: Vectors) -> list[int]:
        """The stops within a place's reach that are left."""
        x, y, z = self._cell(vector)
        cells = [self._cells.get((x + a, y + b, z + c), ()) for a, b, c in _NEARBY]
        numbers = np.array([number for cell in cells for number in cell], int)
        numbers = numbers[self.is_left[numbers]]
        ways = distances_m(self.vectors[numbers], vector / np.linalg.norm(vector))
        return [int(number) for number in numbers[ways <= _REACH_M]]

    @staticmethod
    def _cell(vector: Vectors) -> tuple[int, ...]:
        return tuple(math.floor(part * EARTH_RADIUS_M / RADIUS_M) for part in vector)


def _new_id(centre: Location, taken: Collection[str]) -> str:
    """An id that the same place gets again, should all that is kept be lost."""
    text = f"{centre.latitude_deg:.6f} {centre.longitude_deg:.6f}"
    while True:
        found = hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
        if found not in taken:
            return found
        text += "'"
