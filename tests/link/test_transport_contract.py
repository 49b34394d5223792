"""What every driver of the link promises; each test runs over each driver."""

import asyncio
import contextlib
import time

import pytest

from contactor.errors import LinkError, LinkFull
from contactor.link import topics
from contactor.link.mailbox import CAPACITY
from contactor.link.parts import PARTS, part_of
from contactor.link.ports import Consumer, Message, Transport
from tests.link.support import DEADLINE_S, Broker, InMemory, OverNats, until

LEAF, ZOE = topics.uplink("leaf"), topics.uplink("zoe")

pytestmark = pytest.mark.processes


@pytest.fixture(params=["memory", "nats"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "memory":
        return InMemory()
    return OverNats(request.getfixturevalue("broker_process"))


async def take(consumer: Consumer, count: int, *, ack: bool = True) -> list[bytes]:
    """So many payloads, in the order in which they came."""
    payloads: list[bytes] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(payloads) < count:
        assert time.monotonic() < deadline, f"only {len(payloads)} of {count} came"
        for delivery in await consumer.take(limit=count - len(payloads), timeout_s=0.2):
            payloads.append(delivery.payload)
            if ack:
                await consumer.ack([delivery])
    return payloads


async def connected(transport: Transport) -> None:
    await transport.wait_connected(timeout_s=DEADLINE_S)


async def put_until_taken(transport: Transport, subject: str, payload: bytes) -> None:
    """What a car does: try again, under a new id each time."""
    deadline = time.monotonic() + DEADLINE_S
    for attempt in range(1_000_000):
        try:
            await transport.put(subject, payload, message_id=f"{payload[:20]!r}-{attempt}")
        except LinkError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        else:
            return


def test_queue_hands_over_what_was_put_in_order(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as car, broker.transport() as cloud:
            await connected(car)
            consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
            for number in range(20):
                await car.put(LEAF, b"%d" % number, message_id=f"{number}")
            assert await take(consumer, 20) == [b"%d" % number for number in range(20)]

    asyncio.run(scenario())


def test_queue_names_the_subject_of_each_message(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"l", message_id="1")
            await link.put(ZOE, b"z", message_id="2")
            taken = []
            while len(taken) < 2:
                taken += await consumer.take(limit=2, timeout_s=1.0)
            assert [(one.subject, one.payload) for one in taken] == [(LEAF, b"l"), (ZOE, b"z")]

    asyncio.run(scenario())


def test_queue_takes_concurrent_puts_of_large_messages(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            payloads = [b"%02d" % number + bytes(2_000) for number in range(64)]
            await asyncio.gather(
                *(link.put(LEAF, one, message_id=f"{n}") for n, one in enumerate(payloads))
            )
            assert sorted(await take(consumer, 64)) == payloads

    asyncio.run(scenario())


def test_queue_gives_every_consumer_every_message(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            ingest = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            twin = await link.consumer(topics.ALL_UPLINKS, name="twin")
            for number in range(3):
                await link.put(LEAF, b"%d" % number, message_id=f"{number}")
            assert await take(ingest, 3) == [b"0", b"1", b"2"]
            assert await take(twin, 3) == [b"0", b"1", b"2"]

    asyncio.run(scenario())


def test_queue_gives_each_consumer_the_vehicles_of_its_parts(broker: Broker) -> None:
    vehicles = [f"car{number}" for number in range(100)]

    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            low = await link.consumer(topics.ALL_UPLINKS, name="low", parts=range(32))
            high = await link.consumer(topics.ALL_UPLINKS, name="high", parts=range(32, PARTS))
            for name in vehicles:
                await link.put(topics.uplink(name), name.encode(), message_id=name)
            of_low = [name.encode() for name in vehicles if part_of(name) < 32]
            of_high = [name.encode() for name in vehicles if part_of(name) >= 32]
            assert await take(low, len(of_low)) == of_low
            assert await take(high, len(of_high)) == of_high

    asyncio.run(scenario())


def test_delivery_has_the_subject_that_was_put(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"", message_id="1")
            [delivery] = await consumer.take(limit=1, timeout_s=DEADLINE_S)
            assert delivery.subject == LEAF

    asyncio.run(scenario())


def test_retired_consumer_holds_nothing_back(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            await link.consumer(topics.ALL_UPLINKS, name="ingest-1-of-2", parts=range(32))
            await link.consumer(topics.ALL_UPLINKS, name="ingest-2-of-2", parts=range(32, PARTS))
            other = await link.consumer(topics.ALL_UPLINKS, name="twin")
            ingest = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            puts = (link.put(LEAF, bytes(10_000), message_id=f"{n}") for n in range(15))
            await asyncio.gather(*puts)
            await link.retire("ingest", keep=["ingest"])
            await take(other, 15)
            await take(ingest, 15)
            for number in range(15):
                await put_until_taken(link, LEAF, b"%d" % number + b"0" * 9_000)

    asyncio.run(scenario())


def test_dropped_queue_is_made_anew_by_who_takes(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            await link.drop()
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"old", message_id="1")
            await link.drop()
            with pytest.raises(LinkError, match="queue"):
                await link.put(LEAF, b"lost", message_id="2")
            putting = asyncio.create_task(put_until_taken(link, LEAF, b"new"))
            while not putting.done():
                with contextlib.suppress(LinkError):  # whoever takes hears that it is gone
                    if came := await consumer.take(limit=1, timeout_s=0.1):
                        assert [one.payload for one in came] == [b"new"]
                        break
            await putting

    asyncio.run(scenario())


def test_queue_refuses_before_there_was_a_consumer(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            with pytest.raises(LinkError, match="queue"):
                await link.put(LEAF, b"lost", message_id="1")

    asyncio.run(scenario())


def test_queue_drops_a_repeated_message_id(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"once", message_id="same")
            await link.put(LEAF, b"once", message_id="same")
            await link.put(LEAF, b"last", message_id="other")
            assert await take(consumer, 2) == [b"once", b"last"]

    asyncio.run(scenario())


def test_queue_is_full_until_messages_are_acknowledged(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            puts = (link.put(LEAF, bytes(10_000), message_id=f"{n}") for n in range(30))
            results = await asyncio.gather(*puts, return_exceptions=True)
            count = results.count(None)
            assert 10 < count <= 20
            assert {type(one) for one in results if one is not None} == {LinkFull}
            await take(consumer, count)
            await put_until_taken(link, LEAF, b"there is room again")

    asyncio.run(scenario())


def test_consumer_gets_again_what_it_did_not_acknowledge(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            for number in range(4):
                await link.put(LEAF, b"%d" % number, message_id=f"{number}")
            first: list[bytes] = []
            while len(first) < 4:
                for delivery in await consumer.take(limit=4, timeout_s=0.2):
                    first.append(delivery.payload)
                    if delivery.payload in {b"0", b"2"}:
                        await consumer.ack([delivery])
            assert first == [b"0", b"1", b"2", b"3"]
            assert sorted(await take(consumer, 2)) == [b"1", b"3"]
            assert await consumer.take(limit=4, timeout_s=0.5) == []

    asyncio.run(scenario())


def test_consumer_of_the_same_name_goes_on_where_another_stopped(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as car:
            await connected(car)
            async with broker.transport() as cloud:
                await connected(cloud)
                consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
                await car.put(LEAF, b"1", message_id="1")
                assert await take(consumer, 1) == [b"1"]
            await car.put(LEAF, b"2", message_id="2")
            async with broker.transport() as cloud:
                await connected(cloud)
                consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
                assert await take(consumer, 1) == [b"2"]

    asyncio.run(scenario())


def test_consumer_takes_at_most_the_limit(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            for number in range(30):
                await link.put(LEAF, b"%d" % number, message_id=f"{number}")
            sizes = []
            while sum(sizes) < 30:
                taken = await consumer.take(limit=7, timeout_s=1.0)
                sizes.append(len(taken))
                for delivery in taken:
                    await consumer.ack([delivery])
            assert max(sizes) <= 7

    asyncio.run(scenario())


def test_consumer_waits_for_what_comes_and_no_longer(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            assert await consumer.take(limit=5, timeout_s=0.05) == []
            waiting = asyncio.create_task(consumer.take(limit=5, timeout_s=DEADLINE_S))
            await asyncio.sleep(0)
            started = time.monotonic()
            await link.put(LEAF, b"now", message_id="1")
            assert [one.payload for one in await waiting] == [b"now"]
            assert time.monotonic() - started < DEADLINE_S / 2

    asyncio.run(scenario())


def test_consumer_acknowledges_twice_without_harm(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"1", message_id="1")
            [delivery] = await consumer.take(limit=1, timeout_s=DEADLINE_S)
            await consumer.ack([delivery])
            await consumer.ack([delivery])
            await link.put(LEAF, b"2", message_id="2")
            assert await take(consumer, 1) == [b"2"]

    asyncio.run(scenario())


def test_broadcast_reaches_those_who_listen_to_the_subject(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as car, broker.transport() as cloud:
            await connected(car)
            await connected(cloud)
            mine = await car.subscribe(topics.watermark("leaf"))
            all_of_them = await car.subscribe(topics.ALL_WATERMARKS)
            await cloud.publish(topics.watermark("zoe"), b"z")
            await cloud.publish(topics.watermark("leaf"), b"l")
            assert await mine.next(DEADLINE_S) == Message(topics.watermark("leaf"), b"l")
            assert await all_of_them.next(DEADLINE_S) == Message(topics.watermark("zoe"), b"z")
            assert await all_of_them.next(DEADLINE_S) == Message(topics.watermark("leaf"), b"l")
            assert await mine.next(0.01) is None

    asyncio.run(scenario())


def test_broadcast_drops_the_oldest_and_counts_it(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            slow = await link.subscribe(topics.ALL_HELLOS)
            for number in range(CAPACITY + 10):
                await link.publish(topics.hello("leaf"), b"%d" % number)
            await until(lambda: slow.dropped == 10)
            assert await slow.next(DEADLINE_S) == Message(topics.hello("leaf"), b"10")

    asyncio.run(scenario())


def test_subscription_that_was_closed_says_so(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            subscription = await link.subscribe(topics.ALL_HELLOS)
            await subscription.close()
            await subscription.close()
            await link.publish(topics.hello("leaf"), b"unheard")
            with pytest.raises(LinkError, match="closed"):
                await subscription.next(DEADLINE_S)

    asyncio.run(scenario())


def test_transport_that_was_closed_refuses(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            subscription = await link.subscribe(topics.ALL_HELLOS)
            await link.close()
            await link.close()
            assert not link.is_connected
            with pytest.raises(LinkError):
                await link.wait_connected(timeout_s=0.05)
            with pytest.raises(LinkError):
                await link.put(LEAF, b"", message_id="1")
            with pytest.raises(LinkError):
                await link.publish(topics.hello("leaf"), b"")
            with pytest.raises(LinkError):
                await link.subscribe(topics.ALL_HELLOS)
            with pytest.raises(LinkError):
                await consumer.take(limit=1, timeout_s=0.05)
            with pytest.raises(LinkError):
                await subscription.next(DEADLINE_S)

    asyncio.run(scenario())


def test_transport_sends_what_was_published_before_it_closes(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as cloud:
            await connected(cloud)
            hellos = await cloud.subscribe(topics.ALL_HELLOS)
            async with broker.transport() as car:
                await connected(car)
                await car.publish(topics.hello("leaf"), b"bye")
            assert await hellos.next(DEADLINE_S) == Message(topics.hello("leaf"), b"bye")

    asyncio.run(scenario())


def test_transport_fails_while_the_broker_is_away_and_counts_its_return(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            assert link.connects == 1
            await broker.go_down()
            await until(lambda: not link.is_connected)
            with pytest.raises(LinkError):
                await link.wait_connected(timeout_s=0.05)
            with pytest.raises(LinkError):
                await link.put(LEAF, b"", message_id="1")
            with pytest.raises(LinkError):
                await link.publish(topics.hello("leaf"), b"")
            with pytest.raises(LinkError):
                await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await broker.come_back()
            await connected(link)
            assert link.connects == 2

    asyncio.run(scenario())


def test_subscription_lives_through_a_reconnection(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            before = await link.subscribe(topics.ALL_HELLOS)
            await broker.go_down()
            await until(lambda: not link.is_connected)
            meanwhile = await link.subscribe(topics.ALL_HELLOS)
            await broker.come_back()
            await connected(link)
            await link.publish(topics.hello("leaf"), b"back")
            assert await before.next(DEADLINE_S) == Message(topics.hello("leaf"), b"back")
            assert await meanwhile.next(DEADLINE_S) == Message(topics.hello("leaf"), b"back")

    asyncio.run(scenario())


def test_consumer_lives_through_a_reconnection(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as link:
            await connected(link)
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"before", message_id="1")
            await broker.go_down()
            await until(lambda: not link.is_connected)
            with pytest.raises(LinkError):
                await consumer.take(limit=1, timeout_s=0.05)
            await broker.come_back()
            await connected(link)
            await put_until_taken(link, LEAF, b"after")
            assert await take(consumer, 2) == [b"before", b"after"]

    asyncio.run(scenario())


def test_consumer_mends_a_queue_whose_store_was_lost(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.transport() as car, broker.transport() as cloud:
            await connected(car)
            consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
            await car.put(LEAF, b"lost", message_id="1")
            await broker.lose_store()
            await connected(car)
            taking = asyncio.create_task(_take_despite_errors(consumer, 1))
            await put_until_taken(car, LEAF, b"kept")
            assert await taking == [b"kept"]

    asyncio.run(scenario())


async def _take_despite_errors(consumer: Consumer, count: int) -> list[bytes]:
    while True:
        try:
            return await take(consumer, count)
        except LinkError:
            await asyncio.sleep(0.01)
