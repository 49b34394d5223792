"""A send ends: with all stored, or with the reason why not."""

import asyncio

import numpy as np
import pytest

from contactor.app.send import room, unless_failed
from contactor.car.agent.outbox import Lane, Outbox
from contactor.errors import LinkError, OutboxError
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows

SOON_S = 60.0


def half_full() -> tuple[Outbox, object]:
    outbox = Outbox(":memory:", limit_bytes=10_000)
    stream = outbox.open_stream("v", Lane.BACKLOG, profile="counting")
    number = 0
    while not outbox.is_half_full:
        number += 1
        ts = np.array([number], np.int64)
        distance = Column.of("Vehicle.TraveledDistance", [number])
        outbox.append(stream, [(Rows(Group.DRIVE, ts, (distance,)),)])
    return outbox, stream


def test_room_that_never_comes_is_a_lost_link() -> None:
    outbox, stream = half_full()

    async def wait() -> None:
        async with asyncio.timeout(SOON_S):
            await room(outbox, stream, 0.1)

    with pytest.raises(
        LinkError, match=r"stored 0 of the first \d+ messages, then nothing for 0.1"
    ):
        asyncio.run(wait())
    outbox.close()


def test_room_is_waited_for_as_long_as_the_cloud_gets_on() -> None:
    outbox, stream = half_full()
    last = outbox.position(stream).last

    async def get_on() -> None:
        for watermark in range(1, last + 1):
            await asyncio.sleep(0.5 / last)
            outbox.acknowledge(stream, watermark)

    async def wait() -> None:
        async with asyncio.timeout(SOON_S), asyncio.TaskGroup() as group:
            group.create_task(get_on())
            await room(outbox, stream, 0.2)
            assert not outbox.is_half_full

    asyncio.run(wait())
    outbox.close()


def test_uplink_that_fails_ends_the_send_with_its_error() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise OutboxError("the outbox cannot be read")

    async def send() -> None:
        async with asyncio.timeout(SOON_S):
            await unless_failed(never(), fail())

    with pytest.raises(OutboxError, match="cannot be read"):
        asyncio.run(send())


def test_send_that_ends_ends_its_uplink() -> None:
    ended = []

    async def keep() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("uplink")

    async def work() -> int:
        return 7

    assert asyncio.run(unless_failed(work(), keep())) == 7
    assert ended == ["uplink"]
