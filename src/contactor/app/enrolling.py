"""A car gets its key and certificate with a code.

enrol_here(code, folder, link="nats://HOST:4222")       # Enrolled
"""

import asyncio

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.links import names_user
from contactor.car.agent.enrolment import enrol
from contactor.clock import to_iso
from contactor.errors import LinkError
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Applicant, Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.connection import Connection, read_addresses

ANSWER_S = 15.0


class Enrolled(msgspec.Struct, frozen=True):
    """What a unit is known as from now on."""

    vehicle_id: str
    expires_at: str


def enrol_here(code: EnrolmentCode, folder: DataFolder, *, link: str) -> Enrolled:
    """Make a key in this folder and have it certified.

    Raises:
        EnrolmentRefused: the cloud said no, and why.
        IdentityError: the key cannot be kept.
        LinkError: the broker does not know the code, or nobody answers.
    """
    identity = asyncio.run(_enrol(code, Unit(folder.car_identities), link))
    return Enrolled(identity.vehicle_id, to_iso(identity.certificate.not_after))


async def _enrol(code: EnrolmentCode, unit: Unit, link: str) -> Identity:
    applicant = None if names_user(link) else Applicant(code, unit.begin(code.ticket))
    if applicant is not None:
        await _check_known(link, applicant)
    transport = NatsTransport(link, name="applicant", proof=applicant)
    try:
        await transport.wait_connected(ANSWER_S)
        return await enrol(code, unit=unit, transport=transport, timeout_s=ANSWER_S)
    finally:
        await transport.close()


async def _check_known(link: str, applicant: Applicant) -> None:
    """See at once whether a broker lets this code in; a transport would try for long.

    Raises:
        LinkError: none does; the text says why.
    """
    told = ""
    for address in read_addresses(link):
        connection = Connection()
        try:
            if await connection.connect(address, "applicant", applicant):
                return
        finally:
            await connection.end()
        told = f"no broker at {address.shown}: {connection.reason}"
    raise LinkError(told)
