import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contactor.errors import InvalidValue
from contactor.history.facts import Location
from contactor.history.geofence import (
    EARTH_RADIUS_M,
    LEAVE_MARGIN_M,
    Circle,
    Crossing,
    Polygon,
    distance_m,
    distance_to_m,
    holds,
    size_m,
    step,
)

VADUZ = Location(47.1410, 9.5209)
DATE_LINE = Location(-16.8, 179.9999)
POLE = Location(89.9999, 12.0)

anywhere = st.builds(Location, st.floats(-90, 90), st.floats(-180, 180))
middles = (
    st.sampled_from([VADUZ, DATE_LINE, POLE, Location(-90.0, 0.0), Location(0.0, 0.0)]) | anywhere
)
bearings = st.floats(0, 2 * math.pi)


def moved(start: Location, bearing_rad: float, way_m: float) -> Location:
    """The point so far away on a great circle."""
    angle = way_m / EARTH_RADIUS_M
    latitude, longitude = math.radians(start.latitude_deg), math.radians(start.longitude_deg)
    up = np.array([math.cos(latitude) * math.cos(longitude), 0.0, math.sin(latitude)])
    up[1] = math.cos(latitude) * math.sin(longitude)
    east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
    ahead = math.cos(bearing_rad) * np.cross(up, east) + math.sin(bearing_rad) * east
    x, y, z = math.cos(angle) * up + math.sin(angle) * ahead
    return Location(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def ring(middle: Location, radii_m: list[float]) -> Polygon:
    """A star-shaped polygon about a point."""
    count = len(radii_m)
    return Polygon(
        tuple(moved(middle, 2 * math.pi * n / count, way) for n, way in enumerate(radii_m))
    )


@given(middles, bearings, st.floats(0, 1_000_000))
def test_distance_is_the_way_that_was_gone(start: Location, bearing: float, way_m: float) -> None:
    assert distance_m(start, moved(start, bearing, way_m)) == pytest.approx(
        way_m, abs=0.2, rel=1e-6
    )


def test_distance_agrees_with_a_published_one() -> None:
    # Big Ben to the Statue of Liberty, the usual example of the haversine formula.
    london, new_york = Location(51.5007, -0.1246), Location(40.6892, -74.0445)
    assert distance_m(london, new_york) == pytest.approx(5_574_840, rel=1e-4)


@given(middles, bearings, st.floats(1, 100_000), st.floats(0, 2))
def test_circle_holds_what_is_within_its_radius(
    middle: Location, bearing: float, radius_m: float, share: float
) -> None:
    assume(abs(share - 1) * radius_m > 0.5)
    fence = Circle(middle, radius_m)
    assert holds(fence, moved(middle, bearing, share * radius_m)) == (share < 1)


@given(middles, st.lists(st.floats(50, 5_000), min_size=3, max_size=40), bearings, st.floats(0, 2))
def test_polygon_holds_what_a_plane_map_says(
    middle: Location, radii_m: list[float], bearing: float, share: float
) -> None:
    way_m = share * max(radii_m)
    fence = ring(middle, radii_m)
    here = moved(middle, bearing, way_m)
    distance = distance_to_m(fence, here)
    assume(abs(distance) > 1)
    angles = 2 * np.pi * np.arange(len(radii_m)) / len(radii_m)
    corners = np.array(radii_m)[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    point = way_m * np.array([math.sin(bearing), math.cos(bearing)])
    assert (distance < 0) == in_plane_polygon(corners, point)


def in_plane_polygon(corners: np.ndarray, point: np.ndarray) -> bool:
    """The even-odd rule, edge by edge."""
    is_inside = False
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if (y1 > point[1]) != (y2 > point[1]):
            is_inside ^= point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1
    return bool(is_inside)


@given(middles, st.floats(20, 50_000), st.floats(0, 3), bearings)
def test_polygon_of_many_points_is_as_far_as_its_circle(
    middle: Location, radius_m: float, share: float, bearing: float
) -> None:
    here = moved(middle, bearing, share * radius_m)
    circle, polygon = Circle(middle, radius_m), ring(middle, [radius_m] * 180)
    near = distance_to_m(circle, here)
    assert distance_to_m(polygon, here) == pytest.approx(near, abs=0.3 + radius_m / 1_000)
    assert size_m(polygon) == pytest.approx(radius_m, rel=0.01)


def test_step_says_each_crossing_once_while_the_receiver_jitters() -> None:
    fence = Circle(VADUZ, 100.0)
    ways = [300, 120, 101, 99, 103, 98, 130, 90, 0, 149, 151, 149, 101, 300]
    said, is_inside = [], None
    for way_m in ways:
        is_inside, crossing = step(fence, is_inside, moved(VADUZ, 1.0, way_m))
        said.append(crossing)
    assert [crossing for crossing in said if crossing] == [Crossing.ENTERED, Crossing.LEFT]
    assert said.index(Crossing.ENTERED) == 3
    assert said.index(Crossing.LEFT) == 10


@given(st.lists(st.floats(0, 300), min_size=1, max_size=60))
def test_step_enters_and_leaves_by_turns(ways_m: list[float]) -> None:
    fence, is_inside, said = Circle(VADUZ, 100.0), None, []
    for way_m in ways_m:
        before = is_inside
        is_inside, crossing = step(fence, is_inside, moved(VADUZ, 0.0, way_m))
        assert (crossing is not None) == (before is not None and before != is_inside)
        said += [crossing] if crossing else []
        if abs(way_m - 100) > 0.01:
            assert is_inside or way_m > 100
        assert not is_inside or way_m <= 100 + LEAVE_MARGIN_M + 0.01
    assert all(one != other for one, other in pairwise(said))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Circle(VADUZ, 0.0), "radius 0.0 m"),
        (lambda: Circle(VADUZ, math.nan), "radius nan m"),
        (lambda: Circle(Location(91.0, 0.0), 10.0), "latitude is -90 to 90"),
        (lambda: Polygon((VADUZ, POLE)), "of 2 points"),
        (lambda: Polygon((VADUZ, POLE, DATE_LINE)), "2,000 km apart"),
    ],
)
def test_fence_refuses_what_is_none(make: object, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        make()  # type: ignore[operator]  # each is a function of nothing
