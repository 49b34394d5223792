"""The office at work: answers cars over the link, keeps the door, puts out who was revoked.

    desk = IdentityDesk(office, gate=gate, transport=transport)
    group.create_task(desk.run())           # until cancelled
    await desk.revoke("leaf")               # its connection ends within a second

Without a gate (the broker is somebody else's) it answers all the same; who may connect there, that
broker says.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from contactor.cloud.identities.office import Office
from contactor.errors import (
    EnrolmentRefused,
    IdentityError,
    LinkError,
    MalformedRecord,
    UsageError,
)
from contactor.link import topics
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identity_messages import (
    Enrolled,
    NewCertificate,
    decode_enrolment,
    decode_renewal,
    encode,
)
from contactor.link.listening import listen
from contactor.link.nats.gate import Gate
from contactor.link.ports import Broadcast, Message

SETTLE_S = 0.5
"""A car that was just being admitted is in by then, and is put out too."""

_log = logging.getLogger(__name__)


class IdentityDesk:
    """Owns who is put out when."""

    def __init__(self, office: Office, *, gate: Gate | None, transport: Broadcast) -> None:
        self.office = office
        self._gate = gate
        self._transport = transport
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def knocks(self) -> Mapping[str, int]:
        """Who came to the door since the start: how many were admitted, how many refused."""
        if self._gate is None:
            return {}
        return {"admitted": self._gate.admitted, "refused": self._gate.refused}

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.ALL_ENROLMENTS, self._hear_enrolment))
            group.create_task(listen(self._transport, topics.ALL_RENEWALS, self._hear_renewal))
            if self._gate is not None:
                group.create_task(self._gate.run())

    async def revoke(self, vehicle_id: str) -> None:
        """End a vehicle's certificates and codes, and its connections.

        Raises:
            UnknownIdentity: it never had any.
        """
        await self._put_out(self.office.revoke(vehicle_id))

    async def _hear_enrolment(self, message: Message) -> None:
        ticket = message.subject.rpartition(".")[2]
        try:
            asked = decode_enrolment(message.payload)
            code = EnrolmentCode.read(asked.code)
        except (MalformedRecord, UsageError) as error:
            _log.warning("enrolment refused reason=%s", error)
            return
        if code.ticket != ticket:
            _log.warning("enrolment refused reason=it came with another code than it was let in by")
            return
        try:
            enrolment = self.office.enrol(code, asked.request)
        except EnrolmentRefused as error:
            answer = Enrolled("", b"", b"", str(error)[:400])
        else:
            certificate = enrolment.certificate
            answer = Enrolled(certificate.vehicle_id, certificate.der, self.office.authority_pem)
            await self._put_out(enrolment.ended)
            _log.info("vehicle enrolled vehicle=%s", certificate.vehicle_id)
        await self._transport.publish(topics.enrolled(ticket), encode(answer))

    async def _hear_renewal(self, message: Message) -> None:
        try:
            vehicle_id = topics.vehicle_of(message.subject)
            asked = decode_renewal(message.payload)
            if asked.vehicle_id != vehicle_id:
                raise MalformedRecord(f"{vehicle_id} asks for a certificate of {asked.vehicle_id}")
            certificate = self.office.renew(vehicle_id, asked.request)
        except (MalformedRecord, IdentityError) as error:
            _log.warning("renewal refused reason=%s", error)
            return
        answer = NewCertificate(vehicle_id, certificate.der)
        await self._transport.publish(topics.certificate(vehicle_id), encode(answer))

    async def _put_out(self, names: Iterable[str]) -> None:
        if self._gate is None:
            return
        for name in names:
            await self._end(name)
            task = asyncio.create_task(self._end_later(name))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end_later(self, name: str) -> None:
        await asyncio.sleep(SETTLE_S)
        await self._end(name)

    async def _end(self, name: str) -> None:
        assert self._gate is not None
        try:
            await self._gate.put_out(name)
        except LinkError as error:  # the gate puts it out when it is back
            _log.warning("connection not ended yet reason=%s", error)
