"""A virtual car as a source of frames, at the pace of life or another; on a bus too, if asked.

Its time never runs ahead of the present. At speed 1 it catches up at once with what it has missed;
a faster car that began in the past lives at its speed until it has caught up, then in the present.
A bus that fails is no reason for a car to stop: it is told once, and when it is well again.

What comes on the bus is heard every `LISTEN_S`; a request or a command ends the batch at once, and
while a tester is being answered the batches are short. So an answer is out within P2 (50 ms).

    source = VirtualSource(car, clock=clock, speed=1.0)
    frames = await source.next()
"""

import asyncio
import logging

from contactor.can.frames import FrameTable
from contactor.car.adapters.canbus import Bus
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_MS, NS_PER_S, Clock
from contactor.errors import LogError

BATCH_NS = 100 * NS_PER_MS
ANSWERING_BATCH_NS = 4 * NS_PER_MS
LISTEN_S = 0.005
CAUGHT_UP_NS = 2 * NS_PER_S
MAX_WAIT_S = 0.5
"""Then it looks again: the clock may have been set meanwhile."""

_log = logging.getLogger(__name__)


class VirtualSource:
    """One virtual car in time.

    Args:
        speed: times real time; over 1 while the car's own time lies in the past, infinity for as
            fast as it goes.
        bus: where its frames go too, and where frames for it come from.
    """

    def __init__(
        self, car: VirtualCar, *, clock: Clock, speed: float = 1.0, bus: Bus | None = None
    ) -> None:
        self.car = car
        self._clock = clock
        self._speed = speed
        self._bus = bus
        self._failing: set[str] = set()
        self._anchor: tuple[int, int] | None = None

    @property
    def is_asleep(self) -> bool:
        return self.car.is_asleep

    async def next(self) -> FrameTable:
        """The frames of the next 100 ms of the car's time at most; none while those lie ahead."""
        if self._bus is not None:
            return await self._next_beside(self._bus)
        until_ns = self.car.now_ns + BATCH_NS
        await asyncio.sleep(min(self._wait_s(until_ns), MAX_WAIT_S))
        if self._wait_s(until_ns) > 0:
            return FrameTable.empty()
        return self.car.advance(until_ns)

    async def _next_beside(self, bus: Bus) -> FrameTable:
        """The same, with a bus to hear and to tell."""
        batch_ns = ANSWERING_BATCH_NS if self.car.is_answering else BATCH_NS
        until_ns, waited_s = self.car.now_ns + batch_ns, 0.0
        while True:
            wait_s, heard = self._wait_s(until_ns), self._heard(bus)
            if wait_s <= 0 or waited_s >= MAX_WAIT_S or self.car.is_asked(heard):
                break
            await asyncio.sleep(min(wait_s, LISTEN_S))
            waited_s += LISTEN_S
        frames = self.car.advance(until_ns if wait_s <= 0 else self._present_ns(until_ns))
        self._tell(bus, frames)
        self.car.receive(heard)
        return frames

    def _present_ns(self, until_ns: int) -> int:
        """How far the car may live now, before `until_ns`; not at all if it has its own pace."""
        if self._anchor is not None:
            return self.car.now_ns
        return max(self.car.now_ns, min(until_ns, self._clock.now_ns()))

    async def send(self, frames: FrameTable) -> None:
        """Put command frames to the car, and on the bus where there is one."""
        self.car.receive(frames)
        if self._bus is not None:
            self._tell(self._bus, frames)

    def _heard(self, bus: Bus) -> FrameTable:
        try:
            frames = bus.receive()
        except LogError as error:
            self._failed("receive", error)
            return FrameTable.empty()
        self._works("receive")
        return frames

    def _tell(self, bus: Bus, frames: FrameTable) -> None:
        try:
            bus.send(frames)
        except LogError as error:
            self._failed("send", error)
        else:
            self._works("send")

    def _failed(self, what: str, error: LogError) -> None:
        if what not in self._failing:
            _log.error("bus failed to %s, the car goes on reason=%s", what, error)
        self._failing.add(what)

    def _works(self, what: str) -> None:
        if what in self._failing:
            _log.warning("bus works again what=%s", what)
        self._failing.discard(what)

    def _wait_s(self, until_ns: int) -> float:
        """Seconds until the car's time may be `until_ns`, at least 0."""
        now_ns, monotonic_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        to_present_s = max((until_ns - now_ns) / NS_PER_S, 0.0)
        is_late = now_ns - until_ns > CAUGHT_UP_NS
        if self._speed == 1.0 or self._speed == float("inf") or (self._speed > 1 and not is_late):
            self._anchor = None
            return to_present_s
        if self._anchor is None:
            self._anchor = (monotonic_ns, until_ns)
        began_ns, first_ns = self._anchor
        own_ns = began_ns - monotonic_ns + (until_ns - first_ns) / self._speed
        return max(own_ns / NS_PER_S, to_present_s)
