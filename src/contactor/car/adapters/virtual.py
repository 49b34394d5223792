"""A virtual car as a source of frames, at the pace of life or faster; on a bus too, if asked.

Its time never runs ahead of the present: a car that began in the past lives faster until it has
caught up with the clock, then at the pace of life.

    source = VirtualSource(car, clock=clock, speed=1.0)
    frames = await source.next()
"""

import asyncio

from contactor.can.frames import FrameTable
from contactor.car.adapters.canbus import Bus
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_MS, NS_PER_S, Clock

BATCH_NS = 100 * NS_PER_MS
CAUGHT_UP_NS = 2 * NS_PER_S
YIELD_S = 0.0


class VirtualSource:
    """One virtual car in time.

    Args:
        speed: times real time while the car's own time lies in the past; infinity for as fast as
            it goes.
        bus: where its frames go too, and where frames for it come from.
    """

    def __init__(
        self, car: VirtualCar, *, clock: Clock, speed: float = 1.0, bus: Bus | None = None
    ) -> None:
        self.car = car
        self._clock = clock
        self._speed = speed
        self._bus = bus
        self._anchor: tuple[int, int] | None = None

    @property
    def is_asleep(self) -> bool:
        return self.car.is_asleep

    async def next(self) -> FrameTable:
        """The frames of the next 100 ms of the car's time."""
        until_ns = self.car.now_ns + BATCH_NS
        wait_s = self._wait_s(until_ns)
        await asyncio.sleep(max(wait_s, YIELD_S))
        if self._bus is not None:
            self.car.receive(self._bus.receive())
        frames = self.car.advance(until_ns)
        if self._bus is not None and len(frames):
            self._bus.send(frames)
        return frames

    async def send(self, frames: FrameTable) -> None:
        """Put command frames to the car, and on the bus where there is one."""
        self.car.receive(frames)
        if self._bus is not None:
            self._bus.send(frames)

    def _wait_s(self, until_ns: int) -> float:
        """Seconds until the car's time may be `until_ns`."""
        now_ns, monotonic_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        to_present_s = (until_ns - now_ns) / NS_PER_S
        if self._speed == float("inf"):
            return max(to_present_s, 0.0)
        if self._anchor is None:
            self._anchor = (monotonic_ns, until_ns)
        began_ns, first_ns = self._anchor
        own_s = (began_ns - monotonic_ns + (until_ns - first_ns) / self._speed) / NS_PER_S
        if self._speed >= 1.0 and now_ns - until_ns < CAUGHT_UP_NS:
            # It lives in the present now; the clock alone says when.
            self._anchor = None
            return max(to_present_s, 0.0)
        return max(own_s, to_present_s, 0.0)
