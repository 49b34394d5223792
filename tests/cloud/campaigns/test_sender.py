"""Lists reach their vehicles whatever is lost; reports are taken in, each of its own vehicle."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import pytest

from contactor.clock import FakeClock
from contactor.cloud.campaigns.request import CampaignRequest, decode_request
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.campaigns.store import CampaignStore, Started
from contactor.cloud.ingest.presence import Presence
from contactor.errors import UnknownCampaign, UnknownVehicle, UsageError
from contactor.link import topics
from contactor.link.campaign_messages import (
    CampaignList,
    CampaignReport,
    decode_campaigns,
    encode_campaign_report,
)
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.messages import Hello
from contactor.link.ports import Message
from contactor.signals.campaign import MAX_PER_VEHICLE, CampaignState, Progress
from tests.cloud.campaigns.test_request import JSON, NOW


class Fleet:
    """Two vehicles, of which `where` finds the first."""

    def unknown(self, vehicles: Collection[str]) -> list[str]:
        return sorted(set(vehicles) - {"demo", "leaf"})

    def select(self, where: str, *, limit: int) -> list[str]:
        return ["demo"] if where == "some" else []


def request(**changed: object) -> CampaignRequest:
    asked = decode_request(JSON.encode())
    return type(asked)(
        **{**{name: getattr(asked, name) for name in asked.__struct_fields__}, **changed}
    )


class Cloud:
    """A sender over a file, that can be started again; and the vehicle demo, which listens."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.broker, self.clock = folder, MemoryBroker(), FakeClock(NOW)
        self.car = MemoryTransport(self.broker)

    async def start(self) -> None:
        self.heard = await self.car.subscribe(topics.campaign("demo"))
        self.restart()

    def restart(self) -> None:
        self.presence = Presence()
        self.store = CampaignStore(self.folder / "campaigns.db")
        self.sender = CampaignSender(
            store=self.store,
            transport=MemoryTransport(self.broker),
            presence=self.presence,
            clock=self.clock,
            fleet=Fleet(),
        )

    async def lists(self) -> list[CampaignList]:
        """What demo was sent since it was last asked."""
        await self.sender.step()
        found = []
        while message := await self.heard.next(0.01):
            found.append(decode_campaigns(message.payload))
        return found

    def report(self, revision: int, *progress: Progress, car: str = "demo") -> None:
        report = CampaignReport(car, revision, progress)
        payload = encode_campaign_report(report)
        self.sender.hear(Message(topics.campaign_report("demo"), payload))

    def stands(self, started: Started, vehicle: str = "demo") -> Progress:
        return dict(self.store.vehicles(started.campaign.id))[vehicle]


Check = Callable[[Cloud], Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Check], None]:
    def within(check: Check) -> None:
        async def all_of_it() -> None:
            cloud = Cloud(tmp_path)
            await cloud.start()
            await check(cloud)
            cloud.store.close()

        asyncio.run(all_of_it())

    return within


Run = Callable[[Check], None]


def test_list_is_sent_again_until_it_is_acknowledged(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        started = cloud.sender.start(request())
        (first,) = await cloud.lists()
        assert first.campaigns == (started.campaign,)
        cloud.clock.advance(10)
        assert await cloud.lists() == []  # nobody is there to hear it
        cloud.presence.greet(Hello("demo", "", ()), cloud.clock.now_ns())
        assert await cloud.lists() == [first]
        cloud.sender.resend("demo")
        assert await cloud.lists() == [first]
        progress = Progress(started.campaign.id, CampaignState.ACCEPTED)
        cloud.report(first.revision, progress)
        cloud.clock.advance(100)
        cloud.sender.resend("demo")
        assert await cloud.lists() == []
        assert cloud.stands(started) == progress

    run(check)


def test_list_outlives_a_restart_until_it_is_acknowledged(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.sender.start(request())
        (first,) = await cloud.lists()
        cloud.store.close()
        cloud.restart()
        assert await cloud.lists() == [first]
        cloud.report(first.revision)
        cloud.store.close()
        cloud.restart()
        assert await cloud.lists() == []

    run(check)


def test_stopped_campaign_leaves_the_list_and_is_stopped_once_the_vehicle_knows(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        one, other = cloud.sender.start(request()), cloud.sender.start(request(name="other"))
        (both,) = await cloud.lists()
        assert len(both.campaigns) == 2
        triggered = Progress(one.campaign.id, CampaignState.ACTIVE, None, 3, 700)
        cloud.report(both.revision, triggered)
        assert cloud.sender.stop(one.campaign.id).stopped_at is not None
        assert cloud.stands(one).state is CampaignState.ACTIVE
        (less,) = await cloud.lists()
        assert less.campaigns == (other.campaign,)
        assert less.revision > both.revision
        cloud.report(less.revision)
        assert cloud.stands(one).state is CampaignState.STOPPED
        assert (cloud.stands(one).triggered, cloud.stands(one).rows) == (3, 700)
        cloud.sender.stop(one.campaign.id)
        assert await cloud.lists() == []

    run(check)


def test_vehicle_that_goes_by_another_list_is_sent_its_own(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.sender.start(request())
        (first,) = await cloud.lists()
        cloud.report(first.revision)
        cloud.clock.advance(5)
        cloud.report(0)  # it has lost its outbox
        assert await cloud.lists() == [first]
        cloud.clock.advance(5)
        cloud.report(first.revision + 10**12)  # the cloud has lost what it knew
        (again,) = await cloud.lists()
        assert again.revision > first.revision + 10**12
        assert again.campaigns == first.campaigns

    run(check)


def test_campaign_that_is_over_is_in_no_list(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.sender.start(request())
        cloud.clock.advance(60 * 86_400)
        assert [len(one.campaigns) for one in await cloud.lists()] == [0]

    run(check)


def test_what_one_vehicle_says_of_another_is_ignored(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        started = cloud.sender.start(request(vehicles=("demo", "leaf")))
        (first,) = await cloud.lists()
        cloud.report(first.revision, Progress(started.campaign.id, CampaignState.ENDED), car="leaf")
        cloud.sender.hear(Message(topics.campaign_report("leaf"), b"what"))
        assert cloud.sender.reports_ignored == 2
        assert cloud.stands(started, "leaf").state is CampaignState.WAITING

    run(check)


def test_vehicles_are_chosen_by_a_question(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        started = cloud.sender.start(request(vehicles=(), where="some"))
        assert [name for name, _ in cloud.store.vehicles(started.campaign.id)] == ["demo"]
        with pytest.raises(UsageError, match="true of no vehicles"):
            cloud.sender.start(request(vehicles=(), where="none"))

    run(check)


def test_what_cannot_be_is_refused_and_not_kept(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        with pytest.raises(UnknownVehicle, match="'zoe'"):
            cloud.sender.start(request(vehicles=("demo", "zoe")))
        for _ in range(MAX_PER_VEHICLE):
            cloud.sender.start(request())
        with pytest.raises(UsageError, match="vehicle demo has 16 campaigns"):
            cloud.sender.start(request(vehicles=("leaf", "demo")))
        assert len(cloud.store.page(limit=100)) == MAX_PER_VEHICLE
        assert cloud.store.wanted("leaf", NOW).campaigns == ()
        with pytest.raises(UnknownCampaign):
            cloud.sender.stop("none")

    run(check)


def test_erased_vehicle_is_named_nowhere(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.sender.start(request(vehicles=("demo", "leaf")))
        assert cloud.store.erase("leaf") == 1
        cloud.store.close()
        for path in cloud.folder.iterdir():
            assert b"leaf" not in path.read_bytes()
        cloud.restart()

    run(check)
