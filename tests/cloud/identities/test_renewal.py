"""A car's certificate is renewed while it is in, and it stays in beyond the first one's end."""

import asyncio
from pathlib import Path

import pytest

from contactor.car.agent.enrolment import Renewal
from contactor.clock import SystemClock
from contactor.link.identities.unit import Unit
from contactor.link.nats import NatsTransport
from tests.cloud.identities.support import cloud_at
from tests.link.support import DEADLINE_S, BrokerProcess, until

pytestmark = pytest.mark.processes

LIFE_DAYS = 5 / 86_400


def test_car_stays_in_beyond_its_first_certificate(
    gated_broker: BrokerProcess, tmp_path: Path
) -> None:
    async def scenario() -> None:
        folder = tmp_path / "data"
        async with cloud_at(gated_broker, folder, vehicle_days=LIFE_DAYS) as cloud:
            identity = await cloud.enrolled("leaf", folder / "unit")
            first = identity.certificate
            transport = NatsTransport(cloud.bare_url, name="agent", proof=identity)
            renewal = Renewal(identity, transport=transport, clock=SystemClock(), every_s=0.2)
            renewing = asyncio.create_task(renewal.run())
            await transport.wait_connected(DEADLINE_S)
            # The broker ends a connection with the certificate that it was made with.
            await until(lambda: transport.connects > 1)
            assert identity.certificate.not_after > first.not_after
            assert identity.certificate.public_key == first.public_key
            kept = Unit(folder / "unit").identity("leaf")
            assert kept is not None
            assert kept.certificate.not_after > first.not_after
            renewing.cancel()
            await asyncio.wait({renewing})
            await transport.close()

    asyncio.run(scenario())
