"""A real browser on real instances: one car that drives without end, one that stands at home."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.app.processes import RunningInstance, running

DESKTOP = {"width": 1280, "height": 860}
WAIT_MS = 60_000
PHONE = {"width": 390, "height": 844}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; `.ci/run` installs it.

    Its driver keeps an event loop in this thread while it runs: no test of another module may.
    """
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """Two cars with a day behind them: `moving` drives without end, `standing` is at home."""
    with running(
        tmp_path_factory.mktemp("instance") / "data",
        *("--car", "virtual:contactor_ev?vehicle=moving&plan=drive"),
        *("--car", "virtual:contactor_ev?vehicle=standing&plan=parked&seed=2"),
        *("--history-days", "1"),
    ) as instance:
        yield instance


@pytest.fixture
def open_page(browser: Browser, instance: RunningInstance) -> Iterator[Callable[..., Page]]:
    """Opens the page of a car; whatever its console calls an error fails the test."""
    contexts, complaints = [], []

    def open_page(vehicle: str = "standing", **options: object) -> Page:
        given = {"viewport": DESKTOP, "locale": "en-GB", "color_scheme": "light", **options}
        context = browser.new_context(**given)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else 0)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{instance.document()['url']}/?vehicle={vehicle}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
