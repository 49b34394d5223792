"""Whoever wants the car to do what it must not: with good keys, bad keys, old words and noise.

attacks = Attacks(keys, oracle, random)
payload = attacks.next(t_s)             # of one of KINDS, which are counted
"""

from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec

from contactor.clock import NS_PER_S
from contactor.link.command_messages import encode_command, encode_signed
from contactor.link.identities.grants import CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.signals.command import Command
from contactor.signals.grant import SealedGrant
from contactor.signals.record import Scalar
from contactor.signals.rights import EVERY_VEHICLE, Right
from contactor.signals.signed_command import encode_body
from tests.car.agent.hostile.car import CLIMATE, FLAP, TEMPERATURE, WINDOW
from tests.car.agent.hostile.oracle import Oracle, Order
from tests.car.agent.signing import NOW, Keys

LONG_S = 1e8
DOORS = "Vehicle.Cabin.Door.Row"
CHARGING = "Vehicle.Powertrain.TractionBattery.Charging."
VIRTUAL = "Vehicle.Contactor.VirtualCar."
LOCKS = {
    f"{DOORS}1.DriverSide.IsLocked": "front left lock",
    f"{DOORS}1.PassengerSide.IsLocked": "front right lock",
    f"{DOORS}2.DriverSide.IsLocked": "rear left lock",
    f"{DOORS}2.PassengerSide.IsLocked": "rear right lock",
    "Vehicle.Body.Trunk.Rear.IsLocked": "trunk lock",
}
FIELDS = {
    **LOCKS,
    f"{CHARGING}ChargeLimit": "charge limit",
    f"{CHARGING}StartStopCharging": "charge",
    CLIMATE: "climate",
    TEMPERATURE: "temperature",
    WINDOW: "window",
    FLAP: "flap",
}
KINDS = (
    *("honest", "honest", "honest", "guest", "both at once", "reordered"),
    *("replayed", "replayed", "noise", "altered", "expired", "from the future", "too long"),
    *("wrong car", "no right", "ended key", "key of another car", "another authority"),
    *("another's key", "revoked key", "not signed", "out of range", "wrong type", "broken by"),
    "unknown",
)
REMEMBERED = 400


class Attacks:
    """Owns the keys, good and bad, and all that was ever sent."""

    def __init__(self, keys: Keys, oracle: Oracle, rng: Random) -> None:
        self._keys, self._oracle, self._rng = keys, oracle, rng
        self._pairs = {"cloud": KeyPair.make(), "guest": KeyPair.make()}
        rights = {"cloud": tuple(Right), "guest": (Right.OPEN, Right.COMFORT)}
        self._good = {name: self._signer(name, rights[name]) for name in self._pairs}
        self._thief = KeyPair.make()
        self._bad = {
            "no right": (self._grant(rights=(Right.COMFORT, Right.SEE))),
            "ended key": self._grant(ends_in_s=-1),
            "key of another car": self._grant(vehicle_id="elm"),
            "another authority": Keys().grant(self._thief, ends_in_s=LONG_S),
            "another's key": keys.grant(self._pairs["guest"], ends_in_s=LONG_S),
        }
        self._revoked = [self._grant(name="stolen")]
        self._number = 0
        self._sent: list[bytes] = []
        self._waiting: list[bytes] = []
        self.made: Counter[str] = Counter()
        self.revoked_ids = ["stolen"]
        self.counter = 1

    def next(self, t_s: float) -> bytes:
        """Something to send."""
        if self._waiting:
            payload = self._waiting.pop(0)
        else:
            kind = self._rng.choice(KINDS)
            self.made[kind] += 1
            payload = self._make(kind, t_s)
        self._sent.append(payload)
        if len(self._sent) > REMEMBERED:
            del self._sent[self._rng.randrange(REMEMBERED)]
        return payload

    def revoke_guest(self) -> tuple[bytes, str]:
        """Take the guest's key back; the list, and the key. The guest gets another one."""
        old = self._guest_id
        self.counter += 1
        stolen, *others = self.revoked_ids
        self.revoked_ids = [stolen, *others[-50:], old]
        self._good["guest"] = self._signer("guest", (Right.OPEN, Right.COMFORT))
        return self._keys.revoked(self.counter, *self.revoked_ids), old

    def old_list(self) -> bytes:
        """A list from before, in which the thief's key is good."""
        return self._keys.revoked(self._rng.randrange(self.counter + 1))

    # ── what is made ─────────────────────────────────────────────────────────────────────────────

    def _make(self, kind: str, t_s: float) -> bytes:
        makers: dict[str, Callable[[float], bytes]] = {
            "honest": lambda t_s: self._honest("cloud", t_s),
            "guest": lambda t_s: self._honest("guest", t_s),
            "both at once": self._both_at_once,
            "reordered": self._reordered,
            "replayed": self._replayed,
            "noise": self._noise,
            "altered": self._altered,
            "expired": lambda t_s: self._by_cloud(self._wish(t_s, made_s=t_s - 40, life_s=30)),
            # Too early now; said again later it is as good as any.
            "from the future": lambda t_s: self._allowed("cloud", self._wish(t_s, made_s=t_s + 15)),
            "too long": lambda t_s: self._by_cloud(self._wish(t_s, life_s=4_000)),
            "wrong car": lambda t_s: self._by_cloud(self._wish(t_s, vehicle_id="elm")),
            "revoked key": lambda t_s: self._by_thief(self._revoked[0], self._wish(t_s)),
            "not signed": lambda t_s: encode_command(self._wish(t_s)),
            "out of range": self._out_of_range,
            "wrong type": self._wrong_type,
            "broken by": lambda t_s: self._by_cloud(
                self._wish(t_s, f"{VIRTUAL}Fault.ContactorWeld", value=True)
            ),
            "unknown": lambda t_s: self._by_cloud(self._wish(t_s, "Vehicle.Speed", 0.0)),
            "no right": lambda t_s: self._by_thief(
                self._bad["no right"], self._wish(t_s, self._rng.choice([*LOCKS, WINDOW, FLAP]))
            ),
        }
        maker = makers.get(kind)
        if maker is not None:
            return maker(t_s)
        return self._by_thief(self._bad[kind], self._wish(t_s))

    def _honest(self, who: str, t_s: float, path: str | None = None) -> bytes:
        """Who may, asks for what can be asked; whether it is safe now, the car must know."""
        wish = self._wish(t_s, path, life_s=self._rng.choice((0.5, 5, 30)))
        return self._allowed(who, wish)

    def _allowed(self, who: str, wish: Command) -> bytes:
        value = wish.value
        raw = {"STOP": 0, "START": 1}.get(value) if isinstance(value, str) else None
        if raw is None:
            raw = round(float(value) * (10 if wish.path == TEMPERATURE else 1))
        order = Order(
            wish.id,
            FIELDS[wish.path],
            raw,
            (wish.issued_at - NOW) / NS_PER_S,
            (wish.expires_at - NOW) / NS_PER_S,
            "cloud" if who == "cloud" else self._guest_id,
        )
        self._oracle.allow(order)
        return encode_signed(self._good[who].sign(wish))

    def _both_at_once(self, t_s: float) -> bytes:
        first, second = self._rng.sample([WINDOW, FLAP], 2)
        self._waiting.append(self._honest("cloud", t_s, second))
        return self._honest("cloud", t_s, first)

    def _reordered(self, t_s: float) -> bytes:
        """Two for one actuator; the later one comes first."""
        path = self._rng.choice(list(FIELDS))
        older = self._wish(t_s, path, made_s=t_s - 0.002)
        newer = self._wish(t_s, path, made_s=t_s - 0.001)
        self._waiting.append(self._allowed("cloud", older))
        return self._allowed("guest", newer)

    def _replayed(self, t_s: float) -> bytes:
        return self._rng.choice(self._sent) if self._sent else self._honest("cloud", t_s)

    def _noise(self, t_s: float) -> bytes:
        """Something good with some of its bits changed, or bytes at random."""
        rng = self._rng
        if rng.random() < 0.2:
            return rng.randbytes(rng.randrange(600))
        spoilt = bytearray(self._honest("cloud", t_s))
        for _ in range(rng.randrange(1, 4)):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        return bytes(spoilt)

    def _altered(self, t_s: float) -> bytes:
        """What was asked for is put to another use; the signature is that of the first."""
        signed = self._good["cloud"].sign(self._wish(t_s))
        body = encode_body(self._wish(t_s))
        return encode_signed(msgspec.structs.replace(signed, body=body))

    def _out_of_range(self, t_s: float) -> bytes:
        path, values = self._rng.choice(
            [
                (f"{CHARGING}ChargeLimit", (0, 49, 101, 255)),
                (TEMPERATURE, (15.9, 28.1, 102.3, -40.0, 1e30)),
                (WINDOW, (101, 255, -1, 2**40)),
            ]
        )
        return self._by_cloud(self._wish(t_s, path, self._rng.choice(values)))

    def _wrong_type(self, t_s: float) -> bytes:
        path = self._rng.choice(list(FIELDS))
        return self._by_cloud(self._wish(t_s, path, "\x00 or 1=1"))

    # ── keys and wishes ──────────────────────────────────────────────────────────────────────────

    def _by_cloud(self, wish: Command) -> bytes:
        return encode_signed(self._good["cloud"].sign(wish))

    def _by_thief(self, grant: SealedGrant, wish: Command) -> bytes:
        return encode_signed(CommandSigner(self._thief, grant).sign(wish))

    def _signer(self, name: str, rights: tuple[Right, ...]) -> CommandSigner:
        self._guest_id = f"guest-{self._rng.randrange(2**40)}"
        grant = self._keys.grant(
            self._pairs[name],
            vehicle_id=EVERY_VEHICLE if name == "cloud" else "leaf",
            rights=rights,
            ends_in_s=LONG_S,
            name=self._guest_id,
        )
        return CommandSigner(self._pairs[name], grant)

    def _grant(self, **how: object) -> SealedGrant:
        return self._keys.grant(self._thief, **{"ends_in_s": LONG_S, **how})  # type: ignore[arg-type]

    def _wish(
        self,
        t_s: float,
        path: str | None = None,
        value: Scalar | None = None,
        *,
        vehicle_id: str = "leaf",
        made_s: float | None = None,
        life_s: float = 30.0,
    ) -> Command:
        path = path or self._rng.choice(list(FIELDS))
        self._number += 1
        issued_at = NOW + round((t_s if made_s is None else made_s) * NS_PER_S)
        return Command(
            f"o{self._number}",
            vehicle_id,
            path,
            self._value(path) if value is None else value,
            "anybody",
            issued_at,
            issued_at + round(life_s * NS_PER_S),
        )

    def _value(self, path: str) -> Scalar:
        if path == WINDOW:
            return self._rng.randrange(101)
        if path == TEMPERATURE:
            return self._rng.randrange(160, 281) / 10
        if path.endswith("ChargeLimit"):
            return self._rng.randrange(50, 101)
        if path.endswith("StartStopCharging"):
            return self._rng.choice(("START", "STOP"))
        return self._rng.random() < 0.5
