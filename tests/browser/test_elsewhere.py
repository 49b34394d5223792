"""A real browser that was told to trust the instance's own authority, as a phone is; over TLS."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from tests.app.processes import RunningInstance, running
from tests.browser.conftest import FLAGS, PHONE, WAIT_MS

pytestmark = pytest.mark.processes

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    data = tmp_path_factory.mktemp("elsewhere") / "data"
    with running(data, "--host", "0.0.0.0", "--history-days", "0", has_login=True) as instance:
        yield instance


def trust(home: Path, certificate: Path) -> None:
    """Put a certificate where Chromium looks for those that its user trusts."""
    program = shutil.which("certutil")
    if program is None:
        pytest.skip("no certutil: apt-get install libnss3-tools")
    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True)
    for words in (
        ("-N", "--empty-password"),
        ("-A", "-n", "Contactor", "-t", "C,,", "-i", str(certificate)),
    ):
        subprocess.run([program, "-d", f"sql:{folder}", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def browsers(
    instance: RunningInstance, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Browser, Browser]]:
    """One that trusts the authority, and one that does not know it."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    homes = [tmp_path_factory.mktemp("home") for _ in range(2)]
    trust(homes[0], instance.data / "tls" / "authority.crt")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        knowing, strange = (
            playwright.chromium.launch(
                executable_path=program, args=FLAGS, env={**os.environ, "HOME": str(home)}
            )
            for home in homes
        )
        yield knowing, strange
        knowing.close()
        strange.close()


def test_phone_logs_in_over_tls_once_it_trusts_the_authority(
    instance: RunningInstance, browsers: tuple[Browser, Browser]
) -> None:
    told, code = instance.document()["elsewhere"], instance.document()["first_owner_url"]
    https, http = (re.sub(r"//.*:", "//localhost:", url) for url in
                   (told["urls"][0], told["certificate_url"]))  # fmt: skip
    knowing, strange = browsers
    unknown = strange.new_page()
    with pytest.raises(BrowserError, match="ERR_CERT_AUTHORITY_INVALID"):
        unknown.goto(https)
    context = knowing.new_context(viewport=PHONE, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page, complaints = context.new_page(), []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else 0)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(http)
    expect(page.get_by_text(told["sha256"][:23])).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="authority.crt").click()
    assert Path(download.value.path()).read_bytes()[:1] == b"\x30"
    page.goto(f"{https}/first-owner#{code.partition('#')[2]}")
    page.get_by_label("Name").fill("Mia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Become the owner").click()
    expect(page.get_by_test_id("connectivity")).to_have_attribute("data-state", "online")
    [cookie] = context.cookies()
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    assert page.url.startswith(https)
    assert not complaints
    context.close()
