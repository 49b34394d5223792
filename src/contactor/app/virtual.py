"""A virtual car's life in one process: the days behind it, then the present, on one road.

The first time a car is seen its last days are made from the same physics, as values: they enter at
the sampler and travel outbox, link, ingest and lake like everything else. What a start needs to
know of the one before it is noted in the outbox's file, so an agent that was killed makes the rest
of the days and no row twice. A car that lives through its days itself, faster than life, goes on
from where it stood.

    cars = VirtualCars(urls, outbox=outbox, links=links, ...)
    cars.begin(speed=1.0, history_days=7)
    await cars.run(1.0)
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence

import msgspec

from contactor.app.cars import VirtualCarUrl
from contactor.app.links import CarLinks
from contactor.app.progress import Steps
from contactor.car.adapters.canbus import Bus
from contactor.car.adapters.elm327 import elm327_server
from contactor.car.adapters.virtual import VirtualSource
from contactor.car.agent.campaigns.desk import CampaignDesk
from contactor.car.agent.car_time import CarTime, SteadyClock
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.lanes import Lanes
from contactor.car.agent.live import LiveCar
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.recorder import cut_batches
from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import Profile, load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.car.virtual.kept import Kept
from contactor.clock import NS_PER_DAY, NS_PER_S, Clock
from contactor.errors import ContactorError, OutboxError, UsageError, first_failure
from contactor.signals.record import Rows

HISTORY_BATCH_NS = 300 * NS_PER_S
HISTORY_SPAN_NS = 600 * NS_PER_S
KEEP_S = 10.0
CAUGHT_UP_NS = 2 * NS_PER_S

_log = logging.getLogger(__name__)


class _Begun(msgspec.Struct, frozen=True):
    """When a car's past begins and where its present began, ns UTC.

    `is_lived`: it lives through its past itself, frame by frame; else that is made as values.
    """

    begun_ns: int
    live_from_ns: int
    is_lived: bool
    is_history_done: bool


class _Stand(msgspec.Struct, frozen=True):
    """Where a car stood at an instant of its own time, ns UTC."""

    at_ns: int
    kept: Kept


class VirtualCars:
    """The virtual cars of one agent; each lives as soon as its past is in the outbox."""

    def __init__(
        self,
        urls: Sequence[VirtualCarUrl],
        *,
        outbox: Outbox,
        links: CarLinks,
        clock: Clock,
        bus: Bus | None,
    ) -> None:
        self._urls = urls
        self._outbox = outbox
        self._links = links
        self._clock = clock
        self._steady = SteadyClock(clock)
        self._bus = bus
        self._started_ns = self._steady.now_ns()
        self._begun: dict[str, _Begun] = {}

    def begin(self, *, speed: float, history_days: int) -> None:
        """Note of each car that is new when its past begins, before any of them is made.

        Args:
            speed: over 1, the cars themselves live through their last days, frame by frame.
        """
        past_ns = self._started_ns - history_days * NS_PER_DAY
        is_lived = speed > 1 and history_days > 0
        for url in self._urls:
            begun = _noted(self._outbox, url.vehicle_id)
            if begun is None:
                begun = _Begun(past_ns, self._started_ns, is_lived, not history_days)
                _note(self._outbox, url.vehicle_id, begun)
            self._begun[url.vehicle_id] = begun

    async def run(self, speed: float) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                profiles: dict[str, Profile] = {}
                for url in self._urls:
                    if url.profile not in profiles:
                        profiles[url.profile] = await asyncio.to_thread(load_profile, url.profile)
                    profile = profiles[url.profile]
                    car = await self._make(url, profile)
                    source = VirtualSource(car, clock=self._steady, speed=speed, bus=self._bus)
                    group.create_task(self._live(url, profile, source))
                    group.create_task(self._keep(url.vehicle_id, car))
                    if url.elm327_port is not None:
                        group.create_task(_be_asked(url.vehicle_id, car, url.elm327_port))
        except* ContactorError as failures:
            raise first_failure(failures) from None

    async def _make(self, url: VirtualCarUrl, profile: Profile) -> VirtualCar:
        """The car at its present; its past in the outbox, where that is still to be made."""
        begun, stand = self._begun[url.vehicle_id], _stand(self._outbox, url.vehicle_id)
        now_ns, kept = self._steady.now_ns(), None if stand is None else stand.kept
        if begun.is_lived and not begun.is_history_done:
            start_ns = begun.begun_ns if stand is None else stand.at_ns
            return _car(url, profile, start_ns, live_from_ns=begun.live_from_ns, kept=kept)
        if begun.is_history_done:
            return _car(url, profile, now_ns, live_from_ns=now_ns, kept=kept)
        past = _car(url, profile, begun.begun_ns, live_from_ns=begun.live_from_ns, kept=None)
        # Carried when it is whole, so that nobody sees a car on its way through last week.
        stream = self._outbox.open_stream(url.vehicle_id, Lane.BACKLOG, profile=profile.name)
        uplink = self._links.uplink_of(url.vehicle_id)
        await _live_through(past, profile, begun, stream, self._outbox, uplink)
        uplink.carry(stream)
        self._note_done(url.vehicle_id)
        if begun.live_from_ns == self._started_ns:
            return past
        return _car(url, profile, now_ns, live_from_ns=now_ns, kept=kept or past.keep())

    async def _live(self, url: VirtualCarUrl, profile: Profile, source: VirtualSource) -> None:
        stream = self._outbox.open_stream(url.vehicle_id, Lane.LIVE, profile=profile.name)
        link = self._links.of(url.vehicle_id)
        link.uplink.carry(stream)
        lanes = Lanes(stream, outbox=self._outbox, uplink=link.uplink)
        lanes.stream(Lane.URGENT)  # so that nothing urgent waits for its stream to be settled
        desk = CommandDesk(
            vehicle_id=url.vehicle_id,
            profile=profile,
            source=source,
            transport=link.transport,
            outbox=self._outbox,
            clock=self._clock,
            is_virtual=True,
            verifier=link.verifier,
        )
        campaigns = CampaignDesk(
            vehicle_id=url.vehicle_id,
            profile=profile,
            transport=link.transport,
            outbox=self._outbox,
            clock=self._clock,
        )
        time = CarTime(url.vehicle_id, clock=self._clock, steady=self._steady, outbox=self._outbox)
        live = LiveCar(
            source,
            profile,
            lanes,
            desk=desk,
            campaigns=campaigns,
            uplink=link.uplink,
            time=time,
        )
        await live.run()

    async def _keep(self, vehicle_id: str, car: VirtualCar) -> None:
        """Note now and then where the car stands, for the next start."""
        try:
            while True:
                self._note_stand(vehicle_id, car)
                await asyncio.sleep(KEEP_S)
        finally:
            self._note_stand(vehicle_id, car)

    def _note_stand(self, vehicle_id: str, car: VirtualCar) -> None:
        stand = msgspec.json.encode(_Stand(car.now_ns, car.keep())).decode()
        try:
            self._outbox.note(f"stand:{vehicle_id}", stand)
            if self._steady.now_ns() - car.now_ns < CAUGHT_UP_NS:
                self._note_done(vehicle_id)
        except OutboxError as error:
            _log.warning("car not kept vehicle=%s reason=%s", vehicle_id, error)

    def _note_done(self, vehicle_id: str) -> None:
        begun = self._begun[vehicle_id]
        if not begun.is_history_done:
            done = msgspec.structs.replace(begun, is_history_done=True)
            _note(self._outbox, vehicle_id, done)
            self._begun[vehicle_id] = done


async def _be_asked(vehicle_id: str, car: VirtualCar, port: int) -> None:
    """Answer scan tools; a port that is taken is no reason for a car to stop."""
    try:
        async with elm327_server(car, port=port):
            _log.info("scan tools are heard vehicle=%s port=%d", vehicle_id, port)
            await asyncio.Event().wait()
    except UsageError as error:
        _log.error("no scan tool is heard, the car goes on vehicle=%s reason=%s", vehicle_id, error)


async def _live_through(
    car: VirtualCar, profile: Profile, begun: _Begun, stream: Stream, outbox: Outbox, uplink: Uplink
) -> None:
    """Let the car live until its present; what an earlier start has made is made, and left out."""
    days = (begun.live_from_ns - begun.begun_ns) / NS_PER_DAY
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    made, passed, rows = outbox.position(stream).last, 0, 0

    def batches() -> Iterator[list[tuple[Rows, ...]]]:
        for ts, columns in car.history(begun.live_from_ns, span_ns=HISTORY_SPAN_NS):
            yield list(_cut(road.read(ts, columns)))
        # The tick under way at the end is the first one of the present.
        rest = [rows.take(rows.ts <= begun.live_from_ns) for rows in road.finish()]
        yield list(_cut(rest))

    spans = batches()
    past = "the last day" if days == 1 else f"the last {days:g} days"
    with Steps(f"{stream.vehicle_id}: {past}", unit="rows") as steps:
        while (some := await asyncio.to_thread(next, spans, None)) is not None:
            skipped = min(max(made - passed, 0), len(some))
            passed += len(some)
            for batch in some[skipped:]:
                if outbox.is_half_full:
                    uplink.carry(stream)
                await uplink.room()
                await uplink.append(stream, [batch])
            rows += sum(len(group) for groups in some for group in groups)
            steps.update(rows)


def _cut(rows: Sequence[Rows]) -> Iterator[tuple[Rows, ...]]:
    filled = [group for group in rows if len(group)]
    return cut_batches(filled, origin_ns=0, batch_ns=HISTORY_BATCH_NS)


def _car(
    url: VirtualCarUrl, profile: Profile, start_ns: int, *, live_from_ns: int, kept: Kept | None
) -> VirtualCar:
    car = VirtualCar(
        profile,
        seed=url.seed,
        start_ns=start_ns,
        plan=url.plan,
        live_from_ns=live_from_ns,
        kept=kept,
    )
    car.wake()
    return car


def _stand(outbox: Outbox, vehicle_id: str) -> _Stand | None:
    text = outbox.noted(f"stand:{vehicle_id}")
    return None if text is None else msgspec.json.decode(text, type=_Stand)


def _noted(outbox: Outbox, vehicle_id: str) -> _Begun | None:
    text = outbox.noted(f"begun:{vehicle_id}")
    return None if text is None else msgspec.json.decode(text, type=_Begun)


def _note(outbox: Outbox, vehicle_id: str, begun: _Begun) -> None:
    outbox.note(f"begun:{vehicle_id}", msgspec.json.encode(begun).decode())
