"""A real broker with its gate, the office behind it, and cars that come to it."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contactor.car.agent.enrolment import enrol
from contactor.clock import Clock, SystemClock
from contactor.cloud.identities.desk import IdentityDesk
from contactor.cloud.identities.office import Office
from contactor.cloud.identities.register import Register
from contactor.link.broker import read_gate, wait_broker
from contactor.link.identities.authority import Authority
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Applicant, Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.gate import Gate
from tests.link.support import DEADLINE_S, BrokerProcess


@dataclass
class Cloud:
    """What stands behind the broker."""

    url: str
    """With the cloud's password."""
    bare_url: str
    """As a car knows it."""
    office: Office
    desk: IdentityDesk
    gate: Gate
    transport: NatsTransport

    def code(self, vehicle_id: str) -> EnrolmentCode:
        return self.office.give_codes([vehicle_id], days=1)[0].code

    async def enrol(self, code: EnrolmentCode, unit: Unit) -> Identity:
        """As `contactor car enrol` does."""
        applicant = Applicant(code, unit.begin(code.ticket))
        transport = NatsTransport(self.bare_url, name="applicant", proof=applicant)
        try:
            await transport.wait_connected(DEADLINE_S)
            return await enrol(code, unit=unit, transport=transport, timeout_s=DEADLINE_S)
        finally:
            await transport.close()

    async def enrolled(self, vehicle_id: str, folder: Path) -> Identity:
        return await self.enrol(self.code(vehicle_id), Unit(folder))


def make_office(folder: Path, clock: Clock, vehicle_days: float = 365) -> Office:
    authority = Authority.kept(folder / "authority", clock.now_ns())
    register = Register(folder / "identities.db")
    return Office(register, authority, clock=clock, vehicle_days=vehicle_days)


@contextlib.asynccontextmanager
async def cloud_at(
    broker: BrokerProcess, folder: Path, *, vehicle_days: float = 365
) -> AsyncIterator[Cloud]:
    """The office at work behind a broker."""
    clock = SystemClock()
    await wait_broker(broker.launch.url, DEADLINE_S)
    office = make_office(folder, clock, vehicle_days)
    gate = Gate(read_gate(broker.folder), doorkeeper=office, clock=clock)
    transport = NatsTransport(broker.launch.url, name="cloud")
    desk = IdentityDesk(office, gate=gate, transport=transport)
    running = asyncio.create_task(desk.run())
    await transport.wait_connected(DEADLINE_S)
    bare = broker.launch.bare_url
    try:
        yield Cloud(broker.launch.url, bare, office, desk, gate, transport)
    finally:
        running.cancel()
        await asyncio.wait({running})
        await transport.close()
        office.close()


async def stranger_as(url: str, identity: Identity, **options: object) -> Client:
    """A client of nats-py's own, which shows a car's certificate and signs with its key."""
    return await nats.connect(
        url,
        token=identity.token,
        signature_cb=lambda nonce: base64.urlsafe_b64encode(identity.sign(nonce)),
        allow_reconnect=False,
        inbox_prefix=identity.inbox,
        **{"error_cb": ignore, **options},
    )


async def comes_in(url: str, **shown: object) -> bool:
    """Whether a client is let in that shows this."""
    client = Client()
    try:
        await client.connect(url, allow_reconnect=False, error_cb=ignore, **shown)
    except (NatsError, OSError):
        return False
    else:
        return True
    finally:
        await client.close()


async def ignore(_: Exception) -> None:
    """It will be refused much."""
