"""Tells each car which keys hold no more, until it says that it knows.

    revoke ──► the car's list, signed ──► told, again every 2 s while it is heard
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
from contactor.cloud.telling import Telling
from contactor.errors import FolderError, MalformedRecord
from contactor.link import topics
from contactor.link.command_messages import decode_revocations_heard, encode_sealed_revocations
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport
from contactor.signals.rights import EVERY_VEHICLE

AGAIN_NS = 2 * NS_PER_S

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
        self._telling = Telling(
            self._list_of,
            what="revocations",
            again_ns=AGAIN_NS,
            transport=transport,
            presence=presence,
            clock=clock,
            waiting=keys.vehicles(),
        )

    def revoke(self, key_id: str) -> None:
        """Take a key back, and tell whom it opens.

        Raises:
            UnknownIdentity: no key of that id was given.
            UsageError: too many keys of the vehicle are taken back and have not ended.
            FolderError: it cannot be kept.
        """
        vehicle_id = self.keys.revoke(key_id, self._clock.now_ns())
        is_of_all = vehicle_id == EVERY_VEHICLE
        self._telling.tell(self._presence.vehicles if is_of_all else [vehicle_id])

    def resend(self, vehicle_id: str) -> None:
        """The car is back: send its list at once."""
        if self.keys.counter(vehicle_id):
            self._telling.tell([vehicle_id])

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.ALL_REVOKED_HEARD, self.hear))
            group.create_task(self._telling.run())

    async def step(self) -> None:
        """Publish what is due."""
        await self._telling.step()

    def _list_of(self, vehicle_id: str) -> tuple[str, bytes]:
        sealed = self.keys.revocations(vehicle_id, self._clock.now_ns())
        return topics.revoked(vehicle_id), encode_sealed_revocations(sealed)

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
                self._telling.tell([sender])
            elif heard.counter == counter:
                self._telling.settle(sender)
        except FolderError as error:
            _log.error("answer to revocations not kept vehicle=%s reason=%s", sender, error)
