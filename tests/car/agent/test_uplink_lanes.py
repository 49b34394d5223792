"""What is urgent overtakes what waits: over a real broker, on a link of 20 kB a second."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.uplink import Uplink
from contactor.clock import SystemClock
from contactor.link import topics
from contactor.link.messages import Watermark, decode_hello, encode_watermark
from contactor.link.nats import NatsTransport
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows
from contactor.signals.wire.envelope import MessageKind, read_envelope
from tests.flow.proxy import Proxy
from tests.link.support import BrokerProcess

pytestmark = pytest.mark.processes

CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
LAMP = "Vehicle.Contactor.IsWarningLampOn"
BYTES_S = 20_000
MESSAGES = 200
"""Of the backlog, 4 kB each: 40 s on that link."""


def backlog_batch(number: int) -> tuple[Rows, ...]:
    ts = np.arange(number * 10, number * 10 + 10, dtype=np.int64)
    noise = np.random.default_rng(number).uniform(3, 4, (10, 96)).astype(np.float32)
    cells = [tuple(row) for row in noise.tolist()]
    return (Rows(Group.CELLS, ts, (Column.of(CELLS, cells),)),)


def lamp_batch() -> tuple[Rows, ...]:
    return (Rows(Group.EVENTS, np.array([1], np.int64), (Column.of(LAMP, [True]),)),)


class Cloud:
    """Takes what comes, and says of each stream that nothing of it is stored yet."""

    def __init__(self, url: str) -> None:
        self.transport = NatsTransport(url, name="cloud")
        self.arrived: list[int] = []

    async def run(self) -> None:
        consumer = await self.transport.consumer(topics.ALL_UPLINKS, name="ingest")
        hellos = await self.transport.subscribe(topics.ALL_HELLOS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer(hellos))
            while True:
                for delivery in await consumer.take(limit=100, timeout_s=0.2):
                    envelope = read_envelope(delivery.payload)
                    if envelope.kind is MessageKind.RECORD:
                        self.arrived.append(envelope.stream)
                    await consumer.ack([delivery])

    async def _answer(self, hellos) -> None:
        while True:
            message = await hellos.next(timeout_s=60)
            if message is None:
                continue
            hello = decode_hello(message.payload)
            for one in hello.streams:
                known = Watermark(hello.vehicle_id, one.stream, 0, (), 0, 0, {}, 0)
                await self.transport.publish(
                    topics.watermark(hello.vehicle_id), encode_watermark(known)
                )


async def until_count(arrived: list[int], stream: Stream, count: int) -> None:
    async with asyncio.timeout(60):
        while arrived.count(stream.stream) < count:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("waiting", [Lane.LIVE, Lane.BACKLOG])
def test_urgent_row_overtakes_a_large_backlog_on_a_slow_link(tmp_path: Path, waiting: Lane) -> None:
    async def run() -> None:
        outbox = Outbox(tmp_path / "outbox.db")
        slow = outbox.open_stream("demo", waiting, profile="")
        urgent = outbox.open_stream("demo", Lane.URGENT, profile="")
        outbox.append(slow, [backlog_batch(number) for number in range(MESSAGES)])
        broker = BrokerProcess(tmp_path / "broker")
        await broker.restart()
        cloud = Cloud(broker.launch.url)
        receiving = asyncio.create_task(cloud.run())
        with Proxy(target_port=broker.launch.port, seed=1, throttle_bytes_s=BYTES_S) as proxy:
            proxy.harm("throttle", 3600)
            direct = broker.launch.url
            url = direct.replace(str(broker.launch.port), str(proxy.port))
            transport = NatsTransport(url, name="agent")
            uplink = Uplink(outbox=outbox, transport=transport, clock=SystemClock())
            for stream in (slow, urgent):
                uplink.carry(stream)
            sending = asyncio.create_task(uplink.run())
            try:
                await until_count(cloud.arrived, slow, 15)
                for alarm in range(1, 4):
                    before = len(cloud.arrived)
                    await uplink.append(urgent, [lamp_batch()])
                    await until_count(cloud.arrived, urgent, alarm)
                    overtaken_by = cloud.arrived.index(urgent.stream, before) - before
                    assert overtaken_by <= 6  # what was under way: about a second of the link
                assert cloud.arrived.count(slow.stream) < MESSAGES / 2
            finally:
                for task in (sending, receiving):
                    task.cancel()
                await asyncio.gather(sending, receiving, return_exceptions=True)
                await transport.close()
                await cloud.transport.close()
                broker.kill()
                outbox.close()

    asyncio.run(run())
