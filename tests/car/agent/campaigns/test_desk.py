"""What a car does with lists that the cloud sends: keeps them, answers, goes on after a kill."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from contactor.car.agent.campaigns.desk import CampaignDesk
from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.profiles.profile import load_profile
from contactor.clock import FakeClock
from contactor.link import topics
from contactor.link.campaign_messages import (
    CampaignList,
    CampaignReport,
    decode_campaign_report,
    encode_campaigns,
)
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.campaign import Campaign, CampaignState, Claim, Upload
from tests.car.agent.campaigns.readings import CELLS, LOWEST, SPEED, S, read

PROFILE = load_profile("contactor_ev")
T0_S = 1_700_000_000


def campaign(name: str = "low", **changed: object) -> Campaign:
    asked: dict[str, object] = {
        "id": name,
        "name": name,
        "signals": (LOWEST,),
        "rate_hz": 10.0,
        "until": (T0_S + 1000) * S,
        "when": (Claim(LOWEST, below=3.0),),
        "before_s": 1.0,
        "after_s": 1.0,
    }
    return Campaign(**{**asked, **changed})


class Car:
    """A desk over a file, that can be started again; and the cloud that it speaks to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.broker, self.clock = folder, MemoryBroker(), FakeClock(T0_S * S)
        self.cloud = MemoryTransport(self.broker)

    async def __aenter__(self) -> "Car":
        self.reports = await self.cloud.subscribe(topics.ALL_CAMPAIGN_REPORTS)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self.outbox = Outbox(self.folder / "outbox.db")
        self.desk = CampaignDesk(
            vehicle_id="demo",
            profile=PROFILE,
            transport=MemoryTransport(self.broker),
            outbox=self.outbox,
            clock=self.clock,
        )
        self.task = asyncio.create_task(self.desk.run())
        assert await self.report() is not None  # it says what it goes by as soon as it is there

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.outbox.close()

    async def ask(self, revision: int, *campaigns: Campaign) -> CampaignReport:
        asked = CampaignList("demo", revision, campaigns)
        await self.cloud.publish(topics.campaign("demo"), encode_campaigns(asked))
        return await self.report()

    async def report(self) -> CampaignReport:
        message = await self.reports.next(10)
        assert message is not None
        return decode_campaign_report(message.payload)

    def drive(self, *volts: float, start_s: float = 0.0) -> list[tuple[Lane, int]]:
        """Read the lowest cell once a second; what was recorded, by lane."""
        for at_s, volt in enumerate(volts):
            self.desk.read([read(LOWEST, [(T0_S + start_s + at_s, volt)])])
        return [(lane, len(rows)) for lane, rows in self.desk.take()]


def with_car(tmp_path: Path, use: Callable[[Car], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), Car(tmp_path) as car:
            await use(car)

    asyncio.run(run())


def states(report: CampaignReport) -> dict[str, CampaignState]:
    return {one.id: one.state for one in report.campaigns}


def test_list_is_accepted_recorded_and_reported(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        report = await car.ask(5, campaign())
        assert report.revision == 5
        assert states(report) == {"low": CampaignState.ACCEPTED}
        rows = car.drive(3.5, 3.5, 3.5, 2.9)
        assert (await car.report()).campaigns[0].state is CampaignState.ACTIVE
        rows += car.drive(3.5, 3.5, 3.5, start_s=4)
        assert {lane for lane, _ in rows} == {Lane.LIVE}
        assert sum(count for _, count in rows) == 21
        done = (await car.report()).campaigns[0]
        assert (done.state, done.triggered, done.rows) == (CampaignState.ACCEPTED, 1, 21)
        assert done.last_trigger == (T0_S + 3) * S

    with_car(tmp_path, use)


def test_campaign_for_later_goes_by_the_backlog(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        await car.ask(1, campaign(upload=Upload.BACKLOG))
        assert {lane for lane, _ in car.drive(3.5, 2.9, 3.5, 3.5, 3.5)} == {Lane.BACKLOG}

    with_car(tmp_path, use)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"signals": ("Vehicle.Cabin.DoorCount",)}, "profile contactor_ev gives no signal"),
        ({"when": (Claim(CELLS, below=3.0),)}, "allowed: no arrays"),
        ({"signals": ("Vehicle.Warp",)}, "unknown signal 'Vehicle.Warp'"),
    ],
)
def test_what_the_car_cannot_do_is_refused_with_the_reason(
    tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    async def use(car: Car) -> None:
        report = await car.ask(1, campaign("bad", **changed), campaign("good"))
        bad, good = report.campaigns
        assert (bad.state, good.state) == (CampaignState.REFUSED, CampaignState.ACCEPTED)
        assert reason in (bad.reason or "")

    with_car(tmp_path, use)


def test_older_list_changes_nothing_and_is_answered(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        await car.ask(5, campaign("new"))
        report = await car.ask(4, campaign("old"))
        assert (report.revision, set(states(report))) == (5, {"new"})
        assert states(await car.ask(6)) == {}
        assert car.drive(3.5, 2.9, 3.5, 3.5) == []

    with_car(tmp_path, use)


def test_list_for_another_car_or_no_list_at_all_is_ignored(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        car.desk.hear(encode_campaigns(CampaignList("other", 9, (campaign(),))))
        car.desk.hear(b"what")
        assert states(await car.ask(1)) == {}

    with_car(tmp_path, use)


def test_campaign_and_its_state_outlive_the_agent(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        await car.ask(1, campaign(), campaign("other", signals=(SPEED,)))
        car.drive(3.5, 2.9)
        await car.report()
        await car.stop()
        await car.start()
        low = {one.id: one for one in car.desk.progress()}["low"]
        assert (low.triggered, len(car.desk.progress())) == (1, 2)
        car.drive(2.9, 2.9, 2.9, start_s=3)  # it has not been over the limit since
        assert {one.id: one for one in car.desk.progress()}["low"].triggered == 1

    with_car(tmp_path, use)


def test_campaign_that_goes_on_in_a_new_list_keeps_its_count(tmp_path: Path) -> None:
    async def use(car: Car) -> None:
        await car.ask(1, campaign())
        car.drive(3.5, 2.9)
        await car.report()
        report = await car.ask(2, campaign(), campaign("more"))
        assert [one.triggered for one in report.campaigns] == [1, 0]

    with_car(tmp_path, use)
