"""Errors of the API are problem documents (RFC 9457), and say nothing of its inside."""

import asyncio
import logging
import re

import httpx
import pytest
from litestar import Request

from contactor.errors import FolderError, LakeError
from contactor.faces.web.problems import of_our_error
from tests.cloud.lake.samples import SPEED, store_drive
from tests.faces.web.conftest import Instance

SECRET = "/home/anna/lake"


@pytest.fixture
def leaf(instance: Instance) -> Instance:
    store_drive(instance.store, {SPEED: [1.0]})
    instance.start()
    return instance


def get(instance: Instance, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(instance.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(ask())


def check_problem(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert words in problem["detail"]


@pytest.mark.parametrize("tail", ["", "/summary", f"/signals?path={SPEED}"])
def test_vehicle_that_is_unknown_is_not_found(leaf: Instance, tail: str) -> None:
    check_problem(get(leaf, f"/api/v1/vehicles/elm{tail}"), 404, "'elm'")


def test_lake_that_cannot_be_read_is_our_failure(
    leaf: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LakeError("the lake cannot be read")

    monkeypatch.setattr(leaf.lake, "refresh", fail)
    check_problem(get(leaf, "/api/v1/vehicles/leaf/summary"), 500, "the lake cannot be read")


def test_nobody_who_is_not_in_is_told_what_failed_inside() -> None:
    scope = {"type": "http", "path": "/", "headers": [], "query_string": b"", "scheme": "http"}
    request = Request({**scope, "server": ("localhost", 80), "user": None, "state": {}})
    told = of_our_error(request, FolderError("postgresql://mia@db.example.org/cars: no"))
    assert (told.status_code, "postgresql" in told.content.detail) == (500, False)


def test_failure_that_nobody_foresaw_keeps_its_inside_for_the_log(
    leaf: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(leaf.lake, "refresh", fail)
    with caplog.at_level(logging.ERROR):
        answer = get(leaf, "/api/v1/vehicles/leaf/summary")
    check_problem(answer, 500, "the server failed; its log says why")
    assert SECRET not in answer.text
    assert SECRET in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/nothing", 404, "Not Found"),
        ("/api/v1/vehicles?limit=0", 400, "limit"),
        ("/api/v1/vehicles/leaf/signals", 400, "path is missing"),
        ("/api/v1/vehicles/leaf/summary?start=now", 400, "start='now'"),
    ],
)
def test_question_that_is_wrong_is_a_problem_of_the_asker(
    leaf: Instance, path: str, status: int, words: str
) -> None:
    check_problem(get(leaf, path), status, words)


def test_openapi_document_is_served_as_json(leaf: Instance) -> None:
    answer = get(leaf, "/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert "/api/v1/vehicles/{vehicle_id}" in answer.json()["paths"]


@pytest.mark.parametrize("root", ["/schema", "/_openapi", "/api/v1/openapi.json"])
@pytest.mark.parametrize("page", ["", "/scalar", "/swagger", "/redoc", "/elements", "/rapidoc"])
def test_no_page_loads_a_script_from_elsewhere(leaf: Instance, root: str, page: str) -> None:
    answer = get(leaf, root + page)
    sources = re.findall(r"<(?:script|link)\b[^>]*?(?:src|href)=\"([^\"]*)", answer.text)
    assert all(re.match(r"/\w|\./|data:", source) for source in sources), sources
    if root + page != "/api/v1/openapi.json" and root.startswith("/api"):
        assert answer.status_code == 404


def test_vehicles_that_are_named_are_listed_alone(leaf: Instance) -> None:
    store_drive(leaf.store, {SPEED: [1.0]}, vehicle_id="elm")
    leaf.start()
    page = get(leaf, "/api/v1/vehicles?vehicle=elm&vehicle=oak").json()
    assert [item["vehicle_id"] for item in page["items"]] == ["elm"]
    assert page["next"] is None
