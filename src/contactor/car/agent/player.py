"""Plays a recording into the outbox, at the pace of life, faster, or as fast as it goes.

What an earlier start has put into the outbox, or the cloud has confirmed, is passed over at once,
so a player that was killed goes on where it stopped. At a pace the outbox bounds what is kept, as
for any live car; as fast as it goes, the player waits for room instead.

    player = Player(playback, stream, outbox=outbox, uplink=uplink, clock=clock, speed=1.0)
    await player.run()
"""

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice, takewhile

from contactor.car.agent.outbox import Outbox, Stream
from contactor.car.agent.playback import Batch, Playback
from contactor.car.agent.recorder import MAX_BATCH_BYTES
from contactor.car.agent.uplink import Uplink
from contactor.clock import NS_PER_S, Clock

BATCHES_AT_ONCE = 64

_log = logging.getLogger(__name__)


class Player:
    """One recording on its way into one stream.

    Args:
        speed: times real time; infinity for as fast as it goes.
    """

    def __init__(
        self,
        playback: Playback,
        stream: Stream,
        *,
        outbox: Outbox,
        uplink: Uplink,
        clock: Clock,
        speed: float,
    ) -> None:
        self._playback = playback
        self.stream = stream
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock
        self._speed = speed
        self._anchor: tuple[int, int] | None = None

    async def run(self) -> None:
        """Play to the end.

        Raises:
            LogError: the recording can no longer be read.
        """
        batches = self._playback.batches()
        made = self._outbox.position(self.stream).last
        passed = 0
        while some := await asyncio.to_thread(_some, batches):
            skipped = min(max(made - passed, 0), len(some))
            passed += len(some)
            await self._put(some[skipped:])
        _log.info("recording ended vehicle=%s messages=%s", self.stream.vehicle_id, passed)

    async def _put(self, batches: list[Batch]) -> None:
        while batches:
            due = self._count_due(batches)
            if not due:
                await asyncio.sleep(self._wait_s(batches[0]))
                continue
            if self._speed == float("inf"):
                await self._uplink.room()
                due = min(due, max(1, self._outbox.room_bytes // (2 * MAX_BATCH_BYTES)))
            groups = [batch.groups for batch in batches[:due]]
            await self._uplink.append(self.stream, groups)
            batches = batches[due:]

    def _count_due(self, batches: list[Batch]) -> int:
        """How many of the batches have happened by now; what the cloud knows is due at once."""
        if self._speed == float("inf"):
            return len(batches)
        position = self._outbox.position(self.stream)
        known = max(position.acknowledged - position.last, 0)
        if known:
            return min(known, len(batches))
        return sum(1 for _ in takewhile(lambda batch: self._wait_s(batch) <= 0, batches))

    def _wait_s(self, batch: Batch) -> float:
        """Seconds until the batch has happened; the first one asked for happens now.

        A recording that was given its dates here never runs ahead of the present.
        """
        now_ns = self._clock.monotonic_ns()
        if self._anchor is None:
            self._anchor = (now_ns, batch.last_ts)
        began_ns, first_ts = self._anchor
        due_ns = began_ns + (batch.last_ts - first_ts) / self._speed
        if self._playback.recording.is_dated_by_file:
            due_ns = max(due_ns, now_ns + batch.last_ts - self._clock.now_ns())
        return (due_ns - now_ns) / NS_PER_S


def _some(batches: Iterator[Batch]) -> list[Batch]:
    return list(islice(batches, BATCHES_AT_ONCE))
