"""The car's side in one process: each CAR's source, one outbox, one uplink.

run_cars(cars, outbox=outbox, link="nats://...", options=CarOptions(speed=1.0))
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

from contactor.app.cars import Car, RecordingCar, VirtualCarUrl
from contactor.app.recordings import open_players, play
from contactor.app.virtual import VirtualCars
from contactor.car.adapters.canbus import CanBus
from contactor.car.agent.car_time import BootClock
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.timeline import EARLIEST_GOOD
from contactor.car.agent.uplink import Uplink
from contactor.clock import NS_PER_DAY, Clock, to_iso
from contactor.errors import OutboxError
from contactor.link.nats import NatsTransport

DATE_POLL_S = 0.5
DROP_EVERY_S = 600.0

_log = logging.getLogger(__name__)

Work = Coroutine[object, object, None]


@dataclass(frozen=True, slots=True)
class CarOptions:
    """How the cars of one agent live.

    Fields:
        speed: times real time; infinity for as fast as it goes.
        history_days: what a virtual car has behind it when it is seen for the first time.
        outbox_days: how old rows may be that wait for the cloud; None for as old as they are.
        bus: the python-can interface that virtual cars are on as well; None for none.
    """

    speed: float = 1.0
    history_days: int = 0
    bus: str | None = None
    outbox_days: int | None = None


def run_cars(cars: Sequence[Car], *, outbox: Outbox, link: str, options: CarOptions) -> int:
    """Run until SIGINT or SIGTERM; closes the outbox.

    Raises:
        LogError: not one car can be run.
    """
    return asyncio.run(_run(cars, outbox, link, options))


async def _run(cars: Sequence[Car], outbox: Outbox, link: str, options: CarOptions) -> int:
    clock = BootClock()
    transport = NatsTransport(link, name="agent")
    uplink = Uplink(outbox=outbox, transport=transport, clock=clock)
    bus = None if options.bus is None else CanBus(options.bus, clock=clock)
    try:
        for stream in outbox.streams():
            position = outbox.position(stream)
            if position.last > position.acknowledged:
                uplink.carry(stream)
        recorded = [car for car in cars if isinstance(car, RecordingCar)]
        players = await open_players(
            recorded,
            outbox=outbox,
            uplink=uplink,
            clock=clock,
            speed=options.speed,
            has_others=len(recorded) < len(cars),
        )
        for player in players:
            uplink.carry(player.stream)
        lives = VirtualCars(
            [car for car in cars if isinstance(car, VirtualCarUrl)],
            outbox=outbox,
            uplink=uplink,
            transport=transport,
            clock=clock,
            bus=bus,
        )
        if options.history_days:
            await _dated(clock)
        lives.begin(speed=options.speed, history_days=options.history_days)
        work = [uplink.run(), lives.run(options.speed), *map(play, players)]
        if options.outbox_days is not None:
            work.append(_drop_old(outbox, uplink, clock, options.outbox_days))
        await _until_stopped(work)
    finally:
        await uplink.close()
        await transport.close()
        if bus is not None:
            bus.close()
        outbox.close()
    return 0


async def _dated(clock: Clock) -> None:
    """Wait until the clock was set: the days behind a car are days of the calendar."""
    if clock.now_ns() < EARLIEST_GOOD:
        _log.warning("clock was never set, cars wait for the date clock=%s", to_iso(clock.now_ns()))
    while clock.now_ns() < EARLIEST_GOOD:
        await asyncio.sleep(DATE_POLL_S)


async def _drop_old(outbox: Outbox, uplink: Uplink, clock: Clock, days: int) -> None:
    """Now and then replace what is too old by gaps, a little at a time."""
    reason = f"older than {days} days and never confirmed"
    while True:
        now_ns = clock.now_ns()
        for stream in outbox.streams() if now_ns >= EARLIEST_GOOD else ():
            try:
                while outbox.drop_older(stream, now_ns - days * NS_PER_DAY, reason):
                    uplink.wake()
                    await asyncio.sleep(0)
            except OutboxError as error:
                _log.error("old rows not dropped reason=%s", error)
        await asyncio.sleep(DROP_EVERY_S)


async def _until_stopped(work: Sequence[Work]) -> None:
    """Do the work until SIGINT or SIGTERM, or until some of it fails."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    tasks = [asyncio.create_task(one) for one in work]
    stopping = asyncio.create_task(stopped.wait())
    try:
        await _first_failure(tasks, stopping)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _first_failure(tasks: Sequence[asyncio.Task[None]], stopping: asyncio.Task[bool]) -> None:
    """Wait for the end, or for a task that fails; a player that has ended is no failure."""
    waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {*tasks, stopping}
    while not stopping.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
