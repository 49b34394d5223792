"""A car whose agent is killed: its values look stale within their limit, and come back with it."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from contactor.link.broker import read_url
from tests.app.processes import CONTACTOR, wait_for
from tests.browser.conftest import DESKTOP, WAIT_MS

pytestmark = pytest.mark.processes

CAR = "virtual:contactor_ev?vehicle=demo&plan=drive"


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*CONTACTOR, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def test_killed_agent_makes_the_values_look_stale_and_they_recover(
    browser: Browser, tmp_path: Path
) -> None:
    cloud, car = tmp_path / "cloud", tmp_path / "car"
    with started("serve", "--data", cloud, "--port", "0") as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().split()[-1]
        link = read_url(cloud / "broker")
        agent = ("agent", "--data", car, "--link", link, "--car", CAR, "--history-days", "0")
        context = browser.new_context(viewport=DESKTOP, locale="en-GB")
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        with started(*agent) as driving:
            wait_for(_answers(url), timeout_s=60, why="the car is known")
            page.goto(url)
            speed = page.get_by_test_id("speed")
            expect(speed).to_have_attribute("data-stale", "false", timeout=WAIT_MS)
            driving.kill()
            driving.wait(timeout=60)
            expect(speed).to_have_attribute("data-stale", "true", timeout=WAIT_MS)
            expect(page.get_by_test_id("power")).to_have_attribute("data-stale", "true")
        with started(*agent):
            expect(speed).to_have_attribute("data-stale", "false", timeout=WAIT_MS)
        context.close()


def _answers(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        page = httpx.get(f"{url}/api/v1/vehicles", trust_env=False, timeout=60).json()
        return bool(page["items"])

    return answers
