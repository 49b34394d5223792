"""An hour of hostile commands (`make fuzz`; a minute in the suite) and not one unsafe frame.

CONTACTOR_FUZZ_S is how long, CONTACTOR_FUZZ_SEED which; both are printed where it fails.
"""

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from contactor.car.agent import desk as desk_module
from contactor.car.agent.desk import CommandDesk
from contactor.car.agent.outbox import Outbox
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_S, FakeClock
from contactor.link import topics
from contactor.link.command_messages import decode_report, decode_revocations_heard
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.ports import Subscription
from tests.car.agent.hostile.attacks import KINDS, Attacks
from tests.car.agent.hostile.car import HostileCar, make_profile
from tests.car.agent.hostile.oracle import BODY_STATE, COMMANDS, VEHICLE_SPEED, Oracle, Order
from tests.car.agent.hostile.oracle import checksum as sum_of
from tests.car.agent.signing import NOW, Keys

SECONDS = float(os.environ.get("CONTACTOR_FUZZ_S") or 60)
SEED = int(os.environ.get("CONTACTOR_FUZZ_SEED") or 1)
REASONS = (
    *("not while moving", "not while", "only while", "excluded", "rate limit", "out of range"),
    *("virtual only", "no limit entry", "expired", "not fresh", "superseded", "wrong car"),
    *("grant", "grant ended", "grant revoked", "signature", "no right", "not signed"),
)
ENOUGH = 4_000
"""Commands, among which each attack and each refusal is to be found."""
TURNS = 30
"""Of the loop after each step: enough for all that was sent to be heard, done and answered."""


@dataclass
class Siege:
    """The agent's desk, the car that it serves, and who is after it; the clock runs faster."""

    profile: Profile
    seed: int
    oracle: Oracle = field(default_factory=Oracle)
    reasons: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    restarts: int = 0

    async def run(self, seconds: float) -> None:
        self._rng = random.Random(self.seed)
        self._keys, self._clock, self._broker = Keys(), FakeClock(NOW), MemoryBroker()
        self.attacks = Attacks(self._keys, self.oracle, self._rng)
        self.car = HostileCar(self.profile, self.oracle, self._clock, self._rng)
        self._link, self._outbox = MemoryTransport(self._broker), Outbox(":memory:")
        self._revoking: dict[int, str] = {}
        reports = await self._link.subscribe(topics.ALL_REPORTS)
        answers = await self._link.subscribe(topics.ALL_REVOKED_HEARD)
        self._start()
        await self._turn(reports, answers)
        stolen = self._keys.revoked(self.attacks.counter, *self.attacks.revoked_ids)
        await self._link.publish(topics.revoked("leaf"), stolen)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and not self.oracle.unsafe:
                await self._step()
                await self._turn(reports, answers)
        finally:
            await self._stop()
            self._outbox.close()

    def _start(self) -> None:
        self.desk = CommandDesk(
            vehicle_id="leaf",
            profile=self.profile,
            source=self.car,
            transport=MemoryTransport(self._broker),
            outbox=self._outbox,
            clock=self._clock,
            verifier=self._keys.checker,
        )
        self._running = asyncio.create_task(self.desk.run())

    async def _stop(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _step(self) -> None:
        rng = self._rng
        self._clock.advance(rng.choice((0.1, 0.1, 0.1, 0.3, 1.0)))
        self.desk.read(self.car.live())
        for _ in range(rng.randrange(16)):
            self.sent += 1
            await self._link.publish(topics.command("leaf"), self.attacks.next(self.car.t_s))
        if rng.random() < 0.01:
            payload, key = self.attacks.revoke_guest()
            self._revoking[self.attacks.counter] = key
            await self._link.publish(topics.revoked("leaf"), payload)
        if rng.random() < 0.05:
            await self._link.publish(topics.revoked("leaf"), self.attacks.old_list())
        if rng.random() < 0.002:
            await self._restart()
        self.oracle.forget(self.car.t_s - 60)

    async def _restart(self) -> None:
        """The agent dies and begins anew, which takes its time."""
        await self._stop()
        self.restarts += 1
        self._clock.advance(3.0)
        self.oracle.restart()
        self._start()
        await asyncio.sleep(0)

    async def _turn(self, reports: Subscription, answers: Subscription) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0005)
        while (message := await reports.next(0.0)) is not None:
            report = decode_report(message.payload)
            self.states[report.state] += 1
            self.oracle.hear(report.command_id, report.state)
            if report.reason is not None:
                self.reasons[report.reason.partition(":")[0]] += 1
        while (message := await answers.next(0.0)) is not None:
            key = self._revoking.pop(decode_revocations_heard(message.payload).counter, None)
            if key is not None:
                self.oracle.revoke(key)

    def told(self) -> str:
        lived_s = (self._clock.now_ns() - NOW) / NS_PER_S
        return (
            f"seed {self.seed}: {self.sent} commands in {lived_s:.0f} s of the car's time,"
            f" {self.restarts} restarts\nkinds {dict(self.attacks.made)}\nframes"
            f" {dict(self.oracle.asked)}\nstates {dict(self.states)}\nreasons {dict(self.reasons)}"
            f"\ncar {self.car.seconds}\nunsafe {self.oracle.unsafe[:5]}"
        )


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profiles") / "hostile_car")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The car's clock runs faster than ours: the desk looks more often."""
    monkeypatch.setattr(desk_module, "LOOK_S", 0.001)


def test_no_hostile_command_puts_an_unsafe_frame_on_the_bus(profile: Profile) -> None:
    siege = Siege(profile, SEED)
    asyncio.run(siege.run(SECONDS))
    told = siege.told()
    print(told)
    assert not siege.oracle.unsafe, told
    # It was a siege: all was tried, the car did what it should, and said why not.
    if siege.sent >= ENOUGH:
        assert set(siege.attacks.made) == set(KINDS), told
        assert set(siege.oracle.asked) == {name for one in COMMANDS.values() for name in one}, told
        assert set(REASONS) <= set(siege.reasons), (set(REASONS) - set(siege.reasons), told)
        assert siege.states["done"] > 10, told


# ── the oracle itself ────────────────────────────────────────────────────────────────────────────


def frame(can_id: int, *, count: int = 0, **asks: int) -> bytes:
    number = (1 << 32) - 1
    for name, raw in asks.items():
        low, bits = COMMANDS[can_id][name.replace("_", " ")]
        number = number & ~(((1 << bits) - 1) << low) | raw << low
    rest = bytes([count, *number.to_bytes(4, "little")[2:]])
    return bytes([sum_of(can_id, rest)]) + rest


def oracle_of(speed_kmh: float, **order: object) -> Oracle:
    oracle = Oracle()
    raw = round(speed_kmh * 100).to_bytes(2, "big")
    oracle.says(0.0, VEHICLE_SPEED, bytes([0, 0, *raw, 0, 0]))
    oracle.says(0.0, 0x10C, bytes([0, 0, 0]))
    oracle.says(0.0, BODY_STATE, bytes([0, 0, 0]))
    oracle.allow(Order("o", **{**WISH, **order}))  # type: ignore[arg-type]
    return oracle


WISH = {
    "field": "trunk lock",
    "raw": 0,
    "issued_s": 0.0,
    "expires_s": 9.0,
    "holder": "cloud",
}


def test_oracle_lets_what_is_safe_pass() -> None:
    oracle = oracle_of(0.0)
    oracle.is_asked(0.1, 0x400, frame(0x400, trunk_lock=0))
    assert oracle.unsafe == []


@pytest.mark.parametrize(
    ("t_s", "speed_kmh", "data", "order", "what"),
    [
        (0.1, 3.0, frame(0x400, trunk_lock=0), {}, "while the car moves"),
        (2.1, 0.0, frame(0x400, trunk_lock=0), {}, "while the car moves"),
        (0.1, 0.0, frame(0x400, trunk_lock=1), {}, "nobody who may has asked"),
        (0.1, 0.0, frame(0x400, trunk_lock=0), {"expires_s": 0.1}, "nobody who may has asked"),
        (0.1, 0.0, frame(0x400, trunk_lock=0), {"sends": 3}, "nobody who may has asked"),
        (0.1, 0.0, frame(0x400, trunk_lock=0, front_left_lock=0), {}, "asks for"),
        (0.1, 0.0, frame(0x400, count=3, trunk_lock=0), {}, "count 3"),
        (0.1, 0.0, b"\x00" + frame(0x400, trunk_lock=0)[1:], {}, "checksum"),
        (0.1, 0.0, frame(0x400, trunk_lock=2), {"raw": 2}, "trunk lock 2"),
    ],
)
def test_oracle_sees_what_is_unsafe(
    t_s: float, speed_kmh: float, data: bytes, order: dict[str, object], what: str
) -> None:
    oracle = oracle_of(speed_kmh, **order)
    oracle.is_asked(t_s, 0x400, data)
    assert any(what in one for one in oracle.unsafe), oracle.unsafe


def test_oracle_sees_what_the_lever_the_child_lock_and_exclusion_forbid() -> None:
    oracle = oracle_of(0.0)
    oracle.says(0.0, 0x10C, bytes([0, 0, 0x30]))
    oracle.is_asked(0.1, 0x400, frame(0x400, trunk_lock=0))
    oracle.allow(Order("w", "window", 50, 0.0, 9.0, "cloud"))
    oracle.allow(Order("f", "flap", 1, 0.0, 9.0, "cloud"))
    oracle.is_asked(0.2, 0x40C, frame(0x40C, flap=1))
    oracle.says(0.2, BODY_STATE, bytes([0, 1, 0]))
    oracle.is_asked(0.3, 0x40C, frame(0x40C, count=1, window=50))
    oracle.is_asked(0.3, 0x6F4, bytes(5))
    assert [one.rpartition(": ")[2] for one in oracle.unsafe] == [
        "trunk lock out of park",
        "window while the child lock is on",
        "window with flap",
        "no command of this car",
    ]
