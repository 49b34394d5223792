"""The link inside one process: a broker without a network, with the promises of the real one.

For `replay` and `import` into a folder that nobody runs, and for tests: it can be cut off, and can
lose all that it keeps. Everything happens on one event loop.

    broker = MemoryBroker()
    car, cloud = MemoryTransport(broker), MemoryTransport(broker)
    consumer = await cloud.consumer(topics.ALL_UPLINKS, name="ingest")
    await car.put(topics.uplink("leaf"), b"...", message_id="1")
    deliveries = await consumer.take(limit=10, timeout_s=1.0)
    await consumer.ack(deliveries)
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

from contactor.clock import NS_PER_S, Clock, SystemClock
from contactor.errors import LinkError, LinkFull
from contactor.link import topics
from contactor.link.mailbox import Mailbox
from contactor.link.parts import part_of
from contactor.link.ports import Delivery, Message, QueueLimits

HELD_BYTES = 256 * 2**20


class MemoryBroker:
    """Keeps what was put until every consumer has acknowledged it.

    Args:
        limits: of the queue; by default it holds 256 MiB.
        clock: measures the waits in them.
    """

    def __init__(self, *, limits: QueueLimits | None = None, clock: Clock | None = None) -> None:
        self._limits = limits or QueueLimits(held_bytes=HELD_BYTES)
        self._clock = clock or SystemClock()
        self._held_bytes = 0
        self._queues: dict[str, _Queue] | None = None
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._transports: list[MemoryTransport] = []
        self.is_up = True

    def disconnect(self) -> None:
        """Cut every transport off until `reconnect`."""
        self.is_up = False
        for transport in self._transports:
            transport.cut()

    def reconnect(self) -> None:
        """Let every transport connect again."""
        self.is_up = True
        for transport in self._transports:
            transport.join()

    def drop_store(self) -> None:
        """Lose every queued message and every consumer, as a broker does that loses its disk."""
        for queue in (self._queues or {}).values():
            queue.wake()
        self._queues = None
        self._held_bytes = 0
        self._seen.clear()

    def attach(self, transport: "MemoryTransport") -> None:
        """Take a transport on."""
        self._transports.append(transport)
        if self.is_up:
            transport.join()

    def detach(self, transport: "MemoryTransport") -> None:
        """Let a transport go."""
        self._transports.remove(transport)

    def publish(self, message: Message) -> None:
        """Hand a broadcast to every transport."""
        for transport in self._transports:
            transport.hear(message)

    def put(self, subject: str, payload: bytes, message_id: str) -> None:
        """Queue a message for every consumer of its subject."""
        if self._queues is None:
            raise LinkError(f"no queue takes {subject!r}: there was no consumer yet")
        if self._is_repeated(message_id):
            return
        if self._held_bytes + len(payload) > self._limits.held_bytes:
            raise LinkFull(f"broker is full: it holds {self._held_bytes} bytes")
        self._seen[message_id] = self._clock.monotonic_ns()
        interested = [queue for queue in self._queues.values() if queue.wants(subject)]
        if not interested:
            return
        self._held_bytes += len(payload)
        entry = _Entry(subject, payload, waiting=len(interested))
        for queue in interested:
            queue.add(entry)

    def queue(self, pattern: str, name: str, parts: frozenset[int] | None) -> "_Queue":
        """The queue of a consumer, made where it is new."""
        if self._queues is None:
            self._queues = {}
        if name not in self._queues:
            self._queues[name] = _Queue(pattern, parts)
        return self._queues[name]

    def retire(self, prefix: str, keep: Collection[str]) -> None:
        """Forget the queues of that prefix, but those to keep."""
        queues = self._queues or {}
        for name in [name for name in queues if name.startswith(prefix) and name not in keep]:
            for entry in queues.pop(name).entries():
                entry.waiting -= 1
                self._held_bytes -= 0 if entry.waiting else len(entry.payload)

    def take(self, queue: "_Queue", limit: int) -> list[Delivery]:
        """Hand over what waits, the oldest first."""
        now_ns = self._clock.monotonic_ns()
        queue.take_back(now_ns)
        return [
            Delivery(entry.subject, entry.payload, (queue, number, entry))
            for number, entry in queue.take(
                min(limit, self._limits.unacknowledged - queue.unacknowledged),
                due_ns=now_ns + round(self._limits.ack_wait_s * NS_PER_S),
            )
        ]

    def due_in_s(self, queue: "_Queue") -> float | None:
        """How long until a message comes again; None when none will."""
        due_ns = queue.next_due_ns
        return None if due_ns is None else (due_ns - self._clock.monotonic_ns()) / NS_PER_S

    def forget(self, delivery: Delivery) -> None:
        """Let go of what was handed over."""
        if not self.is_up:
            raise LinkError("not connected to the broker in memory")
        queue, number, entry = cast("_Mark", delivery.mark)
        if queue.forget(number):
            entry.waiting -= 1
            is_ours = self._queues is not None and queue in self._queues.values()
            self._held_bytes -= len(entry.payload) if is_ours and not entry.waiting else 0

    def _is_repeated(self, message_id: str) -> bool:
        oldest_ns = self._clock.monotonic_ns() - round(self._limits.duplicate_window_s * NS_PER_S)
        while self._seen and next(iter(self._seen.values())) < oldest_ns:
            self._seen.popitem(last=False)
        return message_id in self._seen


class MemoryTransport:
    """A `Transport` to a broker in this process."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.connects = 0
        self._broker = broker
        self._is_closed = False
        self._connected = asyncio.Event()
        self._mailboxes: list[Mailbox] = []
        broker.attach(self)

    @property
    def is_connected(self) -> bool:
        """Whether the broker can be reached."""
        return self._connected.is_set()

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the broker can be reached."""
        try:
            async with asyncio.timeout(0 if self._is_closed else timeout_s):
                await self._connected.wait()
        except TimeoutError:
            raise LinkError("not connected to the broker in memory") from None

    async def put(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Queue a message."""
        self._check()
        self._broker.put(subject, payload, message_id)
        await asyncio.sleep(0)

    async def consumer(
        self, pattern: str, *, name: str, parts: Collection[int] | None = None
    ) -> "MemoryConsumer":
        """The consumer of that name."""
        self._check()
        wanted = None if parts is None else frozenset(parts)
        self._broker.queue(pattern, name, wanted)
        return MemoryConsumer(self._broker, self, pattern, name, wanted)

    async def retire(self, prefix: str, *, keep: Collection[str]) -> None:
        """Forget every consumer whose name begins with `prefix`, but those to keep."""
        self._check()
        self._broker.retire(prefix, keep)

    async def drop(self) -> None:
        """Give up all that is kept."""
        self._check()
        self._broker.drop_store()

    async def publish(self, subject: str, payload: bytes) -> None:
        """Broadcast to whoever listens."""
        await self.publish_many([Message(subject, payload)])

    async def publish_many(self, messages: Sequence[Message]) -> None:
        """Broadcast each to whoever listens."""
        self._check()
        for message in messages:
            self._broker.publish(message)
        await asyncio.sleep(0)

    async def subscribe(self, pattern: str) -> Mailbox:
        """Listen from now on."""
        if self._is_closed:
            raise LinkError("the link was closed")
        mailbox = Mailbox(pattern, on_close=self._forget)
        self._mailboxes.append(mailbox)
        return mailbox

    async def close(self) -> None:
        """End the connection for good."""
        if self._is_closed:
            return
        self._is_closed = True
        self._broker.detach(self)
        self.cut()
        for mailbox in self._mailboxes:
            mailbox.shut()

    def join(self) -> None:
        """Count a connection made; for the broker."""
        if not self._connected.is_set():
            self.connects += 1
            self._connected.set()

    def cut(self) -> None:
        """Lose the connection; for the broker."""
        self._connected.clear()

    def hear(self, message: Message) -> None:
        """Take a broadcast in; for the broker."""
        for mailbox in self._mailboxes:
            if topics.matches(mailbox.pattern, message.subject):
                mailbox.offer(message)

    def _check(self) -> None:
        if self._is_closed:
            raise LinkError("the link was closed")
        if not self._connected.is_set():
            raise LinkError("not connected to the broker in memory")

    async def _forget(self, mailbox: Mailbox) -> None:
        self._mailboxes.remove(mailbox)


class MemoryConsumer:
    """One name's view of the broker's queue."""

    def __init__(
        self,
        broker: MemoryBroker,
        transport: MemoryTransport,
        pattern: str,
        name: str,
        parts: frozenset[int] | None,
    ) -> None:
        self._broker = broker
        self._transport = transport
        self._pattern = pattern
        self._name = name
        self._parts = parts

    async def take(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages as soon as there are any, none after `timeout_s`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            left_s = deadline - loop.time()
            await self._transport.wait_connected(max(left_s, 0))
            queue = self._broker.queue(self._pattern, self._name, self._parts)
            if deliveries := self._broker.take(queue, limit):
                await asyncio.sleep(0)
                return deliveries
            if left_s <= 0:
                return []
            due_s = self._broker.due_in_s(queue)
            await queue.wait(left_s if due_s is None else min(left_s, max(due_s, 0)))

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Have the broker forget what was taken."""
        for delivery in deliveries:
            self._broker.forget(delivery)


@dataclass(slots=True)
class _Entry:
    """A message and how many consumers have yet to acknowledge it."""

    subject: str
    payload: bytes
    waiting: int


_Mark = tuple["_Queue", int, _Entry]
"""Of which queue a message was taken, and under which number."""


@dataclass(eq=False, slots=True)
class _Queue:
    """What one consumer has yet to take, and what it took and has not acknowledged."""

    pattern: str
    parts: frozenset[int] | None = None
    _count: int = 0
    _ready: dict[int, _Entry] = field(default_factory=dict)
    _taken: dict[int, tuple[int, _Entry]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def unacknowledged(self) -> int:
        return len(self._taken)

    @property
    def next_due_ns(self) -> int | None:
        return next((due_ns for due_ns, _ in self._taken.values()), None)

    def wants(self, subject: str) -> bool:
        """Whether a message put under `subject` is for this consumer."""
        if not topics.matches(self.pattern, subject):
            return False
        return self.parts is None or part_of(subject.rpartition(".")[2]) in self.parts

    def entries(self) -> list[_Entry]:
        """Everything that it has not acknowledged."""
        return [*self._ready.values(), *(entry for _, entry in self._taken.values())]

    def add(self, entry: _Entry) -> None:
        self._count += 1
        self._ready[self._count] = entry
        self._changed.set()

    def take(self, limit: int, *, due_ns: int) -> list[tuple[int, _Entry]]:
        numbers = [number for number, _ in zip(self._ready, range(limit), strict=False)]
        taken = [(number, self._ready.pop(number)) for number in numbers]
        for number, entry in taken:
            self._taken[number] = (due_ns, entry)
        return taken

    def take_back(self, now_ns: int) -> None:
        """Make ready again what was not acknowledged in time; it comes before what is new."""
        due = {}
        for number, (due_ns, entry) in self._taken.items():
            if due_ns > now_ns:
                break
            due[number] = entry
        if due:
            self._ready = due | self._ready
            for number in due:
                del self._taken[number]

    def forget(self, number: int) -> bool:
        """Whether the message was still there; an acknowledgement may come late, or twice."""
        is_taken = self._taken.pop(number, None) is not None
        self._changed.set()
        return self._ready.pop(number, None) is not None or is_taken

    def wake(self) -> None:
        self._changed.set()

    async def wait(self, timeout_s: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
