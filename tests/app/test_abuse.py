"""People who take more than they were given, as a running instance meets them."""

import base64
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.app.processes import RunningInstance, contactor, running

pytestmark = pytest.mark.processes

PASSWORD = "correct horse battery"
SOON, LATER = "2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z"


class House:
    """An instance, and those who ask it."""

    def __init__(self, instance: RunningInstance, clients: contextlib.ExitStack) -> None:
        self.data, self.url = instance.data, str(instance.document()["url"])
        self._clients = clients
        own = (self.data / "own-secret").read_text().strip()
        self.local = self.client(authorization=f"Bearer {own}")

    def client(self, **headers: str) -> httpx.Client:
        api = httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=60
        )
        return self._clients.enter_context(api)

    def browser(self, name: str, *roles: dict[str, object]) -> httpx.Client:
        """Of somebody who has logged in; who is added with these roles where there are some."""
        if roles:
            body = {"name": name, "password": PASSWORD, "roles": roles}
            assert self.local.post("/people", json=body).status_code == 201
        api = self.client(origin=self.url)
        assert api.post("/session", json={"name": name, "password": PASSWORD}).status_code == 201
        return api


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With a car and two owners."""
    data: Path = tmp_path_factory.mktemp("abuse") / "data"
    car = "virtual:contactor_ev?vehicle=demo&plan=parked"
    public = ("--public-url", "https://car.example.org")
    arguments = ("--history-days", "0", "--car", car, *public)
    with contextlib.ExitStack() as clients, running(data, *arguments, has_login=True) as instance:
        found = House(instance, clients)
        for name in ("Mia", "Ida"):
            found.browser(name, {"role": "owner"})
        yield found


def test_nobody_gives_for_longer_than_they_have(house: House) -> None:
    held = {"role": "operator", "vehicle_id": "demo", "until": SOON}
    api, mine = house.browser("Op", held), "/vehicles/demo/people/Op"
    for until in (None, LATER):
        longer = {"role": "operator", "until": until}
        assert api.put(mine, json=longer).status_code == 400
        invited = api.post("/invitations", json={**longer, "vehicle_id": "demo"})
        assert (invited.status_code, "you must hold" in invited.text) == (400, True)
    assert api.get("/session").json()["roles"] == [held]
    assert api.put(mine, json={"role": "guest", "until": SOON}).status_code == 200
    assert api.post("/invitations", json=held).status_code == 201


def test_a_key_ends_with_the_rights_of_who_gave_it(house: House) -> None:
    soon, later = (
        datetime.fromtimestamp(time.time() + hours * 3_600, UTC).isoformat() for hours in (1, 2)
    )
    api = house.browser("Keeper", {"role": "operator", "vehicle_id": "demo", "until": soon})
    key = base64.b64encode(bytes(32)).decode()
    asked = {"public_key": key, "issued_to": "it", "until": later}
    refused = api.post("/vehicles/demo/keys", json=asked)
    assert (refused.status_code, "while you hold them" in refused.text) == (400, True)
    assert api.post("/vehicles/demo/keys", json={**asked, "until": soon}).status_code == 201


def test_nobody_takes_away_what_they_could_not_give(house: House) -> None:
    own = house.browser("Own", {"role": "owner", "vehicle_id": "demo"})
    one = house.browser("One", {"role": "operator", "vehicle_id": "demo"})
    every = house.browser("Every", {"role": "operator"})
    for api in (one, every):
        assert api.delete("/vehicles/demo/people/Own/owner").status_code == 400
    assert every.delete("/vehicles/*/people/Ida/owner").status_code == 400
    assert own.get("/session").json()["roles"] != []
    assert every.delete("/vehicles/demo/people/One/operator").status_code == 200


def test_codes_that_are_none_keep_nobody_from_logging_in(house: House) -> None:
    body = {"code": "cto_cod_x", "name": "Eve", "password": PASSWORD}
    good = {"name": "Mia", "password": PASSWORD}
    stranger, page = house.client(origin=house.url), house.client(origin=house.url)
    with ThreadPoolExecutor(24) as others:
        tries = [others.submit(stranger.post, "/first-owner", json=body) for _ in range(240)]
        assert [page.post("/session", json=good).status_code for _ in range(3)] == [201] * 3
        assert {one.result().status_code for one in tries} == {401}


def test_who_knocks_without_end_does_not_fill_the_disk(house: House) -> None:
    stranger, log = house.client(), house.data / "audit.jsonl"
    before = log.stat().st_size
    for number in range(60):
        stranger.post("/session", json={"x": number})
        stranger.post(f"/vehicles/nobody{number}/commands/signed", json={"signed": "AA=="})
    noted = log.read_bytes()[before:].count(b"\n")
    assert noted < 30, "of 120"


def test_a_name_that_somebody_wrote_moves_no_terminals_cursor(house: House) -> None:
    asked = {"name": "\x1b]0;mine\x07it", "scope": "read"}
    assert house.browser("Mia").post("/tokens", json=asked).status_code == 201
    listed = contactor("token", "list", "--user", "Mia", "--data", house.data)
    assert (listed.returncode, "\x1b" in listed.stdout) == (0, False)
    assert r"\x1b]0;mine\x07it" in listed.stdout


def test_a_cookie_that_was_stolen_makes_nothing_that_outlives_it(house: House) -> None:
    api = house.browser("Mia")
    with contextlib.closing(
        sqlite3.connect(house.data / "contactor.sqlite3", timeout=60)
    ) as database:
        database.execute("update access_session set made_ns = made_ns - 900 * 1000000000")
        database.commit()
    role = {"role": "owner"}
    for method, path, body in (
        ("POST", "/tokens", {"name": "it", "scope": "admin"}),
        ("POST", "/people/Mia/tokens", {"name": "it", "scope": "admin"}),
        ("POST", "/people", {"name": "Eve", "password": PASSWORD, "roles": [role]}),
        ("PUT", "/people/Mia/password", {"password": PASSWORD}),
        ("PUT", "/people/Ida/roles", {"roles": [role]}),
        ("POST", "/people/Mia/reset", {"second_factors_too": True}),
        ("POST", "/invitations", role),
        ("POST", "/second-factor/end", {"password": PASSWORD}),
    ):
        answer = api.request(method, path, json=body)
        assert (path, answer.status_code, "log in again" in answer.text) == (path, 403, True)
    assert api.get("/people").status_code == 200


def test_a_token_makes_none_that_outlives_it(house: House) -> None:
    asked = {"name": "it", "scope": "admin", "expires_at": SOON}
    shown = house.browser("Mia").post("/tokens", json=asked).json()["token"]
    program = house.client(authorization=f"Bearer {shown}")
    for path in ("/tokens", "/people/Mia/tokens"):
        for until in (None, LATER):
            assert program.post(path, json={**asked, "expires_at": until}).status_code == 400
        assert program.post(path, json=asked).status_code == 201
