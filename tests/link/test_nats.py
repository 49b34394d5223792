"""What only the NATS driver has: a process that dies, a disk that is lost, a password."""

import asyncio
import contextlib
import json
import logging
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contactor.errors import LinkError, LinkFull, UsageError
from contactor.link import topics
from contactor.link.broker import wait_broker
from contactor.link.nats import NatsTransport
from contactor.link.nats.jetstream import STREAM, check
from contactor.link.parts import part_of
from contactor.link.ports import QueueLimits
from tests.link.support import DEADLINE_S, SMALL, BrokerProcess, until

LEAF = topics.uplink("leaf")


@contextlib.asynccontextmanager
async def connected(
    url: str, limits: QueueLimits = SMALL, timeout_s: float = DEADLINE_S
) -> AsyncIterator[NatsTransport]:
    transport = NatsTransport(url, name="test", limits=limits)
    try:
        await transport.wait_connected(timeout_s)
        yield transport
    finally:
        await transport.close()


@pytest.mark.parametrize(
    "url",
    ["", "leaf", "http://localhost", "nats://", "nats://:4222", "nats://host:port", "nats://h:99999",
     "//host", "nats://user:secret@:1", "tls://host,nats://user:secret@:1", "nats://a,b",
     "nats://localhost?authority=a.crt", "tls://host?certificate=a.crt", "tls://host?a"],
)  # fmt: skip
def test_url_that_cannot_be_read_is_refused_without_its_secret(url: str) -> None:
    async def scenario() -> None:
        NatsTransport(url, name="test")

    with pytest.raises(UsageError, match="expected nats://") as caught:
        asyncio.run(scenario())
    assert "secret" not in str(caught.value)


def test_absent_broker_is_one_line_without_a_traceback(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with connected("nats://user:secret@127.0.0.1:9", timeout_s=2.0):
            raise AssertionError("there is no broker")

    with caplog.at_level(logging.DEBUG), pytest.raises(LinkError) as caught:
        asyncio.run(scenario())
    assert str(caught.value) == "no broker at nats://127.0.0.1:9: connection refused"
    assert [r.levelname for r in caplog.records if r.name.startswith("contactor")] == ["WARNING"]
    assert "secret" not in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def test_peer_that_is_no_broker_is_one_line() -> None:
    async def scenario(answer: bytes) -> str:
        async def respond(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(LinkError, match="no broker at") as caught:
                async with connected(f"nats://127.0.0.1:{port}", timeout_s=0.3):
                    raise AssertionError("that was no broker")
        return str(caught.value)

    for answer in (b"", b"SSH-2.0-OpenSSH\r\n", b"INFO {\r\n", b"INFO {}\r\n", b"x" * 100_000):
        assert "\n" not in asyncio.run(scenario(answer))


@pytest.mark.processes
def test_wrong_password_is_one_line(broker_process: BrokerProcess) -> None:
    wrong = broker_process.launch.url.replace("nats://contactor:", "nats://contactor:x")
    with pytest.raises(LinkError, match=r"refused the user or password$") as caught:
        asyncio.run(wait_broker(wrong, timeout_s=1.0))
    assert "\n" not in str(caught.value)
    assert wrong.split(":")[2].split("@")[0] not in str(caught.value)


@pytest.mark.processes
def test_password_is_needed(broker_process: BrokerProcess) -> None:
    with pytest.raises(LinkError, match="refused the user or password"):
        asyncio.run(wait_broker(f"nats://127.0.0.1:{broker_process.launch.port}", timeout_s=1.0))


@pytest.mark.processes
def test_lost_link_and_its_return_are_logged_once(
    broker_process: BrokerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with connected(broker_process.launch.url) as link:
            broker_process.kill()
            await until(lambda: not link.is_connected)
            with pytest.raises(LinkError):
                await link.wait_connected(timeout_s=1.0)
            await broker_process.restart()
            await link.wait_connected(DEADLINE_S)

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    lines = [r.getMessage() for r in caplog.records if "transport" in r.name]
    assert [line.split(" broker=")[0] for line in lines] == ["link lost", "link made"]
    password = (broker_process.folder / "password").read_text().strip()
    assert password not in caplog.text


@pytest.mark.processes
def test_link_of_several_brokers_goes_on_at_the_next(
    broker_process: BrokerProcess, tmp_path: Path
) -> None:
    async def scenario(other: BrokerProcess) -> None:
        async with connected(f"{broker_process.launch.url},{other.launch.url}") as link:
            broker_process.kill()
            await until(lambda: not link.is_connected)
            await link.wait_connected(DEADLINE_S)
            await link.publish("contactor.v1.test", b"")
            other.kill()
            await until(lambda: not link.is_connected)
            await broker_process.restart()
            await link.wait_connected(DEADLINE_S)

    other = BrokerProcess(tmp_path / "other")
    try:
        other.start()
        asyncio.run(scenario(other))
    finally:
        other.kill()


@pytest.mark.processes
def test_kill_fails_waiting_puts_at_once(broker_process: BrokerProcess) -> None:
    async def scenario() -> float:
        async with connected(broker_process.launch.url) as link:
            await link.consumer(topics.ALL_UPLINKS, name="ingest")
            puts = [
                asyncio.create_task(link.put(LEAF, bytes(100), message_id=f"{n}"))
                for n in range(2_000)
            ]
            await asyncio.wait(puts, return_when=asyncio.FIRST_COMPLETED)
            started = time.monotonic()
            broker_process.kill()
            results = await asyncio.gather(*puts, return_exceptions=True)
            assert {type(one) for one in results} <= {type(None), LinkError, LinkFull}
            return time.monotonic() - started

    assert asyncio.run(scenario()) < 3.0


@pytest.mark.processes
def test_unacknowledged_messages_come_again_after_a_kill(broker_process: BrokerProcess) -> None:
    async def scenario() -> None:
        async with connected(broker_process.launch.url) as link:
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            for number in range(10):
                await link.put(LEAF, b"%d" % number, message_id=f"{number}")
            first: set[bytes] = set()
            while len(first) < 10:
                taken = await consumer.take(limit=10, timeout_s=1.0)
                first |= {delivery.payload for delivery in taken}
            broker_process.kill()
            await until(lambda: not link.is_connected)
            await broker_process.restart()
            await link.wait_connected(DEADLINE_S)
            assert link.connects == 2
            again: set[bytes] = set()
            deadline = time.monotonic() + DEADLINE_S
            while again != first:
                assert time.monotonic() < deadline
                for delivery in await consumer.take(limit=10, timeout_s=1.0):
                    again.add(delivery.payload)
                    await consumer.ack([delivery])

    asyncio.run(scenario())


@pytest.mark.processes
def test_acknowledgement_of_a_lost_store_does_not_reach_another_message(
    broker_process: BrokerProcess,
) -> None:
    limits = QueueLimits(ack_wait_s=1.0)

    async def scenario() -> None:
        async with connected(broker_process.launch.url, limits) as link:
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"old", message_id="1")
            [old] = await consumer.take(limit=1, timeout_s=DEADLINE_S)
            broker_process.kill()
            shutil.rmtree(broker_process.store)
            await broker_process.restart()
            await link.wait_connected(DEADLINE_S)
            await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"new", message_id="1")
            [new] = await consumer.take(limit=1, timeout_s=DEADLINE_S)
            await consumer.ack([old])
            assert new.payload == b"new"
            again = await consumer.take(limit=1, timeout_s=DEADLINE_S)
            assert [delivery.payload for delivery in again] == [b"new"]

    asyncio.run(scenario())


@pytest.mark.processes
def test_messages_that_nobody_took_go_to_the_next_at_once(broker_process: BrokerProcess) -> None:
    async def scenario() -> None:
        url, limits = broker_process.launch.url, QueueLimits()
        async with connected(url) as car:
            async with connected(url, limits) as cloud:
                consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
                waiting = asyncio.create_task(consumer.take(limit=50, timeout_s=DEADLINE_S))
                for number in range(50):
                    await car.put(LEAF, b"%d" % number, message_id=f"{number}")
                for delivery in await waiting:
                    await consumer.ack([delivery])
                    done = delivery.payload
            async with connected(url, limits) as cloud:
                consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
                rest: set[bytes] = set()
                while len(rest) < 49 - int(done):
                    taken = await consumer.take(limit=50, timeout_s=DEADLINE_S)
                    assert taken
                    rest |= {delivery.payload for delivery in taken}

    asyncio.run(scenario())


@pytest.mark.processes
def test_full_store_is_back_pressure(broker_process: BrokerProcess) -> None:
    async def scenario() -> None:
        async with connected(broker_process.launch.url) as link:
            await link.consumer(topics.ALL_UPLINKS, name="ingest")
            with pytest.raises(LinkFull, match=r"^the broker's store is full: maximum bytes"):
                await link.put(LEAF, bytes(SMALL.held_bytes + 1), message_id="1")

    asyncio.run(scenario())


@pytest.mark.processes
def test_largest_record_fits_and_a_larger_message_is_refused(
    broker_process: BrokerProcess,
) -> None:
    async def scenario() -> None:
        async with connected(broker_process.launch.url, QueueLimits()) as link:
            consumer = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, bytes(1_000_000), message_id="1")
            [delivery] = await consumer.take(limit=5, timeout_s=DEADLINE_S)
            assert len(delivery.payload) == 1_000_000
            with pytest.raises(LinkError, match="maximum payload"):
                await link.put(LEAF, bytes(2_000_000), message_id="2")
            assert link.is_connected

    asyncio.run(scenario())


@pytest.mark.processes
def test_stream_made_by_an_older_version_is_given_our_limits(
    broker_process: BrokerProcess,
) -> None:
    async def scenario() -> None:
        url = broker_process.launch.url
        async with connected(url, SMALL) as link:
            await link.consumer(topics.ALL_UPLINKS, name="ingest")
        async with connected(url, QueueLimits()) as link:
            await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, bytes(SMALL.held_bytes + 1), message_id="1")

    asyncio.run(scenario())


@pytest.mark.processes
def test_message_kept_before_there_were_parts_is_still_handed_over(
    broker_process: BrokerProcess,
) -> None:
    stream = {"name": STREAM, "subjects": ["contactor.v1.up.*"], "retention": "interest"}
    consumer = {"durable_name": "ingest", "filter_subject": "contactor.v1.up.*"}
    config = {"stream_name": STREAM, "config": consumer | {"ack_policy": "explicit"}}

    async def scenario() -> None:
        async with connected(broker_process.launch.url, QueueLimits()) as link:
            broker = await link.connection(DEADLINE_S)
            for subject, body in (
                (f"STREAM.CREATE.{STREAM}", stream),
                (f"CONSUMER.DURABLE.CREATE.{STREAM}.ingest", config),
            ):
                answer = await broker.request(
                    f"$JS.API.{subject}", json.dumps(body).encode(), timeout_s=DEADLINE_S
                )
                check(answer)
            await link.put(LEAF, b"of old", message_id="1")
            both = await link.consumer(topics.ALL_UPLINKS, name="ingest")
            await link.put(LEAF, b"of now", message_id="2")
            some = await link.consumer(topics.ALL_UPLINKS, name="some", parts={part_of("leaf")})
            for consumer in (both, some):
                taken: list[tuple[str, bytes]] = []
                while len(taken) < 2:
                    more = await consumer.take(limit=2, timeout_s=DEADLINE_S)
                    assert more
                    taken += [(delivery.subject, delivery.payload) for delivery in more]
                assert taken == [(LEAF, b"of old"), (LEAF, b"of now")]

    asyncio.run(scenario())


@pytest.mark.processes
def test_message_taken_after_the_store_was_lost_is_not_forgotten(
    broker_process: BrokerProcess,
) -> None:
    """A stream without a consumer would acknowledge and forget: it must open last."""

    async def keep_putting(link: NatsTransport, accepted: set[bytes]) -> None:
        deadline, number = time.monotonic() + DEADLINE_S, 0
        while len(accepted) < 50:
            assert time.monotonic() < deadline
            number += 1
            try:
                await link.put(LEAF, b"%d" % number, message_id=f"{number}")
            except LinkError:
                await asyncio.sleep(0)
            else:
                accepted.add(b"%d" % number)

    async def scenario() -> None:
        async with connected(broker_process.launch.url) as car:
            for _ in range(6):
                broker_process.kill()
                shutil.rmtree(broker_process.store)
                await broker_process.restart()
                async with connected(broker_process.launch.url) as cloud:
                    await car.wait_connected(DEADLINE_S)
                    accepted: set[bytes] = set()
                    putting = asyncio.create_task(keep_putting(car, accepted))
                    consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
                    got: set[bytes] = set()
                    while not putting.done() or got != accepted:
                        taken = await consumer.take(limit=100, timeout_s=2.0)
                        if not taken and got != accepted:  # on a busy machine it may take longer
                            taken = await consumer.take(limit=100, timeout_s=DEADLINE_S)
                            assert taken, f"forgotten: {sorted(accepted - got)}"
                        got |= {delivery.payload for delivery in taken}
                    await putting

    asyncio.run(scenario())
