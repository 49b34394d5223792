"""A broker that takes nothing any more, as one whose disk was full: its queue is made anew."""

import asyncio
import contextlib

import numpy as np

from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.uplink import Uplink
from contactor.clock import FakeClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.errors import LinkError
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows

DISTANCE = "Vehicle.TraveledDistance"


class StuckBroker(MemoryBroker):
    """Takes nothing until its store is given up."""

    is_stuck = True

    def put(self, subject: str, payload: bytes, message_id: str) -> None:
        if self.is_stuck:
            raise LinkError("no answer from the broker")
        super().put(subject, payload, message_id)

    def drop_store(self) -> None:
        self.is_stuck = False
        super().drop_store()


def test_queue_that_takes_nothing_of_what_cars_hold_is_made_anew() -> None:
    async def scenario() -> list[int]:
        broker, store, clock = StuckBroker(), MemoryStore(), FakeClock()
        outbox = Outbox(":memory:")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        cells = Column.of(DISTANCE, [1])
        outbox.append(stream, [(Rows(Group.DRIVE, np.array([1], np.int64), (cells,)),)])
        ingest = Ingest(store=store, transport=MemoryTransport(broker), clock=clock, flush_s=0.02)
        uplink = Uplink(outbox=outbox, transport=MemoryTransport(broker), clock=clock)
        uplink.carry(stream)
        tasks = [asyncio.create_task(one.run()) for one in (ingest, uplink)]
        async with asyncio.timeout(60):
            while not store.streams():
                clock.advance(1.0)
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return Lake(store).signals("leaf", [DISTANCE])[DISTANCE].to_list()

    assert asyncio.run(scenario()) == [1]
