"""People by command, with an instance and without; and that nothing secret lies about."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.processes import CONTACTOR, RunningInstance, contactor, running

pytestmark = pytest.mark.processes

PASSWORD, ANOTHER, WRONG = "correct horse battery", "purple monkey dishwasher", "not it at all"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    data: Path = tmp_path_factory.mktemp("access") / "data"
    with running(data, "--history-days", "0", has_login=True) as instance:
        yield instance


def with_password(password: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CONTACTOR, *map(str, arguments)],
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(*arguments: str | Path) -> object:
    ended = contactor(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def manage(data: Path) -> str:
    """Everything that the commands do to people; the secret of a token."""
    folder = ("--data", data)
    added = with_password(
        PASSWORD, "user", "add", "Ben", "--role", "driver", "--password-stdin", *folder
    )
    assert added.returncode == 0, added.stderr
    assert "Ben" in added.stdout
    again = with_password(
        PASSWORD, "user", "add", "ben", "--role", "driver", "--password-stdin", *folder
    )
    assert (again.returncode, again.stderr) == (2, "contactor: the name 'ben' is taken\n")
    short = with_password(
        "short", "user", "add", "Eve", "--role", "viewer", "--password-stdin", *folder
    )
    assert short.returncode == 2
    assert "allowed: 10 to 256" in short.stderr
    roles = told("user", "role", "Ben", "guest@demo", "viewer", *folder)
    assert [(one["role"], one["vehicle_id"]) for one in roles[0]["roles"]] == [
        ("viewer", "*"),
        ("guest", "demo"),
    ]
    changed = with_password(ANOTHER, "user", "password", "Ben", "--password-stdin", *folder)
    assert changed.returncode == 0, changed.stderr
    token = told(*("token", "create", "--user", "Ben", "--scope", "read", "--days", "1", *folder))
    assert set(token) == {"id", "token", "expires_at"}
    listed = told("token", "list", "--user", "Ben", *folder)
    assert [one["id"] for one in listed] == [token["id"]]
    unknown = contactor("token", "end", "none", "--user", "Ben", *folder)
    assert (unknown.returncode, unknown.stderr[:11]) == (1, "contactor: ")
    return token["token"]


def test_people_of_an_instance(instance: RunningInstance) -> None:
    secret = manage(instance.data)
    url = f"{instance.document()['url']}/api/v1"
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as api:
        shown = {"authorization": f"Bearer {secret}"}
        assert api.get("/vehicles", headers=shown).status_code == 200
        assert api.get("/people", headers=shown).status_code == 403
        assert api.get("/vehicles").status_code == 401
        wrong = api.post("/session", json={"name": "Ben", "password": WRONG})
        assert (wrong.status_code, wrong.json()["detail"]) == (401, "name or password is wrong")
        session = api.post("/session", json={"name": "Ben", "password": ANOTHER})
        assert session.status_code == 201
        (cookie,) = session.cookies.values()
        header = session.headers["set-cookie"]
        assert all(word in header for word in ("HttpOnly", "SameSite=strict", "Path=/"))
        change = {"name": "t", "scope": "read"}
        assert api.post("/tokens", json=change).status_code == 403  # a cookie, and no origin
        origin = {"origin": str(instance.document()["url"])}
        assert api.post("/tokens", json=change, headers=origin).status_code == 201
        foreign = {"origin": "http://localhost:1"}
        assert api.post("/tokens", json=change, headers=foreign).status_code == 403
        for name, value in (
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ):
            assert api.get("/vehicles").headers[name] == value
    code = str(instance.document()["first_owner_url"]).partition("#")[2]
    own = (instance.data / "own-secret").read_text().strip()
    nowhere(instance.data, [PASSWORD, ANOTHER, WRONG, secret, cookie, own, code])


def nowhere(data: Path, secrets: list[str]) -> None:
    """No file of the folder holds one of them, but those that are for it; nobody else may look."""
    allowed = {"own-secret": secrets[-2], "run.json": secrets[-1]}
    for path in data.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        held = [one for one in secrets if one.encode() in content]
        assert held in ([], [allowed.get(path.name)]), path
    for path in [data, *data.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0 or path.parent == data, path
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "own-secret").stat().st_mode & 0o777 == 0o600


def test_wrong_passwords_are_slowed_down_by_who_tries(instance: RunningInstance) -> None:
    url = f"{instance.document()['url']}/api/v1/session"
    asked = {"name": "Nobody", "password": WRONG}
    codes = [httpx.post(url, json=asked, trust_env=False).status_code for _ in range(6)]
    assert codes[:4] == [401] * 4
    assert codes[-1] == 429
    good = {"name": "Ben", "password": ANOTHER}
    assert httpx.post(url, json=good, trust_env=False).status_code == 201


def test_people_of_a_folder_that_nobody_runs_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert contactor("user", "list", "--data", data).returncode == 2
    with running(data, command="serve"):
        link = told("user", "invite", "--role", "viewer", "--data", data)
    assert told("user", "list", "--data", data) == []
    for words in (("invite", "--role", "viewer"), ("reset", "Mia")):
        ended = contactor("user", *words, "--data", data)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == f"contactor: no instance runs on {data} for the link to lead to\n"
    assert [one["id"] for one in told("user", "invitations", "--data", data)] == [link["id"]]
    assert contactor("user", "uninvite", link["id"], "--data", data).returncode == 0
    assert contactor("user", "uninvite", link["id"], "--data", data).returncode == 1
    manage(data)
    noted = [one["what"] for one in told("audit", "list", "--data", data)]
    assert noted[:4] == [
        "POST /people/{name}/tokens",
        "PUT /people/{name}/password",
        "PUT /people/{name}/roles",
        "POST /people",
    ]
    removed = contactor("user", "remove", "Ben", "--data", data)
    assert (removed.returncode, removed.stdout) == (0, "Ben: removed\n")


def test_a_proxy_of_ones_own_hands_on_who_asks(tmp_path: Path) -> None:
    public, host = "https://car.example.org", "car.example.org"
    serve = ("--public-url", public)
    with running(tmp_path / "data", *serve, command="serve", has_login=True) as instance:
        link = str(instance.document()["first_owner_url"])
        assert link.startswith(f"{public}/first-owner#cto_cod_")
        body = {"code": link.partition("#")[2], "name": "Mia", "password": PASSWORD}
        handed = {"host": host, "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}
        url = f"{instance.document()['url']}/api/v1"
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as api:
            assert api.get("/session", headers={"host": "evil.example.org"}).status_code == 421
            foreign = {**handed, "origin": "https://evil.example.org"}
            assert api.post("/first-owner", json=body, headers=foreign).status_code == 403
            made = api.post("/first-owner", json=body, headers={**handed, "origin": public})
            assert made.status_code == 201
            assert "Secure" in made.headers["set-cookie"]
            assert made.headers["set-cookie"].startswith("contactor-session=")
            page = {**handed, "origin": public}
            asked = api.post("/session/passkey/options", headers=page)
            assert asked.json()["rpId"] == host
            unlike = {**handed, "origin": f"http://{host}"}  # the host is ours, the page is not
            assert api.post("/session/passkey/options", headers=unlike).status_code == 403
            invited = told("user", "invite", "--role", "viewer", "--data", instance.data)
            assert invited["link"].startswith(f"{public}/join#cto_cod_")
            wrong = {"name": "Mia", "password": WRONG}
            tries = [api.post("/session", json=wrong, headers=handed) for _ in range(6)]
            assert tries[-1].status_code == 429
            elsewhere = {**handed, "x-forwarded-for": "203.0.113.8"}
            good = {"name": "Mia", "password": PASSWORD}
            assert api.post("/session", json=good, headers=elsewhere).status_code == 201
            unsaid = api.post("/session", json=good, headers={"host": host, "origin": public})
            assert (unsaid.status_code, "Secure" in unsaid.headers["set-cookie"]) == (201, True)
        assert contactor("user", "list", "--data", instance.data).returncode == 0


@pytest.mark.parametrize(
    "url", ["http://car.example.org", "https://", "https://a/b", "https://u@a", "https://a:0"]
)
def test_a_public_url_that_is_none(url: str, tmp_path: Path) -> None:
    ended = contactor("serve", "--public-url", url, "--data", tmp_path / "data")
    assert ended.returncode == 2
    assert "allowed: https://NAME[:PORT]" in ended.stderr


def test_a_log_that_was_tampered_with_is_found(instance: RunningInstance, tmp_path: Path) -> None:
    asked = {"name": "Nobody", "password": WRONG}
    url = f"{instance.document()['url']}/api/v1/session"
    assert httpx.post(url, json=asked, trust_env=False).status_code in (401, 429)
    whole = told("audit", "verify", "--data", instance.data)
    copy = tmp_path / "audit.jsonl"
    content = (instance.data / "audit.jsonl").read_bytes()
    copy.write_bytes(content.replace(b'"outcome":"refused"', b'"outcome":"done"', 1))
    ended = contactor("audit", "verify", copy)
    assert ended.returncode == 1
    assert "altered" in ended.stderr
    copy.write_bytes(content[: content.rindex(b"\n", 0, -1) + 1])
    assert contactor("audit", "verify", copy).returncode == 0
    ended = contactor("audit", "verify", copy, "--head", whole["head"])
    assert (ended.returncode, "its end was cut off" in ended.stderr) == (1, True)
