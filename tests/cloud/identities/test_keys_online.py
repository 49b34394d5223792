"""A guest's key over a real broker: it opens the car until it is revoked, and no longer."""

import asyncio
from pathlib import Path

import pytest

from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.outbox import Outbox
from contactor.car.profiles.limits import GEAR
from contactor.clock import NS_PER_S, SystemClock
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.keys import KeyBook
from contactor.cloud.commands.revoker import Revoker
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.twin import Twin
from contactor.errors import CommandRefused
from contactor.link.identities.authority import Authority
from contactor.link.identities.grants import CommandChecker, CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.link.identities.unit import Unit
from contactor.link.nats import NatsTransport
from contactor.signals.command import Command, CommandState
from contactor.signals.grant import decode_grant
from contactor.signals.rights import Right
from tests.car.agent.signing import CHARGE_LIMIT, LOCK, PROFILE, Buses, says
from tests.cloud.identities.support import cloud_at
from tests.link.support import DEADLINE_S, BrokerProcess, until

pytestmark = pytest.mark.processes


def test_guest_key_opens_the_car_until_it_is_revoked(
    gated_broker: BrokerProcess, tmp_path: Path
) -> None:
    async def run() -> None:
        clock, guest = SystemClock(), KeyPair.make()
        async with cloud_at(gated_broker, tmp_path) as cloud:
            unit = Unit(tmp_path / "unit")
            identity = await cloud.enrol(cloud.code("leaf"), unit)
            authority = Authority.kept(tmp_path / "authority", clock.now_ns())
            keys = KeyBook(tmp_path / "keys.db", authority=authority)
            presence, store = Presence(), CommandStore(tmp_path / "commands.db")
            pair = KeyPair.kept(tmp_path / "signer.pem")
            dispatcher = Dispatcher(
                store=store,
                transport=cloud.transport,
                twin=Twin(presence=presence, clock=clock),
                presence=presence,
                clock=clock,
                signer=CommandSigner(pair, keys.own(pair, clock.now_ns())),
                checker=keys,
            )
            revoker = Revoker(keys=keys, transport=cloud.transport, presence=presence, clock=clock)
            outbox, buses = Outbox(tmp_path / "outbox.db"), Buses()
            car = NatsTransport(cloud.bare_url, name="car", proof=identity)
            await car.wait_connected(DEADLINE_S)
            desk = CommandDesk(
                vehicle_id="leaf",
                profile=PROFILE,
                source=buses,
                transport=car,
                outbox=outbox,
                clock=clock,
                verifier=CommandChecker(unit.identity("leaf").authority_pem()),
            )
            grant = keys.give(
                guest.public_bytes,
                vehicle_id="leaf",
                rights={Right.OPEN},
                not_before=clock.now_ns() - NS_PER_S,
                not_after=clock.now_ns() + 3_600 * NS_PER_S,
                issued_to="guest",
            )
            phone = CommandSigner(guest, grant)

            def wish(name: str, *, value: bool) -> Command:
                now_ns = clock.now_ns()
                return Command(name, "leaf", LOCK, value, "guest", now_ns, now_ns + 30 * NS_PER_S)

            tasks = [asyncio.create_task(one.run()) for one in (desk, dispatcher, revoker)]
            await asyncio.sleep(0.5)
            try:
                desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
                await dispatcher.submit_signed(phone.sign(wish("one", value=False)), profile=None)
                await until(lambda: store.find("leaf", "one").state is CommandState.ACCEPTED)
                assert len(buses.sent) == 1

                revoker.revoke(decode_grant(grant.body).id)
                # As a thief does: past the cloud, straight to whoever speaks to the car.
                with pytest.raises(CommandRefused, match="grant revoked"):
                    await dispatcher.submit_signed(
                        phone.sign(wish("two", value=True)), profile=None
                    )
                note = "revocations:leaf"
                await until(lambda: outbox.noted(note) is not None)
                past_the_cloud = Dispatcher(
                    store=store,
                    transport=cloud.transport,
                    twin=Twin(presence=presence, clock=clock),
                    presence=presence,
                    clock=clock,
                    signer=phone,
                )
                tasks.append(asyncio.create_task(past_the_cloud.run()))
                stolen = await past_the_cloud.submit("leaf", LOCK, True, profile=None)
                await until(lambda: store.find("leaf", stolen.id).state.is_final)
                assert str(store.find("leaf", stolen.id).reason).startswith("grant revoked")
                assert len(buses.sent) == 1

                owner = await dispatcher.submit("leaf", CHARGE_LIMIT, 70, profile=None)
                await until(lambda: store.find("leaf", owner.id).state is CommandState.ACCEPTED)
                assert len(buses.sent) == 2
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await car.close()
                for one in (outbox, store, keys):
                    one.close()

    asyncio.run(run())
