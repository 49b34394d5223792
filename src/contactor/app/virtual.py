"""A virtual car's life in one process: the days behind it, then the present, on one road.

The first time a car is seen its last days are made from the same physics, as values: they enter at
the sampler and travel outbox, link, ingest and lake like everything else. What a start needs to
know of the one before it is noted in the outbox's file, so an agent that was killed makes the rest
of the days and no row twice.

    life = await VirtualLife.open(car, outbox=outbox, uplink=uplink, ..., history_days=7)
    await life.run()
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence

import msgspec

from contactor.app.cars import VirtualCarUrl
from contactor.app.progress import Steps
from contactor.car.adapters.canbus import Bus
from contactor.car.adapters.virtual import VirtualSource
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.live import LiveCar
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.recorder import cut_batches
from contactor.car.agent.road import Road, Sampling
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import Profile, load_profile
from contactor.car.virtual.car import Kept, VirtualCar
from contactor.clock import NS_PER_DAY, NS_PER_S, Clock
from contactor.errors import ContactorError, OutboxError, first_failure
from contactor.link.ports import Transport
from contactor.signals.record import Rows

HISTORY_BATCH_NS = 300 * NS_PER_S
HISTORY_SPAN_NS = 600 * NS_PER_S
KEEP_S = 10.0

_log = logging.getLogger(__name__)


class _Begun(msgspec.Struct, frozen=True):
    """When a car's made-up days begin and where its live days began, ns UTC."""

    begun_ns: int
    live_from_ns: int
    is_history_done: bool


class VirtualLife:
    """One virtual car in its present.

    Fields:
        streams: those of the outbox that hold something of it, or will.
    """

    def __init__(
        self, streams: Sequence[Stream], live: LiveCar, source: VirtualSource, *, outbox: Outbox
    ) -> None:
        self.streams = streams
        self._live = live
        self._source = source
        self._outbox = outbox

    @classmethod
    async def open(
        cls,
        url: VirtualCarUrl,
        *,
        outbox: Outbox,
        uplink: Uplink,
        transport: Transport,
        clock: Clock,
        speed: float,
        history_days: int,
        bus: Bus | None,
    ) -> "VirtualLife":
        """Make the car; its days too, into the outbox, where they are still to be made.

        Args:
            speed: over 1, the car itself lives through its last days, frame by frame.
        """
        profile = await asyncio.to_thread(load_profile, url.profile)
        now_ns = clock.now_ns()
        begun = _noted(outbox, url.vehicle_id)
        if begun is None:
            past_ns = now_ns - history_days * NS_PER_DAY
            begun = _Begun(past_ns, now_ns, is_history_done=speed > 1 or not history_days)
            _note(outbox, url.vehicle_id, begun)
            start_ns = past_ns
        else:
            start_ns = now_ns
        streams = [outbox.open_stream(url.vehicle_id, Lane.LIVE, profile=profile.name)]
        if begun.is_history_done:
            car = _car(url, profile, start_ns, live_from_ns=now_ns, kept=_kept(outbox, url))
        else:
            backlog = outbox.open_stream(url.vehicle_id, Lane.BACKLOG, profile=profile.name)
            streams.append(backlog)
            past = _car(url, profile, begun.begun_ns, live_from_ns=begun.live_from_ns, kept=None)
            await _live_through(past, profile, begun, backlog, outbox, uplink)
            done = msgspec.structs.replace(begun, is_history_done=True)
            _note(outbox, url.vehicle_id, done)
            if begun.live_from_ns == now_ns:
                car = past
            else:
                kept = _kept(outbox, url) or past.keep()
                car = _car(url, profile, now_ns, live_from_ns=now_ns, kept=kept)
        source = VirtualSource(car, clock=clock, speed=speed, bus=bus)
        desk = CommandDesk(
            vehicle_id=url.vehicle_id,
            profile=profile,
            source=source,
            transport=transport,
            outbox=outbox,
            clock=clock,
        )
        live = LiveCar(source, profile, streams[0], desk=desk, uplink=uplink)
        return cls(streams, live, source, outbox=outbox)

    async def run(self) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._live.run())
                group.create_task(self._keep())
        except* ContactorError as failures:
            raise first_failure(failures) from None

    async def _keep(self) -> None:
        """Note now and then where the car stands, for the next start."""
        try:
            while True:
                self._note_state()
                await asyncio.sleep(KEEP_S)
        finally:
            self._note_state()

    def _note_state(self) -> None:
        vehicle_id = self._live.stream.vehicle_id
        kept = msgspec.json.encode(self._source.car.keep()).decode()
        try:
            self._outbox.note(f"kept:{vehicle_id}", kept)
        except OutboxError as error:
            _log.warning("car not kept vehicle=%s reason=%s", vehicle_id, error)


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
        yield list(_cut(road.finish()))

    spans = batches()
    past = "the last day" if days == 1 else f"the last {days:g} days"
    with Steps(f"{stream.vehicle_id}: {past}", unit="rows") as steps:
        while (some := await asyncio.to_thread(next, spans, None)) is not None:
            skipped = min(max(made - passed, 0), len(some))
            passed += len(some)
            await uplink.append(stream, some[skipped:])
            rows += sum(len(group) for groups in some for group in groups)
            steps.update(rows)


def _cut(rows: Sequence[Rows]) -> Iterator[tuple[Rows, ...]]:
    filled = [group for group in rows if len(group)]
    return cut_batches(filled, origin_ns=0, batch_ns=HISTORY_BATCH_NS)


def _car(
    url: VirtualCarUrl, profile: Profile, start_ns: int, *, live_from_ns: int, kept: Kept | None
) -> VirtualCar:
    return VirtualCar(
        profile,
        seed=url.seed,
        start_ns=start_ns,
        plan=url.plan,
        live_from_ns=live_from_ns,
        kept=kept,
    )


def _kept(outbox: Outbox, url: VirtualCarUrl) -> Kept | None:
    text = outbox.noted(f"kept:{url.vehicle_id}")
    return None if text is None else msgspec.json.decode(text, type=Kept)


def _noted(outbox: Outbox, vehicle_id: str) -> _Begun | None:
    text = outbox.noted(f"begun:{vehicle_id}")
    return None if text is None else msgspec.json.decode(text, type=_Begun)


def _note(outbox: Outbox, vehicle_id: str, begun: _Begun) -> None:
    outbox.note(f"begun:{vehicle_id}", msgspec.json.encode(begun).decode())
