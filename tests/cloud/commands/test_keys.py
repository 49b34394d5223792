"""The book of digital keys, and the telling of those that were taken back."""

import asyncio
from pathlib import Path

import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S, FakeClock
from contactor.cloud.commands.keys import LISTED_AFTER_NS, KeyBook
from contactor.cloud.commands.revoker import Revoker
from contactor.cloud.ingest.presence import Presence
from contactor.errors import CommandRefused, UnknownIdentity, UsageError
from contactor.link import topics
from contactor.link.command_messages import (
    RevocationsHeard,
    decode_sealed_revocations,
    encode_revocations_heard,
)
from contactor.link.identities.grants import CommandChecker, CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.messages import Hello
from contactor.link.ports import Message
from contactor.signals.grant import SealedGrant, decode_grant
from contactor.signals.revocations import Revocations
from contactor.signals.rights import EVERY_VEHICLE, Right
from tests.car.agent.signing import LOCK, NOW, Keys, command

KEYS = Keys()
GUEST = KeyPair.make()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


def book(file: Path | str = ":memory:") -> KeyBook:
    return KeyBook(file, authority=KEYS.authority)


def give(keys: KeyBook, vehicle_id: str = "leaf", *, days: float = 1) -> SealedGrant:
    return keys.give(
        GUEST.public_bytes,
        vehicle_id=vehicle_id,
        rights={Right.OPEN},
        not_before=NOW,
        not_after=NOW + round(days * NS_PER_DAY),
        issued_to="guest",
    )


def id_of(grant: SealedGrant) -> str:
    return decode_grant(grant.body).id


def listed(keys: KeyBook, vehicle_id: str = "leaf", now_ns: int = NOW) -> Revocations:
    sealed = keys.revocations(vehicle_id, now_ns)
    return CommandChecker(KEYS.authority.pem).check_revocations(sealed, vehicle_id)


def test_key_that_was_given_signs_until_it_is_taken_back(file: Path) -> None:
    keys = book(file)
    grant = give(keys)
    signed = CommandSigner(GUEST, grant).sign(command(LOCK, value=False))
    assert keys.check(signed, NOW).command.path == LOCK
    (known,) = keys.given("leaf")
    assert (known.id, known.rights, known.issued_to, known.revoked_at) == (
        id_of(grant),
        ("open",),
        "guest",
        None,
    )
    assert keys.revoke(known.id, NOW) == "leaf"
    keys.close()
    again = book(file)
    for one in (keys, again):
        with pytest.raises(CommandRefused, match="grant revoked"):
            one.check(signed, NOW)
    assert again.given("leaf")[0].revoked_at == NOW
    assert file.stat().st_mode & 0o777 == 0o600


def test_list_counts_up_and_names_what_holds_no_more() -> None:
    keys = book()
    first, second, other, every = (
        give(keys),
        give(keys, days=2),
        give(keys, "elm"),
        give(keys, EVERY_VEHICLE),
    )
    assert listed(keys).counter == 0
    counters = []
    for one in (first, second, other, every):
        keys.revoke(id_of(one), NOW)
        counters.append(listed(keys).counter)
    assert counters == [1, 2, 2, 3]
    assert set(listed(keys).grants) == {id_of(one) for one in (first, second, every)}
    keys.revoke(id_of(first), NOW)
    assert listed(keys).counter == 3
    later = NOW + NS_PER_DAY + LISTED_AFTER_NS
    assert listed(keys, now_ns=later).grants == (id_of(second),)
    assert listed(keys, now_ns=later).counter == 3


def test_list_overtakes_a_counter_that_the_car_has() -> None:
    keys = book()
    keys.revoke(id_of(give(keys)), NOW)
    keys.overtake("leaf", 7)
    assert listed(keys).counter == 8
    for _ in range(2):
        keys.overtake("leaf", 3)
        keys.overtake("leaf", 2**62)
    assert listed(keys).counter == 8


def test_cloud_has_one_key_for_all() -> None:
    keys, pair = book(), KeyPair.make()
    grant = keys.own(pair, NOW)
    assert keys.own(pair, NOW + 365 * NS_PER_DAY) == grant
    assert keys.own(pair, NOW + 3 * 365 * NS_PER_DAY) != grant
    signed = CommandSigner(pair, grant).sign(command(vehicle_id="elm"))
    assert keys.check(signed, NOW).grant.issued_to == "cloud"


def test_what_cannot_be_given_or_taken_back_is_refused() -> None:
    keys = book()
    with pytest.raises(UsageError, match="must end after"):
        give(keys, days=0)
    with pytest.raises(UnknownIdentity, match="no key 'x' was given"):
        keys.revoke("x", NOW)


def test_erased_vehicle_leaves_no_byte_behind(file: Path) -> None:
    keys = book(file)
    for vehicle_id in ("erased-car", "erased-car", "leaf"):
        keys.revoke(id_of(give(keys, vehicle_id)), NOW)
    assert keys.erase("erased-car") == 2
    assert (keys.given("erased-car"), len(keys.given("leaf"))) == ([], 1)
    keys.close()
    assert b"erased-car" not in b"".join(path.read_bytes() for path in file.parent.iterdir())


# ── telling ──────────────────────────────────────────────────────────────────────────────────────


class Cloud:
    def __init__(self) -> None:
        self.keys, self.clock, self.presence = book(), FakeClock(NOW), Presence()
        self.broker = MemoryBroker()
        self.car = MemoryTransport(self.broker)
        self.revoker = Revoker(
            keys=self.keys,
            transport=MemoryTransport(self.broker),
            presence=self.presence,
            clock=self.clock,
        )

    def hello(self, vehicle_id: str = "leaf") -> None:
        self.presence.greet(Hello(vehicle_id, "", ()), self.clock.now_ns())

    def answer(self, counter: int, *, car: str = "leaf", of: str = "leaf") -> None:
        payload = encode_revocations_heard(RevocationsHeard(car, counter))
        self.revoker.hear(Message(topics.revoked_heard(of), payload))

    async def told(self, seconds: float) -> int:
        """How often the car is told within so long."""
        subscription = await self.car.subscribe(topics.revoked("leaf"))
        for _ in range(round(seconds / 0.5)):
            await self.revoker.step()
            self.clock.advance(0.5)
        count = 0
        while (message := await subscription.next(0.001)) is not None:
            decode_sealed_revocations(message.payload)
            count += 1
        await subscription.close()
        return count


def test_car_is_told_until_it_says_so() -> None:
    async def run() -> None:
        cloud = Cloud()
        cloud.hello()
        assert await cloud.told(5) == 0
        cloud.revoker.revoke(id_of(give(cloud.keys)))
        assert await cloud.told(4) == 2
        cloud.answer(0)
        cloud.answer(1, car="elm")
        cloud.answer(1, of="elm")
        assert await cloud.told(4) == 2
        cloud.answer(1)
        assert await cloud.told(60) == 0
        assert cloud.revoker.answers_ignored == 2
        cloud.revoker.resend("leaf")
        assert await cloud.told(1) == 1
        cloud.revoker.resend("elm")  # of which nothing was ever taken back
        cloud.answer(5)
        assert await cloud.told(1) == 1
        cloud.answer(6)
        assert await cloud.told(60) == 0

    asyncio.run(run())


def test_car_that_is_away_is_told_now_and_then_and_when_it_is_back() -> None:
    async def run() -> None:
        cloud = Cloud()
        cloud.revoker.revoke(id_of(give(cloud.keys)))
        assert await cloud.told(119) == 2
        cloud.revoker.resend("leaf")
        assert await cloud.told(1) == 1

    asyncio.run(run())


def test_every_car_that_was_heard_is_told_of_a_key_for_all() -> None:
    async def run() -> None:
        cloud = Cloud()
        cloud.hello()
        cloud.hello("elm")
        cloud.revoker.revoke(id_of(give(cloud.keys, EVERY_VEHICLE)))
        assert await cloud.told(1) == 1

    asyncio.run(run())


def test_restart_goes_on_telling(file: Path) -> None:
    async def run() -> None:
        cloud = Cloud()
        keys = book(file)
        keys.revoke(id_of(give(keys)), NOW + NS_PER_S)
        cloud.keys = keys
        cloud.revoker = Revoker(
            keys=keys,
            transport=MemoryTransport(cloud.broker),
            presence=cloud.presence,
            clock=cloud.clock,
        )
        assert await cloud.told(1) == 1
        keys.close()

    asyncio.run(run())
