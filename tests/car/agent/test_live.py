"""A live car whose clock is wrong, set, and set again: its rows stay in order and evenly spaced."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.car.agent.campaigns.desk import CampaignDesk
from contactor.car.agent.car_time import CarTime, SteadyClock
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.lanes import Lanes
from contactor.car.agent.live import LiveCar
from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.timeline import CONFIRM_NS
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S, FakeClock
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.physics.plan import PlanKind
from contactor.signals.groups import Group
from contactor.signals.record import Record

PROFILE = load_profile("contactor_ev")
T0 = 1_700_000_000 * NS_PER_S
LAMP = "Vehicle.Contactor.IsWarningLampOn"


class Script:
    """A source that gives what a test hands it, and sleeps when told to."""

    def __init__(self) -> None:
        self.is_asleep = False
        self.coming: asyncio.Queue[FrameTable] = asyncio.Queue()

    async def next(self) -> FrameTable:
        return await self.coming.get()

    async def send(self, frames: FrameTable) -> None:
        raise AssertionError("no command was given")


class Bench:
    """A virtual car, driven by a clock that a test moves; its rows end in an outbox."""

    def __init__(self, folder: Path, *, clock_ns: int) -> None:
        self.clock, self.source = FakeClock(clock_ns), Script()
        self.outbox = Outbox(folder / "outbox.db")
        self.steady = SteadyClock(self.clock)
        now_ns = self.steady.now_ns()
        self.car = VirtualCar(PROFILE, start_ns=now_ns, plan=PlanKind.DRIVE, live_from_ns=now_ns)
        transport = MemoryTransport(MemoryBroker())
        uplink = Uplink(outbox=self.outbox, transport=transport, clock=self.clock)
        live = self.outbox.open_stream("leaf", Lane.LIVE, profile="contactor_ev")
        common = {
            "vehicle_id": "leaf",
            "profile": PROFILE,
            "transport": transport,
            "outbox": self.outbox,
            "clock": self.clock,
        }
        self.live = LiveCar(
            self.source,
            PROFILE,
            Lanes(live, outbox=self.outbox, uplink=uplink),
            desk=CommandDesk(source=self.source, is_virtual=True, **common),
            campaigns=CampaignDesk(**common),
            uplink=uplink,
            time=CarTime("leaf", clock=self.clock, steady=self.steady, outbox=self.outbox),
        )

    async def drive(self, seconds: int) -> None:
        """Let time pass, second by second."""
        for _ in range(seconds):
            self.clock.advance(1)
            await self._give(self.car.advance(self.steady.now_ns()))

    async def rest(self, seconds: int) -> None:
        """The car is silent meanwhile, then goes on."""
        self.source.is_asleep = True
        for _ in range(seconds):
            self.clock.advance(1)
            await self._give(FrameTable.empty())
        self.car.advance(self.steady.now_ns())
        self.source.is_asleep = False

    async def _give(self, frames: FrameTable) -> None:
        self.source.coming.put_nowait(frames)
        while not self.source.coming.empty():
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)

    def stamps(self, lane: Lane = Lane.LIVE) -> dict[Group, np.ndarray]:
        """The stamps of every row, in the order of their messages."""
        found = defaultdict(list)
        for stream in self.outbox.streams():
            if stream.lane is lane:
                for held in self.outbox.held(stream, after=0, limit=100_000):
                    record = self.outbox.read(held)
                    assert isinstance(record, Record)
                    for rows in record.groups:
                        found[rows.group].append(rows.ts)
        return {group: np.concatenate(parts) for group, parts in found.items()}


def live(tmp_path: Path, clock_ns: int, use: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, clock_ns=clock_ns)
        task = asyncio.create_task(bench.live.run())
        try:
            await use(bench)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            bench.outbox.close()

    asyncio.run(run())


def check_in_order(stamps: dict[Group, np.ndarray]) -> None:
    for group, ts in stamps.items():
        assert (np.diff(ts) >= 0).all(), group


def test_rows_made_before_the_clock_was_set_are_dated_once_it_is(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.drive(20)
        assert bench.stamps() == {}
        bench.clock.jump(T0 / NS_PER_S)
        await bench.drive(20)
        stamps = bench.stamps()
        check_in_order(stamps)
        drive = stamps[Group.DRIVE]
        assert T0 < drive[0] < T0 + 3 * NS_PER_S
        assert drive[-1] > T0 + 36 * NS_PER_S
        assert np.diff(drive).max() <= 2 * NS_PER_S
        assert bench.stamps(Lane.URGENT)[Group.EVENTS][0] > T0

    live(tmp_path, 0, use)


@pytest.mark.parametrize("step_s", [-7200.0, -20.0, 0.3, 20.0, 7200.0, -1_600_000_000.0])
def test_clock_that_is_set_while_the_car_drives_changes_no_stamp(
    tmp_path: Path, step_s: float
) -> None:
    async def use(bench: Bench) -> None:
        await bench.drive(15)
        bench.clock.jump(step_s)
        await bench.drive(45)
        stamps = bench.stamps()
        check_in_order(stamps)
        drive = stamps[Group.DRIVE]
        assert drive[0] >= T0
        assert T0 + 57 * NS_PER_S <= drive[-1] <= T0 + 60 * NS_PER_S
        assert np.diff(drive).max() <= 2 * NS_PER_S

    live(tmp_path, T0, use)


@pytest.mark.parametrize("step_s", [-20.0, 20.0, 7200.0])
def test_stamps_are_true_again_after_a_rest(tmp_path: Path, step_s: float) -> None:
    async def use(bench: Bench) -> None:
        await bench.drive(10)
        bench.clock.jump(step_s)
        await bench.drive(5)
        await bench.rest(CONFIRM_NS // NS_PER_S + 25)
        await bench.drive(10)
        stamps = bench.stamps()
        check_in_order(stamps)
        last, now_ns = int(stamps[Group.DRIVE][-1]), bench.clock.now_ns()
        assert now_ns - 3 * NS_PER_S < last <= now_ns

    live(tmp_path, T0, use)


def test_start_after_a_clock_that_was_set_back_goes_on_behind_the_last_stamp(
    tmp_path: Path,
) -> None:
    async def first(bench: Bench) -> None:
        await bench.drive(30)

    async def second(bench: Bench) -> None:
        await bench.drive(10)
        check_in_order(bench.stamps())

    live(tmp_path, T0, first)
    live(tmp_path, T0 - 600 * NS_PER_S, second)
