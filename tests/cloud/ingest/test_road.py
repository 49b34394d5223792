"""Outbox, uplink, link, ingest and store together, in one process, through every kind of loss."""

import asyncio
import contextlib
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.uplink import Uplink
from contactor.clock import FakeClock, SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.schema import Flush, StoredCodebook
from contactor.errors import FolderFull, LakeError
from contactor.link import topics
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from tests.signals.wire.version_1 import encode_version_1

DISTANCE = "Vehicle.TraveledDistance"


def batch(number: int) -> tuple[Rows, ...]:
    ts = np.array([number], np.int64)
    return (Rows(Group.DRIVE, ts, (Column.of(DISTANCE, [number]),)),)


class Process:
    """A store as seen by one process: a dead one commits nothing."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.is_dead = store, False
        self.streams, self.codebooks = store.streams, store.codebooks

    @property
    def next_flush(self) -> int:
        return self.store.next_flush

    def commit(self, flush: Flush) -> None:
        if self.is_dead:
            raise LakeError("killed")
        self.store.commit(flush)


class Cloud:
    """An ingest over a store, that can be killed and started again."""

    def __init__(self, broker: MemoryBroker, store: MemoryStore) -> None:
        self.broker, self.store = broker, store
        self.start()

    def start(self) -> None:
        transport = MemoryTransport(self.broker)
        self.process = Process(self.store)
        self.ingest = Ingest(
            store=self.process, transport=transport, clock=SystemClock(), flush_s=0.02
        )
        self.task = asyncio.create_task(self.ingest.run())

    async def kill(self) -> None:
        """End it without its last commit, as a killed process does."""
        self.process.is_dead = True
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, LakeError):
            await self.task

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def stored(store: MemoryStore, vehicle_id: str = "leaf") -> list[int]:
    return Lake(store).signals(vehicle_id, [DISTANCE])[DISTANCE].to_list()


def road(test: Callable[[MemoryBroker, MemoryStore], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(60):
            await test(MemoryBroker(), MemoryStore())

    asyncio.run(run())


@contextlib.asynccontextmanager
async def car(broker: MemoryBroker, outbox: Outbox, stream: Stream):
    uplink = Uplink(outbox=outbox, transport=MemoryTransport(broker), clock=SystemClock())
    uplink.carry(stream)
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("seed", range(4))
def test_every_number_is_stored_once_whatever_fails(tmp_path: Path, seed: int) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        chance = random.Random(seed)
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        made = 0
        for _ in range(12):
            async with car(broker, outbox, stream) as uplink:
                for _ in range(chance.randint(1, 6)):
                    count = chance.randint(1, 30)
                    outbox.append(stream, [batch(made + n) for n in range(1, count + 1)])
                    made += count
                    uplink.wake()
                    await asyncio.sleep(chance.uniform(0, 0.02))
                    event = chance.choice(("none", "kill", "store", "cut"))
                    if event == "kill":
                        await cloud.kill()
                        await asyncio.sleep(chance.uniform(0, 0.02))
                        cloud.start()
                    if event == "store":
                        broker.drop_store()
                    if event == "cut":
                        broker.disconnect()
                        await asyncio.sleep(chance.uniform(0, 0.02))
                        broker.reconnect()
        async with car(broker, outbox, stream) as uplink:
            watermark = await uplink.drained(stream, still_s=30)
        await cloud.stop()
        assert watermark.watermark == outbox.position(stream).last == made
        assert stored(store) == list(range(1, made + 1))

    road(test)


def test_what_the_outbox_dropped_is_declared_and_nothing_else_is_missing(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db", limit_bytes=60_000)
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        async with car(broker, outbox, stream) as uplink:
            outbox.append(stream, [batch(number) for number in range(1, 101)])
            await uplink.drained(stream, still_s=10)
            outbox.append(stream, [batch(number) for number in range(101, 151)])
            uplink.wake()
            await asyncio.sleep(0.01)
            broker.disconnect()
            broker.drop_store()
            for number in range(151, 1_501):
                outbox.append(stream, [batch(number)])
            broker.reconnect()
            await uplink.drained(stream, still_s=30)
        await cloud.stop()
        gaps = Lake(store).gaps("leaf").to_dicts()
        declared = {n for gap in gaps for n in range(gap["first"], gap["last"] + 1)}
        assert sum(gap["row_count"] for gap in gaps) == len(declared) > 500
        assert sorted([*stored(store), *declared]) == list(range(1, 1_501))

    road(test)


def test_lost_outbox_begins_a_stream_that_is_no_repeat(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        cloud = Cloud(broker, store)
        for start in (1, 101):
            outbox = Outbox(tmp_path / f"{start}.db")
            stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
            async with car(broker, outbox, stream) as uplink:
                outbox.append(stream, [batch(number) for number in range(start, start + 100)])
                await uplink.drained(stream, still_s=10)
        await cloud.stop()
        assert stored(store) == list(range(1, 201))

    road(test)


def test_older_copy_of_the_outbox_loses_nothing_that_it_still_makes(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        outbox.append(stream, [batch(number) for number in range(1, 51)])
        outbox.close()
        shutil.copy(tmp_path / "outbox.db", tmp_path / "copy.db")
        for file, numbers in (("outbox.db", range(51, 101)), ("copy.db", range(101, 151))):
            outbox = Outbox(tmp_path / file)
            stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
            async with car(broker, outbox, stream) as uplink:
                outbox.append(stream, [batch(number) for number in numbers])
                await asyncio.sleep(0.3)
                for current in outbox.streams():
                    if outbox.position(current).last:
                        await uplink.drained(current, still_s=10)
        await cloud.stop()
        # The copy repeats the fifty that it held; what is new in it is there too.
        assert sorted(set(stored(store))) == list(range(1, 151))

    road(test)


def test_cloud_that_lost_its_lake_is_told_what_nobody_has(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        first = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        async with car(broker, outbox, stream) as uplink:
            outbox.append(stream, [batch(number) for number in range(1, 11)])
            await uplink.drained(stream, still_s=10)
        await first.stop()
        empty = MemoryStore()
        second = Cloud(broker, empty)
        async with car(broker, outbox, stream) as uplink:
            outbox.append(stream, [batch(number) for number in range(11, 21)])
            assert (await uplink.watermark(stream, 5)).watermark == 0
            await uplink.drained(stream, still_s=10)
        await second.stop()
        assert stored(empty) == list(range(11, 21))
        (gap,) = Lake(empty).gaps("leaf").to_dicts()
        assert (gap["first"], gap["last"]) == (1, 10)

    road(test)


def test_poison_is_quarantined_with_its_reason_and_holds_nothing_up(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        soc = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
        poison = (Rows(Group.DRIVE, np.array([2]), (Column.of(soc, [250.0]),)),)
        stranger = MemoryTransport(broker)
        async with car(broker, outbox, stream) as uplink:
            await uplink.watermark(stream, 5)
            foreign = encode_version_1(Record("other", 9, 1, batch(7)))
            for number, payload in enumerate((b"garbage", b"", foreign)):
                await stranger.put(topics.uplink("leaf"), payload, message_id=f"x{number}")
            outbox.append(stream, [batch(1), poison, batch(3)])
            watermark = await uplink.drained(stream, still_s=10)
        await cloud.stop()
        assert stored(store) == [1, 3]
        assert watermark.refused == {f"{soc}: 250.0 is not a finite float in 0..100": 1}
        reasons = sorted(Lake(store).quarantined("leaf")["reason"].to_list())
        assert len(reasons) == 4
        assert "record of other on the subject of leaf" in reasons
        assert sum(reason.startswith("no record") for reason in reasons) == 2

    road(test)


class FullStore(MemoryStore):
    """A lake whose disk is full for its first commits."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def commit(self, flush: Flush) -> None:
        if self.failures:
            self.failures -= 1
            raise FolderFull("no space left in DIR")
        super().commit(flush)


def test_full_lake_is_waited_for_and_then_nothing_is_missing(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, _: MemoryStore) -> None:
        store = FullStore(failures=1)
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        async with car(broker, outbox, stream) as uplink:
            outbox.append(stream, [batch(number) for number in range(1, 51)])
            await uplink.drained(stream, still_s=20)
        await cloud.stop()
        assert stored(store) == list(range(1, 51))

    road(test)


class ForgetfulStore(MemoryStore):
    """A lake that has lost its codebooks."""

    def codebooks(self) -> list[StoredCodebook]:
        return []


def test_cloud_that_lacks_a_codebook_asks_for_it_at_once(tmp_path: Path) -> None:
    async def test(broker: MemoryBroker, _: MemoryStore) -> None:
        store = ForgetfulStore()
        cloud = Cloud(broker, store)
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        async with car(broker, outbox, stream) as uplink:
            for first in (1, 51):
                outbox.append(stream, [batch(number) for number in range(first, first + 50)])
                # The sender of what stands still for 10 s goes back: it was asked before.
                await uplink.drained(stream, still_s=5)
                await cloud.kill()
                cloud.start()
        await cloud.stop()
        assert stored(store) == list(range(1, 101))

    road(test)


def test_rows_not_committed_yet_are_seen_inside_and_not_outside() -> None:
    async def test(broker: MemoryBroker, store: MemoryStore) -> None:
        ingest = Ingest(store=store, transport=MemoryTransport(broker), clock=FakeClock(10**9))
        lake = Lake(store, pending=ingest.pending)
        ingest.intake.take("leaf", encode_version_1(Record("leaf", 1, 1, batch(1))), now_ns=10**9)
        assert lake.refresh().signals("leaf", [DISTANCE])[DISTANCE].to_list() == [1]
        assert Lake(store).vehicles().is_empty()
        store.commit(ingest.intake.cut().flush())
        assert lake.refresh().signals("leaf", [DISTANCE])[DISTANCE].to_list() == [1]
        assert stored(store) == [1]

    road(test)
