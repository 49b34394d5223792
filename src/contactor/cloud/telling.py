"""Tells each vehicle what it is to go by, until it says that it does.

tell ──► what the vehicle is to know now, made anew ──► published at once
            │ again every few seconds while the car is heard, else every minute
            └ until it is settled

telling = Telling(make, what="campaigns", again_ns=5 * NS_PER_S, transport=transport,
                  presence=presence, clock=clock, waiting=store.unacknowledged())
telling.tell(["leaf"])
await telling.run()                 # until cancelled
telling.settle("leaf")
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from contactor.clock import NS_PER_S, Clock
from contactor.cloud.ingest.presence import Presence
from contactor.errors import FolderError, LinkError
from contactor.link.ports import Transport

AGAIN_UNHEARD_NS = 60 * NS_PER_S
STEP_S = 0.5

Make = Callable[[str], tuple[str, bytes]]

_log = logging.getLogger(__name__)


class Telling:
    """Owns which vehicles are still to be told; lives on one loop.

    Args:
        make: subject and payload for a vehicle, as they are now; `FolderError` where it cannot.
        what: it is called so in the log.
        again_ns: so long a car that is heard has to answer.
        waiting: whom an earlier start did not settle with.
    """

    def __init__(
        self,
        make: Make,
        *,
        what: str,
        again_ns: int,
        transport: Transport,
        presence: Presence,
        clock: Clock,
        waiting: Iterable[str],
    ) -> None:
        self._make = make
        self._what = what
        self._again_ns = again_ns
        self._transport = transport
        self._presence = presence
        self._clock = clock
        self._wake = asyncio.Event()
        self._is_failing = False
        self._waiting: dict[str, int | None] = dict.fromkeys(waiting)

    def tell(self, vehicles: Iterable[str]) -> None:
        """Publish to these at once, and until each is settled."""
        self._waiting.update(dict.fromkeys(vehicles))
        self._wake.set()

    def settle(self, vehicle_id: str) -> None:
        """The vehicle goes by the newest."""
        self._waiting.pop(vehicle_id, None)

    def is_waiting(self, vehicle_id: str) -> bool:
        """Whether a vehicle is not settled with."""
        return vehicle_id in self._waiting

    def age_ns(self, vehicle_id: str) -> int | None:
        """How long ago a vehicle was last told; None where that is still to come."""
        published_ns = self._waiting.get(vehicle_id)
        return None if published_ns is None else self._clock.monotonic_ns() - published_ns

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            self._wake.clear()
            await self.step()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()

    async def step(self) -> None:
        """Publish what is due."""
        for vehicle_id in list(self._waiting):
            age_ns = self.age_ns(vehicle_id)
            is_heard = self._presence.is_listening(vehicle_id, self._clock.now_ns())
            wait_ns = self._again_ns if is_heard else AGAIN_UNHEARD_NS
            if age_ns is None or age_ns >= wait_ns:
                await self._publish(vehicle_id)

    async def _publish(self, vehicle_id: str) -> None:
        self._waiting[vehicle_id] = self._clock.monotonic_ns()
        try:
            await self._transport.publish(*self._make(vehicle_id))
        except (LinkError, FolderError) as error:
            if not self._is_failing:
                _log.warning("%s wait reason=%s", self._what, error)
            self._is_failing = True
        else:
            self._is_failing = False
