"""The ingest: takes messages from the link, commits them to the lake, then sends watermarks.

    take ──► intake (buffer, accounts) ──► flush every 5 s or 64 MB ──► lake commit, durable
                                                                          │
             broker acknowledged ◄── watermarks sent ◄────────────────────┘

A message is acknowledged to the broker only when it is committed. More is taken in during a commit,
but no more than another flush: while the lake cannot be written (a full disk) memory stays bounded,
and the cars keep theirs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from contactor.clock import Clock
from contactor.cloud.ingest.intake import Cut, Intake
from contactor.cloud.ingest.ledger import StreamLedger
from contactor.cloud.ingest.partition import PREFIX, Partition
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.ingest.standstill import Standstill
from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.reading import PendingFrame
from contactor.cloud.lake.schema import StreamState
from contactor.errors import (
    FolderFull,
    LinkError,
    MalformedRecord,
    first_failure,
)
from contactor.link import topics
from contactor.link.messages import Hello, Watermark, decode_hello, encode_watermark
from contactor.link.ports import Consumer, Delivery, Message, Transport
from contactor.signals.batch import RowsBatch
from contactor.signals.wire.json_form import UNNUMBERED_STREAM

FLUSH_S = 5.0
FLUSH_BYTES = 64 * 2**20
FLUSH_MESSAGES = 40_000
"""Well below what the broker hands out unacknowledged (`QueueLimits`)."""
TAKE_AT_ONCE = 500
TELL_AT_ONCE = 200
READ_BYTES = 2 * 2**20
"""Of messages that are read before others have their turn."""
TAKE_S = 0.2
MANY, MANY_BYTES, GATHER_S = 16, 64 * 2**10, 0.02
"""When so many have come, or so much, others that come within that time are read with them."""
RETRY_S = 0.5
FULL_RETRY_S = 2.0
FENCE_S = 1.0

_log = logging.getLogger(__name__)


class Ingest:
    """Owns the lake's writer and the accounts of all streams; one per lake, or per partition.

    Args:
        partition: which vehicles it is for, beside other ingests of the same lake; None for all.
            One that a newer of the same vehicles has replaced ends itself.
        patient: whether to wait for room when the lake's disk is full (a running instance) or to
            raise (a command that does one thing).
        presence: where it notes who was heard.
        on_batch: told checked rows as they are taken in, once, before they are committed.
        before_commit: awaited before what `on_batch` was told is committed: what is not kept of it
            by then comes again after a kill, what is committed does not.
        on_return: told the id of each car that says hello after a silence. Both are called on
            the ingest's loop, must be quick and may not raise.
    """

    def __init__(
        self,
        *,
        store: LakeStore,
        transport: Transport,
        clock: Clock,
        partition: Partition | None = None,
        flush_s: float = FLUSH_S,
        patient: bool = True,
        presence: Presence | None = None,
        on_batch: Callable[[RowsBatch], None] | None = None,
        before_commit: Callable[[], Awaitable[None]] | None = None,
        on_return: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._transport = transport
        self._clock = clock
        self._flush_s = flush_s
        self._patient = patient
        self._partition = partition
        self._is_alone = False
        states = [state for state in store.streams() if self._owns(state.vehicle_id)]
        self.intake = Intake(
            states,
            number=store.next_flush,
            on_batch=on_batch,
            codebooks=[one for one in store.codebooks() if self._owns(one.vehicle_id)],
        )
        self.committed = {(state.vehicle_id, state.stream): state for state in states}
        self._committed_at = 0
        self._committing: Cut | None = None
        self._deliveries: list[Delivery] = []
        self._queue: Consumer | None = None
        self._since: float | None = None
        self._flush_now = asyncio.Event()
        # Of its own, so that no query can keep a commit waiting.
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._committing_task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._is_failing = False
        self.presence = presence or Presence()
        self._standstill = Standstill()
        self._on_return = on_return
        self._before_commit = before_commit

    def pending(self) -> Sequence[PendingFrame]:
        """Rows taken in and not yet committed, for queries inside the instance."""
        committing = self._committing.buffer.pending() if self._committing else ()
        return [*committing, *self.intake.pending()]

    async def run(self) -> None:
        """Take, commit, answer until cancelled; then commit what was taken.

        While the disk is full and it is to stop, what was taken is given up, unconfirmed.

        Raises:
            StaleWriter: another ingest writes this lake: end the process.
            LakeError: the lake cannot be written.
            FolderFull: the disk is full, and it is to stop or not patient.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take())
                group.create_task(self._answer())
                if self._partition is not None:
                    group.create_task(self._watch())
        except asyncio.CancelledError:
            self._is_stopping = True
            await self._commit()
            raise
        except BaseExceptionGroup as failures:
            # What failed is not committed: its messages come again to whoever takes over.
            raise first_failure(failures) from failures

    async def _take(self) -> None:
        while True:
            try:
                consumer = await self._consumer()
                self._recovered()
                while True:
                    await self._take_some(consumer)
            except LinkError as error:
                self._failed(error)
                if self._is_due():
                    await self._commit()
                await asyncio.sleep(RETRY_S)

    async def _consumer(self) -> Consumer:
        """The consumer of our vehicles; those of another number of ingests end, once."""
        ours, others = self._partition, () if self._partition is None else self._partition.all
        # Those of the others too: so nothing is forgotten for whom has not begun yet.
        for one in others:
            await self._transport.consumer(topics.ALL_UPLINKS, name=one.name, parts=one.parts)
        name, parts = (PREFIX, None) if ours is None else (ours.name, ours.parts)
        consumer = await self._transport.consumer(topics.ALL_UPLINKS, name=name, parts=parts)
        if not self._is_alone:
            await self._transport.retire(PREFIX, keep=[name, *(one.name for one in others)])
            self._is_alone = True
        self._queue = consumer
        return consumer

    async def _watch(self) -> None:
        """End with StaleWriter once another writes what we write, also while nothing comes."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(FENCE_S)
            await loop.run_in_executor(self._committer, self._store.check)

    def _owns(self, vehicle_id: str) -> bool:
        return self._partition is None or self._partition.owns(vehicle_id)

    async def _take_some(self, consumer: Consumer) -> None:
        deliveries = await self._gathered(consumer)
        await self._mend_queue(is_quiet=not (deliveries or self._deliveries))
        now_ns, some, size = self._clock.now_ns(), list[tuple[str, bytes]](), 0
        for delivery in deliveries:
            try:
                vehicle_id = topics.vehicle_of(delivery.subject)
            except MalformedRecord:
                self.intake.take_stranger(delivery.subject, delivery.payload, now_ns=now_ns)
                continue
            if not self._owns(vehicle_id):  # kept by the broker since before there were parts
                continue
            some.append((vehicle_id, delivery.payload))
            size += len(delivery.payload)
            if size >= READ_BYTES:
                self._take_in(some, now_ns)
                some, size = [], 0
                await asyncio.sleep(0)
        self._take_in(some, now_ns)
        for vehicle_id, stream in self.intake.asks(self._clock.monotonic_ns()):
            await self._tell(vehicle_id, stream, needs_codebook=True)
        self._deliveries += deliveries
        if deliveries and self._since is None:
            self._since = asyncio.get_running_loop().time()
        await self._commit_behind()

    def _take_in(self, some: Sequence[tuple[str, bytes]], now_ns: int) -> None:
        self.presence.hear_all({vehicle_id for vehicle_id, _ in some}, now_ns)
        self.intake.take_many(some, now_ns=now_ns)

    async def _mend_queue(self, *, is_quiet: bool) -> None:
        """Have the queue made anew where it brings nothing of what the cars hold."""
        if not is_quiet:
            self._standstill.came()
        elif self._standstill.is_too_long():
            _log.warning("queue given up, it brings nothing of what cars hold")
            await self._transport.drop()

    async def _gathered(self, consumer: Consumer) -> list[Delivery]:
        """What has come; while much comes, more of it, for many are read as fast as few."""
        deliveries = await consumer.take(limit=TAKE_AT_ONCE, timeout_s=self._patience_s())
        until = asyncio.get_running_loop().time() + GATHER_S
        size = sum(len(one.payload) for one in deliveries)
        is_much = len(deliveries) >= MANY or size >= MANY_BYTES
        while is_much and len(deliveries) < TAKE_AT_ONCE and size < READ_BYTES:
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            more = await consumer.take(limit=TAKE_AT_ONCE - len(deliveries), timeout_s=left)
            deliveries += more
            size += sum(len(one.payload) for one in more)
        return deliveries

    async def _commit_behind(self) -> None:
        """Commit what is due while more is taken in; of that at most as much again."""
        under_way = self._committing_task
        if under_way is not None and under_way.done():
            under_way.result()
            under_way = self._committing_task = None
        if not self._is_due():
            return
        if under_way is None:
            self._committing_task = asyncio.create_task(self._commit_after(None))
            await asyncio.sleep(0)
        elif self._is_full:
            await asyncio.shield(under_way)

    def _patience_s(self) -> float:
        """How long to wait for messages: until the flush is due, and never long."""
        if self._since is None:
            return TAKE_S
        left = self._since + self._flush_s - asyncio.get_running_loop().time()
        return min(TAKE_S, max(left, 0.01))

    def _is_due(self) -> bool:
        if self._flush_now.is_set():
            return True
        if self._since is None:
            return False
        age_s = asyncio.get_running_loop().time() - self._since
        return age_s >= self._flush_s or self._is_full

    @property
    def _is_full(self) -> bool:
        """Whether a flush holds as much as it should."""
        return self.intake.buffered_bytes >= FLUSH_BYTES or len(self._deliveries) >= FLUSH_MESSAGES

    async def _commit(self) -> None:
        """Commit what was taken in, one commit after another; a cancelled one still ends."""
        before = self._committing_task
        self._committing_task = asyncio.create_task(self._commit_after(before))
        await asyncio.shield(self._committing_task)

    async def _commit_after(self, before: asyncio.Task[None] | None) -> None:
        """Commit what was taken in, tell the cars, acknowledge to the broker."""
        if before is not None and not before.done():
            await before
        self._flush_now.clear()
        self._since = None
        deliveries, self._deliveries = self._deliveries, []
        states: tuple[StreamState, ...] = ()
        if not self.intake.is_empty:
            self._committing = cut = self.intake.cut()
            if self._before_commit is not None:
                await self._before_commit()
            await self._store_until_done(cut)
            self._committing = None
            states = cut.streams
            self._committed_at = self._clock.now_ns()
            self.committed |= {(state.vehicle_id, state.stream): state for state in states}
        try:
            told = [state for state in states if state.stream != UNNUMBERED_STREAM]
            for begin in range(0, len(told), TELL_AT_ONCE):
                some = told[begin : begin + TELL_AT_ONCE]
                await self._transport.publish_many(
                    [self._watermark(state.vehicle_id, state.stream) for state in some]
                )
                await asyncio.sleep(0)  # messages and questions are heard between
            if self._queue is not None:
                await self._queue.ack(deliveries)
        except LinkError as error:
            # Nothing is lost: the messages come again as repeats, the cars ask again.
            self._failed(error)

    async def _store_until_done(self, cut: Cut) -> None:
        is_waiting = False
        while True:
            try:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._committer, self._store_cut, cut)
            except FolderFull as error:
                if self._is_stopping or not self._patient:
                    raise
                if not is_waiting:
                    _log.error("lake full, waiting reason=%s", error)
                is_waiting = True
                await asyncio.sleep(FULL_RETRY_S)
            else:
                if is_waiting:
                    _log.warning("lake has room again")
                return

    def _store_cut(self, cut: Cut) -> None:
        self._store.commit(cut.flush())

    async def _answer(self) -> None:
        """Answer each hello with the watermarks of the streams that it names."""
        while True:
            try:
                subscription = await self._transport.subscribe(topics.ALL_HELLOS)
            except LinkError as error:
                self._failed(error)
                await asyncio.sleep(RETRY_S)
                continue
            while True:
                message = await subscription.next(timeout_s=60.0)
                if message is None:
                    continue
                try:
                    vehicle_id = topics.vehicle_of(message.subject)
                    if not self._owns(vehicle_id):
                        continue
                    hello = decode_hello(message.payload)
                    if hello.vehicle_id == vehicle_id:
                        await self._greet(hello)
                except MalformedRecord as error:
                    _log.warning("hello refused reason=%s", error)
                except LinkError as error:
                    self._failed(error)

    async def _greet(self, hello: Hello) -> None:
        is_back = self.presence.greet(hello, self._clock.now_ns())
        if is_back and self._on_return:
            self._on_return(hello.vehicle_id)
        if hello.flush:
            self._flush_now.set()
        for named in hello.streams:
            self.intake.introduce(hello.vehicle_id, named.stream, hello.profile, named.lane)
            account = self.intake.ledger.find(hello.vehicle_id, named.stream)
            if named.last > (account.highest if account else 0):
                self._standstill.held(self._clock.monotonic_ns())
            await self._tell(hello.vehicle_id, named.stream)

    async def _tell(self, vehicle_id: str, stream: int, *, needs_codebook: bool = False) -> None:
        """Send a stream's watermark."""
        told = self._watermark(vehicle_id, stream, needs_codebook=needs_codebook)
        await self._transport.publish(told.subject, told.payload)

    def _watermark(self, vehicle_id: str, stream: int, *, needs_codebook: bool = False) -> Message:
        """A stream's watermark as it is committed, and the holes as they are now."""
        state = self.committed.get((vehicle_id, stream)) or StreamLedger(vehicle_id, stream).state()
        account = self.intake.ledger.find(vehicle_id, stream)
        watermark = Watermark(
            vehicle_id=vehicle_id,
            stream=stream,
            watermark=state.watermark,
            missing=account.missing() if account else (),
            rows_stored=state.rows_stored,
            rows_refused=state.rows_refused,
            refused=dict(state.refused),
            committed_at=self._committed_at,
            needs_codebook=needs_codebook,
        )
        return Message(topics.watermark(vehicle_id), encode_watermark(watermark))

    def _failed(self, error: LinkError) -> None:
        if not self._is_failing:
            _log.warning("link lost reason=%s", error)
        self._is_failing = True

    def _recovered(self) -> None:
        if self._is_failing:
            _log.warning("link back")
        self._is_failing = False
