"""A car gets its certificate: with a code the first, then each next one in time.

    identity = await enrol(code, unit=unit, transport=transport, timeout_s=15)
    group.create_task(Renewal(identity, transport=transport, clock=clock).run())

Messages may be lost, so each question is put again until it is answered.
"""

import asyncio
import logging

from contactor.car.agent.timeline import EARLIEST_GOOD
from contactor.clock import Clock
from contactor.errors import EnrolmentRefused, IdentityError, LinkError, MalformedRecord
from contactor.link import topics
from contactor.link.identities.authority import authority_key
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Identity, Unit
from contactor.link.identity_messages import (
    Enrolment,
    decode_certificate,
    decode_enrolled,
    encode,
)
from contactor.link.identity_messages import (
    Renewal as RenewalMessage,
)
from contactor.link.listening import listen
from contactor.link.ports import Broadcast, Message

AGAIN_S = 1.0
RENEW_EVERY_S = 600.0

_log = logging.getLogger(__name__)


async def enrol(
    code: EnrolmentCode,
    *,
    unit: Unit,
    transport: Broadcast,
    timeout_s: float,
    authority: bytes | None = None,
) -> Identity:
    """Have this unit's key certified for the code's vehicle.

    Args:
        authority: the public key of the only authority that may, where it is known.

    Raises:
        EnrolmentRefused: the cloud said no, and why.
        IdentityError: the key or certificate cannot be kept, or another authority answered.
        LinkError: no answer in time.
    """
    pair = unit.begin(code.ticket)
    subscription = await transport.subscribe(topics.enrolled(code.ticket))
    question = encode(Enrolment(code.characters, pair.request()))
    deadline = asyncio.get_running_loop().time() + timeout_s
    try:
        while asyncio.get_running_loop().time() < deadline:
            await transport.publish(topics.enrol(code.ticket), question)
            message = await subscription.next(timeout_s=AGAIN_S)
            if message is None:
                continue
            try:
                answer = decode_enrolled(message.payload)
            except MalformedRecord as error:
                raise IdentityError(f"the cloud's answer cannot be read: {error}") from error
            if answer.refusal:
                raise EnrolmentRefused(answer.refusal)
            if authority not in (None, authority_key(answer.authority)):
                raise IdentityError("the cloud answers by another authority than --authority")
            certificate = Certificate.of_der(answer.certificate)
            return unit.settle(code.ticket, certificate, answer.authority)
    finally:
        await subscription.close()
    raise LinkError(f"the cloud did not answer within {timeout_s:g} s")


class Renewal:
    """Keeps one identity's certificate from running out.

    Args:
        every_s: how often it looks, and asks while it is due.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        transport: Broadcast,
        clock: Clock,
        every_s: float = RENEW_EVERY_S,
    ) -> None:
        self._identity = identity
        self._transport = transport
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> None:
        """Renew in time until cancelled."""
        vehicle_id = self._identity.vehicle_id
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.certificate(vehicle_id), self._hear))
            group.create_task(self._ask())

    async def _ask(self) -> None:
        vehicle_id = self._identity.vehicle_id
        while True:
            now_ns = self._clock.now_ns()
            if now_ns >= EARLIEST_GOOD and self._identity.is_due(now_ns):
                question = RenewalMessage(vehicle_id, self._identity.request())
                try:
                    await self._transport.publish(topics.renewal(vehicle_id), encode(question))
                except LinkError as error:
                    _log.info("renewal not asked for reason=%s", error)
            await asyncio.sleep(self._every_s)

    def _hear(self, message: Message) -> None:
        try:
            answer = decode_certificate(message.payload)
            self._identity.renew(Certificate.of_der(answer.certificate))
        except (MalformedRecord, IdentityError) as error:
            _log.warning("certificate refused reason=%s", error)
