"""The picture of an anomaly's evidence."""

from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.history.anomalies.anomaly import MAX_POINTS, Evidence
from contactor.history.anomalies.plot import HEIGHT, WIDTH, evidence_svg

numbers = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))
SVG = "{http://www.w3.org/2000/svg}"


@given(
    values=st.lists(st.tuples(numbers, numbers, numbers), max_size=40),
    title=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40),
)
def test_picture_is_whole_and_within_its_frame(
    values: list[tuple[float, float, float]], title: str
) -> None:
    table = np.array(values, float).reshape(-1, 3)
    ts = np.arange(len(table)) * 10**12
    evidence = Evidence.of(title, "V", ts, table[:, 0], low=table[:, 1], high=table[:, 2])

    picture = ET.fromstring(evidence_svg(evidence))

    for line in [*picture.iter(f"{SVG}polyline"), *picture.iter(f"{SVG}polygon")]:
        for pair in line.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_long_series_are_thinned_to_their_ends() -> None:
    ts = np.arange(10_000)
    evidence = Evidence.of("x", "V", ts, ts.astype(float), high=3.0)

    assert len(evidence.ts) == MAX_POINTS
    assert (evidence.ts[0], evidence.ts[-1]) == (0, 9_999)
    assert set(evidence.high.tolist()) == {3.0}
