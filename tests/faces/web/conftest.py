"""The cloud's parts in this process: a lake in memory, and a clock that stands still."""

from collections.abc import Iterator

import pytest
from litestar.types import ASGIApp

from contactor.app.live_fleet import LiveFleet
from contactor.clock import FakeClock
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.campaigns.store import CampaignStore
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.twin.restore import restore
from contactor.cloud.twin.twin import Twin
from contactor.faces.web.api import create_api
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.live import Live
from contactor.faces.web.metrics import instance_metrics
from contactor.link.memory import MemoryBroker, MemoryTransport
from tests.cloud.lake.samples import T0


class Instance:
    """The cloud of one instance; `start` restores all of it from what is stored."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock(T0)
        self.commands = CommandStore(":memory:")
        self.asked = CampaignStore(":memory:")
        self.broker = MemoryBroker()

    def start(self) -> None:
        self.transport = MemoryTransport(self.broker)
        self.presence = Presence()
        self.twin = Twin(presence=self.presence, clock=self.clock)
        restore(self.twin, self.store, None)
        self.dispatcher = Dispatcher(
            store=self.commands,
            transport=self.transport,
            twin=self.twin,
            presence=self.presence,
            clock=self.clock,
        )
        self.ingest = Ingest(
            store=self.store,
            transport=self.transport,
            clock=self.clock,
            presence=self.presence,
            on_batch=self.twin.take_batch,
            on_return=self.dispatcher.resend,
        )
        self.campaigns = CampaignSender(
            store=self.asked,
            transport=self.transport,
            presence=self.presence,
            clock=self.clock,
            fleet=LiveFleet(self.ingest, self.twin),
        )
        self.lake = Lake(self.store, pending=self.ingest.pending)
        self.fleet = Fleet(ingest=self.ingest, twin=self.twin, lake=self.lake, clock=self.clock)
        self.live = Live(fleet=self.fleet, twin=self.twin, clock=self.clock)

    def api(self) -> ASGIApp:
        return create_api(
            self.fleet,
            dispatcher=self.dispatcher,
            campaigns=self.campaigns,
            live=self.live,
            clock=self.clock,
            measures=lambda: instance_metrics(
                ingest=self.ingest, twin=self.twin, dispatcher=self.dispatcher, live=self.live
            ),
        )


@pytest.fixture
def instance() -> Iterator[Instance]:
    instance = Instance()
    instance.start()
    yield instance
    instance.fleet.close()
    instance.commands.close()
    instance.asked.close()
