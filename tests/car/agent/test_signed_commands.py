"""A car that has an authority does what is signed, fresh, in order and allowed: nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from contactor.car.agent.answers import MAX_KEPT
from contactor.car.profiles.limits import GEAR
from contactor.link.command_messages import encode_command
from contactor.link.identities.grants import CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.signals.command import CommandState
from contactor.signals.grant import SealedGrant
from contactor.signals.rights import Right
from contactor.signals.signed_command import SignedCommand, encode_body
from tests.car.agent.signing import (
    CHARGE_LIMIT,
    LOCK,
    Keys,
    SignedDesk,
    command,
    says,
    signed_desk,
)

KEYS = Keys()
GUEST = KeyPair.make()
Use = Callable[[SignedDesk], Awaitable[None]]


def at_desk(use: Use, file: Path, *, at_s: float = 0.0) -> None:
    async def run() -> None:
        async with signed_desk(KEYS, file, at_s=at_s) as bench:
            await use(bench)

    asyncio.run(run())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def guest(**how: object) -> CommandSigner:
    return CommandSigner(GUEST, KEYS.grant(GUEST, **how))  # type: ignore[arg-type]


def altered(signed: SignedCommand) -> SignedCommand:
    body = msgspec.structs.replace(command(name="altered"), value=100)
    return msgspec.structs.replace(signed, body=encode_body(body))


def with_grant(signed: SignedCommand, grant: SealedGrant) -> SignedCommand:
    return msgspec.structs.replace(signed, grant=grant)


REFUSED: dict[str, tuple[Callable[[], SignedCommand | bytes], str]] = {
    "not signed": (lambda: encode_command(command()), "not signed: this car does only what"),
    "altered": (lambda: altered(KEYS.cloud.sign(command())), "signature: not that of the grant's"),
    "another authority": (
        lambda: Keys().cloud.sign(command()),
        "grant: not signed by this car's authority",
    ),
    "another's key": (
        lambda: CommandSigner(KeyPair.make(), KEYS.grant(GUEST)).sign(command()),
        "signature: not that of the grant's holder",
    ),
    "another grant of the same key": (
        lambda: with_grant(guest(rights=(Right.COMFORT,)).sign(command()), KEYS.grant(GUEST)),
        "signature: not that of the grant's holder",
    ),
    "wrong car": (
        lambda: KEYS.cloud.sign(command(vehicle_id="elm")),
        "wrong car: it is for elm",
    ),
    "key of another car": (
        lambda: guest(vehicle_id="elm").sign(command()),
        "wrong car: the grant is for elm",
    ),
    "no right": (
        lambda: guest(rights=(Right.COMFORT, Right.SEE)).sign(command(LOCK, value=False)),
        "no right: it needs open; the grant gives comfort, see",
    ),
    "expired": (
        lambda: KEYS.cloud.sign(command(made_in_s=-30)),
        "expired: its end was 2026-11-27T08:00:00Z",
    ),
    "from the future": (
        lambda: KEYS.cloud.sign(command(made_in_s=11)),
        "not fresh: made 11 s from now; allowed: 10 s",
    ),
    "too long": (
        lambda: KEYS.cloud.sign(command(life_s=3_601)),
        "not fresh: its life is 3601 s; allowed: 3600 s",
    ),
    "key ended": (
        lambda: guest(ends_in_s=0).sign(command()),
        "grant ended: its end was 2026-11-27T08:00:00Z",
    ),
    "key not begun": (
        lambda: guest(begins_in_s=1).sign(command()),
        "grant not valid yet: it begins 2026-11-27T08:00:01Z",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_command_is_refused_with_its_reason(name: str, file: Path) -> None:
    make, reason = REFUSED[name]

    async def use(bench: SignedDesk) -> None:
        report = await bench.ask(make())
        assert (report.state, bench.buses.sent) == (CommandState.REFUSED, [])
        assert str(report.reason).startswith(reason)
        # It has taken no place from an honest one.
        assert (await bench.ask(KEYS.cloud.sign(command()))).state is CommandState.ACCEPTED

    at_desk(use, file)


def test_signed_command_is_done_and_its_replay_only_answered(file: Path) -> None:
    signed = guest(rights=(Right.OPEN,)).sign(command(LOCK, value=False))

    async def use(bench: SignedDesk) -> None:
        bench.desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
        assert (await bench.ask(signed)).state is CommandState.ACCEPTED
        bench.clock.advance(0.1)
        bench.desk.read([says(LOCK, value=False)])
        assert (await bench.report()).state is CommandState.DONE
        for _ in range(3):
            assert (await bench.ask(signed)).state is CommandState.DONE
        assert len(bench.buses.sent) == 1

    async def after_a_restart(bench: SignedDesk) -> None:
        bench.desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
        assert (await bench.ask(signed)).state is CommandState.DONE
        assert not bench.buses.sent

    at_desk(use, file)
    at_desk(after_a_restart, file, at_s=2)


def test_altered_copy_of_a_command_that_was_done_changes_nothing(file: Path) -> None:
    signed = KEYS.cloud.sign(command(name="one"))
    forged = msgspec.structs.replace(signed, body=encode_body(command(value=100, name="one")))

    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(signed)).state is CommandState.ACCEPTED
        assert (await bench.ask(forged)).state is CommandState.ACCEPTED
        bench.clock.advance(0.1)
        bench.desk.read([says(CHARGE_LIMIT, 70)])
        assert (await bench.report()).state is CommandState.DONE
        assert len(bench.buses.sent) == 1

    at_desk(use, file)


def test_command_made_before_the_newest_one_is_superseded(file: Path) -> None:
    older, newer = KEYS.cloud.sign(command(made_in_s=-2)), KEYS.cloud.sign(command(value=90))

    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(newer)).state is CommandState.ACCEPTED
        report = await bench.ask(older)
        assert report.state is CommandState.REFUSED
        assert report.reason == "superseded: by a command made 2026-11-27T08:00:00Z"
        other = KEYS.cloud.sign(command("Vehicle.Cabin.HVAC.IsAirConditioningActive", value=True))
        assert (await bench.ask(other)).state is CommandState.ACCEPTED

    at_desk(use, file)
    at_desk(lambda bench: _is_superseded(bench, older), file, at_s=1)


async def _is_superseded(bench: SignedDesk, signed: SignedCommand) -> None:
    assert str((await bench.ask(signed)).reason).startswith("superseded: by a command made")
    assert not bench.buses.sent


def test_replay_is_known_though_hundreds_came_between(file: Path) -> None:
    """A command that the guard refused, replayed when it would not, after its answer gave way."""
    refused = KEYS.cloud.sign(command(LOCK, value=False, life_s=3_600))

    async def use(bench: SignedDesk) -> None:
        bench.desk.read([says("Vehicle.Speed", 60.0), says(GEAR, 126)])
        assert str((await bench.ask(refused)).reason).startswith("not while moving")
        for _ in range(MAX_KEPT):
            await bench.ask(KEYS.cloud.sign(command(value=101)))
        bench.desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
        assert str((await bench.ask(refused)).reason).startswith("superseded: by a command made")
        assert not bench.buses.sent

    at_desk(use, file)


def test_answer_to_what_is_under_way_gives_way_to_no_other(file: Path) -> None:
    signed = KEYS.cloud.sign(command(LOCK, value=False))

    async def use(bench: SignedDesk) -> None:
        bench.desk.read([says("Vehicle.Speed", 0.0), says(GEAR, 126)])
        assert (await bench.ask(signed)).state is CommandState.ACCEPTED
        for _ in range(MAX_KEPT):
            await bench.ask(KEYS.cloud.sign(command(value=101)))
        assert (await bench.ask(signed)).state is CommandState.ACCEPTED

    async def after_a_restart(bench: SignedDesk) -> None:
        assert bench.desk.underway == 1

    at_desk(use, file)
    at_desk(after_a_restart, file, at_s=2)


def test_accepted_command_is_watched_for_after_a_restart_and_not_sent_again(file: Path) -> None:
    signed = KEYS.cloud.sign(command())

    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(signed)).state is CommandState.ACCEPTED

    async def after_a_restart(bench: SignedDesk) -> None:
        assert bench.desk.underway == 1
        bench.clock.advance(0.1)
        bench.desk.read([says(CHARGE_LIMIT, 70)])
        assert (await bench.report()).state is CommandState.DONE
        assert not bench.buses.sent

    at_desk(use, file)
    at_desk(after_a_restart, file, at_s=2)


# ── keys that were taken back ────────────────────────────────────────────────────────────────────


def test_stolen_key_stops_once_it_is_revoked_and_the_car_does_not_forget(file: Path) -> None:
    stolen = guest(name="stolen")

    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(stolen.sign(command()))).state is CommandState.ACCEPTED
        assert (await bench.revoke(KEYS.revoked(3, "stolen"))).counter == 3
        report = await bench.ask(stolen.sign(command(made_in_s=1)))
        assert (report.state, report.reason) == (CommandState.REFUSED, "grant revoked: stolen")
        assert (await bench.revoke(KEYS.revoked(2))).counter == 3  # an older list
        assert (await bench.revoke(KEYS.revoked(3))).counter == 3  # another of the same number

    async def after_a_restart(bench: SignedDesk) -> None:
        assert (await bench.revoke(KEYS.revoked(1))).counter == 3
        report = await bench.ask(stolen.sign(command(made_in_s=2)))
        assert report.reason == "grant revoked: stolen"

    at_desk(use, file)
    at_desk(after_a_restart, file, at_s=2)


def test_no_frame_is_repeated_for_a_key_that_is_revoked_meanwhile(file: Path) -> None:
    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(guest(name="stolen").sign(command()))).state == "accepted"
        await bench.revoke(KEYS.revoked(1, "stolen"))
        bench.clock.advance(1.5)
        await asyncio.sleep(0.3)
        assert len(bench.buses.sent) == 1

    at_desk(use, file)


def test_list_of_another_authority_or_car_is_not_heard(file: Path) -> None:
    async def use(bench: SignedDesk) -> None:
        for wrong in (
            Keys().revoked(9, "a"),
            KEYS.revoked(9, "a", vehicle_id="elm"),
            b"\x93",
        ):
            await bench.cloud.publish("contactor.v1.revoked.leaf", wrong)
        assert (await bench.revoke(KEYS.revoked(1))).counter == 1

    at_desk(use, file)


def test_clock_that_is_set_back_does_not_make_an_ended_key_good(file: Path) -> None:
    """The last list was made at 8:00; the key ended before, and the clock says it has not."""

    async def use(bench: SignedDesk) -> None:
        await bench.revoke(KEYS.revoked(1))
        report = await bench.ask(guest(ends_in_s=-10).sign(command(made_in_s=-20)))
        assert str(report.reason).startswith("grant ended")

    at_desk(use, file, at_s=-15)


def test_command_that_was_accepted_bounds_the_clock_as_well(file: Path) -> None:
    async def use(bench: SignedDesk) -> None:
        assert (await bench.ask(KEYS.cloud.sign(command()))).state is CommandState.ACCEPTED

    async def after_a_restart(bench: SignedDesk) -> None:
        """An hour back by the car's clock, when the key still held."""
        old = guest(ends_in_s=-3_590).sign(command(LOCK, value=False, made_in_s=-3_599))
        assert str((await bench.ask(old)).reason).startswith("grant ended")

    at_desk(use, file)
    at_desk(after_a_restart, file, at_s=-3_595)


def test_reason_is_never_too_long_to_be_told(file: Path) -> None:
    async def use(bench: SignedDesk) -> None:
        report = await bench.ask(KEYS.cloud.sign(command(value="x" * 9_000)))
        assert str(report.reason).startswith("out of range")
        again = await bench.ask(KEYS.cloud.sign(command(value=70)))
        assert again.state is CommandState.ACCEPTED

    at_desk(use, file)
