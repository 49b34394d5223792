"""Fences, and the places that have them, as JSON: as they are kept and asked for.

{"latitude_deg": 47.14, "longitude_deg": 9.52, "radius_m": 100}
{"points": [[47.14, 9.52], [47.15, 9.52], [47.15, 9.53]]}
"""

import msgspec

from contactor.errors import InvalidValue
from contactor.history.facts import Location
from contactor.history.geofence import Circle, Fence, Polygon
from contactor.history.places import Place


class FenceJson(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A circle, by its centre and radius, or a polygon, by its points (latitude, longitude)."""

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    radius_m: float | None = None
    points: list[tuple[float, float]] | None = None


class KnownPlace(msgspec.Struct, frozen=True):
    """A place and its fence, and whether the owner drew it."""

    id: str
    name: str | None
    fence: FenceJson
    is_drawn: bool


class KnownPlaces(msgspec.Struct, frozen=True):
    """Every place that is known."""

    items: list[KnownPlace]


def known_place(place: Place) -> KnownPlace:
    """A place in the form that is told."""
    return KnownPlace(place.id, place.name, fence_json(place.fence), place.is_drawn)


def fence_json(fence: Fence) -> FenceJson:
    """A fence in the form that is kept."""
    if isinstance(fence, Polygon):
        return FenceJson(points=[(p.latitude_deg, p.longitude_deg) for p in fence.points])
    centre = fence.centre
    return FenceJson(centre.latitude_deg, centre.longitude_deg, fence.radius_m)


def fence_of(form: FenceJson) -> Fence:
    """The fence that a form means.

    Raises:
        InvalidValue: it is neither a circle nor a polygon, or none on the Earth.
    """
    circle = (form.latitude_deg, form.longitude_deg, form.radius_m)
    if form.points is not None and circle == (None, None, None):
        return Polygon(tuple(Location(*point) for point in form.points))
    latitude, longitude, radius = circle
    if form.points is not None or latitude is None or longitude is None or radius is None:
        raise InvalidValue("a fence is latitude_deg, longitude_deg, radius_m, or points alone")
    return Circle(Location(latitude, longitude), radius)
