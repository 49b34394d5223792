"""Fences as people draw them on a map: a GeoJSON file with one polygon (RFC 7946).

    fence = read_fence(Path("office.geojson"))
    fence.points                               # [(47.14, 9.52), ...]: latitude first, as ours are

What the file holds is a Polygon, a Feature of one, or a FeatureCollection of one such Feature.
"""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from contactor.cloud.journal.fences import FenceJson
from contactor.errors import UsageError

MAX_BYTES = 1_048_576

_Position: TypeAlias = Annotated[list[float], Meta(min_length=2)]  # longitude, latitude, ...


class _Polygon(Struct, tag="Polygon"):
    coordinates: list[list[_Position]]


class _Feature(Struct, tag="Feature"):
    geometry: _Polygon


class _Collection(Struct, tag="FeatureCollection"):
    features: list[_Feature]


_decoder = msgspec.json.Decoder(_Polygon | _Feature | _Collection)


def read_fence(path: Path) -> FenceJson:
    """The fence of a file.

    Raises:
        UsageError: there is no such file, or it holds anything but one polygon without holes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: over {MAX_BYTES} bytes")
        found = _decoder.decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; allowed: one GeoJSON Polygon") from error
    if isinstance(found, _Collection):
        if len(found.features) != 1:
            raise UsageError(f"{path}: {len(found.features)} features; allowed: one")
        found = found.features[0]
    polygon = found.geometry if isinstance(found, _Feature) else found
    if len(polygon.coordinates) != 1:
        raise UsageError(f"{path}: {len(polygon.coordinates)} rings; allowed: one, without holes")
    [ring] = polygon.coordinates
    points = [(position[1], position[0]) for position in ring]
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()  # RFC 7946, section 3.1.6: the last position repeats the first
    return FenceJson(points=points)
