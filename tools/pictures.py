"""The pictures of the documentation: the page as a real browser shows it, with a live car behind.

.venv/bin/python tools/pictures.py          # make pictures; needs Debian's chromium
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DOOR = {"width": 760, "height": 620}
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SHOTS = (
    ("cockpit-light", {"viewport": DESKTOP, "locale": "en-GB", "color_scheme": "light"}),
    ("cockpit-dark", {"viewport": DESKTOP, "locale": "zh-CN", "color_scheme": "dark"}),
    ("phone", {"viewport": PHONE, "locale": "en-GB", "color_scheme": "dark"}),
)
WAIT_MS = 60_000
DRIVE_MS = 25_000


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "contactor.app.main", "run", "--port", "0"]
        process = subprocess.Popen(
            [*command, "--data", str(Path(folder) / "data")], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            link = next(line for line in process.stdout if line.startswith("first owner "))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
                )
                session = _first_owner(browser, link.split()[-1], PICTURES / "first-owner.png")
                for name, options in SHOTS:
                    given = {**options, "storage_state": session}
                    _take(browser, link.split()[-1], PICTURES / f"{name}.png", given)
                browser.close()
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()
    return 0


def _first_owner(browser: Browser, link: str, path: Path) -> object:
    """Become the owner by the link; the session."""
    context = browser.new_context(viewport=DOOR, locale="en-GB", color_scheme="light")
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Name").fill("Mia")
    page.get_by_label("Password").fill("correct horse battery")
    page.screenshot(path=path)
    print(path.relative_to(PICTURES.parents[1]))
    page.get_by_role("button", name="Become the owner").click()
    expect(page.get_by_test_id("vehicle-name")).to_be_visible(timeout=WAIT_MS)
    return context.storage_state()


def _take(browser: Browser, url: str, path: Path, options: dict[str, object]) -> None:
    page: Page = browser.new_context(**options).new_page()  # type: ignore[arg-type]  # as declared
    page.goto(url.partition("/first-owner")[0])
    for chart in ("chart-today", "chart-week"):
        expect(page.get_by_test_id(chart)).to_have_attribute("data-ready", "true", timeout=WAIT_MS)
    page.wait_for_timeout(DRIVE_MS)
    page.screenshot(path=path, full_page=options["viewport"] == DESKTOP)
    print(path.relative_to(PICTURES.parents[1]))


if __name__ == "__main__":
    sys.exit(main())
