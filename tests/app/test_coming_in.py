"""Invitations, resets, second factors and sessions: by command, and as a program meets them."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyotp
import pytest

from tests.app.processes import RunningInstance, contactor, running
from tests.app.test_access import PASSWORD, nowhere, told

pytestmark = pytest.mark.processes

ANOTHER = "purple monkey dishwasher"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    data: Path = tmp_path_factory.mktemp("coming") / "data"
    with running(data, command="serve", has_login=True) as instance:
        yield instance


@pytest.fixture
def api(instance: RunningInstance) -> Iterator[httpx.Client]:
    """A browser's: it says its origin, and keeps its cookies."""
    url = str(instance.document()["url"])
    with httpx.Client(
        base_url=f"{url}/api/v1", headers={"origin": url}, trust_env=False, timeout=60
    ) as client:
        yield client


def invited(instance: RunningInstance, *words: str) -> dict[str, str]:
    link = told("user", "invite", *words, "--data", instance.data)
    assert set(link) == {"id", "link", "expires_at"}
    return link


def joined(instance: RunningInstance, api: httpx.Client, name: str, role: str = "owner") -> None:
    link = invited(instance, "--role", role)["link"]
    body = {"code": link.partition("#")[2], "name": name, "password": PASSWORD}
    assert api.post("/join", json=body).status_code == 201


def test_invitations_are_made_listed_and_taken_back_by_command(
    instance: RunningInstance, api: httpx.Client
) -> None:
    folder, url = ("--data", instance.data), instance.document()["url"]
    ended = contactor("user", "invite", "Ben", "--role", "guest", "--vehicle", "leaf", *folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    link, words = ended.stdout.splitlines()
    assert link.startswith(f"{url}/join#cto_cod_")
    assert words.startswith("good once, until 20")
    second = invited(instance, "--role", "viewer", "--until", "2100-01-01T00:00:00Z")
    newest, oldest = told("user", "invitations", *folder)
    assert (newest["id"], newest["role"], newest["vehicle_id"]) == (second["id"], "viewer", "*")
    assert (newest["until"], newest["name"]) == ("2100-01-01T00:00:00Z", None)
    assert (oldest["role"], oldest["vehicle_id"], oldest["name"]) == ("guest", "leaf", "Ben")
    ended = contactor("user", "uninvite", second["id"], *folder)
    assert (ended.returncode, ended.stdout) == (0, f"{second['id']}: taken back\n")
    assert contactor("user", "uninvite", second["id"], *folder).returncode == 1

    for gone in (second["link"], "#cto_cod_x"):
        answer = api.post("/join/shown", json={"code": gone.partition("#")[2]})
        assert answer.status_code == 401
    code = link.partition("#")[2]
    shown = api.post("/join/shown", json={"code": code}).json()
    assert shown == {"role": "guest", "vehicle_id": "leaf", "until": None, "name": "Ben"}
    both = {"code": code, "name": "Ben", "password": PASSWORD, "credential": {}}
    assert api.post("/join", json=both).status_code == 400
    assert api.post("/join", json={"code": code, "name": "Ben"}).status_code == 400
    join = {"code": code, "name": "Ben", "password": PASSWORD}
    answer = api.post("/join", json=join)
    assert answer.status_code == 201
    header = answer.headers["set-cookie"]
    assert all(word in header for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert api.get("/session").json()["rights"] == {"leaf": ["see", "comfort", "open"]}
    assert api.post("/join", json={**join, "name": "Eve"}).status_code == 401
    assert told("user", "invitations", *folder) == []
    noted = told("audit", "list", *folder)
    assert noted[1]["what"] == "POST /join"  # after one that was refused
    assert (noted[1]["who"], noted[1]["outcome"]) == ("Ben", "done")
    assert noted[1]["detail"]["invitation"] == oldest["id"]
    own = (instance.data / "own-secret").read_text().strip()
    first = str(instance.document()["first_owner_url"]).partition("#")[2]
    nowhere(instance.data, [code, PASSWORD, *api.cookies.values(), own, first])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("invite", "--role", "king"), 2, "invalid choice: 'king'"),
        (("invite", "--role", "guest", "--vehicle", "a b"), 2, "vehicle 'a b'"),
        (("invite", "--role", "guest", "--until", "soon"), 2, "'soon' is no ISO 8601 instant"),
        (("invite", "--role", "guest", "--until", "2020-01-01T00:00:00Z"), 2, "which is past"),
        (("invite", "\n", "--role", "guest"), 2, "printable characters"),
        (("reset", "Nobody"), 1, "nobody is called 'Nobody'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    instance: RunningInstance, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = contactor("user", *words, "--data", instance.data)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr


def test_a_second_factor_is_asked_for_until_it_is_reset(
    instance: RunningInstance, api: httpx.Client
) -> None:
    joined(instance, api, "Mia")
    codes = pyotp.TOTP(api.post("/second-factor").json()["secret"])
    assert api.get("/second-factor").json() == {"is_on": False, "recovery_codes": 0}
    recovery = api.post("/second-factor/confirm", json={"code": codes.now()}).json()
    assert api.get("/second-factor").json() == {"is_on": True, "recovery_codes": 10}

    known = {"name": "Mia", "password": PASSWORD}
    answer = api.post("/session", json=known)
    assert (answer.status_code, "set-cookie" in answer.headers) == (202, False)
    step = answer.json()["step"]
    with_step = {"authorization": f"Bearer {step}"}
    url = str(api.base_url)
    assert httpx.get(f"{url}vehicles", headers=with_step, trust_env=False).status_code == 401
    again = api.post("/session/code", json={"step": step, "code": "abcd-efgh-ijkl-mnop"})
    assert again.status_code == 401
    (last,) = told("audit", "list", "--data", instance.data, "--limit", "1")
    assert (last["what"], last["outcome"]) == ("POST /session/code", "refused")
    assert last["detail"]["half_in"]  # whose password somebody has
    later = codes.at(time.time(), counter_offset=1)
    opened = api.post("/session/code", json={"step": step, "code": later})
    assert (opened.status_code, opened.json()["name"]) == (201, "Mia")
    own = (instance.data / "own-secret").read_text().strip()
    plain = [one.replace("-", "") for one in recovery["recovery_codes"]]
    nowhere(instance.data, [step, *recovery["recovery_codes"], *plain, own, "cto_cod_none"])

    assert api.post("/second-factor/end", json={}).status_code == 400
    assert api.post("/second-factor/end", json={"password": "no"}).status_code == 401
    assert api.post("/second-factor/end", json={"code": later}).status_code == 401
    link = told("user", "reset", "Mia", "--second-factors-too", "--data", instance.data)["link"]
    assert link.startswith(f"{instance.document()['url']}/reset#cto_cod_")
    code = link.partition("#")[2]
    assert api.post("/reset/shown", json={"code": code}).json() == {"name": "Mia"}
    assert api.post("/reset", json={"code": code, "password": "short"}).status_code == 400
    assert api.post("/reset", json={"code": code, "password": ANOTHER}).status_code == 204
    assert api.get("/sessions").status_code == 401
    assert api.post("/reset", json={"code": code, "password": ANOTHER}).status_code == 401
    assert api.post("/session", json={**known, "password": ANOTHER}).status_code == 201
    assert api.post("/second-factor").status_code == 201
    assert api.post("/second-factor/end", json={"password": ANOTHER}).status_code == 204


def test_only_who_logged_in_just_now_makes_another_way_in(
    instance: RunningInstance, api: httpx.Client
) -> None:
    joined(instance, api, "Ann")
    assert api.post("/passkeys/options").status_code == 200
    token = api.post("/tokens", json={"name": "it", "scope": "admin"}).json()["token"]
    shown = {"authorization": f"Bearer {token}"}
    ways = ("post /passkeys/options", "post /second-factor", "delete /passkeys/none")
    for way in ways:
        method, _, path = way.partition(" ")
        with_token = api.request(method, path, headers=shown)
        assert (with_token.status_code, "a token cannot" in with_token.text) == (400, True)
    with sqlite3.connect(instance.data / "contactor.sqlite3", timeout=60) as database:
        database.execute("update access_session set made_ns = made_ns - 900000000000")
    database.close()
    for way in ways:
        method, _, path = way.partition(" ")
        answer = api.request(method, path)
        assert (answer.status_code, "log in again" in answer.text) == (403, True)
    assert api.get("/passkeys").json() == {"items": []}


def test_sessions_end_at_once_ones_own_and_anybodys(
    instance: RunningInstance, api: httpx.Client
) -> None:
    joined(instance, api, "Ida", role="viewer")
    known, url = {"name": "Ida", "password": PASSWORD}, str(api.base_url)
    others = [
        {"cookie": f"{name}={value}"}
        for _ in range(2)
        for name, value in httpx.post(f"{url}session", json=known, trust_env=False).cookies.items()
    ]

    def there() -> list[int]:
        asked = [httpx.get(f"{url}sessions", headers=one, trust_env=False) for one in others]
        return [answer.status_code for answer in (api.get("/sessions"), *asked)]

    assert there() == [200, 200, 200]
    assert len(api.get("/sessions").json()["items"]) == 3
    foreign = {"origin": "http://localhost:1"}
    assert api.delete("/sessions", headers=foreign).status_code == 403
    assert api.delete("/sessions").status_code == 204
    assert there() == [200, 401, 401]
    own = {"authorization": f"Bearer {(instance.data / 'own-secret').read_text().strip()}"}
    assert httpx.delete(f"{url}people/Ida/sessions", headers=own, trust_env=False).is_success
    assert there() == [401, 401, 401]
    assert json.loads(api.get("/session").text)["name"] is None
