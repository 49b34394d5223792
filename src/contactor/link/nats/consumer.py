"""One name's durable view of the stream; a standing request brings messages as they come.

consumer = NatsConsumer(transport, "contactor.v1.up.*", "ingest", QueueLimits())
await consumer.prepare(timeout_s=5.0)                       # makes stream and consumer
deliveries = await consumer.take(limit=500, timeout_s=0.2)  # makes them again after an error
await consumer.ack(deliveries)
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from contactor.errors import LinkError
from contactor.link.nats import jetstream
from contactor.link.nats.connection import Connection, Heard, Listening
from contactor.link.parts import kept_as, sent_as
from contactor.link.ports import Delivery, QueueLimits

API_S = 15.0
"""The first stream after a boot can take over 5 s."""
PULL_S = 10.0
HEARTBEAT_S = 1.0
SILENCE_S = 3.0
"""After so long without a message or a heartbeat a request is lost, as with a cluster's leader."""
FAILED_TAKE_S = 0.2

NO_MESSAGES, EXPIRED, HEARTBEAT = "404", "408", "100"
PULL_IS_LARGE = "Message Size Exceeds MaxBytes"
ACKNOWLEDGED, NOT_ACKNOWLEDGED = b"", b"-NAK"
AHEAD_BYTES = 4 * 2**20
"""Who took more than that at once has no more brought while it works on it."""
ACK_AT_ONCE = 1_000
"""Between so many others have their turn."""

_Mark = tuple[str, str]
"""Where a message is acknowledged, and in which making of the stream."""

_log = logging.getLogger(__name__)


class Link(Protocol):
    """What a consumer needs of its transport."""

    async def connection(self, timeout_s: float) -> Connection:
        """The present connection, waited for.

        Raises:
            LinkError: there was none for `timeout_s`.
        """
        ...

    def connection_now(self) -> Connection:
        """The present connection.

        Raises:
            LinkError: there is none.
        """
        ...


class NatsConsumer:
    """A `Consumer` over JetStream."""

    def __init__(
        self,
        link: Link,
        pattern: str,
        name: str,
        limits: QueueLimits,
        *,
        parts: Collection[int] | None = None,
    ) -> None:
        self._link = link
        self._limits = limits
        self._subjects = kept_as(pattern, parts)
        self._is_partial = parts is not None
        self._name = name
        self._connection: Connection | None = None
        self._listening: Listening | None = None
        self._store = ""
        self._inbox = ""
        self._pull: _Pull | None = None
        self._pulls = 0
        self._most = 1
        self._problem: str | None = None
        self._arrived: deque[Delivery] = deque()
        self._changed = asyncio.Event()

    async def take(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages as soon as there are any, none after `timeout_s`."""
        self._most = max(self._most, limit)
        try:
            await self._wait_arrived(timeout_s)
        except LinkError:
            self._connection = None
            await asyncio.sleep(min(FAILED_TAKE_S, timeout_s))
            raise
        taken = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        await self._ask_ahead(sum(len(one.payload) for one in taken))
        return taken

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge over the present connection what it, or one before, brought."""
        connection = self._link.connection_now()
        acks = []
        for delivery in deliveries:
            reply, store = cast("_Mark", delivery.mark)
            if store == self._store:  # in a store made anew the same number is another message
                acks.append((reply, ACKNOWLEDGED))
        for begin in range(0, len(acks), ACK_AT_ONCE):
            await connection.publish_many(acks[begin : begin + ACK_AT_ONCE])
            await asyncio.sleep(0)

    async def prepare(self, timeout_s: float) -> Connection:
        """Make stream and consumer where they are missing, and listen; returns what it listens on.

        Raises:
            LinkError: no connection for `timeout_s`, or the broker failed.
        """
        connection = await self._link.connection(timeout_s)
        if connection is self._connection:
            return connection
        if self._listening is not None:
            await self._listening.end()
        self._store = await self._make(connection)
        self._inbox = connection.new_inbox()
        self._listening = await connection.subscribe(f"{self._inbox}.*", self._hear)
        connection.watchers.add(self._changed)
        self._pull, self._problem = None, None
        self._connection = connection
        return connection

    async def give_back(self, connection: Connection) -> None:
        """Let messages that nobody took be handed to whoever comes next, at once."""
        if self._listening is not None:
            await self._listening.end()
        with contextlib.suppress(LinkError):
            marks = [cast("_Mark", delivery.mark) for delivery in self._arrived]
            self._arrived.clear()
            await connection.publish_many((reply, NOT_ACKNOWLEDGED) for reply, _ in marks)

    async def _wait_arrived(self, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not self._arrived:
            left_s = max(deadline - loop.time(), 0)
            connection = await self._ready_connection(left_s)
            if self._problem is not None:
                raise LinkError(f"the broker stopped delivering: {self._problem}")
            if left_s == 0:
                return
            self._changed.clear()
            if self._pull is None:
                await self._ask(connection)
            elif loop.time() > self._pull.heard + SILENCE_S:
                raise LinkError("the broker answers no request for messages")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._changed.wait()

    async def _ready_connection(self, timeout_s: float) -> Connection:
        if self._connection is None or self._connection.is_over:
            self._connection = None
            return await self.prepare(timeout_s)
        return self._connection

    async def _make(self, connection: Connection) -> str:
        """Make the consumer, and the stream where it is missing, which opens last.

        Returns what tells this making of the stream from another. A stream with damaged files is
        given up, for the cars hold what was in it; a cluster may be failing for a moment only.
        """
        try:
            await self._make_consumer(connection)
        except jetstream.JetStreamRefusal as refusal:
            if refusal.code != jetstream.SERVER_FAILED or self._limits.replicas > 1:
                raise
            _log.warning("stream dropped stream=%s reason=%s", jetstream.STREAM, refusal)
            await _request(connection, jetstream.delete_stream())
            await self._make_consumer(connection)
        return await _request(connection, jetstream.open_stream(self._limits))

    async def _make_consumer(self, connection: Connection) -> None:
        new_consumer = jetstream.create_consumer(
            self._name, self._subjects, self._limits, is_partial=self._is_partial
        )
        try:
            await _request(connection, new_consumer)
        except jetstream.JetStreamRefusal as refusal:
            if refusal.err_code != jetstream.STREAM_NOT_FOUND:
                raise
            await _make_closed_stream(connection, self._limits)
            await _request(connection, new_consumer)

    async def _ask(self, connection: Connection) -> None:
        """Put up a standing request; what it brings too late for one `take` is the next one's."""
        self._pulls += 1
        now = asyncio.get_running_loop().time()
        self._pull = _Pull(f"{self._inbox}.{self._pulls}", left=self._most, heard=now)
        subject, payload = jetstream.pull(
            self._name, limit=self._most, expires_s=PULL_S, heartbeat_s=HEARTBEAT_S
        )
        await connection.publish(subject, payload, reply=self._pull.reply)

    async def _ask_ahead(self, size: int) -> None:
        """Have more brought while the caller works on what it took, if that is not much."""
        is_answered = bool(size) and self._pull is None and not self._arrived
        if is_answered and size <= AHEAD_BYTES and self._connection is not None:
            with contextlib.suppress(LinkError):  # the next `take` will see it
                await self._ask(self._connection)

    def _hear(self, message: Heard) -> None:
        """Take in a delivery, which asks for a reply, or a status, which does not."""
        pull = self._pull
        if pull is not None:
            pull.heard = asyncio.get_running_loop().time()
        if message.reply:
            mark = message.reply, self._store
            self._arrived.append(Delivery(sent_as(message.subject), message.payload, mark))
            if pull is not None:
                pull.left -= 1
                self._pull = pull if pull.left else None
        elif pull is not None and message.subject == pull.reply and message.status != HEARTBEAT:
            self._pull = None
            is_ordinary = message.status in {NO_MESSAGES, EXPIRED}
            if not is_ordinary and message.description != PULL_IS_LARGE:
                self._problem = " ".join(f"{message.status} {message.description}".split())
        self._changed.set()


@dataclass(slots=True)
class _Pull:
    """A standing request: how many messages it still brings, and when it was last heard of."""

    reply: str
    left: int
    heard: float


async def drop(connection: Connection) -> None:
    """Remove the stream, if it is there; every consumer hears that it is gone.

    Raises:
        LinkError: the connection was lost, or the broker failed.
    """
    try:
        await _request(connection, jetstream.delete_stream())
    except jetstream.JetStreamRefusal as refusal:
        if refusal.err_code != jetstream.STREAM_NOT_FOUND:
            raise


async def retire(connection: Connection, prefix: str, keep: Collection[str]) -> None:
    """Forget the stream's consumers whose names begin with `prefix`, but those to keep.

    Raises:
        LinkError: the connection was lost, or the broker failed.
    """
    names: list[str] = []
    total = 1
    while len(names) < total:
        subject, payload = jetstream.list_consumers(len(names))
        answer = await connection.request(subject, payload, timeout_s=API_S)
        more, total = jetstream.consumers(answer)
        if not more:
            break
        names += more
    for name in names:
        if name.startswith(prefix) and name not in keep:
            await _request(connection, jetstream.delete_consumer(name))
            _log.warning("consumer retired consumer=%s", name)


async def _make_closed_stream(connection: Connection, limits: QueueLimits) -> None:
    try:
        await _request(connection, jetstream.create_closed_stream(limits))
    except jetstream.JetStreamRefusal as refusal:
        if refusal.err_code != jetstream.NAME_IN_USE:  # another consumer was faster
            raise


async def _request(connection: Connection, request: jetstream.Request) -> str:
    subject, payload = request
    return jetstream.check(await connection.request(subject, payload, timeout_s=API_S))
