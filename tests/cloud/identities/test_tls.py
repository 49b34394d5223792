"""The broker over TLS: a real one, real cars, a client of somebody else's, and one in between."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import nats
import pytest

from contactor.app.enrolling import enrol_here
from contactor.app.folder import DataFolder
from contactor.clock import SystemClock
from contactor.errors import IdentityError, UsageError
from contactor.link.broker import read_authority, read_bare_url, wait_broker
from contactor.link.broker_config import BrokerTls
from contactor.link.identities.authority import Authority
from contactor.link.identities.unit import Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.address import read_address
from contactor.link.nats.connection import Connection
from tests.cloud.identities.support import Cloud, cloud_at, stranger_as
from tests.link.support import DEADLINE_S, BrokerProcess

NAMES = ("localhost", "127.0.0.1")
OWN = "leaf"


def tls_of(folder: Path, names: tuple[str, ...] = NAMES, *, file: str = "broker.pem") -> BrokerTls:
    """What a broker is served with, by the authority in a folder."""
    now_ns = SystemClock().now_ns()
    authority = Authority.kept(folder, now_ns)
    authority.keep_server(folder / file, names, now_ns)
    return BrokerTls("127.0.0.1", ("localhost",), folder / file, authority.pem)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(
        tmp_path / "broker", has_gate=True, tls=tls_of(tmp_path / "desk" / "authority")
    )
    try:
        process.start()
        yield process
    finally:
        process.kill()


def trusting(broker: BrokerProcess) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=broker.folder / "authority.crt")


def trusting_none() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def enrolled(
    broker: BrokerProcess, cloud: Cloud, folder: Path, vehicle_id: str = OWN, **given: object
) -> Unit:
    """As `contactor car enrol` does it, in a folder that was empty."""
    asked = {
        "link": read_bare_url(broker.folder),
        "authority": bytes.fromhex(read_authority(broker.folder)),
        **given,
    }
    data = DataFolder.create(folder)
    await asyncio.to_thread(enrol_here, cloud.code(vehicle_id), data, **asked)
    return Unit(data.car_identities)


@contextlib.asynccontextmanager
async def between(
    broker: BrokerProcess, server: Path, heard: list[bytes], *, is_encrypted: bool = True
) -> AsyncIterator[str]:
    """Somebody who stands between, with a certificate of his own; the link to him."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)

    async def stand(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, other = await asyncio.open_connection("127.0.0.1", broker.launch.port)
        info = await behind.readline()
        if not is_encrypted:
            info = info.replace(b'"tls_required":true', b'"tls_required":false')
        writer.write(info)
        with contextlib.suppress(OSError):
            if is_encrypted:
                await writer.start_tls(context)
            heard.append(await reader.readline())
        for one in (writer, other):
            one.close()

    server_here = await asyncio.start_server(stand, "127.0.0.1", 0)
    async with server_here:
        yield f"tls://localhost:{server_here.sockets[0].getsockname()[1]}"


def with_cloud(broker: BrokerProcess, desk: Path, work: Callable[[Cloud], Awaitable[None]]) -> None:
    async def run() -> None:
        async with cloud_at(broker, desk) as cloud:
            async with asyncio.timeout(DEADLINE_S):
                await work(cloud)

    asyncio.run(run())


def test_car_enrols_and_comes_in_over_tls(broker: BrokerProcess, tmp_path: Path) -> None:
    async def scenario(cloud: Cloud) -> None:
        unit = await enrolled(broker, cloud, tmp_path / "car")
        identity = unit.identity(OWN)
        assert identity is not None
        car = NatsTransport(read_bare_url(broker.folder), name="agent", proof=identity)
        await car.wait_connected(DEADLINE_S)
        await car.close()
        stranger = await stranger_as(cloud.bare_url, identity, tls=trusting(broker))
        await stranger.close()
        for unknowing in (ssl.create_default_context(), trusting_none()):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.launch.port)
            await reader.readline()
            with pytest.raises(ssl.SSLCertVerificationError):
                await writer.start_tls(unknowing, server_hostname="localhost")
            writer.close()

    with_cloud(broker, tmp_path / "desk", scenario)


def test_nobody_is_heard_in_the_clear(broker: BrokerProcess, tmp_path: Path) -> None:
    async def scenario() -> str | None:
        await wait_broker(broker.launch.url, DEADLINE_S)
        address = read_address(broker.launch.url)
        connection = Connection()
        bare = read_address(f"nats://x:y@127.0.0.1:{address.port}")
        try:
            assert not await connection.connect(bare, "test")
        finally:
            await connection.end()
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        await reader.readline()
        said = f'CONNECT {{"user": "{address.user}", "pass": "{address.password}"}}\r\nPING\r\n'
        writer.write(said.encode())
        answer = await reader.read()
        writer.close()
        assert b"PONG" not in answer
        client = await nats.connect(
            f"tls://{address.user}:{address.password}@localhost:{address.port}",
            tls=trusting(broker),
        )
        await client.close()
        return connection.reason

    assert "certificate is refused" in str(asyncio.run(scenario()))


def test_code_is_not_said_to_somebody_in_between(broker: BrokerProcess, tmp_path: Path) -> None:
    other = tls_of(tmp_path / "other")

    async def scenario(cloud: Cloud) -> None:
        heard: list[bytes] = []
        async with between(broker, other.server, heard) as link:
            with pytest.raises(IdentityError, match="another authority's than --authority"):
                await enrolled(broker, cloud, tmp_path / "car", link=link)
            with pytest.raises(UsageError, match="no --authority given"):
                await enrolled(broker, cloud, tmp_path / "car", link=link, authority=None)
        assert b"".join(heard) == b""

    with_cloud(broker, tmp_path / "desk", scenario)


def test_answer_of_another_authority_is_not_kept(broker: BrokerProcess, tmp_path: Path) -> None:
    """Though the broker was believed, by a file that the link names."""

    async def scenario(cloud: Cloud) -> None:
        link = f"{read_bare_url(broker.folder)}?authority={broker.folder / 'authority.crt'}"
        given = {"link": link, "authority": b"x" * 32}
        with pytest.raises(IdentityError, match="answers by another authority"):
            await enrolled(broker, cloud, tmp_path / "car", **given)
        unit = await enrolled(broker, cloud, tmp_path / "new", link=link)
        assert unit.vehicles() == [OWN]

    with_cloud(broker, tmp_path / "desk", scenario)


def test_a_cars_certificate_is_that_of_no_broker(broker: BrokerProcess, tmp_path: Path) -> None:
    """Though the same authority signed it, and the car is called as the broker's host is."""

    async def scenario(cloud: Cloud) -> None:
        await enrolled(broker, cloud, tmp_path / "other", "localhost")
        own = DataFolder.create(tmp_path / "other").car_identities / "localhost"
        served = tmp_path / "car.pem"
        served.write_bytes((own / "key.pem").read_bytes() + (own / "certificate.pem").read_bytes())
        identity = (await enrolled(broker, cloud, tmp_path / "car")).identity(OWN)
        heard: list[bytes] = []
        async with between(broker, served, heard) as link:
            with pytest.raises(IdentityError, match="not that of a server"):
                await enrolled(broker, cloud, tmp_path / "new", link=link)
            connection = Connection()
            try:
                assert not await connection.connect(read_address(link), "agent", identity)
            finally:
                await connection.end()
            assert "certificate is refused" in str(connection.reason)
        assert b"".join(heard) == b""

    with_cloud(broker, tmp_path / "desk", scenario)


def test_enrolled_car_says_nothing_to_somebody_in_between(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    other = tls_of(tmp_path / "other")
    stranger = tls_of(tmp_path / "desk" / "authority", ("elsewhere.example",), file="else.pem")

    async def scenario(cloud: Cloud) -> None:
        identity = (await enrolled(broker, cloud, tmp_path / "car")).identity(OWN)
        for server, is_encrypted, words in (
            (other.server, True, "certificate is refused"),
            (stranger.server, True, "certificate is refused"),
            (other.server, False, "it speaks no TLS"),
        ):
            heard: list[bytes] = []
            async with between(broker, server, heard, is_encrypted=is_encrypted) as link:
                connection = Connection()
                try:
                    assert not await connection.connect(read_address(link), "agent", identity)
                finally:
                    await connection.end()
                assert words in str(connection.reason)
            assert b"".join(heard) == b""

    with_cloud(broker, tmp_path / "desk", scenario)
