import json
from pathlib import Path

import pytest

from contactor.app.fence_file import MAX_BYTES, read_fence
from contactor.errors import UsageError

RING = [[9.52, 47.14], [9.53, 47.14, 450.0], [9.53, 47.15], [9.52, 47.14]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
FEATURE = {"type": "Feature", "properties": {"name": "site"}, "geometry": POLYGON}
COLLECTION = {"type": "FeatureCollection", "features": [FEATURE]}


@pytest.mark.parametrize("document", [POLYGON, FEATURE, COLLECTION])
def test_fence_is_the_one_polygon_latitude_first(tmp_path: Path, document: object) -> None:
    (tmp_path / "site.geojson").write_text(json.dumps(document))
    fence = read_fence(tmp_path / "site.geojson")
    assert fence.points == [(47.14, 9.52), (47.14, 9.53), (47.15, 9.53)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "allowed: one GeoJSON Polygon"),
        ("[]", "allowed: one GeoJSON Polygon"),
        ("{" * 100_000, "allowed: one GeoJSON Polygon"),
        ('{"type": "Point", "coordinates": [9.5, 47.1]}', "'Point'"),
        ('{"type": "Feature", "geometry": null}', "$.geometry"),
        ('{"type": "Feature", "geometry": {"type": "LineString"}}', "'LineString'"),
        ('{"type": "Polygon"}', "coordinates"),
        ('{"type": "Polygon", "coordinates": [[[9.5]]]}', "length >= 2"),
        ('{"type": "Polygon", "coordinates": [[["9.5", 47]]]}', "got `str`"),
        ('{"type": "Polygon", "coordinates": []}', "0 rings; allowed: one, without holes"),
        ('{"type": "Polygon", "coordinates": [[], []]}', "2 rings; allowed: one, without holes"),
        ('{"type": "FeatureCollection", "features": []}', "0 features; allowed: one"),
        (json.dumps(POLYGON) + " " * MAX_BYTES, f"over {MAX_BYTES} bytes"),
    ],
)
def test_what_is_no_polygon_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "site.geojson").write_text(text)
    with pytest.raises(UsageError) as told:
        read_fence(tmp_path / "site.geojson")
    assert str(told.value).startswith(str(tmp_path / "site.geojson"))
    assert words in str(told.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for place, words in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(UsageError, match=words):
            read_fence(place)
