"""Made-up roads: where the car is, how steep it is and how fast one may go, by distance driven.

A road goes smoothly through a few points (Catmull-Rom spline), winds a little, and is laid out anew
at every 25 m of its own length, so that a position is found by one division.

    way = load_scenario("commuter").way("home", "work")
    way.at(12_500.0)        # Point(latitude=47.23, longitude=9.49, altitude_m=446, ...)
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

SPACING_M = 25.0
# Metres in a degree of latitude: a quarter of the meridian, 10,001,966 m (WGS 84), over 90.
M_PER_DEGREE = 111_133.0
STEPS_PER_PIECE = 200
GRADE_MAX = 0.15

Place = str


class Point(NamedTuple):
    """A place on a road; the heading is clockwise from north, the grade a ratio."""

    latitude: float
    longitude: float
    altitude_m: float
    heading_deg: float
    grade: float


class Zone(NamedTuple):
    """A part of a road, up to `until_m` of it.

    Fields:
        stops_every_m: how far apart traffic lights and crossings are; 0 for none.
    """

    until_m: float
    limit_kmh: float
    stops_every_m: float


class Spot(NamedTuple):
    """A point that a road goes through."""

    latitude: float
    longitude: float
    altitude_m: float


class Way:
    """A road in one direction; laid out at every `SPACING_M`."""

    __slots__ = ("_grades", "_headings", "_last", "_spots", "length_m", "zones")

    def __init__(self, spots: Sequence[Spot], zones: Sequence[Zone]) -> None:
        """`spots` (n,) lie `SPACING_M` apart."""
        self._spots = list(spots)
        self._last = len(spots) - 1
        self.length_m = self._last * SPACING_M
        self.zones = tuple(zones)
        self._grades = _grades(self._spots)
        self._headings = _headings(self._spots)

    def at(self, distance_m: float) -> Point:
        """The point after `distance_m`; the ends hold beyond the ends."""
        place = min(max(distance_m / SPACING_M, 0.0), self._last - 1e-9)
        index = int(place)
        part = place - index
        (lat0, lon0, alt0), (lat1, lon1, alt1) = self._spots[index], self._spots[index + 1]
        heading, grade = self._headings[index], self._grades[index]
        return Point(
            lat0 + (lat1 - lat0) * part,
            lon0 + (lon1 - lon0) * part,
            alt0 + (alt1 - alt0) * part,
            (heading + (self._headings[index + 1] - heading) * part) % 360.0,
            grade + (self._grades[index + 1] - grade) * part,
        )

    def grades(self) -> list[float]:
        """At every `SPACING_M`, (n,)."""
        return self._grades

    def altitudes_m(self) -> list[float]:
        """At every `SPACING_M`, (n,)."""
        return [spot.altitude_m for spot in self._spots]

    def back(self) -> "Way":
        """The same road the other way."""
        starts = [0.0, *(zone.until_m for zone in self.zones[:-1])]
        turned = [
            zone._replace(until_m=self.length_m - start)
            for zone, start in zip(self.zones, starts, strict=True)
        ]
        return Way(self._spots[::-1], turned[::-1])

    def part(self, start_m: float, end_m: float) -> "Way":
        """The road between two distances, each a multiple of the spacing."""
        spots = self._spots[round(start_m / SPACING_M) : round(end_m / SPACING_M) + 1]
        zones = [
            zone._replace(until_m=min(zone.until_m, end_m) - start_m)
            for zone, begin_m in zip(
                self.zones, (0.0, *(zone.until_m for zone in self.zones)), strict=False
            )
            if zone.until_m > start_m and begin_m < end_m
        ]
        return Way(spots, zones)


def _grades(spots: Sequence[Spot]) -> list[float]:
    """Of each spot, from its neighbours; level at both ends, where cars are parked."""
    inner = [
        min(max((after.altitude_m - before.altitude_m) / (2 * SPACING_M), -GRADE_MAX), GRADE_MAX)
        for before, after in zip(spots, spots[2:], strict=False)
    ]
    return [0.0, *inner, 0.0]


def _headings(spots: Sequence[Spot]) -> list[float]:
    """Of each spot, in degrees, without jumps from 360 to 0."""
    headings: list[float] = []
    for before, after in pairwise(spots):
        east = (after.longitude - before.longitude) * math.cos(math.radians(before.latitude))
        heading = math.degrees(math.atan2(east, after.latitude - before.latitude))
        if headings:
            heading += 360.0 * round((headings[-1] - heading) / 360.0)
        headings.append(heading)
    return [*headings, headings[-1]]


# ── laying out ───────────────────────────────────────────────────────────────────────────────────


def lay_out(through: Sequence[Spot], *, wind_m: float, wave_m: float) -> list[Spot]:
    """Spots `SPACING_M` apart on a smooth road through the given ones.

    Args:
        wind_m, wave_m: how far it winds to each side, and how long a bend and its counter-bend are.
    """
    smooth = _wound(_spline(through), wind_m, wave_m)
    spots, left_m = [smooth[0]], SPACING_M
    for before, after in pairwise(smooth):
        length_m = distance_m(before, after)
        done_m = left_m
        while done_m <= length_m:
            spots.append(_between(before, after, done_m / length_m))
            done_m += SPACING_M
        left_m = done_m - length_m
    return spots


def distance_m(before: Spot, after: Spot) -> float:
    """Over ground, for spots that are near each other."""
    east = (after.longitude - before.longitude) * math.cos(math.radians(before.latitude))
    return math.hypot(east, after.latitude - before.latitude) * M_PER_DEGREE


def _between(before: Spot, after: Spot, part: float) -> Spot:
    return Spot(*(a + (b - a) * part for a, b in zip(before, after, strict=True)))


def _spline(through: Sequence[Spot]) -> list[Spot]:
    """A uniform Catmull-Rom spline: through every point, smooth in direction."""
    padded = [through[0], *through, through[-1]]
    line: list[Spot] = []
    for four in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(STEPS_PER_PIECE):
            part = step / STEPS_PER_PIECE
            line.append(Spot(*(_catmull_rom(*values, part) for values in zip(*four, strict=True))))
    return [*line, through[-1]]


def _catmull_rom(a: float, b: float, c: float, d: float, part: float) -> float:
    square = part * part
    return 0.5 * (
        2 * b
        + (c - a) * part
        + (2 * a - 5 * b + 4 * c - d) * square
        + (3 * b - a - 3 * c + d) * square * part
    )


def _wound(line: Sequence[Spot], wind_m: float, wave_m: float) -> list[Spot]:
    """The line, swinging to both sides of itself; its ends stay where they are."""
    lengths = [0.0]
    for before, after in pairwise(line):
        lengths.append(lengths[-1] + distance_m(before, after))
    total_m = lengths[-1]
    wound: list[Spot] = []
    for index, (spot, length_m) in enumerate(zip(line, lengths, strict=True)):
        before, after = line[max(index - 1, 0)], line[min(index + 1, len(line) - 1)]
        north = after.latitude - before.latitude
        shrink = math.cos(math.radians(spot.latitude))
        east = (after.longitude - before.longitude) * shrink
        size = math.hypot(north, east) or 1.0
        near_end = min(1.0, length_m / wave_m, (total_m - length_m) / wave_m)
        swing = near_end * math.sin(2 * math.pi * length_m / wave_m)
        side = wind_m * swing / M_PER_DEGREE / size
        wound.append(
            Spot(
                spot.latitude - side * east,
                spot.longitude + side * north / shrink,
                spot.altitude_m + 4.0 * near_end * math.sin(2 * math.pi * length_m / 1700.0),
            )
        )
    return wound
