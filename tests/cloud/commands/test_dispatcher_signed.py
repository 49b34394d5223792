"""What the cloud signs, and what it forwards that somebody else has signed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from contactor.clock import FakeClock
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.twin import Twin
from contactor.errors import CommandRefused, UnknownSignal
from contactor.link import topics
from contactor.link.command_messages import decode_asked
from contactor.link.identities.grants import CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.command import CommandState
from contactor.signals.rights import Right
from contactor.signals.signed_command import SignedCommand
from tests.car.agent.signing import LOCK, NOW, Keys, command

KEYS = Keys()
GUEST = KeyPair.make()
SIGNER = KEYS.cloud


class Cloud:
    def __init__(self, file: Path, *, is_open: bool = True) -> None:
        self.clock, self.broker = FakeClock(NOW), MemoryBroker()
        self.file, self.is_open = file, is_open
        self.car = MemoryTransport(self.broker)
        self.start()

    def start(self) -> None:
        self.store = CommandStore(self.file)
        presence = Presence()
        self.dispatcher = Dispatcher(
            store=self.store,
            transport=MemoryTransport(self.broker),
            twin=Twin(presence=presence, clock=self.clock),
            presence=presence,
            clock=self.clock,
            signer=SIGNER,
            checker=KEYS.checker if self.is_open else None,
        )

    async def sent(self) -> SignedCommand:
        subscription = await self.car.subscribe(topics.command("leaf"))
        self.dispatcher.resend("leaf")
        await self.dispatcher.step()
        message = await subscription.next(1)
        assert message is not None
        asked = decode_asked(message.payload)
        assert isinstance(asked, SignedCommand)
        return asked


def run(check: Callable[[Cloud], Awaitable[None]], file: Path, *, is_open: bool = True) -> None:
    async def all_of_it() -> None:
        cloud = Cloud(file / "commands.db", is_open=is_open)
        await check(cloud)
        cloud.store.close()

    asyncio.run(all_of_it())


def guest(**how: object) -> CommandSigner:
    return CommandSigner(GUEST, KEYS.grant(GUEST, **how))  # type: ignore[arg-type]


def test_command_goes_out_signed_on_behalf_of_who_asked(tmp_path: Path) -> None:
    async def check(cloud: Cloud) -> None:
        asked = await cloud.dispatcher.submit("leaf", LOCK, True, profile=None, issued_by="anna")
        signed = await cloud.sent()
        checked = KEYS.checker.check(signed, NOW, vehicle_id="leaf")
        assert (checked.command, checked.grant.issued_to) == (asked, "guest")
        assert checked.command.issued_by == "anna"
        cloud.store.close()
        cloud.start()
        assert await cloud.sent() == signed

    run(check, tmp_path)


def test_command_that_a_guest_signed_is_forwarded_as_it_came(tmp_path: Path) -> None:
    signed = guest().sign(command(LOCK, value=False))

    async def check(cloud: Cloud) -> None:
        taken = await cloud.dispatcher.submit_signed(signed, profile="contactor_ev")
        assert (taken.issued_by, taken.value) == ("key of guest", False)
        assert await cloud.sent() == signed
        assert await cloud.dispatcher.submit_signed(signed, profile=None) == taken
        cloud.store.close()
        cloud.start()
        assert await cloud.sent() == signed
        assert cloud.store.find("leaf", taken.id) == taken

    run(check, tmp_path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Keys().cloud.sign(command()), "grant: not signed"),
        (lambda: guest(rights=(Right.COMFORT,)).sign(command(LOCK, value=True)), "no right"),
        (lambda: guest(ends_in_s=-1).sign(command()), "grant ended"),
        (lambda: guest().sign(command(made_in_s=-30)), "expired"),
        (lambda: guest().sign(command("Vehicle.Speed", 3.0)), "not an actuator"),
    ],
)
def test_what_no_car_would_do_is_not_forwarded(
    make: Callable[[], SignedCommand], reason: str, tmp_path: Path
) -> None:
    async def check(cloud: Cloud) -> None:
        with pytest.raises(CommandRefused, match=reason):
            await cloud.dispatcher.submit_signed(make(), profile=None)
        with pytest.raises(UnknownSignal):
            await cloud.dispatcher.submit_signed(guest().sign(command("X", 1)), profile=None)
        assert cloud.store.counts() == {}

    run(check, tmp_path)


def test_command_with_the_id_of_another_is_refused(tmp_path: Path) -> None:
    async def check(cloud: Cloud) -> None:
        await cloud.dispatcher.submit_signed(guest().sign(command(name="one")), profile=None)
        with pytest.raises(CommandRefused, match="replayed: another command has the id one"):
            await cloud.dispatcher.submit_signed(
                guest().sign(command(value=80, name="one")), profile=None
            )

    run(check, tmp_path)


def test_command_made_before_one_that_waits_does_not_take_its_place(tmp_path: Path) -> None:
    async def check(cloud: Cloud) -> None:
        newer = await cloud.dispatcher.submit("leaf", LOCK, True, profile=None)
        with pytest.raises(CommandRefused, match=f"superseded: by command {newer.id}, made later"):
            await cloud.dispatcher.submit_signed(
                guest().sign(command(LOCK, value=False, made_in_s=-1)), profile=None
            )
        assert cloud.store.find("leaf", newer.id).state is CommandState.QUEUED

    run(check, tmp_path)


def test_instance_without_keys_forwards_nothing(tmp_path: Path) -> None:
    async def check(cloud: Cloud) -> None:
        with pytest.raises(CommandRefused, match="forwards no command of others"):
            await cloud.dispatcher.submit_signed(guest().sign(command()), profile=None)

    run(check, tmp_path, is_open=False)
