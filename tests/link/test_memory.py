"""What only the memory driver has: a clock that tests move, a store that is lost on demand."""

import asyncio

import pytest

from contactor.clock import FakeClock
from contactor.errors import LinkError
from contactor.link import topics
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.ports import QueueLimits

LEAF = topics.uplink("leaf")


def test_message_comes_again_when_its_time_is_up_and_not_before() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        link = MemoryTransport(MemoryBroker(clock=clock))
        consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
        await link.put(LEAF, b"1", message_id="1")
        assert len(await consumer.take(limit=1, timeout_s=0)) == 1
        clock.advance(59.9)
        assert await consumer.take(limit=1, timeout_s=0) == []
        clock.advance(0.1)
        assert [one.payload for one in await consumer.take(limit=1, timeout_s=0)] == [b"1"]

    asyncio.run(scenario())


def test_late_acknowledgement_still_counts() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        link = MemoryTransport(MemoryBroker(clock=clock))
        consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
        await link.put(LEAF, b"1", message_id="1")
        [first] = await consumer.take(limit=1, timeout_s=0)
        clock.advance(60)
        [again] = await consumer.take(limit=1, timeout_s=0)
        await consumer.ack([first])
        clock.advance(60)
        assert await consumer.take(limit=1, timeout_s=0) == []
        assert again.payload == b"1"

    asyncio.run(scenario())


def test_message_id_is_forgotten_after_its_window() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        link = MemoryTransport(MemoryBroker(clock=clock))
        consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
        await link.put(LEAF, b"1", message_id="same")
        clock.advance(11)
        await link.put(LEAF, b"1", message_id="same")
        assert len(await consumer.take(limit=9, timeout_s=0)) == 2

    asyncio.run(scenario())


def test_consumer_holds_only_so_many_unacknowledged() -> None:
    async def scenario() -> None:
        link = MemoryTransport(MemoryBroker(limits=QueueLimits(unacknowledged=3)))
        consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
        for number in range(5):
            await link.put(LEAF, b"%d" % number, message_id=f"{number}")
        first, second, third = await consumer.take(limit=9, timeout_s=0)
        assert await consumer.take(limit=9, timeout_s=0) == []
        await consumer.ack([second])
        assert [one.payload for one in await consumer.take(limit=9, timeout_s=0)] == [b"3"]
        assert (first.payload, third.payload) == (b"0", b"2")

    asyncio.run(scenario())


def test_lost_store_forgets_messages_and_room_they_took() -> None:
    async def scenario() -> None:
        broker = MemoryBroker(limits=QueueLimits(held_bytes=100))
        link = MemoryTransport(broker)
        consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
        await link.put(LEAF, bytes(100), message_id="1")
        [old] = await consumer.take(limit=1, timeout_s=0)
        broker.drop_store()
        with pytest.raises(LinkError, match="no queue"):
            await link.put(LEAF, bytes(100), message_id="1")
        assert await consumer.take(limit=1, timeout_s=0) == []
        await link.put(LEAF, bytes(100), message_id="1")
        await consumer.ack([old])
        with pytest.raises(LinkError, match="full"):
            await link.put(LEAF, b"x", message_id="2")

    asyncio.run(scenario())
