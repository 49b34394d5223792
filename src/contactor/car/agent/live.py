"""A car that is there now: frames from its buses to rows in the outbox, as they happen.

    source.next() ─► road (decode, map, sampler) ─► outbox ─► uplink
                        └─► desk.read               the proof of commands

While the outbox cannot be written, the car's frames wait with the source. When the car falls asleep
its rows under way are finished, so that nothing of a drive stays behind in memory.

    live = LiveCar(source, profile, stream, desk=desk, uplink=uplink)
    await live.run()
"""

import asyncio
import logging
from collections.abc import Sequence

from contactor.car.adapters.ports import FrameSource
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.outbox import Stream
from contactor.car.agent.recorder import cut_batches
from contactor.car.agent.road import GATHER_NS, Road, Sampling
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import Profile
from contactor.errors import OutboxError
from contactor.signals.record import Rows

_log = logging.getLogger(__name__)


class LiveCar:
    """One live car on its way into one stream."""

    def __init__(
        self,
        source: FrameSource,
        profile: Profile,
        stream: Stream,
        *,
        desk: CommandDesk,
        uplink: Uplink,
    ) -> None:
        self.stream = stream
        self._source = source
        self._uplink = uplink
        self._desk = desk
        # Ticks are counted from 1970, so that the rows of all live cars share their instants.
        self._road = Road(
            profile,
            sampling=Sampling.PROFILE,
            origin_ns=0,
            on_read=desk.read,
            gather_ns=GATHER_NS,
        )
        self._is_asleep = False

    async def run(self) -> None:
        """Live until cancelled.

        Raises:
            LogError: the source has ended or failed.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._desk.run())
                group.create_task(self._pump())
        finally:
            self._put_rest()

    async def _pump(self) -> None:
        self._uplink.tell_asleep(self.stream.vehicle_id, is_asleep=self._is_asleep)
        while True:
            frames = await self._source.next()
            if len(frames):
                for rows in self._road.feed(frames):
                    await self._put(rows)
            if self._source.is_asleep != self._is_asleep:
                self._is_asleep = self._source.is_asleep
                self._uplink.tell_asleep(self.stream.vehicle_id, is_asleep=self._is_asleep)
                if self._is_asleep:
                    await self._put(self._road.settle())
                    await self._put(self._road.finish())

    def _put_rest(self) -> None:
        """Put the rows under way into the outbox, at once: this is the end."""
        batches = [
            batch
            for rows in (self._road.settle(), self._road.finish())
            for batch in cut_batches(rows, origin_ns=0)
        ]
        if batches:
            try:
                self._uplink.append_now(self.stream, batches)
            except OutboxError as error:
                _log.error("last rows lost vehicle=%s reason=%s", self.stream.vehicle_id, error)

    async def _put(self, rows: Sequence[Rows]) -> None:
        if rows:
            await self._uplink.append(self.stream, list(cut_batches(rows, origin_ns=0)))
