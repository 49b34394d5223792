"""Coming in, in a real browser: by a passkey, a second factor, an invitation, a reset link.

The passkeys are made by the browser's own virtual authenticator (WebDriver's, by its protocol).
"""

import functools
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import CDPSession, Page, Request, expect

from tests.app.processes import RunningInstance, contactor, running
from tests.browser.test_door import open_at, stands  # noqa: F401  # the same browser

pytestmark = pytest.mark.processes

PASSWORD, ANOTHER = "correct horse battery", "purple monkey dishwasher"
OpenAt = Callable[..., Page]
REGISTER = """async (name) => {
  const headers = { 'content-type': 'application/json' }
  const post = (path, body) =>
    fetch(`/api/v1/passkeys${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    await (await post('/options', {})).json())
  const credential = (await navigator.credentials.create({ publicKey })).toJSON()
  return (await post('', { name, credential })).status
}"""
SHOW = """async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  return (await navigator.credentials.get({ publicKey })).toJSON()
}"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance without a car; Mia owns it."""
    data: Path = tmp_path_factory.mktemp("guarded") / "data"
    with running(data, command="serve", has_login=True) as instance:
        code = str(instance.document()["first_owner_url"]).partition("#")[2]
        first = {"code": code, "name": "Mia", "password": PASSWORD}
        url = f"{instance.document()['url']}/api/v1/first-owner"
        assert httpx.post(url, json=first, trust_env=False).status_code == 201
        yield instance


@pytest.fixture(scope="module")
def owner(guarded: RunningInstance) -> Iterator[httpx.Client]:
    """What the owner of its data folder may ask."""
    own = {"authorization": f"Bearer {(guarded.data / 'own-secret').read_text().strip()}"}
    url = f"{guarded.document()['url']}/api/v1"
    with httpx.Client(base_url=url, headers=own, trust_env=False, timeout=60) as client:
        yield client


def added(owner: httpx.Client, name: str) -> None:
    body = {"name": name, "password": PASSWORD, "roles": [{"role": "viewer"}]}
    assert owner.post("/people", json=body).status_code == 201


def link_of(instance: RunningInstance, *words: str) -> str:
    """The link that a command prints, first."""
    ended = contactor("user", *words, "--data", instance.data)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()[0]


def authenticator(page: Page) -> tuple[CDPSession, str]:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    asked = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": asked})
    return session, made["authenticatorId"]


def is_in(page: Page) -> None:
    expect(page.get_by_test_id("log-out")).to_be_visible()
    expect(page.get_by_test_id("door")).to_have_count(0)


def with_passkey(owner: httpx.Client, page: Page, name: str) -> tuple[CDPSession, str]:
    """Somebody new logs in, makes a passkey, and logs out."""
    added(owner, name)
    stands(page, "login")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    is_in(page)
    made = authenticator(page)
    assert page.evaluate(REGISTER, "Phone") == 201
    page.get_by_test_id("log-out").click()
    stands(page, "login")
    return made


@pytest.mark.parametrize(
    ("locale", "name", "words"),
    [("en-GB", "Ann", "Log in with a passkey"), ("zh-CN", "安", "使用通行密钥登录")],
)
def test_who_has_a_passkey_comes_in_by_it_and_only_once(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
    locale: str,
    name: str,
    words: str,
) -> None:
    url = str(guarded.document()["url"])
    page = open_at(url, locale=locale)
    with_passkey(owner, page, name)
    sent: list[Request] = []
    page.on("request", lambda one: sent.append(one) if "/session/passkey" in one.url else None)
    page.get_by_role("button", name=words).click()
    is_in(page)
    asked = page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")
    assert asked["name"] == name

    shown = sent[-1].post_data
    origin = {"origin": url, "content-type": "application/json"}
    again = httpx.post(
        f"{url}/api/v1/session/passkey", content=shown, headers=origin, trust_env=False
    )
    assert (again.status_code, again.cookies) == (401, {})
    assert "answered already" in again.json()["detail"]


def test_a_copied_passkey_is_refused_and_noted(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
) -> None:
    page = open_at(str(guarded.document()["url"]))
    session, number = with_passkey(owner, page, "Cem")
    page.get_by_role("button", name="Log in with a passkey").click()
    is_in(page)
    page.get_by_test_id("log-out").click()
    stands(page, "login")

    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]
    assert kept["signCount"] > 1
    session.send("WebAuthn.clearCredentials", {"authenticatorId": number})
    copy = {**kept, "signCount": 0}
    session.send("WebAuthn.addCredential", {"authenticatorId": number, "credential": copy})
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("it was copied")
    stands(page, "login")
    noted = owner.get("/audit").json()["items"]
    last = next(one for one in noted if one["what"] == "POST /session/passkey")
    assert last["outcome"] == "refused"
    assert "it was copied" in last["detail"]["reason"]
    assert last["detail"]["passkey"]


class Elsewhere(http.server.SimpleHTTPRequestHandler):
    """Another program's page on this machine."""

    def log_message(self, *_: object) -> None:
        """Nothing to see."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "index.html").write_text("<!doctype html><link rel=icon href='data:,'>")
    handler = functools.partial(Elsewhere, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_another_page_of_this_machine_gets_nobody_in(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
    elsewhere: str,
) -> None:
    url = str(guarded.document()["url"])
    page = open_at(url)
    with_passkey(owner, page, "Dan")
    own = {"origin": url}
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60) as outside:
        for origin in ({}, {"origin": "http://127.0.0.1:8080"}, {"origin": elsewhere}):
            refused = outside.post("/session/passkey/options", headers=origin)
            assert refused.status_code in (400, 403)
        options = outside.post("/session/passkey/options", headers=own).json()
        page.goto(elsewhere)
        shown: dict[str, Any] = page.evaluate(SHOW, options)  # the browser gives it: one host
        refused = outside.post("/session/passkey", json={"credential": shown}, headers=own)
        assert (refused.status_code, refused.cookies) == (401, {})
        assert refused.json()["detail"] == "this passkey lets nobody in"


def test_who_is_invited_comes_in_by_the_link_once(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
) -> None:
    link = link_of(guarded, "invite", "Eva", "--role", "guest", "--vehicle", "leaf")
    page = open_at(link)
    stands(page, "invited")
    assert "#" not in page.url
    expect(page.get_by_test_id("door")).to_contain_text("As guest of leaf.")
    expect(page.get_by_label("Name")).to_have_value("Eva")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Come in", exact=True).click()
    is_in(page)
    roles = owner.get("/people/Eva").json()["roles"]
    assert roles == [{"role": "guest", "vehicle_id": "leaf", "until": None}]
    again = open_at(link)
    stands(again, "ended")
    again.get_by_role("link", name="Log in").click()
    stands(again, "login")


def test_who_is_invited_needs_no_password(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
) -> None:
    page = open_at(link_of(guarded, "invite", "--role", "viewer"), locale="zh-CN")
    stands(page, "invited")
    expect(page.get_by_test_id("door")).to_contain_text("身份：查看者，车辆：所有车辆。")
    authenticator(page)
    page.get_by_label("名称").fill("飞")
    page.get_by_role("button", name="使用通行密钥进入").click()
    is_in(page)
    page.get_by_test_id("log-out").click()
    stands(page, "login")
    page.get_by_role("button", name="使用通行密钥登录").click()
    is_in(page)
    assert owner.get("/people/飞").json()["has_password"] is False


def test_a_password_is_chosen_by_a_link_and_a_code_is_wanted_still(
    guarded: RunningInstance,
    owner: httpx.Client,
    open_at: OpenAt,  # noqa: F811
) -> None:
    added(owner, "Gil")
    url = str(guarded.document()["url"])
    origin = {"origin": url}
    with httpx.Client(base_url=f"{url}/api/v1", headers=origin, trust_env=False) as gil:
        known = {"name": "Gil", "password": PASSWORD}
        assert gil.post("/session", json=known).status_code == 201
        codes = pyotp.TOTP(gil.post("/second-factor").json()["secret"])
        on = gil.post("/second-factor/confirm", json={"code": codes.now()})
        assert len(on.json()["recovery_codes"]) == 10
        answer = gil.post("/session", json=known)
        assert (answer.status_code, answer.cookies) == (202, {})

        page = open_at(link_of(guarded, "reset", "Gil"))
        stands(page, "reset")
        assert "#" not in page.url
        expect(page.get_by_label("Name")).to_have_value("Gil")
        page.get_by_label("Password").fill(ANOTHER)
        page.get_by_role("button", name="Choose it").click()
        stands(page, "code")
        assert gil.get("/sessions").status_code == 401  # ended by the reset

        expect(page.get_by_label("Code")).to_be_focused()
        page.get_by_label("Code").fill("abcd-efgh-ijkl-mnop")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("the code is wrong, or was used")
        page.get_by_label("Code").fill(codes.at(time.time(), counter_offset=1))
        page.get_by_role("button", name="Log in").click()
        is_in(page)
