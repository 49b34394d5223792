"""The car's side in one process: each CAR's source, one outbox, and the ways to the cloud.

run_cars(cars, outbox=outbox, link="nats://...", identities=None, options=CarOptions(speed=1.0))
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from contactor.app.cars import Car, RecordingCar, VirtualCarUrl
from contactor.app.links import CarLinks, Identities, Work
from contactor.app.recordings import open_players, play
from contactor.app.virtual import VirtualCars
from contactor.car.adapters.canbus import CanBus
from contactor.car.agent.car_time import BootClock
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.timeline import EARLIEST_GOOD
from contactor.clock import NS_PER_DAY, Clock, to_iso
from contactor.errors import OutboxError

DATE_POLL_S = 0.5
DROP_EVERY_S = 600.0

_log = logging.getLogger(__name__)


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


def run_cars(
    cars: Sequence[Car],
    *,
    outbox: Outbox,
    link: str,
    identities: Identities | None,
    options: CarOptions,
) -> int:
    """Run until SIGINT or SIGTERM; closes the outbox.

    Args:
        identities: of all vehicles that come by their keys; None where the link names who comes.

    Raises:
        LogError: not one car can be run.
    """
    return asyncio.run(_run(cars, outbox, link, identities, options))


async def _run(
    cars: Sequence[Car],
    outbox: Outbox,
    link: str,
    identities: Identities | None,
    options: CarOptions,
) -> int:
    clock = BootClock()
    links = CarLinks.open(link, identities, outbox=outbox, clock=clock)
    bus = None if options.bus is None else CanBus(options.bus, clock=clock)
    try:
        _carry_rest(outbox, links)
        recorded = [car for car in cars if isinstance(car, RecordingCar)]
        players = await open_players(
            recorded,
            outbox=outbox,
            uplink_of=links.uplink_of,
            clock=clock,
            speed=options.speed,
            has_others=len(recorded) < len(cars),
        )
        for player in players:
            links.uplink_of(player.stream.vehicle_id).carry(player.stream)
        lives = VirtualCars(
            [car for car in cars if isinstance(car, VirtualCarUrl)],
            outbox=outbox,
            links=links,
            clock=clock,
            bus=bus,
        )
        if options.history_days:
            await _dated(clock)
        lives.begin(speed=options.speed, history_days=options.history_days)
        work = [*links.work(), lives.run(options.speed), *map(play, players)]
        if options.outbox_days is not None:
            work.append(_drop_old(outbox, links, clock, options.outbox_days))
        await _until_stopped(work)
    finally:
        await links.close()
        if bus is not None:
            bus.close()
        outbox.close()
    return 0


def _carry_rest(outbox: Outbox, links: CarLinks) -> None:
    """Send what earlier starts have left, also of cars that do not run now."""
    held: set[str] = set()
    for stream in outbox.streams():
        position = outbox.position(stream)
        if position.last <= position.acknowledged:
            continue
        if links.has(stream.vehicle_id):
            links.uplink_of(stream.vehicle_id).carry(stream)
        else:
            held.add(stream.vehicle_id)
    for vehicle_id in sorted(held):
        _log.warning("rows kept, for the car is not enrolled here vehicle=%s", vehicle_id)


async def _dated(clock: Clock) -> None:
    """Wait until the clock was set: the days behind a car are days of the calendar."""
    if clock.now_ns() < EARLIEST_GOOD:
        _log.warning("clock was never set, cars wait for the date clock=%s", to_iso(clock.now_ns()))
    while clock.now_ns() < EARLIEST_GOOD:
        await asyncio.sleep(DATE_POLL_S)


async def _drop_old(outbox: Outbox, links: CarLinks, clock: Clock, days: int) -> None:
    """Now and then replace what is too old by gaps, a little at a time."""
    reason = f"older than {days} days and never confirmed"
    while True:
        now_ns = clock.now_ns()
        for stream in outbox.streams() if now_ns >= EARLIEST_GOOD else ():
            try:
                while outbox.drop_older(stream, now_ns - days * NS_PER_DAY, reason):
                    links.wake()
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
