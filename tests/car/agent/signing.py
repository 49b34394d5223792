"""An authority, keys under it, and a desk that goes by them; its clock and bus are the test's."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from contactor.can.frames import FrameTable
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.series import Series
from contactor.car.profiles.profile import Profile, load_profile
from contactor.clock import NS_PER_S, FakeClock, from_iso
from contactor.link import topics
from contactor.link.command_messages import (
    Report,
    RevocationsHeard,
    decode_report,
    decode_revocations_heard,
    encode_sealed_revocations,
    encode_signed,
)
from contactor.link.identities.authority import Authority
from contactor.link.identities.grants import CommandChecker, CommandSigner, grant_to, seal
from contactor.link.identities.keys import KeyPair
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.command import Command
from contactor.signals.grant import SealedGrant
from contactor.signals.record import Scalar, State
from contactor.signals.revocations import Revocations
from contactor.signals.rights import EVERY_VEHICLE, Right
from contactor.signals.signed_command import SignedCommand

NOW = from_iso("2026-11-27T08:00:00Z")
CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
PROFILE = load_profile("contactor_ev")
DEADLINE_S = 30.0
_numbers = itertools.count(1)


@dataclass
class Keys:
    """What an instance has: its authority, and the cloud's own key with a grant for all."""

    authority: Authority = field(default_factory=lambda: Authority.make(NOW))
    pair: KeyPair = field(default_factory=KeyPair.make)

    def grant(
        self,
        holder: KeyPair,
        *,
        vehicle_id: str = "leaf",
        rights: tuple[Right, ...] = tuple(Right),
        begins_in_s: float = -60,
        ends_in_s: float = 3_600,
        name: str | None = None,
    ) -> SealedGrant:
        return grant_to(
            holder.public_bytes,
            authority=self.authority,
            vehicle_id=vehicle_id,
            rights=rights,
            not_before=NOW + round(begins_in_s * NS_PER_S),
            not_after=NOW + round(ends_in_s * NS_PER_S),
            issued_to="guest",
            grant_id=name,
        )

    @property
    def cloud(self) -> CommandSigner:
        return CommandSigner(self.pair, self.grant(self.pair, vehicle_id=EVERY_VEHICLE))

    @property
    def checker(self) -> CommandChecker:
        return CommandChecker(self.authority.pem)

    def revoked(self, counter: int, *grants: str, vehicle_id: str = "leaf") -> bytes:
        sealed = seal(Revocations(vehicle_id, counter, NOW, grants), self.authority)
        return encode_sealed_revocations(sealed)


def command(
    path: str = CHARGE_LIMIT,
    value: Scalar = 70,
    *,
    name: str | None = None,
    vehicle_id: str = "leaf",
    made_in_s: float = 0.0,
    life_s: float = 30.0,
) -> Command:
    issued_at = NOW + round(made_in_s * NS_PER_S)
    return Command(
        id=name or f"c{next(_numbers)}",
        vehicle_id=vehicle_id,
        path=path,
        value=value,
        issued_by="owner",
        issued_at=issued_at,
        expires_at=issued_at + round(life_s * NS_PER_S),
    )


class Buses:
    """The buses of a car that does nothing by itself; keeps what was sent."""

    is_asleep = False

    def __init__(self) -> None:
        self.sent: list[FrameTable] = []

    async def next(self) -> FrameTable:
        return FrameTable.empty()

    async def send(self, frames: FrameTable) -> None:
        self.sent.append(frames)


def says(path: str, value: Scalar) -> Series:
    return Series(path, np.array([1]), np.array([value]), np.array([State.VALID], np.uint8))


@dataclass
class SignedDesk:
    """A desk at work, and the cloud's end of its link."""

    desk: CommandDesk
    buses: Buses
    clock: FakeClock
    outbox: Outbox
    cloud: MemoryTransport
    reports: asyncio.Queue[Report]
    heard: asyncio.Queue[RevocationsHeard]

    async def send(self, signed: SignedCommand | bytes) -> None:
        payload = signed if isinstance(signed, bytes) else encode_signed(signed)
        await self.cloud.publish(topics.command("leaf"), payload)

    async def ask(self, signed: SignedCommand | bytes) -> Report:
        """The next that the car says once it has been asked."""
        await self.send(signed)
        return await self.report()

    async def report(self) -> Report:
        async with asyncio.timeout(DEADLINE_S):
            return await self.reports.get()

    async def revoke(self, payload: bytes) -> RevocationsHeard:
        await self.cloud.publish(topics.revoked("leaf"), payload)
        async with asyncio.timeout(DEADLINE_S):
            return await self.heard.get()


@contextlib.asynccontextmanager
async def signed_desk(
    keys: Keys, file: Path, *, at_s: float = 0.0, profile: Profile = PROFILE
) -> AsyncIterator[SignedDesk]:
    clock, buses, broker = FakeClock(NOW + round(at_s * NS_PER_S)), Buses(), MemoryBroker()
    outbox, cloud = Outbox(file), MemoryTransport(broker)
    desk = CommandDesk(
        vehicle_id="leaf",
        profile=profile,
        source=buses,
        transport=MemoryTransport(broker),
        outbox=outbox,
        clock=clock,
        verifier=keys.checker,
    )
    bench = SignedDesk(desk, buses, clock, outbox, cloud, asyncio.Queue(), asyncio.Queue())
    reports = await cloud.subscribe(topics.ALL_REPORTS)
    answers = await cloud.subscribe(topics.ALL_REVOKED_HEARD)

    async def hear_reports() -> None:
        while True:
            if (message := await reports.next(60)) is not None:
                bench.reports.put_nowait(decode_report(message.payload))

    async def hear_answers() -> None:
        while True:
            if (message := await answers.next(60)) is not None:
                bench.heard.put_nowait(decode_revocations_heard(message.payload))

    tasks = [asyncio.create_task(one) for one in (desk.run(), hear_reports(), hear_answers())]
    await asyncio.sleep(0.01)
    try:
        yield bench
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        outbox.close()
