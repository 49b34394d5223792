"""The live stream and the twin of a running instance, through a kill and to the end."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

import contactor
from contactor.cloud.twin.snapshot import NAME, kept_from
from tests.app.counting import COUNT, make_log, make_profile
from tests.app.processes import RunningInstance, running, wait_for

pytestmark = pytest.mark.processes

VEHICLE = "counter"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[RunningInstance]:
    """With a car that counts, a hundred times a second, for a quarter of an hour."""
    make_profile(tmp_path)
    make_log(tmp_path / "long.log", 90_000)
    car = f"recording:{tmp_path}/long.log?profile={tmp_path}/counting&vehicle={VEHICLE}"
    with running(tmp_path / "data", "--car", f"{car}&sampling=every") as instance:
        yield instance


def stream(instance: RunningInstance) -> connect:
    url = str(instance.document()["url"]).replace("http", "ws")
    return connect(f"{url}/api/v1/live?vehicle={VEHICLE}", proxy=None)


async def hear(socket: ClientConnection) -> dict[str, object]:
    message: dict[str, object] = json.loads(await asyncio.wait_for(socket.recv(), 60))
    return message


def shown(instance: RunningInstance) -> dict[str, object] | None:
    """The count as the API tells it now."""
    try:
        url = f"{instance.document()['url']}/api/v1/vehicles/{VEHICLE}"
        answer = httpx.get(url, trust_env=False, timeout=60)
    except httpx.TransportError:
        return None
    return answer.json()["signals"].get(COUNT) if answer.status_code == 200 else None


def is_flushed(instance: RunningInstance) -> bool:
    """Whether the lake holds what the API tells, and nothing more has come for a second."""
    before = now(instance)
    time.sleep(1.0)
    rows = contactor.open_lake(instance.data).signals(VEHICLE, [COUNT])
    return before == now(instance) == rows[COUNT].max()


def test_stream_follows_a_car_and_the_twin_outlives_a_kill(instance: RunningInstance) -> None:
    async def follow() -> int:
        async with stream(instance) as socket:
            [vehicle] = (await hear(socket))["vehicles"]
            assert vehicle["connectivity"] == "online"
            counts = []
            while len(counts) < 5:
                message = await hear(socket)
                if message["type"] == "change":
                    counts.append(message["values"][COUNT])
            assert counts == sorted(set(counts))
            return counts[-1]

    heard = asyncio.run(follow())
    wait_for(lambda: now(instance) > heard, timeout_s=60, why="the API tells the newest")
    instance.signal("agent", signal.SIGSTOP)
    try:
        wait_for(lambda: is_flushed(instance), timeout_s=60, why="all that was sent is stored")
        before, cloud = shown(instance), instance.pid("cloud")
        instance.kill("cloud")
        wait_for(lambda: instance.pid("cloud") != cloud, timeout_s=60, why="the cloud is gone")
        wait_for(lambda: shown(instance), timeout_s=60, why="the cloud is back")
        assert before is not None
        assert {**shown(instance), "stale": None} == {**before, "stale": None}
    finally:
        instance.signal("agent", signal.SIGCONT)
    wait_for(lambda: now(instance) > before["value"], timeout_s=60, why="it goes on")
    last = shown(instance)
    asyncio.run(end_under(instance))
    kept = kept_from(instance.data / NAME)
    assert kept is not None
    with running(instance.data, command="serve") as again:
        restored = shown(again)
        assert restored is not None
        assert last is not None
        assert (restored["value"], restored["unit"]) >= (last["value"], last["unit"])


async def end_under(instance: RunningInstance) -> None:
    """The instance ends while streams are open, and tells each of them."""
    sockets = [await stream(instance) for _ in range(20)]
    for socket in sockets:
        await hear(socket)
    instance.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(instance.process.wait, 60)
    for socket in sockets:
        async for _ in socket:
            pass
        assert socket.close_code == 1001


def now(instance: RunningInstance) -> int:
    found = shown(instance)
    return int(str(found["value"])) if found else 0
