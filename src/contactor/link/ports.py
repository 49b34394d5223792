"""What carries messages between car and cloud: three small ports and their sum.

    Queue       put ──► kept by the broker ──► take, ack     each consumer gets every message
    Broadcast   publish ──► whoever listens now              may be lost
    Transport   both, over one connection that mends itself

A queue may hand a message over twice, never silently keep one back while its store lives; the
broker may lose its store at any moment. What must not be lost is held by the sender until the
cloud's watermark has passed it.

    await transport.put(topics.uplink("leaf"), payload, message_id="1-1")
    consumer = await transport.consumer(topics.ALL_UPLINKS, name="ingest")
    deliveries = await consumer.take(limit=500, timeout_s=0.2)
    await consumer.ack(deliveries)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What bounds a queue, the same for every driver.

    Args:
        held_bytes: what the broker holds before a put is refused.
        ack_wait_s: after so long without acknowledgement a message comes again.
        duplicate_window_s: how long a message id is remembered.
        unacknowledged: how many messages one consumer may have taken and not acknowledged.
        idle_s: after so long without its taker a consumer of some parts is forgotten, lest it
            fill the queue for ever.
        replicas: how many servers of a cluster hold each message.
    """

    held_bytes: int = 2**30
    ack_wait_s: float = 60.0
    duplicate_window_s: float = 10.0
    unacknowledged: int = 100_000
    idle_s: float = 120.0
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """What was broadcast."""

    subject: str
    payload: bytes = field(repr=False)


class Delivery(NamedTuple):
    """A queued message, handed over; it comes again unless acknowledged in time.

    Fields:
        mark: what its consumer knows it by.
    """

    subject: str
    payload: bytes
    mark: object

    def __repr__(self) -> str:
        return f"Delivery({self.subject!r}, {len(self.payload)} bytes)"


class Consumer(Protocol):
    """One name's view of the queue; one task at a time takes from it."""

    async def take(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages as soon as there are any, none after `timeout_s`, more than 0.

        It waits longer only while it makes what the broker lost.

        Raises:
            LinkError: no connection, or the broker failed; take again, the consumer mends itself.
        """
        ...

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker to forget what was taken, for this consumer; harmless when told twice.

        Raises:
            LinkError: there is no connection; the messages come again.
        """
        ...


class Queue(Protocol):
    """Messages that the broker keeps until every consumer has acknowledged them."""

    async def put(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Return when the broker has taken the message; may be called concurrently.

        A `message_id` seen within the last seconds is taken and dropped: send again under a new
        one.

        Raises:
            LinkFull: the broker's store is full.
            LinkError: no connection, no consumer was ever there, or no answer in time; the
                message may have been taken all the same.
        """
        ...

    async def consumer(
        self, pattern: str, *, name: str, parts: Collection[int] | None = None
    ) -> Consumer:
        """The consumer of that name, made where it is new; it gets all messages put from then on.

        Args:
            parts: of which parts of the vehicles (`link.parts`), None for all. A consumer of some
                parts that nobody takes from for `QueueLimits.idle_s` is forgotten by the broker.

        Raises:
            LinkError: no connection, or the broker failed.
        """
        ...

    async def drop(self) -> None:
        """Give up all that is kept; every consumer makes its part anew when it takes again.

        Raises:
            LinkError: no connection, or the broker failed.
        """
        ...

    async def retire(self, prefix: str, *, keep: Collection[str]) -> None:
        """Forget every consumer whose name begins with `prefix`, but those to keep.

        What only they had not acknowledged is forgotten with them.

        Raises:
            LinkError: no connection, or the broker failed.
        """
        ...


class Subscription(Protocol):
    """Broadcast messages of a pattern: a bounded buffer that drops its oldest when full."""

    @property
    def dropped(self) -> int:
        """How many messages were dropped because nobody took them in time."""
        ...

    async def next(self, timeout_s: float) -> Message | None:
        """The next message; None when there was none for `timeout_s`.

        Raises:
            LinkError: the subscription or its transport was closed.
        """
        ...

    async def close(self) -> None:
        """End it; never raises."""
        ...


class Broadcast(Protocol):
    """Messages for whoever listens at this moment."""

    async def publish(self, subject: str, payload: bytes) -> None:
        """Send, without knowing whether anyone hears.

        Raises:
            LinkError: there is no connection.
        """
        ...

    async def publish_many(self, messages: Sequence[Message]) -> None:
        """Send each, as `publish`; for thousands of cars at once.

        Raises:
            LinkError: there is no connection.
        """
        ...

    async def subscribe(self, pattern: str) -> Subscription:
        """Listen from now on, through every reconnection.

        Raises:
            LinkError: the transport was closed.
        """
        ...


class Transport(Queue, Broadcast, Protocol):
    """One connection to a broker, made again without end when it is lost."""

    @property
    def connects(self) -> int:
        """How often a connection was made; a changed number means a reconnection in between."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now, as far as is known."""
        ...

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when there is a connection.

        Raises:
            LinkError: there was none for `timeout_s`; the text says why.
        """
        ...

    async def close(self) -> None:
        """Send what was published, then end the connection for good."""
        ...
