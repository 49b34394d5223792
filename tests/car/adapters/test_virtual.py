"""How a virtual car's time goes by the clock: never ahead, at once caught up, or at its speed."""

import asyncio

import pytest

from contactor.can.frames import FrameTable
from contactor.car.adapters.virtual import VirtualSource
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S, FakeClock
from contactor.errors import LogError
from contactor.physics.plan import PlanKind

PROFILE = load_profile("contactor_ev")
T0 = 1_700_000_000 * NS_PER_S


def made(*, behind_s: float = 0.0, speed: float = 1.0) -> tuple[VirtualSource, FakeClock]:
    clock = FakeClock(T0 + round(behind_s * NS_PER_S))
    car = VirtualCar(PROFILE, start_ns=T0, plan=PlanKind.PARKED, live_from_ns=T0)
    return VirtualSource(car, clock=clock, speed=speed), clock


def test_car_waits_for_the_clock_and_is_never_ahead() -> None:
    async def run() -> None:
        source, clock = made()
        assert len(await source.next()) == 0
        clock.advance(0.1)
        frames = await source.next()
        assert len(frames) > 10
        assert frames.ts.max() <= clock.now_ns()

    asyncio.run(run())


def test_car_at_the_pace_of_life_catches_up_at_once() -> None:
    async def run() -> None:
        source, clock = made(behind_s=30.0)
        for _ in range(300):
            assert len(await source.next())
        assert source.car.now_ns == clock.now_ns()
        assert len(await source.next()) == 0

    asyncio.run(run())


@pytest.mark.parametrize("speed", [10.0, 0.5])
def test_car_lives_at_its_speed(speed: float) -> None:
    async def run() -> None:
        source, clock = made(behind_s=600.0, speed=speed)
        await source.next()
        began_ns = source.car.now_ns
        for _ in range(20):
            clock.advance(0.1)
            while len(await source.next()):
                pass
        lived_s = (source.car.now_ns - began_ns) / NS_PER_S
        assert lived_s == pytest.approx(2.0 * speed, abs=0.11)

    # the source sleeps a little each time it has nothing; the clock is ours
    asyncio.run(run())


def test_clock_that_is_set_back_stops_the_car_until_it_has_caught_up() -> None:
    async def run() -> None:
        source, clock = made()
        clock.advance(0.1)
        await source.next()
        clock.jump(-1.0)
        assert len(await source.next()) == 0
        clock.jump(1.2)
        assert len(await source.next())

    asyncio.run(run())


class BrokenBus:
    """A bus that fails, as one does whose cable is pulled."""

    def send(self, frames: FrameTable) -> None:
        raise LogError("no cable")

    def receive(self) -> FrameTable:
        raise LogError("no cable")


def test_bus_that_fails_does_not_stop_the_car(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        clock = FakeClock(T0)
        car = VirtualCar(PROFILE, start_ns=T0, plan=PlanKind.PARKED, live_from_ns=T0)
        source = VirtualSource(car, clock=clock, bus=BrokenBus())
        for _ in range(3):
            clock.advance(0.1)
            assert len(await source.next())

    asyncio.run(run())
    assert [record.message for record in caplog.records] == [
        "bus failed to receive, the car goes on reason=no cable",
        "bus failed to send, the car goes on reason=no cable",
    ]


class HeardBus:
    """A bus on which others say what is `coming`, once, and on which the car is heard."""

    def __init__(self) -> None:
        self.coming = FrameTable.empty()
        self.told: list[FrameTable] = []

    def send(self, frames: FrameTable) -> None:
        self.told.append(frames)

    def receive(self) -> FrameTable:
        frames, self.coming = self.coming, FrameTable.empty()
        return frames


@pytest.mark.parametrize("speed", [1.0, 0.5])
def test_request_on_the_bus_is_answered_before_the_batch_ends(speed: float) -> None:
    async def run() -> None:
        clock = FakeClock(T0 + NS_PER_S)
        car = VirtualCar(PROFILE, start_ns=T0, plan=PlanKind.PARKED, live_from_ns=T0)
        request = FrameTable.of(ts=[0], can_id=[0x7DF], data=[b"\x02\x01\x0d\0\0\0\0\0"])
        bus = HeardBus()
        source = VirtualSource(car, clock=clock, speed=speed, bus=bus)
        if speed == 1.0:
            while len(await source.next()):
                pass
        else:
            await source.next()
        bus.coming = request
        clock.advance(0.03)
        await source.next()
        assert car.is_answering
        clock.advance(0.004 / speed)
        said = await source.next()
        assert 0x7E8 in said.can_id.tolist()
        assert 0x7E8 in bus.told[-1].can_id.tolist()
        assert car.now_ns <= clock.now_ns()
        assert not car.is_answering

    asyncio.run(run())
