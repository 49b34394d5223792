"""One recording or table down the whole road into a data folder, once.

Where an instance runs on the folder, the messages go through its broker; otherwise broker and
ingest live in this process, and the folder is held meanwhile. The stream's number is a hash of the
source, so what an earlier run has stored is passed over.

    sent = send(folder, source, speed=float("inf"))
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from contactor.app.folder import DataFolder
from contactor.app.lake_place import open_store
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.uplink import Uplink
from contactor.clock import NS_PER_S, SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.errors import ContactorError, FolderInUse, LinkError, first_failure
from contactor.link.broker import read_url
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.nats import NatsTransport
from contactor.link.ports import Transport
from contactor.signals.record import Rows

BATCHES_AT_ONCE = 64
MAX_IN_FLIGHT = 16_384
ANSWER_S = 15.0
STILL_S = 60.0
ROOM_POLL_S = 0.01
READY_S = 15.0

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Source:
    """A source that can be read again: the same batches under the same stream number.

    `count` says how many rows of the source a batch stands for.
    """

    vehicle_id: str
    profile: str
    stream: int
    batches: Callable[[], Iterator[tuple[Rows, ...]]]
    count: Callable[[tuple[Rows, ...]], int]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it: rows as the source counts them, and what the cloud quarantined."""

    rows_stored: int
    rows_quarantined: int
    quarantined: dict[str, int]
    first_ts: int | None
    last_ts: int | None


def send(folder: DataFolder, source: Source, *, speed: float) -> Sent:
    """Send every batch and wait until all are stored.

    Args:
        speed: times real time, by the rows' own instants; infinity for as fast as it goes.

    Raises:
        FolderInUse: another process holds the folder and is no instance that can be reached.
        FolderFull: the disk is full.
        LinkError: the running instance stopped answering.
    """
    try:
        return asyncio.run(_send(folder, source, speed))
    except BaseExceptionGroup as failures:
        failure = first_failure(failures)
        if not isinstance(failure, ContactorError):
            raise
        raise failure from None


async def _send(folder: DataFolder, source: Source, speed: float) -> Sent:
    async with _transport(folder) as transport:
        outbox = Outbox(":memory:")
        stream = outbox.open_stream(
            source.vehicle_id, Lane.BACKLOG, profile=source.profile, stream=source.stream
        )
        uplink = Uplink(
            outbox=outbox,
            transport=transport,
            clock=SystemClock(),
            max_in_flight=MAX_IN_FLIGHT,
        )
        uplink.carry(stream)
        try:
            return await unless_failed(_pump(source, stream, outbox, uplink, speed), uplink.run())
        finally:
            await uplink.close()
            outbox.close()


async def unless_failed(work: Awaitable[_Answer], keeper: Awaitable[None]) -> _Answer:
    """What `work` comes to; the keeper, without which it never ends, runs meanwhile.

    Raises:
        ContactorError: the keeper's, or the work's.
    """
    working, keeping = asyncio.ensure_future(work), asyncio.ensure_future(keeper)
    try:
        await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if keeping.done() and not working.done():
            keeping.result()
        return await working
    finally:
        for task in (working, keeping):
            task.cancel()
        await asyncio.gather(working, keeping, return_exceptions=True)


async def _pump(
    source: Source, stream: Stream, outbox: Outbox, uplink: Uplink, speed: float
) -> Sent:
    before = await uplink.watermark(stream, ANSWER_S)
    account = _Account(known=before.watermark)
    pace = _Pace(speed)
    batches = source.batches()
    while some := await asyncio.to_thread(_some, batches, pace.batches_at_once):
        if account.made >= account.known:
            await pace.wait(some[0])
        await room(outbox, stream, STILL_S)
        outbox.append(stream, some)
        uplink.wake()
        for groups in some:
            account.add(groups, source.count(groups))
    after = await uplink.drained(stream, STILL_S)
    refused = {
        reason: count - before.refused.get(reason, 0)
        for reason, count in after.refused.items()
        if count > before.refused.get(reason, 0)
    }
    quarantined = after.rows_refused - before.rows_refused
    return Sent(
        rows_stored=max(account.rows - quarantined, 0),
        rows_quarantined=quarantined,
        quarantined=refused,
        first_ts=account.first_ts,
        last_ts=account.last_ts,
    )


async def room(outbox: Outbox, stream: Stream, still_s: float) -> None:
    """Wait until the outbox takes more.

    Raises:
        LinkError: the watermark stood still for `still_s`.
    """
    loop = asyncio.get_running_loop()
    reached, since = -1, loop.time()
    while outbox.is_half_full:
        position = outbox.position(stream)
        if position.acknowledged > reached:
            reached, since = position.acknowledged, loop.time()
        if loop.time() - since > still_s:
            raise LinkError(
                f"the cloud stored {reached} of the first {position.last} messages, then nothing"
                f" for {still_s:g} s"
            )
        await asyncio.sleep(ROOM_POLL_S)


def _some(batches: Iterator[tuple[Rows, ...]], count: int) -> list[tuple[Rows, ...]]:
    return list(islice(batches, count))


class _Pace:
    """When a batch is due, by the instants in it; the first one is due at once."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began: tuple[float, int] | None = None
        self.batches_at_once = BATCHES_AT_ONCE if speed == float("inf") else 1

    async def wait(self, groups: tuple[Rows, ...]) -> None:
        if self._speed == float("inf"):
            return
        newest = max(int(rows.ts[-1]) for rows in groups)
        now_s = asyncio.get_running_loop().time()
        self._began = self._began or (now_s, newest)
        due_s = self._began[0] + (newest - self._began[1]) / NS_PER_S / self._speed
        await asyncio.sleep(max(due_s - now_s, 0))


@dataclass(slots=True)
class _Account:
    """What was made of the source; `known` messages of it were stored before."""

    known: int
    made: int = 0
    rows: int = 0
    first_ts: int | None = None
    last_ts: int | None = None

    def add(self, groups: tuple[Rows, ...], rows: int) -> None:
        self.made += 1
        if self.made > self.known:
            self.rows += rows
        first, last = min(int(r.ts[0]) for r in groups), max(int(r.ts[-1]) for r in groups)
        self.first_ts = first if self.first_ts is None else min(self.first_ts, first)
        self.last_ts = last if self.last_ts is None else max(self.last_ts, last)


@contextlib.asynccontextmanager
async def _transport(folder: DataFolder) -> AsyncIterator[Transport]:
    """A link to the instance that runs on the folder, or to a cloud inside this process."""
    try:
        with folder.held():
            async with _own_cloud(folder) as transport:
                yield transport
            return
    except FolderInUse:
        if not await _is_reachable(folder):
            raise
    transport = NatsTransport(read_url(folder.broker), name="send")
    try:
        await transport.wait_connected(ANSWER_S)
        yield transport
    finally:
        await transport.close()


async def _is_reachable(folder: DataFolder) -> bool:
    """Whether an instance runs there; one that is just starting is waited for."""
    deadline = asyncio.get_running_loop().time() + READY_S
    while asyncio.get_running_loop().time() < deadline:
        if folder.running() is not None:
            return True
        if folder.holder() is None:
            return False
        await asyncio.sleep(0.1)
    return False


@contextlib.asynccontextmanager
async def _own_cloud(folder: DataFolder) -> AsyncIterator[Transport]:
    """Broker and ingest in this process; a failure of the ingest ends what runs inside."""
    broker = MemoryBroker()
    store = await asyncio.to_thread(open_store, folder)
    cloud = MemoryTransport(broker)
    ingest = Ingest(store=store, transport=cloud, clock=SystemClock(), patient=False)
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(ingest.run())
        yield MemoryTransport(broker)
        taking.cancel()
