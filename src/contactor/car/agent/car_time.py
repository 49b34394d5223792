"""The clocks of a live car: a steady one for its source, and what is true of it (`timeline`).

    steady = SteadyClock(BootClock())               # one for all cars of an agent
    source = VirtualSource(car, clock=steady)
    time = CarTime("demo", clock=clock, steady=steady, outbox=outbox)
    time.look(is_resting=source.is_asleep)          # whether stamps change from now on
    time.dated(frames)                              # the frames with stamps in UTC

The last stamp is noted in the outbox's file, so that a start after a clock that was set back goes
on behind it.
"""

import logging
import time
from dataclasses import replace

from contactor.can.frames import FrameTable
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.timeline import Timeline
from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.errors import OutboxError

KEEP_NS = 10 * NS_PER_S

_log = logging.getLogger(__name__)


class BootClock:
    """The machine's own clocks; the monotonic one also counts while the machine sleeps."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Tells the time that the wall clock told at the start, and never jumps from then on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base_ns = clock.now_ns() - clock.monotonic_ns()

    def now_ns(self) -> int:
        return self._base_ns + self._clock.monotonic_ns()

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()


class CarTime:
    """Owns the timeline of one car.

    Args:
        clock: whose wall clock may be set.
        steady: what the car's source stamps by.
    """

    def __init__(
        self, vehicle_id: str, *, clock: Clock, steady: SteadyClock, outbox: Outbox
    ) -> None:
        self._vehicle_id = vehicle_id
        self._clock = clock
        self._steady = steady
        self._outbox = outbox
        self._note = f"stamp:{vehicle_id}"
        noted = outbox.noted(self._note)
        self._timeline = Timeline(last_stamp=None if noted is None else int(noted))
        self._kept_ns: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether the time is known."""
        return self._timeline.shift_ns is not None

    @property
    def shift_ns(self) -> int:
        """What is added to the source's stamps, 0 while the time is unknown."""
        return self._timeline.shift_ns or 0

    def look(self, *, is_resting: bool) -> bool:
        """Compare the clocks; whether the shift has changed, the first time included."""
        wall_ns, steady_ns = self._clock.now_ns(), self._steady.now_ns()
        before = self._timeline.shift_ns
        is_new = self._timeline.look(wall_ns, steady_ns, is_resting=is_resting)
        if is_new and before is not None:
            _log.warning(
                "clock was set, stamps follow from now on vehicle=%s by_s=%.3f",
                self._vehicle_id,
                (self.shift_ns - before) / NS_PER_S,
            )
        elif not self.is_known and self._kept_ns is None:
            _log.warning(
                "clock was never set, rows wait for the time vehicle=%s clock=%s",
                self._vehicle_id,
                to_iso(wall_ns),
            )
        if is_new or self._kept_ns is None or steady_ns - self._kept_ns >= KEEP_NS:
            self._kept_ns = steady_ns
            self.keep()
        return is_new

    def dated(self, frames: FrameTable) -> FrameTable:
        """The frames with their stamps in UTC; as they are while the time is unknown."""
        if not self.shift_ns:
            return frames
        return replace(frames, ts=frames.ts + self.shift_ns)

    def keep(self) -> None:
        """Note the last stamp for the next start."""
        if self._timeline.last_stamp is None:
            return
        try:
            self._outbox.note(self._note, str(self._timeline.last_stamp))
        except OutboxError as error:
            _log.warning("stamp not kept vehicle=%s reason=%s", self._vehicle_id, error)
