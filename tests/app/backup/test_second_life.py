"""A restored car beside a cloud that knows its first life: nothing is lost, nothing is doubled."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from contactor.app.backup.second_life import begin_second_life
from contactor.app.folder import DataFolder
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.uplink import Uplink
from contactor.clock import SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.groups import Group
from tests.cloud.lake.samples import SPEED, rows

STILL_S = 20.0


def append(outbox: Outbox, *numbers: int) -> Stream:
    """Records that say their number, at the instant of that number."""
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="nissan_leaf_ze1")
    made = [(rows(Group.DRIVE, [number], {SPEED: [float(number)]}),) for number in numbers]
    outbox.append(stream, made)
    return stream


async def drain(outbox: Outbox, broker: MemoryBroker) -> None:
    """Connect as an agent does, until the cloud has all."""
    uplink = Uplink(outbox=outbox, transport=MemoryTransport(broker), clock=SystemClock())
    streams = outbox.streams()
    for stream in streams:
        uplink.carry(stream)
    running = asyncio.create_task(uplink.run())
    try:
        for stream in streams:
            await uplink.drained(stream, STILL_S)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@contextlib.asynccontextmanager
async def cloud(store: MemoryStore, broker: MemoryBroker):
    ingest = Ingest(
        store=store, transport=MemoryTransport(broker), clock=SystemClock(), flush_s=0.02
    )
    running = asyncio.create_task(ingest.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def stored(store: MemoryStore) -> list[int]:
    return [int(value) for value in Lake(store).signals("leaf", [SPEED])[SPEED].to_list()]


@pytest.mark.parametrize("made_without_a_link", [1, 5, 40])
def test_a_cloud_that_went_on_gets_what_is_new_and_nothing_twice(
    tmp_path: Path, made_without_a_link: int
) -> None:
    async def live() -> None:
        store = MemoryStore()
        folder = DataFolder.create(tmp_path / "data")
        first = Outbox(folder.outbox)
        async with cloud(store, broker := MemoryBroker()):
            append(first, 1, 2, 3)
            await drain(first, broker)
            append(first, 4, 5, 6)
            copy = _copy(folder, tmp_path / "back")  # it holds 4, 5, 6
            append(first, *range(7, 21))
            await drain(first, broker)
            assert stored(store) == list(range(1, 21))
        begin_second_life(copy)
        second = Outbox(copy.outbox)
        new = range(100, 100 + made_without_a_link)
        append(second, *new)  # as many numbers as the first life had, or more
        async with cloud(store, broker := MemoryBroker()):
            await drain(second, broker)
        assert stored(store) == [*range(1, 21), *new]
        assert Lake(store).gaps("leaf").is_empty()
        assert all(not second.held(one, after=0, limit=9) for one in second.streams())
        first.close()
        second.close()

    asyncio.run(live())


def test_a_cloud_that_lost_it_gets_what_is_held_and_told_what_is_not(tmp_path: Path) -> None:
    async def live() -> None:
        folder = DataFolder.create(tmp_path / "data")
        first = Outbox(folder.outbox)
        async with cloud(MemoryStore(), broker := MemoryBroker()):
            append(first, 1, 2, 3)
            await drain(first, broker)
        append(first, 4, 5, 6)
        copy = _copy(folder, tmp_path / "back")
        first.close()
        begin_second_life(copy)
        second, store = Outbox(copy.outbox), MemoryStore()
        append(second, 7)
        async with cloud(store, broker := MemoryBroker()):
            await drain(second, broker)
        second.close()
        assert stored(store) == [4, 5, 6, 7]
        gaps = Lake(store).gaps("leaf")
        assert gaps.select("first", "last").rows() == [(1, 3)]

    asyncio.run(live())


def test_it_can_be_begun_more_than_once(tmp_path: Path) -> None:
    folder = DataFolder.create(tmp_path / "data")
    outbox = Outbox(folder.outbox)
    append(outbox, 1)
    outbox.close()
    for _ in range(3):
        begin_second_life(folder)
        outbox = Outbox(folder.outbox)
        append(outbox, 2)
        outbox.close()
    outbox = Outbox(folder.outbox)
    held = [outbox.held(stream, after=0, limit=9) for stream in outbox.streams()]
    assert [len(messages) for messages in held] == [1, 1, 1, 1]
    outbox.close()


def test_a_folder_without_cars_or_commands_has_nothing_to_change(tmp_path: Path) -> None:
    begin_second_life(DataFolder.create(tmp_path / "data"))
    assert not (tmp_path / "data" / "agent").exists()


def _copy(folder: DataFolder, root: Path) -> DataFolder:
    """What a backup would copy of the outbox."""
    copy = DataFolder.create(root)
    copy.outbox.parent.mkdir()
    source, target = sqlite3.connect(folder.outbox), sqlite3.connect(copy.outbox)
    source.backup(target)
    source.close()
    target.close()
    return copy
