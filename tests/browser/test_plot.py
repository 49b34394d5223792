"""The page that `contactor decode --plot FILE.html` writes, in a real browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from contactor.can.plot.html import draw
from contactor.can.plot.panels import panels_of
from contactor.can.plot.trace import Trace


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plot_page_draws_tells_values_and_zooms(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    speed, gear = Trace("km/h"), Trace()
    speed.add(np.arange(100) * 1_000_000_000, np.arange(100.0))
    gear.add(np.array([0, 50, 99]) * 1_000_000_000, np.array([0.0, 1.0, 1.0]))
    gear.texts = {0: "P", 1: "D"}
    panels = panels_of({"M.speed": speed, "M.gear": gear})
    (tmp_path / "drive.html").write_bytes(draw(panels, title="drive.log", is_dated=False))
    page = browser.new_page(viewport={"width": 1000, "height": 700}, color_scheme=scheme)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "drive.html").as_uri())

    canvas = page.locator("canvas").first
    box = canvas.bounding_box()
    assert box is not None
    colours = page.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.buffer)).size",
        canvas.element_handle(),
    )
    assert colours > 10
    # The axis begins 150 px from the left, where there are words, and ends 10 px from the right.
    room = box["width"] - 160
    page.mouse.move(box["x"] + 150 + room / 2, box["y"] + 50)
    expect(page.locator("#at")).to_have_text(re.compile(r"^49\.\d+ s$"))
    told = [text.strip() for text in page.locator("li b").all_inner_texts()]
    assert told == ["49 km/h", "P"]
    assert page.locator("#all").is_disabled()
    page.mouse.down()
    page.mouse.move(box["x"] + 150 + room * 0.75, box["y"] + 50, steps=3)
    page.mouse.up()
    expect(page.locator("#all")).to_be_enabled()
    assert page.evaluate("Math.round(from) + ' ' + Math.round(to)") in ("49 74", "50 74")
    page.locator("#all").click()
    expect(page.locator("#all")).to_be_disabled()
    assert page.evaluate("[from, to]") == [0, 99]
    page.close()
    assert asked == [(tmp_path / "drive.html").as_uri()]
    assert complaints == []
