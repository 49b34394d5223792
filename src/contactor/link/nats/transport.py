"""A transport over NATS that keeps itself connected.

connect ──► every subscription in force ──► in use ──► lost: all that waits fails at once
   ▲                                                    │
   └────────── 0.1 to 1 s, with jitter, without end ◄───┘
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import cycle

from contactor.errors import LinkError
from contactor.link.mailbox import Mailbox
from contactor.link.nats import jetstream
from contactor.link.nats.address import read_addresses
from contactor.link.nats.connection import (
    CLOSE_S,
    NOT_KNOWN,
    Connection,
    Heard,
    Listening,
    Proof,
)
from contactor.link.nats.consumer import NatsConsumer, drop, retire
from contactor.link.ports import Message, QueueLimits

CONSUMER_S = 1.0
PUT_S = 5.0
WATCH_S = 0.25
RECONNECT_S = (0.2, 1.0)
REFUSED_S = 5.0
REFUSED_SOON = 8
"""Who is refused knocks so often as if the link were lost, for the cloud may be just starting; then
with pauses of up to REFUSED_S, for he may be to stay out for good."""
REPLICAS = 3

_log = logging.getLogger(__name__)


class NatsTransport:
    """A `Transport` over NATS; made inside a running event loop, which then keeps it connected.

    Args:
        url: nats://[USER:PASSWORD@]HOST[:PORT], or tls://; of a cluster, those of all its servers
            with a comma between: of three or more, three hold each message.
        name: how the broker's monitoring calls this client.
        limits: of the queue, where this transport makes it.
        proof: who this is, in place of the user of the url.

    Raises:
        UsageError: the url cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        limits: QueueLimits | None = None,
        proof: Proof | None = None,
    ) -> None:
        self._addresses = read_addresses(url)
        self._address = self._addresses[0]
        self._name = name
        self._proof = proof
        replicas = REPLICAS if len(self._addresses) >= REPLICAS else 1
        self._limits = replace(limits or QueueLimits(), replicas=replicas)
        self.connects = 0
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._mailboxes: list[Mailbox] = []
        self._listening: dict[Mailbox, Listening] = {}
        self._consumers: dict[str, NatsConsumer] = {}
        self._reason = "no answer yet"
        self._is_failing = False
        self._is_closed = False
        self._is_ending = False
        self._keeping = asyncio.get_running_loop().create_task(self._keep_connected())

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now, as far as is known."""
        return self._connection is not None

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when there is a connection."""
        await self.connection(timeout_s)

    async def put(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Return when the broker has taken the message."""
        headers = {"Nats-Msg-Id": message_id}
        connection = self.connection_now()
        answer = await connection.request(subject, payload, timeout_s=PUT_S, headers=headers)
        jetstream.check(answer)

    async def consumer(
        self, pattern: str, *, name: str, parts: Collection[int] | None = None
    ) -> NatsConsumer:
        """The consumer of that name, made at the broker where it is new."""
        if name not in self._consumers:
            self._consumers[name] = NatsConsumer(self, pattern, name, self._limits, parts=parts)
        await self._consumers[name].prepare(CONSUMER_S)
        return self._consumers[name]

    async def retire(self, prefix: str, *, keep: Collection[str]) -> None:
        """Forget every consumer whose name begins with `prefix`, but those to keep."""
        await retire(self.connection_now(), prefix, keep)

    async def drop(self) -> None:
        """Give up all that is kept."""
        await drop(self.connection_now())

    async def publish(self, subject: str, payload: bytes) -> None:
        """Broadcast to whoever listens."""
        await self.connection_now().publish(subject, payload)

    async def publish_many(self, messages: Sequence[Message]) -> None:
        """Broadcast each to whoever listens."""
        pairs = ((message.subject, message.payload) for message in messages)
        await self.connection_now().publish_many(pairs)

    async def subscribe(self, pattern: str) -> Mailbox:
        """Listen from now on, through every reconnection."""
        if self._is_closed:
            raise LinkError("the link was closed")
        mailbox = Mailbox(pattern, on_close=self._forget)
        self._mailboxes.append(mailbox)
        if self._connection is not None:
            with contextlib.suppress(LinkError):  # a lost link listens again when it is back
                await self._listen(self._connection, mailbox)
        return mailbox

    async def close(self) -> None:
        """Send what was published, then end the connection for good."""
        if self._is_closed:
            return
        self._is_closed = True
        connection = self._connection
        if connection is not None:
            for consumer in self._consumers.values():
                await consumer.give_back(connection)
            await connection.flush(CLOSE_S)
        self._is_ending = True
        self._keeping.cancel()
        await asyncio.wait({self._keeping})
        for mailbox in self._mailboxes:
            mailbox.shut()

    async def connection(self, timeout_s: float) -> Connection:
        """The present connection, waited for; for consumers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if self._is_closed else timeout_s):
                await self._connected.wait()
        return self.connection_now()

    def connection_now(self) -> Connection:
        """The present connection; for consumers."""
        if self._is_closed:
            raise LinkError("the link was closed")
        if self._connection is None:
            raise LinkError(f"no broker at {self._address.shown}: {self._reason}")
        return self._connection

    async def _listen(self, connection: Connection, mailbox: Mailbox) -> None:
        """Fill a mailbox; in force at the broker when this returns."""

        def hear(message: Heard) -> None:
            mailbox.offer(Message(message.subject, message.payload))

        self._listening[mailbox] = await connection.subscribe(mailbox.pattern, hear)
        await connection.flush()

    async def _forget(self, mailbox: Mailbox) -> None:
        self._mailboxes.remove(mailbox)
        listening = self._listening.pop(mailbox, None)
        if listening is not None:
            await listening.end()

    async def _keep_connected(self) -> None:
        failures = 0
        turns = cycle(self._addresses)
        while not self._is_ending:
            connection = Connection()
            self._address = next(turns)
            try:
                if await self._open(connection):
                    failures = 0
                    await self._use(connection)
            finally:
                await connection.end()
            if not self._is_ending:
                self._fail(connection.reason)
                is_out = connection.reason == NOT_KNOWN and failures >= REFUSED_SOON
                longest_s = REFUSED_S if is_out else RECONNECT_S[1]
                await asyncio.sleep(_pause_s(failures, longest_s) / len(self._addresses))
                failures += 1

    async def _open(self, connection: Connection) -> bool:
        """Connect, and put every subscription in force; whether that succeeded."""
        self._listening.clear()
        if not await connection.connect(self._address, self._name, self._proof):
            return False
        try:
            while new := [box for box in self._mailboxes if box not in self._listening]:
                for mailbox in new:
                    await self._listen(connection, mailbox)
        except LinkError:
            return False
        return True

    async def _use(self, connection: Connection) -> None:
        """Use the connection until it is lost."""
        self._connection = connection
        self.connects += 1
        self._connected.set()
        if self._is_failing:
            _log.warning("link made broker=%s connects=%s", self._address.shown, self.connects)
        self._is_failing = False
        try:
            while connection.is_alive and not self._is_ending:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_S):
                        await connection.closed.wait()
        finally:
            self._connection = None
            self._connected.clear()

    def _fail(self, reason: str | None) -> None:
        self._reason = reason or "connection lost"
        if not self._is_failing:
            what = "link lost" if self.connects else "no link yet"
            _log.warning("%s broker=%s reason=%s", what, self._address.shown, self._reason)
        self._is_failing = True


def _pause_s(failures: int, longest_s: float) -> float:
    """How long to wait before the next attempt: longer each time, and never in step with others."""
    limit_s = min(RECONNECT_S[0] * 2.0 ** min(failures, 8), longest_s)
    return random.uniform(limit_s / 2, limit_s)
