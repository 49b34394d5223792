"""A fleet over an empty lake in memory, its ingest, and a clock that stands still."""

from collections.abc import Iterator

import pytest

from contactor.clock import FakeClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.faces.web.fleet import Fleet
from contactor.link.memory import MemoryBroker, MemoryTransport
from tests.cloud.lake.samples import T0


class Instance:
    """The cloud's parts in this process; `start` restores the ingest from what is stored."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock(T0)

    def start(self) -> None:
        transport = MemoryTransport(MemoryBroker())
        self.ingest = Ingest(store=self.store, transport=transport, clock=self.clock)
        self.lake = Lake(self.store, pending=self.ingest.pending)
        self.fleet = Fleet(ingest=self.ingest, lake=self.lake, clock=self.clock)


@pytest.fixture
def instance() -> Iterator[Instance]:
    instance = Instance()
    instance.start()
    yield instance
    instance.fleet.close()
