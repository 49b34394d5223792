"""The web app as a browser gets it: types, caching, its policy, and what is not there."""

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.testing import TestClient

from contactor.faces.web.app import web_app_routes
from contactor.faces.web.problems import of_http_error

SCRIPT = "/assets/index-1a2b.js"
PAGE = "<!doctype html><title>Contactor</title>"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text(PAGE)
    (static / "favicon.svg").write_text("<svg/>")
    (static / ".built-from").write_text("0")
    (static / SCRIPT[1:]).write_text("export {}")
    (tmp_path / "secret.html").write_text("secret")
    return static


def serve(static: Path) -> TestClient[Litestar]:
    app = Litestar(
        web_app_routes(static),
        openapi_config=None,
        exception_handlers={HTTPException: of_http_error},
        logging_config=None,
    )
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/index.html", "/cars/demo"])
def test_page_is_asked_for_anew_each_time(static: Path, path: str) -> None:
    with serve(static) as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_page_may_load_from_its_origin_only(static: Path) -> None:
    with serve(static) as browser:
        policy = browser.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_assets_never_change(static: Path) -> None:
    with serve(static) as browser:
        answer = browser.get(SCRIPT)
        head = browser.head(SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-old.js",
        "/assets/none",
        "/robots.txt",
        "/.built-from",
        "/api",
        "/api/v1/none",
        "/assets/../../secret.html",
        "/%2e%2e/secret.html",
        "/assets/%2e%2e/%2e%2e/secret.html",
        "/%00",
        "/a" * 3_000 + ".js",
        "/" + "a" * 300 + ".html",
        "/assets/" + "a" * 300 + ".js",
    ],
)
def test_unknown_paths_are_problems(static: Path, path: str) -> None:
    with serve(static) as browser:
        answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_page_says_that_it_was_not_built(tmp_path: Path) -> None:
    with serve(tmp_path / "none") as browser:
        answer = browser.get("/")
    assert answer.status_code == 503
    assert "make web" in answer.text
