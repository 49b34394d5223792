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
            line = next(line for line in process.stdout if line.startswith("ready "))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
                )
                for name, options in SHOTS:
                    _take(browser, line.split()[-1], PICTURES / f"{name}.png", options)
                browser.close()
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()
    return 0


def _take(browser: Browser, url: str, path: Path, options: dict[str, object]) -> None:
    page: Page = browser.new_context(**options).new_page()  # type: ignore[arg-type]  # as declared
    page.goto(url)
    for chart in ("chart-today", "chart-week"):
        expect(page.get_by_test_id(chart)).to_have_attribute("data-ready", "true", timeout=WAIT_MS)
    page.wait_for_timeout(DRIVE_MS)
    page.screenshot(path=path, full_page=options["viewport"] == DESKTOP)
    print(path.relative_to(PICTURES.parents[1]))


if __name__ == "__main__":
    sys.exit(main())
