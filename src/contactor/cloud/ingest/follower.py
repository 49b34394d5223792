"""What ingests elsewhere take in, told to a twin: nothing is stored and no car is answered.

    follower = Follower(reader=reader, transport=transport, clock=clock, presence=presence,
                        on_batch=twin.take_batch)
    await follower.prepare()        # from now on nothing passes it by
    ...                             # wait a flush, restore the twin from the lake
    await follower.run()

It takes the same messages through a consumer of its own, which the broker forgets once nobody takes
from it, and checks and counts them as an ingest does. What it counted of a flush it lets go: an
ingest stores it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence

from contactor.clock import Clock
from contactor.cloud.ingest.intake import Intake
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.lake.reading import PendingFrame
from contactor.errors import LinkError, MalformedRecord, first_failure
from contactor.link import topics
from contactor.link.listening import listen
from contactor.link.messages import decode_hello
from contactor.link.parts import PARTS
from contactor.link.ports import Consumer, Delivery, Message, Transport
from contactor.signals.batch import RowsBatch

TAKE_AT_ONCE, TAKE_S = 500, 0.2
LET_GO_S = 5.0
RETRY_S = 0.5

_log = logging.getLogger(__name__)


class Follower:
    """Owns accounts like an ingest's, of what has been taken in so far; see there for the rest.

    Args:
        reader: of the lake that the ingests write.
    """

    def __init__(
        self,
        *,
        reader: LakeReader,
        transport: Transport,
        clock: Clock,
        presence: Presence,
        on_batch: Callable[[RowsBatch], None],
        on_return: Callable[[str], None] | None = None,
    ) -> None:
        self.presence = presence
        self._reader, self._transport, self._clock = reader, transport, clock
        self._on_batch, self._on_return = on_batch, on_return
        self._name = f"serve-{secrets.token_hex(4)}"
        self.intake = Intake([], number=1)

    def pending(self) -> Sequence[PendingFrame]:
        """Nothing: what is not committed waits with the ingests."""
        return ()

    async def prepare(self) -> None:
        """Have the broker keep from now on what comes.

        Raises:
            LinkError: no connection, or the broker failed.
        """
        await self._consumer()

    def begin(self) -> None:
        """Take the accounts as they are committed now; blocks while the lake is read."""
        self.intake = Intake(
            self._reader.streams(),
            number=1,
            on_batch=self._on_batch,
            codebooks=self._reader.codebooks(),
        )

    async def run(self) -> None:
        """Take and hear until cancelled; a lost link is waited for without end."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take())
                group.create_task(listen(self._transport, topics.ALL_HELLOS, self._hear))
                group.create_task(self._let_go())
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures

    async def _consumer(self) -> Consumer:
        return await self._transport.consumer(
            topics.ALL_UPLINKS, name=self._name, parts=range(PARTS)
        )

    async def _take(self) -> None:
        while True:
            try:
                consumer = await self._consumer()
                while True:
                    self._take_in(
                        deliveries := await consumer.take(limit=TAKE_AT_ONCE, timeout_s=TAKE_S)
                    )
                    await consumer.ack(deliveries)
            except LinkError as error:
                _log.warning("link lost reason=%s", error)
                await asyncio.sleep(RETRY_S)

    def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        now_ns, some = self._clock.now_ns(), list[tuple[str, bytes]]()
        for delivery in deliveries:
            try:
                some.append((topics.vehicle_of(delivery.subject), delivery.payload))
            except MalformedRecord:
                continue
        self.presence.hear_all({vehicle_id for vehicle_id, _ in some}, now_ns)
        self.intake.take_many(some, now_ns=now_ns)

    def _hear(self, message: Message) -> None:
        """Note what a car says of itself; whoever stores its rows answers."""
        try:
            hello = decode_hello(message.payload)
            if hello.vehicle_id != topics.vehicle_of(message.subject):
                return
        except MalformedRecord:
            return
        is_back = self.presence.greet(hello, self._clock.now_ns())
        if is_back and self._on_return:
            self._on_return(hello.vehicle_id)
        for named in hello.streams:
            self.intake.introduce(hello.vehicle_id, named.stream, hello.profile, named.lane)

    async def _let_go(self) -> None:
        while True:
            await asyncio.sleep(LET_GO_S)
            self.intake.cut()
