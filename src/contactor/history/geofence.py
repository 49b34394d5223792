"""Fences on the Earth: a circle or a polygon, what lies in it, and when it is entered and left.

    home = Circle(Location(47.14, 9.52), radius_m=60.0)
    distance_to_m(home, here)                     # under 0 inside, else how far to its edge
    is_inside, crossing = step(home, was_inside, here)

Everything is counted on the sphere, from directions: neither the date line nor a pole is special.
A fence is entered at its edge, and left only `LEAVE_MARGIN_M` outside of it: a receiver that
jitters at the edge says neither over and over.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue
from contactor.history.facts import Location

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
LEAVE_MARGIN_M = 50.0  # a receiver among houses is off by as much
MAX_RADIUS_M = 2_000_000.0  # the Earth has another side: a fence there and here would be no fence
MAX_POINTS = 1_000

Vectors: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Circle:
    """All that is at most so far from a point.

    Raises:
        InvalidValue: no radius, or one over 2,000 km; or no point on the Earth.
    """

    centre: Location
    radius_m: float

    def __post_init__(self) -> None:
        _check(self.centre)
        if not 0 < self.radius_m <= MAX_RADIUS_M:
            raise InvalidValue(f"radius {self.radius_m} m; allowed is up to {MAX_RADIUS_M:.0f} m")


@dataclass(frozen=True, slots=True)
class Polygon:
    """All within a line of at least three points, the last joined to the first, in either sense.

    Raises:
        InvalidValue: too few points, over 1,000, over 2,000 km from the first, or not on the Earth.
    """

    points: tuple[Location, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.points) <= MAX_POINTS:
            raise InvalidValue(f"a polygon of {len(self.points)} points; allowed are 3 to 1,000")
        for point in self.points:
            _check(point)
            if distance_m(self.points[0], point) > MAX_RADIUS_M:
                raise InvalidValue("a polygon whose points are over 2,000 km apart")


Fence: TypeAlias = Circle | Polygon


class Crossing(StrEnum):
    """What a step over the edge of a fence was."""

    ENTERED = "entered"
    LEFT = "left"


def vectors(latitude_deg: Vectors, longitude_deg: Vectors) -> Vectors:
    """Directions from the centre of the Earth, of length 1, (n, 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=-1)


def vectors_of(points: tuple[Location, ...] | list[Location]) -> Vectors:
    """Directions of points, (n, 3)."""
    degrees = np.array([(p.latitude_deg, p.longitude_deg) for p in points], float).reshape(-1, 2)
    return vectors(degrees[:, 0], degrees[:, 1])


def location_of(vector: Vectors) -> Location:
    """The point in a direction (3,) of any length."""
    x, y, z = (float(part) for part in vector)
    return Location(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def distance_m(one: Location, other: Location) -> float:
    """The way between two points along the ground, m."""
    return float(distances_m(vectors_of((one,)), vectors_of((other,)))[0])


def distances_m(ones: Vectors, others: Vectors) -> Vectors:
    """The way between directions, m; exact for near and for opposite points."""
    chord = np.linalg.norm(ones - others, axis=-1)
    ways: Vectors = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1.0))
    return ways


def distance_to_m(fence: Fence, location: Location) -> float:
    """How far it is to the edge of a fence, m; under 0 inside."""
    if isinstance(fence, Circle):
        return distance_m(fence.centre, location) - fence.radius_m
    return _distance_to_polygon_m(fence, location)


def holds(fence: Fence, location: Location) -> bool:
    """Whether a point is in a fence; its edge is."""
    return distance_to_m(fence, location) <= 0


def step(
    fence: Fence,
    was_inside: bool | None,
    location: Location,
    *,
    leave_margin_m: float = LEAVE_MARGIN_M,
) -> tuple[bool, Crossing | None]:
    """Where a car is after one more position.

    Args:
        was_inside: what the step before said; None before the first.

    Returns:
        Whether it is inside, and the crossing if this was one. The first position is none.
    """
    distance = distance_to_m(fence, location)
    if was_inside is None:
        return distance <= 0, None
    if was_inside:
        is_out = distance > leave_margin_m
        return not is_out, Crossing.LEFT if is_out else None
    return distance <= 0, Crossing.ENTERED if distance <= 0 else None


def size_m(fence: Fence) -> float:
    """How big a fence is: the radius of the circle of its area, m."""
    if isinstance(fence, Circle):
        return fence.radius_m
    plane = _seen_from(middle_of(fence), fence.points)
    x, y = plane[:, 0], plane[:, 1]
    area_m2 = abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2
    return math.sqrt(area_m2 / math.pi)


def middle_of(fence: Fence) -> Location:
    """The centre of a circle, the mean of the points of a polygon."""
    if isinstance(fence, Circle):
        return fence.centre
    return location_of(vectors_of(fence.points).sum(axis=0))


def _distance_to_polygon_m(polygon: Polygon, location: Location) -> float:
    """Seen from the point itself, a polygon goes round it where it is inside."""
    corners = _seen_from(location, polygon.points)
    following = np.roll(corners, -1, axis=0)
    edge_m = _nearest_m(corners, following)
    x, y = corners[:, 0], corners[:, 1]
    turns = np.arctan2(
        x * following[:, 1] - y * following[:, 0], x * following[:, 0] + y * following[:, 1]
    )
    is_inside = round(float(turns.sum()) / (2 * math.pi)) % 2 != 0
    return -edge_m if is_inside else edge_m


def _nearest_m(starts: Vectors, ends: Vectors) -> float:
    """How far the nearest of some lines (n, 2) is from the origin."""
    along = ends - starts
    length = (along**2).sum(axis=1)
    share = np.divide(
        -(starts * along).sum(axis=1), length, out=np.zeros(len(length)), where=length > 0
    )
    nearest = starts + np.clip(share, 0.0, 1.0)[:, None] * along
    return float(np.sqrt((nearest**2).sum(axis=1)).min())


def _seen_from(origin: Location, points: tuple[Location, ...]) -> Vectors:
    """East and north of each point as seen from another, m, (n, 2): azimuthal equidistant."""
    longitude = math.radians(origin.longitude_deg)
    east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
    up = vectors_of((origin,))[0]
    north = np.cross(up, east)
    there = vectors_of(points)
    plane = np.stack([there @ east, there @ north], axis=1)
    flat = np.linalg.norm(plane, axis=1)
    way_m = distances_m(there, up[None, :])
    scale = np.divide(way_m, flat, out=np.zeros(len(flat)), where=flat > 0)
    seen: Vectors = plane * scale[:, None]
    return seen


def _check(location: Location) -> None:
    if not (-90 <= location.latitude_deg <= 90 and -180 <= location.longitude_deg <= 180):
        raise InvalidValue(
            f"no point on the Earth: {location.latitude_deg}, {location.longitude_deg}; "
            "latitude is -90 to 90, longitude -180 to 180"
        )
