"""The battery certificate as a page and on paper."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.faces.report.battery_html import html
from contactor.faces.report.battery_pdf import pdf
from contactor.faces.report.drawing import Area, Dot, Line, draw
from contactor.history.battery.certificate import Bars, Curve, certificate_of
from contactor.history.battery.report import BatteryReport
from tests.history.battery.test_certificate import START_NS, made_report

WIDTH, HEIGHT = 400.0, 200.0
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_html_needs_nothing_from_elsewhere() -> None:
    page = html(certificate_of("demo", made_report(), made_ns=START_NS))
    assert "<script" not in page
    assert not re.search(r"(src|href|url)\s*[=(]", page)
    assert page.count("<svg") == 4
    assert "77.3 kWh" in page


def test_html_escapes_what_others_wrote() -> None:
    page = html(certificate_of("demo", made_report(), made_ns=START_NS, name="<b>&my car"))
    assert "&lt;b&gt;&amp;my car" in page


def test_pdf_is_a_small_file() -> None:
    pytest.importorskip("reportlab", reason="reportlab is not installed")
    file = pdf(certificate_of("demo", made_report(), made_ns=START_NS, name="<i>car & co"))
    assert file.startswith(b"%PDF-")
    assert len(file) < 100_000


def test_nothing_known_makes_a_page_too() -> None:
    one = certificate_of("demo", BatteryReport(), made_ns=START_NS)
    assert "not known" in html(one)
    assert pdf(one).startswith(b"%PDF-")


@given(values=st.lists(NUMBERS, min_size=1, max_size=120))
def test_bars_stay_in_their_frame(values: list[float]) -> None:
    labels = tuple(map(str, range(len(values))))
    assert_inside(Bars(title="", note="", labels=labels, values=tuple(values)))


@given(values=st.lists(NUMBERS, min_size=1, max_size=50), width=st.floats(0, 1e5))
def test_curves_stay_in_their_frame(values: list[float], width: float) -> None:
    curve = Curve(
        title="",
        note="",
        ts_ns=tuple(START_NS + index * 10**13 for index in range(len(values))),
        values=tuple(values),
        low=tuple(value - width for value in values),
        high=tuple(value + width for value in values),
        level=values[0],
    )
    assert_inside(curve)
    assert_inside(dataclasses.replace(curve, is_scattered=True))


def assert_inside(chart: Bars | Curve) -> None:
    for shape in draw(chart, width=WIDTH, height=HEIGHT):
        if isinstance(shape, Line | Area):
            points = shape.points
        elif isinstance(shape, Dot):
            points = (shape.at,)
        else:
            continue
        for x, y in points:
            assert -1e-6 <= x <= WIDTH + 1e-6
            assert -1e-6 <= y <= HEIGHT + 1e-6
