"""An instance beyond this machine: over TLS and by its own names; a car and a phone from elsewhere.

It listens on every address, and is asked at 127.0.0.1 alone.
"""

import hashlib
import json
import plistlib
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from contactor.app.backup.contents import contents
from contactor.app.folder import DataFolder
from contactor.app.own_names import OwnNames
from contactor.link.identities.servers import names_of
from tests.app.command_line import command
from tests.app.processes import RunningInstance, contactor, running, started, wait_for
from tests.app.test_access import PASSWORD, told, with_password

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    data: Path = tmp_path_factory.mktemp("elsewhere") / "data"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONTACTOR_LINK_HOST", "0.0.0.0")  # its processes are told it too
        with running(data, "--host", "0.0.0.0", "--history-days", "0", has_login=True) as instance:
            yield instance


def elsewhere(instance: RunningInstance) -> dict[str, object]:
    found = instance.document()["elsewhere"]
    assert isinstance(found, dict)
    return found


def port(instance: RunningInstance) -> int:
    return int(elsewhere(instance)["urls"][0].rpartition(":")[2])


def context(instance: RunningInstance) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=instance.data / "tls" / "authority.crt")


@pytest.fixture
def far(instance: RunningInstance) -> Iterator[httpx.Client]:
    """A client that trusts the instance's own authority and nobody else."""
    url = f"https://127.0.0.1:{port(instance)}"
    with httpx.Client(base_url=url, verify=context(instance), trust_env=False) as client:
        yield client


def get(url: str, **options: object) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=60, **options)


# ── the API ──────────────────────────────────────────────────────────────────────────────────────


def test_it_answers_who_trusts_its_authority(instance: RunningInstance, far: httpx.Client) -> None:
    assert far.get("/healthz").json()["status"] == "ok"
    assert far.get("/api/v1/vehicles").status_code == 401
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"https://127.0.0.1:{port(instance)}/healthz")
    with pytest.raises(httpx.RemoteProtocolError):
        get(f"http://127.0.0.1:{port(instance)}/healthz")


def test_it_speaks_tls_1_3_and_nothing_below_1_2(instance: RunningInstance) -> None:
    def spoken(highest: ssl.TLSVersion) -> str | None:
        asked = context(instance)
        asked.minimum_version, asked.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, highest
        asked.set_ciphers("ALL:@SECLEVEL=0")
        with (
            socket.create_connection(("127.0.0.1", port(instance)), timeout=60) as bare,
            asked.wrap_socket(bare, server_hostname="localhost") as encrypted,
        ):
            return encrypted.version()

    assert spoken(ssl.TLSVersion.MAXIMUM_SUPPORTED) == "TLSv1.3"
    assert spoken(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with (
        pytest.warns(DeprecationWarning, match="TLS"),
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        spoken(ssl.TLSVersion.TLSv1_1)


def test_it_is_answered_by_the_names_of_its_certificate_alone(
    instance: RunningInstance, far: httpx.Client
) -> None:
    server = x509.load_pem_x509_certificate((instance.data / "tls" / "server.pem").read_bytes())
    names = names_of(server)
    assert set(names) == set(OwnNames.of("0.0.0.0").served)
    assert {"localhost", "127.0.0.1", "::1", socket.gethostname().lower()} <= set(names)
    for name in names:
        host = f"[{name}]" if ":" in name else name
        for shown in (host, f"{host}:{port(instance)}"):
            assert far.get("/healthz", headers={"host": shown}).status_code == 200, shown
    for name in ("evil.example.org", "x.localhost", f"{names[0]}.evil.example.org", "0.0.0.0", "*"):
        assert far.get("/healthz", headers={"host": name}).status_code == 421, name


def test_login_over_tls(instance: RunningInstance, far: httpx.Client) -> None:
    code = str(instance.document()["first_owner_url"]).partition("#")[2]
    body = {"code": code, "name": "Mia", "password": PASSWORD}
    foreign = {"origin": "https://evil.example.org"}
    assert far.post("/api/v1/first-owner", json=body, headers=foreign).status_code == 403
    made = far.post("/api/v1/first-owner", json=body, headers={"origin": str(far.base_url)})
    assert made.status_code == 201
    words = made.headers["set-cookie"]
    assert all(word in words for word in ("Secure", "HttpOnly", "SameSite=strict"))
    assert far.get("/api/v1/vehicles").status_code == 200
    assert "strict-transport-security" not in made.headers  # whoever lost the authority may go on


def test_commands_on_the_folder_need_nothing_of_it(instance: RunningInstance) -> None:
    local = str(instance.document()["url"])
    assert re.fullmatch(r"http://localhost:\d+", local)
    assert get(f"{local}/healthz").json()["status"] == "ok"
    assert get(f"{local}/healthz", headers={"host": "evil.example.org"}).status_code == 421
    folder = ("--data", instance.data)
    add = ("user", "add", "Ben", "--role", "driver", "--password-stdin", *folder)
    assert with_password(PASSWORD, *add).returncode == 0
    token = told("token", "create", "--user", "Ben", "--scope", "read", *folder)
    shown = {"authorization": f"Bearer {token['token']}"}
    assert get(f"{local}/api/v1/vehicles", headers=shown).status_code == 200
    for words in ("vehicles", "car list", "audit list", "trips --vehicle demo"):
        told(*words.split(), *folder)


def test_its_keys_are_its_owners_alone(instance: RunningInstance) -> None:
    folder = instance.data / "tls"
    assert folder.stat().st_mode & 0o777 == 0o700
    found = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    names = ("authority.crt", "authority.pem", "broker.pem", "server.pem")
    assert found == dict.fromkeys(names, 0o600)


def test_its_keys_are_in_no_backup(instance: RunningInstance, tmp_path: Path) -> None:
    with contents(DataFolder.existing(instance.data), tmp_path) as found:
        names = [item.name for item in found.items]
    assert names
    assert not [name for name in names if name.startswith("tls")]


# ── a phone ──────────────────────────────────────────────────────────────────────────────────────


def test_certificate_is_offered_in_the_clear_and_nothing_else(instance: RunningInstance) -> None:
    offered = elsewhere(instance)
    number = str(offered["certificate_url"]).rpartition(":")[2]
    page = f"http://127.0.0.1:{number}"
    shown = get(page)
    assert shown.headers["content-type"].startswith("text/html")
    assert str(offered["sha256"]) in shown.text.replace("\n", ":")
    assert all(f'href="{url}"' in shown.text for url in offered["urls"])
    der = get(f"{page}/authority.crt")
    assert der.headers["content-type"] == "application/x-x509-ca-cert"
    pem = (instance.data / "tls" / "authority.crt").read_text()
    assert der.content == ssl.PEM_cert_to_DER_cert(pem)
    assert hashlib.sha256(der.content).digest().hex(":").upper() == offered["sha256"]
    profile = plistlib.loads(get(f"{page}/authority.mobileconfig").content)
    [payload] = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == der.content
    for path in ("/healthz", "/api/v1/vehicles", "/api/v1/session", "/index.html", "/schema"):
        assert get(page + path).status_code == 404, path
    assert httpx.post(page, trust_env=False).status_code == 405
    assert get(page, headers={"host": "evil.example.org"}).status_code == 421


def test_elsewhere_tells_how_it_is_reached(instance: RunningInstance) -> None:
    assert told("elsewhere", "--data", instance.data) == elsewhere(instance)
    ended = contactor("elsewhere", "--data", instance.data)
    first, second, third, *code = ended.stdout.splitlines()
    assert first == f"elsewhere {' '.join(elsewhere(instance)['urls'])}"
    assert second == f"certificate {elsewhere(instance)['certificate_url']}"
    assert third == f"sha256 {elsewhere(instance)['sha256']}"
    assert len(code) > 12
    assert {*"".join(code)} == {*" █▀▄"}
    assert {len(line) for line in code} == {len(code[0])}


# ── a car ────────────────────────────────────────────────────────────────────────────────────────


def test_car_elsewhere_enrols_and_sends(instance: RunningInstance, tmp_path: Path) -> None:
    given = json.loads(contactor("car", "code", "leaf", "--data", instance.data, "--json").stdout)
    link = re.sub(r"//[^:]+:", "//127.0.0.1:", given["link"])
    assert link.startswith("tls://")
    code = given["codes"][0]["code"]
    enrol = f"car enrol {code} --link {link} --data car"
    command(enrol, cwd=tmp_path).check_refused(2, "no --authority given: by that key tls://127")
    bare = enrol.replace("tls://127.0.0.1", "nats://192.0.2.1")
    command(bare, cwd=tmp_path).check_refused(2, "beyond this machine it would be in the clear")
    other = f"{enrol} --authority {'ab' * 32}"
    command(other, cwd=tmp_path).check_refused(1, "another authority's than --authority")
    ended = command(f"{enrol} --authority {given['authority']} --json", cwd=tmp_path)
    assert ended.document()["vehicle_id"] == "leaf"
    car = ("--car", "virtual:contactor_ev?vehicle=leaf", "--history-days", "0")
    with started(tmp_path, "agent", *car, "--link", link, "--data", "car"):
        wait_for(lambda: is_online(instance, "leaf"), timeout_s=120, why="values of leaf come")
    assert "eof_received" not in (tmp_path / "agent.log").read_text()


def is_online(instance: RunningInstance, vehicle: str) -> bool:
    found = told("vehicles", "--data", instance.data)
    return any(one["vehicle_id"] == vehicle and one["signals"] for one in found)
