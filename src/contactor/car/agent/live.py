"""A car that is there now: frames from its buses to rows in the outbox, as they happen.

    source.next() ─► road (decode, map, sampler) ─► outbox, by lane ─► uplink
                        ├─► desk.read               the proof of commands
                        └─► campaigns.read ─► rows beyond the usual ones

While the outbox cannot be written, the car's frames wait with the source. When the car falls asleep
its rows under way are finished, so that nothing of a drive stays behind in memory. Frames are dated
by `car_time`; rows made before the time was known wait, and no command is done until then.

    live = LiveCar(source, profile, lanes, desk=desk, campaigns=campaigns, uplink=uplink, time=time)
    await live.run()
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence

from contactor.car.adapters.ports import FrameSource
from contactor.car.agent.campaigns.desk import CampaignDesk
from contactor.car.agent.car_time import CarTime
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.lanes import Lanes, UrgentRows
from contactor.car.agent.outbox import Lane
from contactor.car.agent.recorder import cut_batches
from contactor.car.agent.road import GATHER_NS, Road
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.series import Series
from contactor.car.agent.undated import UndatedRows
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import Profile
from contactor.errors import OutboxError
from contactor.signals.record import Rows

APPEND_AT_ONCE = 64

_log = logging.getLogger(__name__)


class LiveCar:
    """One live car on its way into the streams of its lanes."""

    def __init__(
        self,
        source: FrameSource,
        profile: Profile,
        lanes: Lanes,
        *,
        desk: CommandDesk,
        campaigns: CampaignDesk,
        uplink: Uplink,
        time: CarTime,
    ) -> None:
        self.vehicle_id = lanes.live.vehicle_id
        self._source = source
        self._lanes = lanes
        self._uplink = uplink
        self._desk = desk
        self._campaigns = campaigns
        self._urgent = UrgentRows()
        self._time = time
        self._is_dated = time.is_known
        self._undated = UndatedRows()
        # Ticks are counted from 1970, so that the rows of all live cars share their instants.
        self._road = Road(
            profile,
            sampling=Sampling.PROFILE,
            origin_ns=0,
            on_read=self._read,
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
                group.create_task(self._campaigns.run())
                group.create_task(self._pump())
        finally:
            self._put_rest()

    def _read(self, series: Sequence[Series]) -> None:
        self._desk.read(series)
        self._urgent.read(series)
        self._campaigns.read(series)

    async def _pump(self) -> None:
        self._uplink.tell_asleep(self.vehicle_id, is_asleep=self._is_asleep)
        while True:
            frames = await self._source.next()
            if self._time.look(is_resting=self._source.is_asleep):
                await self._date_anew()
            if len(frames):
                for rows in self._road.feed(self._time.dated(frames)):
                    await self._put(rows)
                if self._desk.underway:  # somebody waits for what the bus says
                    await self._put(self._road.settle())
            if self._source.is_asleep != self._is_asleep:
                self._is_asleep = self._source.is_asleep
                self._uplink.tell_asleep(self.vehicle_id, is_asleep=self._is_asleep)
                if self._is_asleep:
                    await self._put(self._road.settle())
                    await self._put(self._road.finish())

    async def _date_anew(self) -> None:
        """Stamps are made differently from now on: end what is under way, date what waited."""
        for finish in (self._road.settle, self._road.finish):
            await self._put(finish())
        self._campaigns.forget()
        self._is_dated = True
        by_lane: dict[Lane, list[Rows]] = {}
        for lane, rows in self._undated.release(self._time.shift_ns):
            by_lane.setdefault(lane, []).append(rows)
        for lane, waited in by_lane.items():
            await self._append(lane, [[rows] for rows in waited])
        if by_lane:
            _log.warning(
                "clock is set, rows that waited are dated vehicle=%s dropped=%s",
                self.vehicle_id,
                self._undated.dropped,
            )

    def _put_rest(self) -> None:
        """Put the rows under way into the outbox, at once: this is the end."""
        self._time.keep()
        for finish in (self._road.settle, self._road.finish):
            for lane, sets in self._by_lane(finish()):
                try:
                    self._uplink.append_now(self._lanes.stream(lane), _batches(sets))
                except OutboxError as error:
                    _log.error("last rows lost vehicle=%s reason=%s", self.vehicle_id, error)
        if len(self._undated):
            _log.error(
                "rows lost, the time was never known vehicle=%s rows=%s",
                self.vehicle_id,
                len(self._undated),
            )

    async def _put(self, rows: Sequence[Rows]) -> None:
        for lane, sets in self._by_lane(rows):
            await self._append(lane, sets)

    async def _append(self, lane: Lane, sets: Sequence[Sequence[Rows]]) -> None:
        batches = _batches(sets)
        for start in range(0, len(batches), APPEND_AT_ONCE):
            some = batches[start : start + APPEND_AT_ONCE]
            await self._uplink.append(self._lanes.stream(lane), some)

    def _by_lane(self, rows: Sequence[Rows]) -> Iterator[tuple[Lane, list[Sequence[Rows]]]]:
        """These rows and what campaigns recorded, the most urgent lane first; none if undated."""
        urgent, rest = self._urgent.split(rows)
        by_lane: dict[Lane, list[Sequence[Rows]]] = {Lane.URGENT: [urgent], Lane.LIVE: [rest]}
        for lane, recorded in self._campaigns.take():
            by_lane.setdefault(lane, []).append([recorded])
        for lane, sets in by_lane.items():
            filled = [one for one in sets if one]
            if not self._is_dated:
                for one in filled:
                    self._undated.hold(lane, one)
            elif filled:
                yield lane, filled


def _batches(sets: Sequence[Sequence[Rows]]) -> list[tuple[Rows, ...]]:
    return [batch for one in sets for batch in cut_batches(one, origin_ns=0)]
