"""The way back inside the car: a command over the link moves the virtual car, and is proven."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import cantools
import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.car.adapters.virtual import VirtualSource
from contactor.car.agent import live as live_module
from contactor.car.agent.campaigns.desk import CampaignDesk
from contactor.car.agent.car_time import CarTime, SteadyClock
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.lanes import Lanes
from contactor.car.agent.live import LiveCar
from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.series import Series
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.limits import GEAR
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S, SystemClock
from contactor.link import topics
from contactor.link.command_messages import Report, decode_report, encode_command
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.physics.plan import PlanKind
from contactor.signals.command import Command, CommandState
from contactor.signals.record import Scalar, State

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
CLIMATE = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
TEMPERATURE = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
PROFILE = load_profile("contactor_ev")


class Bench:
    """A living car on a link in memory, and what it reports."""

    def __init__(self, plan: PlanKind, outbox: Path) -> None:
        self.clock = SystemClock()
        now_ns = self.clock.now_ns()
        # Of a day nobody watches it yet: it sleeps.
        live_ns = now_ns + (3_600 * NS_PER_S if plan is PlanKind.DAY else 0)
        car = VirtualCar(PROFILE, seed=1, start_ns=now_ns, plan=plan, live_from_ns=live_ns)
        steady = SteadyClock(self.clock)
        self.source = VirtualSource(car, clock=steady)
        self.outbox = Outbox(outbox)
        if plan is PlanKind.DAY:  # an agent before has seen it fall asleep
            self.outbox.note("seen:leaf", json.dumps({"Vehicle.Speed": 0.0, GEAR: 126}))
        self.broker = MemoryBroker()
        self.cloud = MemoryTransport(self.broker)
        transport = MemoryTransport(self.broker)
        uplink = Uplink(outbox=self.outbox, transport=transport, clock=self.clock)
        stream = self.outbox.open_stream("leaf", Lane.LIVE, profile="contactor_ev")
        uplink.carry(stream)
        desk = CommandDesk(
            vehicle_id="leaf",
            profile=PROFILE,
            source=self.source,
            transport=transport,
            outbox=self.outbox,
            clock=self.clock,
        )
        campaigns = CampaignDesk(
            vehicle_id="leaf",
            profile=PROFILE,
            transport=transport,
            outbox=self.outbox,
            clock=self.clock,
        )
        lanes = Lanes(stream, outbox=self.outbox, uplink=uplink)
        self.live = LiveCar(
            self.source,
            PROFILE,
            lanes,
            desk=desk,
            campaigns=campaigns,
            uplink=uplink,
            time=CarTime("leaf", clock=self.clock, steady=steady, outbox=self.outbox),
        )
        self.reports: list[Report] = []

    async def ask(self, path: str, value: Scalar, *, name: str = "c", ends_in_s: float = 5) -> None:
        now_ns = self.clock.now_ns()
        command = Command(
            id=name,
            vehicle_id="leaf",
            path=path,
            value=value,
            issued_by="owner",
            issued_at=now_ns,
            expires_at=now_ns + round(ends_in_s * NS_PER_S),
        )
        await self.cloud.publish(topics.command("leaf"), encode_command(command))

    async def states(self, count: int, timeout_s: float = 60) -> list[CommandState]:
        async with asyncio.timeout(timeout_s):
            while len(self.reports) < count:
                await asyncio.sleep(0.02)
        return [report.state for report in self.reports]


def live(
    tmp_path: Path, use: Callable[[Bench], Awaitable[None]], *, plan: PlanKind = PlanKind.PARKED
) -> None:
    """Let a car live while `use` talks to it."""

    async def run() -> None:
        bench = Bench(plan, tmp_path / "outbox.db")
        subscription = await bench.cloud.subscribe(topics.ALL_REPORTS)

        async def hear() -> None:
            while True:
                message = await subscription.next(timeout_s=60)
                assert message is not None
                bench.reports.append(decode_report(message.payload))

        tasks = [asyncio.create_task(bench.live.run()), asyncio.create_task(hear())]
        await asyncio.sleep(6 if plan is PlanKind.DRIVE else 0.5)
        try:
            await use(bench)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            bench.outbox.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "value"),
    [(LOCK, False), (CHARGE_LIMIT, 70), (CLIMATE, True), (TEMPERATURE, 23.5)],
)
def test_command_is_accepted_then_proven_from_the_bus(
    path: str, value: Scalar, tmp_path: Path
) -> None:
    async def use(bench: Bench) -> None:
        await bench.ask(path, value)
        assert await bench.states(2) == [CommandState.ACCEPTED, CommandState.DONE]

    live(tmp_path, use)


def test_proof_is_read_at_once_while_a_command_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "GATHER_NS", 3_600 * NS_PER_S)

    async def use(bench: Bench) -> None:
        await bench.ask(CHARGE_LIMIT, 70, ends_in_s=60)
        assert await bench.states(2) == [CommandState.ACCEPTED, CommandState.DONE]

    live(tmp_path, use)


def test_same_command_again_gets_the_same_answer_and_no_second_frame(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.ask(LOCK, value=False, name="one")
        await bench.states(2)
        await bench.ask(LOCK, value=True, name="two")
        await bench.states(3)
        await bench.ask(LOCK, value=False, name="one")
        states = await bench.states(4)
        assert states[-1] is CommandState.DONE or states[-2] is CommandState.DONE
        refused = [report for report in bench.reports if report.state is CommandState.REFUSED]
        assert all(report.command_id == "two" for report in refused)

    live(tmp_path, use)


def test_lock_while_driving_is_refused_with_its_reason(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.ask(LOCK, value=False)
        assert await bench.states(1) == [CommandState.REFUSED]
        reason = bench.reports[0].reason
        assert reason is not None
        assert reason.startswith("not while moving: speed is")

    live(tmp_path, use, plan=PlanKind.DRIVE)


def test_command_that_the_car_never_proves_expires(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        path = "Vehicle.Powertrain.TractionBattery.Charging.StartStopCharging"
        bench.source.send = _swallow  # type: ignore[method-assign]  # a bus whose frames get lost
        await bench.ask(path, "STOP", ends_in_s=1.5)
        assert await bench.states(2) == [CommandState.ACCEPTED, CommandState.EXPIRED]
        assert "no proof from the bus" in str(bench.reports[-1].reason)

    live(tmp_path, use)


async def _swallow(frames: object) -> None:
    del frames


def test_command_wakes_a_car_that_sleeps_and_is_proven(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        assert bench.source.is_asleep
        await bench.ask(LOCK, value=False)
        assert await bench.states(2) == [CommandState.ACCEPTED, CommandState.DONE]
        assert not bench.source.is_asleep

    live(tmp_path, use, plan=PlanKind.DAY)


# ── a car of which the test says what its bus says ───────────────────────────────────────────────


class Buses:
    """The buses of a car that does nothing by itself; keeps what was sent."""

    is_asleep = False

    def __init__(self) -> None:
        self.sent: list[FrameTable] = []

    async def next(self) -> FrameTable:
        return FrameTable.empty()

    async def send(self, frames: FrameTable) -> None:
        self.sent.append(frames)


def says(path: str, value: Scalar) -> Series:
    cells = np.array([value])
    return Series(path, np.array([1]), cells, np.array([State.VALID], np.uint8))


def at_desk(use: Callable[[CommandDesk, Buses, Bench], Awaitable[None]], tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(PlanKind.PARKED, tmp_path / "outbox.db")
        buses = Buses()
        transport = MemoryTransport(bench.broker)
        desk = CommandDesk(
            vehicle_id="leaf",
            profile=PROFILE,
            source=buses,
            transport=transport,
            outbox=bench.outbox,
            clock=bench.clock,
        )
        subscription = await bench.cloud.subscribe(topics.ALL_REPORTS)
        running = asyncio.create_task(desk.run())
        await asyncio.sleep(0.05)
        try:
            await use(desk, buses, bench)
            while (message := await subscription.next(timeout_s=0.05)) is not None:
                bench.reports.append(decode_report(message.payload))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            bench.outbox.close()

    asyncio.run(run())


def test_frame_is_not_repeated_once_the_car_moves(tmp_path: Path) -> None:
    async def use(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
        await bench.ask(LOCK, value=False)
        await asyncio.sleep(0.3)
        assert len(buses.sent) == 1
        desk.read([says("Vehicle.Speed", 60.0)])
        await asyncio.sleep(1.2)
        assert len(buses.sent) == 1

    at_desk(use, tmp_path)


def test_door_of_a_standing_car_is_not_asked_for_anything_in_drive(tmp_path: Path) -> None:
    async def use(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 127)])
        await bench.ask(LOCK, value=False)
        await asyncio.sleep(0.3)
        assert not buses.sent
        desk.read([says(GEAR, 126)])
        await bench.ask(LOCK, value=False, name="in_park")
        await asyncio.sleep(0.3)
        assert len(buses.sent) == 1

    at_desk(use, tmp_path)


def test_what_a_sleeping_car_said_last_holds_for_the_next_agent(tmp_path: Path) -> None:
    async def use(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        said = [says("Vehicle.Speed", 0.0), says(GEAR, 126), says(LOCK, value=True)]
        desk.read(said)
        buses.is_asleep = True
        await asyncio.sleep(0.3)
        noted = bench.outbox.noted("seen:leaf")
        assert noted is not None
        assert json.loads(noted) == {"Vehicle.Speed": 0.0, GEAR: 126}

    async def after_a_restart(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        buses.is_asleep = True
        await bench.ask(LOCK, value=False)
        await asyncio.sleep(0.3)
        assert len(buses.sent) == 1
        buses.is_asleep = False
        await asyncio.sleep(0.3)
        assert bench.outbox.noted("seen:leaf") == "{}"

    async def after_another(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        """It was awake in between: nobody knows what it has done."""
        buses.is_asleep = True
        await bench.ask(LOCK, value=False, name="other")
        await asyncio.sleep(0.3)
        assert not buses.sent

    for one in (use, after_a_restart, after_another):
        at_desk(one, tmp_path)


def test_newer_command_takes_the_place_of_an_older_one_for_good(tmp_path: Path) -> None:
    benches: list[Bench] = []
    asked: list[object] = []

    async def use(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        benches.append(bench)
        await bench.ask(CHARGE_LIMIT, 60, name="older")
        await bench.ask(CHARGE_LIMIT, 90, name="newer")
        await asyncio.sleep(1.3)
        desk.read([says(CHARGE_LIMIT, 60)])
        await asyncio.sleep(0.2)
        desk.read([says(CHARGE_LIMIT, 90)])
        await asyncio.sleep(0.3)
        database = cantools.database.load_file(PROFILE.folder / "car.dbc")
        (entry,) = (one for one in PROFILE.map.actuators if one.path == CHARGE_LIMIT)
        message, _, signal = entry.frame.partition(".")
        asked.extend(
            database.decode_message(message, frames[0].data)[signal] for frames in buses.sent
        )

    at_desk(use, tmp_path)
    assert asked == [60, 90, 90]
    assert [(one.command_id, one.state) for one in benches[0].reports] == [
        ("older", CommandState.ACCEPTED),
        ("older", CommandState.REFUSED),
        ("newer", CommandState.ACCEPTED),
        ("newer", CommandState.DONE),
    ]


def test_value_beside_the_one_asked_for_is_no_proof(tmp_path: Path) -> None:
    async def use(desk: CommandDesk, buses: Buses, bench: Bench) -> None:
        desk.read([says(CHARGE_LIMIT, 80)])
        await bench.ask(CHARGE_LIMIT, 81)
        await asyncio.sleep(0.1)
        desk.read([says(CHARGE_LIMIT, 80)])
        await asyncio.sleep(0.3)
        assert desk.underway == 1
        desk.read([says(CHARGE_LIMIT, 81)])
        await asyncio.sleep(0.3)
        assert desk.underway == 0

    at_desk(use, tmp_path)
