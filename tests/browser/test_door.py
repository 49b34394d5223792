"""The door in a real browser: the first owner's link, logging in and out, a session's end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.processes import RunningInstance, running, wait_for
from tests.browser.conftest import DESKTOP, PHONE, WAIT_MS

pytestmark = pytest.mark.processes

PASSWORD = "correct horse battery"
WRONG = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RunningInstance]:
    """An instance that nobody owns yet."""
    with running(tmp_path / "data", "--history-days", "0", has_login=True) as instance:
        yield instance


@pytest.fixture
def open_at(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a browser of its own; what its console calls an error fails the test."""
    contexts, complaints = [], []

    def open_at(url: str, **options: object) -> Page:
        given = {"viewport": DESKTOP, "locale": "en-GB", "color_scheme": "light", **options}
        context = browser.new_context(**given)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else 0)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert set(complaints) <= {WRONG}


def stands(page: Page, words: str) -> None:
    expect(page.get_by_test_id("door")).to_have_attribute("data-stands", words)


def fill(page: Page, name: str, password: str, button: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button, exact=True).click()


def test_first_owner_comes_in_by_the_link_and_others_log_in(
    guarded: RunningInstance, open_at: Callable[..., Page]
) -> None:
    url, link = (guarded.document()[key] for key in ("url", "first_owner_url"))
    stands(open_at(url), "waiting")

    page = open_at(link, viewport=PHONE)
    stands(page, "first-owner")
    assert "#" not in page.url  # the code stays in no history
    fill(page, "Mia", PASSWORD, "Become the owner")
    expect(page.get_by_test_id("connectivity")).to_have_attribute("data-state", "online")
    page.reload()
    expect(page.get_by_test_id("vehicle-name")).to_have_text("demo")
    page.get_by_role("button", name="Log out Mia").click()
    stands(page, "login")
    wait_for(lambda: guarded.document()["first_owner_url"] is None, timeout_s=20, why="link closed")

    fill(page, "Mia", "another horse battery", "Log in")
    expect(page.get_by_role("alert")).to_have_text("name or password is wrong")
    fill(page, "mia", PASSWORD, "Log in")
    expect(page.get_by_test_id("connectivity")).to_have_attribute("data-state", "online")

    other = open_at(url, locale="zh-CN")
    stands(other, "login")
    expect(other.get_by_role("heading", name="登录")).to_be_visible()


def test_session_that_is_ended_leaves_the_page(
    guarded: RunningInstance, open_at: Callable[..., Page]
) -> None:
    url, link = (guarded.document()[key] for key in ("url", "first_owner_url"))
    page = open_at(link)
    fill(page, "Mia", PASSWORD, "Become the owner")
    expect(page.get_by_test_id("connectivity")).to_have_attribute("data-state", "online")

    secret = (guarded.data / "own-secret").read_text().strip()
    shown = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=f"{url}/api/v1/people/Mia", headers=shown, trust_env=False) as api:
        for session in api.get("/sessions").json()["items"]:
            assert api.delete(f"/opened/{session['id']}").status_code == 204
    stands(page, "login")
