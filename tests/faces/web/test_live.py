"""The live stream, as a browser or a program meets it."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from contactor.cloud.twin.feed import IDLE_TICKS
from contactor.faces.web import live, sockets
from contactor.link.messages import Hello
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Record
from tests.cloud.lake.samples import GEAR, NA, SPEED, T0, S, rows, store_drive
from tests.faces.web.conftest import Instance
from tests.faces.web.serving import serving

WIDE = [
    signal.path
    for signal in catalogue().values()
    if signal.datatype.is_float and not signal.datatype.is_array
][:200]

Check = Callable[[int], Awaitable[None]]


def run(instance: Instance, check: Check) -> None:
    async def within() -> None:
        async with serving(instance) as port:
            await check(port)

    asyncio.run(within())


def stream(port: int, query: str = "", **options: object) -> connect:
    return connect(f"ws://localhost:{port}/api/v1/live{query}", proxy=None, **options)  # type: ignore[arg-type]


async def hear(socket: ClientConnection) -> dict[str, object]:
    message: dict[str, object] = json.loads(await asyncio.wait_for(socket.recv(), 60))
    return message


async def events(socket: ClientConnection) -> AsyncIterator[dict[str, object]]:
    while True:
        message = await hear(socket)
        if message["type"] != "tick":
            yield message


def record(
    sequence: int, ts: int, columns: dict[str, list[object]], vehicle: str = "leaf"
) -> Record:
    return Record(vehicle, 1, sequence, (rows(Group.DRIVE, [ts], columns),))  # type: ignore[arg-type]


@pytest.fixture
def leaf(instance: Instance) -> Instance:
    """With two vehicles, of which the lake knows a speed each."""
    for vehicle_id in ("leaf", "elm"):
        store_drive(instance.store, {SPEED: [10.0, 20.0], GEAR: [1, NA]}, vehicle_id=vehicle_id)
    instance.start()
    return instance


def test_stream_begins_with_a_snapshot_and_goes_on_with_changes(leaf: Instance) -> None:
    async def check(port: int) -> None:
        async with stream(port) as socket:
            first = await hear(socket)
            assert list(first) == ["type", "vehicles"]
            assert [one["vehicle_id"] for one in first["vehicles"]] == ["elm", "leaf"]
            [_, known] = first["vehicles"]
            assert list(known) == ["vehicle_id", "name", "profile", "connectivity", "signals"]
            assert known["signals"][SPEED] == {
                "value": 20.0,
                "unit": "km/h",
                "ts": "2024-05-01T08:00:01Z",
                "desired": None,
                "stale": False,
            }
            assert known["signals"][GEAR]["value"] is None
            leaf.twin.take(record(2, T0 + 2 * S, {SPEED: [30.0], GEAR: [None]}))
            assert await anext(events(socket)) == {
                "type": "change",
                "vehicle_id": "leaf",
                "ts": "2024-05-01T08:00:02Z",
                "values": {SPEED: 30.0},
            }

    run(leaf, check)


def test_stream_tells_what_it_was_asked_for_alone(leaf: Instance) -> None:
    async def check(port: int) -> None:
        async with stream(port, f"?vehicle=leaf&path={GEAR}") as socket:
            first = await hear(socket)
            [known] = first["vehicles"]
            assert {"type": "snapshot", "vehicles": [known], **known} == first
            assert (known["vehicle_id"], list(known["signals"])) == ("leaf", [GEAR])
            leaf.twin.take(record(2, T0 + 2 * S, {GEAR: [2]}, vehicle="elm"))
            leaf.twin.take(record(2, T0 + 2 * S, {SPEED: [30.0]}))
            leaf.twin.take(record(3, T0 + 3 * S, {SPEED: [31.0], GEAR: [3]}))
            assert (await anext(events(socket)))["values"] == {GEAR: 3}

    run(leaf, check)


def test_stream_tells_staleness_and_connectivity(leaf: Instance) -> None:
    async def check(port: int) -> None:
        leaf.presence.greet(Hello("leaf", "", ()), T0)
        async with stream(port, "?vehicle=leaf") as socket:
            [known] = (await hear(socket))["vehicles"]
            assert known["connectivity"] == "online"
            leaf.clock.advance(12)
            leaf.twin.tick()
            told = await anext(events(socket))
            assert (told["type"], set(told["paths"])) == ("stale", {SPEED, GEAR})
            leaf.clock.advance(40)
            leaf.twin.tick()
            told = await anext(events(socket))
            assert (told["type"], told["connectivity"]) == ("connectivity", "lost")

    run(leaf, check)


def test_stream_without_news_ticks(leaf: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SILENCE_S", 0.05)

    async def check(port: int) -> None:
        async with stream(port) as socket:
            await hear(socket)
            assert await hear(socket) == {"type": "tick", "now": "2024-05-01T08:00:00Z"}

    run(leaf, check)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?vehicle=oak", "no vehicle 'oak'"),
        ("?path=Vehicle.Sped", "unknown signal 'Vehicle.Sped'"),
        ("?vehicle=leaf&path=", "unknown signal ''"),
        ("?" + "&".join(["path=Vehicle.Speed"] * 129), "129 paths; the limit is 128"),
    ],
)
def test_stream_of_what_is_unknown_is_closed_with_the_reason(
    leaf: Instance, query: str, words: str
) -> None:
    async def check(port: int) -> None:
        async with stream(port, query) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert words in closed.value.rcvd.reason

    run(leaf, check)


def test_streams_are_limited(leaf: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_SOCKETS", 1)

    async def check(port: int) -> None:
        async with stream(port) as first:
            await hear(first)
            async with stream(port) as second:
                with pytest.raises(ConnectionClosed) as closed:
                    await hear(second)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        while leaf.live.sockets:
            await asyncio.sleep(0.01)
        async with stream(port) as third:
            await hear(third)

    run(leaf, check)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_stream_of_another_site_is_refused(
    leaf: Instance, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(port: int) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with stream(port, origin=origin):
                pass
        assert refused.value.response.status_code == 403
        async with stream(port, origin=f"http://localhost:{port}") as socket:
            await hear(socket)

    run(leaf, check)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_client_that_talks_is_ignored_and_one_that_goes_is_forgotten(leaf: Instance) -> None:
    async def check(port: int) -> None:
        async with stream(port) as socket:
            await hear(socket)
            await socket.send("hello?")
            await socket.send(b"\x00")
            leaf.twin.take(record(2, T0 + 2 * S, {SPEED: [30.0]}))
            assert (await anext(events(socket)))["type"] == "change"
        while leaf.live.sockets or leaf.twin.feed.subscribers:
            await asyncio.sleep(0.01)

    run(leaf, check)


def test_slow_client_is_told_the_newest_values_and_costs_no_memory(leaf: Instance) -> None:
    async def check(port: int) -> None:
        async with stream(port, max_queue=1) as slow:
            await hear(slow)
            for number in range(20_000):
                leaf.twin.take(
                    record(2 + number, T0 + number * S // 1000 + S, {SPEED: [1.0 + number % 200]})
                )
                if not number % 100:
                    await asyncio.sleep(0)
            assert leaf.twin.feed.merged > 10_000
            last = {}
            async for event in events(slow):
                last = event
                if event.get("ts") == "2024-05-01T08:00:20.999Z":
                    break
            assert last["values"] == {SPEED: 200.0}

    run(leaf, check)


async def drained(client: ClientConnection) -> None:
    """Read until it is closed."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(60):
            while True:
                await client.recv()


def flood(leaf: Instance, first: int, count: int) -> None:
    """Many wide changes of one car, one after another."""
    for number in range(first, first + count):
        ts = T0 + number * S // 1000 + S
        leaf.twin.take(record(number + 2, ts, {path: [float(number)] for path in WIDE}))


@contextlib.asynccontextmanager
async def standing(leaf: Instance, port: int) -> AsyncIterator[ClientConnection]:
    """A client that stopped reading, and of which the server has noticed: a wide flood waits."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", port))
    uri = f"ws://localhost:{port}/api/v1/live"
    async with connect(uri, sock=small, max_queue=1, proxy=None, close_timeout=0.1) as client:
        client.transport.pause_reading()
        number, merged = 0, leaf.twin.feed.merged
        while leaf.twin.feed.merged - merged < 3 * len(WIDE):
            flood(leaf, number, 1)
            number += 1
            for _ in range(4):  # enough for one that reads to take it
                await asyncio.sleep(0)
        yield client


def test_client_that_stands_costs_nothing_and_is_told_all_when_it_reads_again(
    leaf: Instance,
) -> None:
    async def check(port: int) -> None:
        async with standing(leaf, port) as client, stream(port, "?vehicle=elm") as other:
            await hear(other)
            for _ in range(IDLE_TICKS):
                assert leaf.twin.feed.parked == 0
                leaf.twin.tick()
            assert leaf.twin.feed.parked == 1
            merged = leaf.twin.feed.merged
            flood(leaf, 100_000, 100)
            assert leaf.twin.feed.merged == merged  # nobody looked at it
            leaf.twin.take(record(2, T0 + 9 * S, {SPEED: [77.0]}, vehicle="elm"))
            assert (await anext(events(other)))["values"] == {SPEED: 77.0}
            client.transport.resume_reading()
            wanted = {WIDE[0]: 100_099.0, WIDE[-1]: 100_099.0}
            async for event in events(client):
                if event["type"] == "change" and event["vehicle_id"] == "leaf":
                    told = event["values"]
                    if {path: told.get(path) for path in wanted} == wanted:
                        break
            assert leaf.twin.feed.parked == 0

    run(leaf, check)


def test_client_that_stands_too_long_is_closed_with_the_reason(
    leaf: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_LIMIT_S", 0.3)

    async def check(port: int) -> None:
        async with standing(leaf, port) as client:
            while leaf.live.sockets:
                await asyncio.sleep(0.01)
            assert leaf.twin.feed.subscribers == 0
            client.transport.resume_reading()
            await drained(client)
            assert client.close_code == 1013
            assert client.close_reason == "nothing was taken for 0.3 s"

    run(leaf, check)


def test_client_that_never_reads_again_is_cut_off(
    leaf: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_LIMIT_S", 0.2)
    monkeypatch.setattr(sockets, "LEAVE_S", 0.2)

    async def check() -> None:
        servers: list[uvicorn.Server] = []
        async with serving(leaf, servers) as port, standing(leaf, port):
            while leaf.live.sockets:
                assert servers[0].server_state.connections
                await asyncio.sleep(0.01)
            async with asyncio.timeout(60):
                while servers[0].server_state.connections:
                    await asyncio.sleep(0.01)

    asyncio.run(check())


def test_open_streams_end_with_the_server(leaf: Instance) -> None:
    async def check() -> None:
        async with serving(leaf) as port:
            sockets = [await stream(port) for _ in range(20)]
            for socket in sockets:
                await hear(socket)
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                await hear(socket)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the server stops")

    asyncio.run(check())
