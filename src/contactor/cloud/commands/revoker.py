"""Tells each car which keys hold no more, until it says that it knows.

    revoke ──► the car's list, signed ──► published at once, again every 2 s while it is heard,
                                          else every 60 s, and when the car comes back
                  └ until the car names the list's counter

A car that comes back is sent its list whatever it said before: its file may be another.

    revoker = Revoker(keys=keys, transport=transport, presence=presence, clock=clock)
    revoker.revoke(key_id)
    await revoker.run()                 # until cancelled
"""

import asyncio
import logging

from contactor.clock import NS_PER_S, Clock
from contactor.cloud.commands.keys import KeyBook
from contactor.cloud.ingest.presence import Presence
from contactor.errors import FolderError, LinkError, MalformedRecord
from contactor.link import topics
from contactor.link.command_messages import decode_revocations_heard, encode_sealed_revocations
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport
from contactor.signals.rights import EVERY_VEHICLE

AGAIN_NS = 2 * NS_PER_S
AGAIN_UNHEARD_NS = 60 * NS_PER_S
STEP_S = 0.5

_log = logging.getLogger(__name__)


class Revoker:
    """Owns which cars are still to be told; lives on one loop."""

    def __init__(
        self, *, keys: KeyBook, transport: Transport, presence: Presence, clock: Clock
    ) -> None:
        self.keys = keys
        self.answers_ignored = 0
        self._transport = transport
        self._presence = presence
        self._clock = clock
        self._wake = asyncio.Event()
        self._is_failing = False
        self._waiting: dict[str, int | None] = dict.fromkeys(keys.vehicles())

    def revoke(self, key_id: str) -> None:
        """Take a key back, and tell whom it opens.

        Raises:
            UnknownIdentity: no key of that id was given.
            UsageError: too many keys of the vehicle are taken back and have not ended.
            FolderError: it cannot be kept.
        """
        vehicle_id = self.keys.revoke(key_id, self._clock.now_ns())
        is_of_all = vehicle_id == EVERY_VEHICLE
        for told in self._presence.vehicles if is_of_all else [vehicle_id]:
            self._waiting[told] = None
        self._wake.set()

    def resend(self, vehicle_id: str) -> None:
        """The car is back: send its list at once."""
        if self.keys.counter(vehicle_id):
            self._waiting[vehicle_id] = None
            self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.ALL_REVOKED_HEARD, self.hear))
            group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            await self.step()
            try:
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def step(self) -> None:
        """Publish what is due."""
        for vehicle_id, published_ns in list(self._waiting.items()):
            now_ns = self._clock.monotonic_ns()
            is_heard = self._presence.is_listening(vehicle_id, self._clock.now_ns())
            wait_ns = AGAIN_NS if is_heard else AGAIN_UNHEARD_NS
            if published_ns is None or now_ns - published_ns >= wait_ns:
                await self._publish(vehicle_id)

    async def _publish(self, vehicle_id: str) -> None:
        self._waiting[vehicle_id] = self._clock.monotonic_ns()
        try:
            sealed = self.keys.revocations(vehicle_id, self._clock.now_ns())
            payload = encode_sealed_revocations(sealed)
            await self._transport.publish(topics.revoked(vehicle_id), payload)
        except (LinkError, FolderError) as error:
            if not self._is_failing:
                _log.warning("revocations wait reason=%s", error)
            self._is_failing = True
        else:
            self._is_failing = False

    def hear(self, message: Message) -> None:
        """Take in by which list a car goes; what one says of another is ignored."""
        try:
            heard = decode_revocations_heard(message.payload)
            sender = topics.vehicle_of(message.subject)
        except MalformedRecord as error:
            self.answers_ignored += 1
            _log.warning("answer to revocations refused reason=%s", error)
            return
        if sender != heard.vehicle_id:
            self.answers_ignored += 1
            return
        try:
            counter = self.keys.counter(sender)
            if heard.counter > counter:
                self.keys.overtake(sender, heard.counter)
                self._waiting[sender] = None
                self._wake.set()
            elif heard.counter == counter:
                self._waiting.pop(sender, None)
        except FolderError as error:
            _log.error("answer to revocations not kept vehicle=%s reason=%s", sender, error)
