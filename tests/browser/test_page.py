"""The page as somebody uses it: on a desk and on a phone, by day and by night, in two languages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, WAIT_MS

pytestmark = pytest.mark.processes

OpenPage = Callable[..., Page]
DOORS = ("Row1-DriverSide", "Row1-PassengerSide", "Row2-DriverSide", "Row2-PassengerSide")


def door(page: Page, name: str = DOORS[0]) -> Locator:
    return page.get_by_test_id(f"door-{name}")


def command(page: Page, path: str) -> Locator:
    """The newest command for a signal."""
    return page.locator(f'[data-testid="command"][data-path="{path}"]').first


def number(value: Locator) -> float:
    found = re.search(r"[−-]?\d+(\.\d+)?", value.inner_text())
    assert found, value.inner_text()
    return float(found[0].replace("−", "-"))


def test_speed_moves_while_the_car_drives(open_page: OpenPage) -> None:
    page = open_page("moving")
    speed = page.get_by_test_id("speed")
    expect(speed).to_have_attribute("data-stale", "false", timeout=WAIT_MS)
    seen = {speed.inner_text()}
    for _ in range(600):
        seen.add(speed.inner_text())
        if len(seen) > 2:
            break
        page.wait_for_timeout(100)
    assert len(seen) > 2, f"the speed stands at {seen}"
    expect(page.get_by_test_id("connectivity")).to_have_attribute("data-state", "online")


def test_charts_of_today_and_the_week_are_drawn(open_page: OpenPage) -> None:
    page = open_page("moving")
    for chart in ("chart-today", "chart-week"):
        expect(page.get_by_test_id(chart)).to_have_attribute("data-ready", "true", timeout=WAIT_MS)
        expect(page.get_by_test_id(chart).locator("canvas").first).to_be_visible()


def test_tap_on_lock_turns_the_drawing_once_the_bus_has_proven_it(open_page: OpenPage) -> None:
    page = open_page("standing")
    for button, is_locked in (("unlock-button", "false"), ("lock-button", "true")):
        page.get_by_test_id(button).click(timeout=WAIT_MS)
        for name in DOORS:
            expect(door(page, name)).to_have_attribute("data-locked", is_locked, timeout=WAIT_MS)
        path = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
        expect(command(page, path)).to_have_attribute("data-state", "done", timeout=WAIT_MS)
        page.wait_for_timeout(1_100)  # the guard lets a lock be moved once a second


def test_lock_while_driving_shows_its_reason(open_page: OpenPage) -> None:
    page = open_page("moving")
    speed = page.get_by_test_id("speed")
    expect(speed).to_have_attribute("data-stale", "false", timeout=WAIT_MS)
    for _ in range(1_200):
        if number(speed) > 30:  # so fast that it still drives when the tap arrives
            break
        page.wait_for_timeout(100)
    before = door(page).get_attribute("data-locked")
    button = page.get_by_test_id("unlock-button" if before == "true" else "lock-button")
    button.click(timeout=WAIT_MS)
    path = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
    expect(command(page, path)).to_have_attribute("data-state", "refused", timeout=WAIT_MS)
    expect(page.get_by_test_id("command-list")).to_contain_text("km/h")
    expect(door(page)).to_have_attribute("data-locked", before or "")


def test_charge_limit_is_set_by_keyboard_and_read_back(open_page: OpenPage) -> None:
    page = open_page("standing")
    slider = page.get_by_test_id("charge-limit-slider")
    expect(page.get_by_test_id("charge-limit-value")).to_have_attribute(
        "data-stale", "false", timeout=WAIT_MS
    )
    wanted = 75 if number(page.get_by_test_id("charge-limit-value")) != 75 else 85
    slider.fill(str(wanted))
    expect(page.get_by_test_id("charge-limit-value")).to_contain_text(str(wanted), timeout=WAIT_MS)
    path = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
    expect(command(page, path)).to_have_attribute("data-state", "done", timeout=WAIT_MS)


def test_climate_goes_on_and_off(open_page: OpenPage) -> None:
    page = open_page("standing")
    switch = page.get_by_test_id("climate-switch")
    path = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
    for _ in range(2):
        before = switch.get_attribute("aria-checked")
        switch.click(timeout=WAIT_MS)
        expect(command(page, path)).to_have_attribute("data-state", "done", timeout=WAIT_MS)
        expect(switch).not_to_have_attribute("aria-checked", before or "", timeout=WAIT_MS)
        page.wait_for_timeout(1_100)


def test_page_speaks_chinese_to_who_reads_chinese_and_switches(open_page: OpenPage) -> None:
    page = open_page("standing", locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN", timeout=WAIT_MS)
    expect(page.get_by_test_id("lock-button")).to_contain_text(re.compile("[\u4e00-\u9fff]"))
    page.get_by_test_id("language-toggle").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_test_id("lock-button")).to_contain_text(re.compile("lock", re.IGNORECASE))
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en", timeout=WAIT_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_page_fits_a_phone(open_page: OpenPage, scheme: str, locale: str, tmp_path: Path) -> None:
    page = open_page("moving", viewport=PHONE, color_scheme=scheme, locale=locale)
    expect(page.get_by_test_id("speed")).to_have_attribute("data-stale", "false", timeout=WAIT_MS)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    page.screenshot(path=tmp_path / f"{scheme}-{locale}.png", full_page=True)


def test_dark_and_light_differ_and_the_switch_is_kept(open_page: OpenPage) -> None:
    page = open_page("standing", color_scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    page.get_by_test_id("theme-toggle").click(timeout=WAIT_MS)
    assert page.evaluate(colour) != before
    after = page.evaluate(colour)
    page.reload()
    expect(page.get_by_test_id("theme-toggle")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate(colour) == after


def test_page_asks_nothing_of_anybody_else(open_page: OpenPage) -> None:
    asked: list[str] = []
    page = open_page("standing")
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_test_id("chart-week")).to_have_attribute(
        "data-ready", "true", timeout=WAIT_MS
    )
    origin = page.evaluate("location.origin")
    assert asked
    assert not [url for url in asked if not url.startswith((origin, "data:", "blob:"))]
