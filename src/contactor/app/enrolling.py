"""A car gets its key and certificate with a code.

enrol_here(code, folder, link="tls://HOST:4222", authority=key)     # Enrolled

Beyond this machine the code is said to nobody but a broker that this authority vouches for: who
stands between could use it first.
"""

import asyncio

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.links import names_user
from contactor.car.agent.enrolment import enrol
from contactor.clock import to_iso
from contactor.errors import IdentityError, LinkError, UsageError
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.servers import vouched
from contactor.link.identities.unit import Applicant, Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.address import read_addresses
from contactor.link.nats.connection import Connection
from contactor.link.nats.first_contact import shown_certificate

ANSWER_S = 15.0


class Enrolled(msgspec.Struct, frozen=True):
    """What a unit is known as from now on."""

    vehicle_id: str
    expires_at: str


def enrol_here(
    code: EnrolmentCode, folder: DataFolder, *, link: str, authority: bytes | None = None
) -> Enrolled:
    """Make a key in this folder and have it certified.

    Args:
        authority: the public key by which the cloud is known before anything is said to it;
            None on this machine, and where the link says itself by what the broker is known.

    Raises:
        EnrolmentRefused: the cloud said no, and why.
        IdentityError: the key cannot be kept, or it is another cloud that answers.
        LinkError: the broker does not know the code, or nobody answers.
        UsageError: the cloud is elsewhere, and nothing says by what it is known.
    """
    unit = Unit(folder.car_identities)
    identity = asyncio.run(_enrol(code, unit, link, authority))
    return Enrolled(identity.vehicle_id, to_iso(identity.certificate.not_after))


async def _enrol(code: EnrolmentCode, unit: Unit, link: str, authority: bytes | None) -> Identity:
    applicant = None
    if not names_user(link):
        broker_pem = await _known_broker(link, authority)
        applicant = Applicant(code, unit.begin(code.ticket), broker_pem=broker_pem)
        await _check_known(link, applicant)
    transport = NatsTransport(link, name="applicant", proof=applicant)
    try:
        await transport.wait_connected(ANSWER_S)
        return await enrol(
            code, unit=unit, transport=transport, timeout_s=ANSWER_S, authority=authority
        )
    finally:
        await transport.close()


async def _known_broker(link: str, authority: bytes | None) -> bytes | None:
    """The certificates of brokers that the authority vouches for; None where they need none.

    Raises:
        IdentityError: one of them is somebody else's: nothing was said to it.
        LinkError: one does not answer.
        UsageError: nothing says by what it is to be known.
    """
    found: list[bytes] = []
    for address in read_addresses(link):
        if not address.is_encrypted or address.authority is not None:
            continue
        if authority is None:
            raise UsageError(
                f"no --authority given: by that key {address.shown} is known before the code is"
                " said to it; contactor car code tells it"
            )
        der = await shown_certificate(address, ANSWER_S)
        try:
            found.append(vouched(der, authority))
        except IdentityError as error:
            raise IdentityError(f"{address.shown} is not trusted: {error}") from error
    return b"".join(found) or None


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
