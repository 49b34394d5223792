"""A certificate that is given: its names, what it is told of, and that a newer one is served."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from contactor.app.folder import DataFolder
from contactor.app.listening import GivenFiles, Listening, Ports
from contactor.app.serving import Servers
from contactor.app.tls import WebTls
from contactor.clock import FakeClock, SystemClock
from contactor.link.identities.web_authority import WebAuthority
from tests.app.processes import RunningInstance, contactor, running
from tests.ports import free_ports

BEGIN = b"-----BEGIN CERTIFICATE"
NAMES = ("car.example.org", "*.cars.example.org")


def give(folder: Path, names: tuple[str, ...] = NAMES) -> GivenFiles:
    """A certificate as somebody else would sign it."""
    now_ns = SystemClock().now_ns()
    file = WebAuthority.kept(folder, now_ns).keep_server(names, now_ns)
    return GivenFiles(file, file)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    desk = tmp_path_factory.mktemp("given")
    file = str(give(desk / "tls").certificate)
    given = ("--host", "127.0.0.2", "--tls-certificate", file, "--tls-key", file)
    with running(desk / "data", *given, command="serve", has_login=True) as instance:
        yield instance


@pytest.mark.processes
def test_given_certificate_is_served_by_its_names(instance: RunningInstance) -> None:
    told = instance.document()["elsewhere"]
    [url] = told["urls"]
    assert url.startswith("https://car.example.org:")
    assert (told["certificate_url"], told["sha256"]) == (None, None)
    cafile = instance.data.parent / "tls" / "authority.crt"
    at = f"https://127.0.0.2:{url.rpartition(':')[2]}/healthz"
    with httpx.Client(verify=ssl.create_default_context(cafile=cafile), trust_env=False) as client:
        for name, status in (
            ("car.example.org", 200),
            ("one.cars.example.org", 200),
            ("CAR.example.org:1", 200),
            ("a.one.cars.example.org", 421),
            ("cars.example.org", 421),
            ("127.0.0.2", 421),
        ):
            sni = {"sni_hostname": "car.example.org"}
            answer = client.get(at, headers={"host": name}, extensions=sni)
            assert answer.status_code == status, name
            strict = answer.headers.get("strict-transport-security")
            assert strict == ("max-age=31536000" if status == 200 else None), name
    local = httpx.get(f"{instance.document()['url']}/healthz", trust_env=False)
    assert local.status_code == 200
    assert "strict-transport-security" not in local.headers
    assert contactor("user", "list", "--data", instance.data).returncode == 0
    assert not (instance.data / "tls" / "authority.pem").exists()


async def app(scope: dict[str, object], _: object, send: object) -> None:
    """Answers nothing: nobody gets beyond the handshake."""


def shown(port: int) -> bytes:
    return ssl.get_server_certificate(("127.0.0.2", port), timeout=60).encode()


def test_newer_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    given, ports = give(tmp_path / "tls"), free_ports(3)
    listening = Listening("127.0.0.2", ports[0], Ports(ports[1], ports[2]), given)
    tls = WebTls.open(DataFolder.create(tmp_path / "data"), listening, clock=SystemClock())

    async def scenario() -> None:
        servers = Servers(app, listening, tls)
        running = asyncio.create_task(servers.run())
        while not servers.is_started:
            await asyncio.sleep(0.01)
        first = await asyncio.to_thread(shown, ports[0])
        servers.renew()
        assert await asyncio.to_thread(shown, ports[0]) == first
        key, begin, _ = given.certificate.read_bytes().partition(BEGIN)
        give(tmp_path / "tls", (*NAMES, "new.example.org"))
        newer = given.certificate.read_bytes()
        given.certificate.write_bytes(key + begin + newer.partition(BEGIN)[2])
        with pytest.raises(OSError):  # the newer key is still to come
            servers.renew()
        assert await asyncio.to_thread(shown, ports[0]) == first
        given.certificate.write_bytes(newer)
        servers.renew()
        second = await asyncio.to_thread(shown, ports[0])
        assert second != first
        assert second in given.certificate.read_bytes().replace(b"\r", b"") + b"\n"
        servers.stop()
        await running

    asyncio.run(scenario())


def test_own_certificate_is_renewed_while_it_runs(tmp_path: Path) -> None:
    folder, clock = DataFolder.create(tmp_path / "data"), FakeClock(SystemClock().now_ns())
    tls = WebTls.open(folder, Listening("0.0.0.0", 1, Ports(2, 3)), clock=clock)

    def serial() -> int:
        return x509.load_pem_x509_certificate(tls.files.certificate.read_bytes()).serial_number

    first, context = serial(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert not tls.renew(context)
    clock.advance(368 * 86_400.0)
    assert tls.renew(context)
    assert not tls.renew(context)
    assert serial() != first
