"""What is safe on the bus of the car in `car.py`, said once more, from its raw frames alone.

It shares nothing with the guard, the limits, the map or the encoder: ids, bits, checksum and rules
are written down here a second time. What somebody was honestly asked to do, the test tells it.

    oracle.says(t_s, can_id, data)          # a frame of the car
    oracle.allow(order)                     # somebody who may has asked for this
    oracle.is_asked(t_s, can_id, data)      # a frame to the car: unsafe ones are in `unsafe`
"""

from collections import Counter
from dataclasses import dataclass, field

MOVES_KMH = 0.5
SPEED_S, STATE_S = 2.0, 5.0
AHEAD_S = 10.0
SENDS = 3
EXCLUSION_S = 2.0
RATE_S = 1.0
SLACK_S = 1e-6

# CAN id → field → lowest bit, how many bits.
COMMANDS = {
    0x400: {
        "front left lock": (16, 2),
        "front right lock": (18, 2),
        "rear left lock": (20, 2),
        "rear right lock": (22, 2),
        "trunk lock": (24, 2),
    },
    0x404: {"charge": (16, 2), "charge limit": (18, 8)},
    0x408: {"climate": (16, 2), "temperature": (18, 10)},
    0x40C: {"window": (16, 8), "flap": (24, 2)},
}
LOCKS = frozenset(COMMANDS[0x400])
RATED = LOCKS | {"charge", "climate", "window"}
RANGES = {"charge limit": (50, 100), "temperature": (160, 280), "window": (0, 100)}
VEHICLE_SPEED, GEAR_STATE, CLIMATE_STATE, BODY_STATE = 0x104, 0x10C, 0x210, 0x410


@dataclass
class Order:
    """Something that a holder of a good key has asked for."""

    id: str
    field: str
    raw: int
    issued_s: float
    expires_s: float
    holder: str
    sends: int = 0
    is_accepted: bool = False
    is_over: bool = False


@dataclass
class Oracle:
    """Owns what the car said last, what was asked of it, and what was unsafe."""

    is_asleep: bool = False
    unsafe: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    _said: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    _orders: dict[str, Order] = field(default_factory=dict)
    _last: dict[str, tuple[float, int]] = field(default_factory=dict)
    _counts: dict[int, int] = field(default_factory=dict)

    # ── what the test tells it ───────────────────────────────────────────────────────────────────

    def says(self, t_s: float, can_id: int, data: bytes) -> None:
        self._said[can_id] = (t_s, data)

    def restart(self) -> None:
        """The agent begins anew, and counts its frames anew."""
        self._counts.clear()

    def allow(self, order: Order) -> None:
        self._orders[order.id] = order

    def revoke(self, holder: str) -> None:
        """The car has said that it knows: this key opens nothing any more."""
        for order in self._orders.values():
            if order.holder == holder:
                order.is_over = True

    def hear(self, order_id: str, state: str) -> None:
        """What the car says of an order; only one that it has accepted can end."""
        order = self._orders.get(order_id)
        if order is None:
            return
        if state == "accepted":
            order.is_accepted = True
            for other in self._orders.values():
                if other.field == order.field and other.issued_s < order.issued_s:
                    other.is_over = True
        elif order.is_accepted:
            order.is_over = True

    def forget(self, before_s: float) -> None:
        self._orders = {key: one for key, one in self._orders.items() if one.expires_s > before_s}

    # ── what is looked at ────────────────────────────────────────────────────────────────────────

    def is_asked(self, t_s: float, can_id: int, data: bytes) -> None:
        """Look at a frame that the agent put on the bus."""
        for what in self._wrong(t_s, can_id, data):
            self.unsafe.append(f"{t_s:.2f} s, {can_id:#x} {data.hex()}: {what}")

    def _wrong(self, t_s: float, can_id: int, data: bytes) -> list[str]:
        fields = COMMANDS.get(can_id)
        if fields is None or len(data) != 4:
            return ["no command of this car"]
        wrong = []
        if data[0] != checksum(can_id, data[1:]):
            wrong.append("checksum")
        count = data[1] & 0x0F
        if count != (self._counts.get(can_id, -1) + 1) % 15:
            wrong.append(f"count {count} after {self._counts.get(can_id)}")
        self._counts[can_id] = count
        number = int.from_bytes(data, "little")
        asked = {
            name: number >> low & ((1 << bits) - 1)
            for name, (low, bits) in fields.items()
            if number >> low & ((1 << bits) - 1) != (1 << bits) - 1
        }
        if len(asked) != 1:
            return [*wrong, f"asks for {asked}"]
        ((name, raw),) = asked.items()
        self.asked[name] += 1
        wrong += self._unsafe(t_s, name, raw)
        self._last[name] = (t_s, raw)
        return wrong

    def _unsafe(self, t_s: float, name: str, raw: int) -> list[str]:
        wrong = []
        low, high = RANGES.get(name, (0, 1))
        if not low <= raw <= high:
            wrong.append(f"{name} {raw}")
        if name in LOCKS | {"flap"} and not self._stands(t_s):
            wrong.append(f"{name} while the car moves")
        if name in LOCKS and self._bits(t_s, GEAR_STATE, 20, 4) != 0:
            wrong.append(f"{name} out of park")
        if name == "window" and self._bits(t_s, BODY_STATE, 8, 2) != 0:
            wrong.append("window while the child lock is on")
        if name == "temperature" and self._bits(t_s, CLIMATE_STATE, 0, 2) != 1:
            wrong.append("temperature while the climate is off")
        other = {"window": "flap", "flap": "window"}.get(name, "")
        if t_s - self._last.get(other, (-1e9, 0))[0] < EXCLUSION_S - SLACK_S:
            wrong.append(f"{name} with {other}")
        before_s, before = self._last.get(name, (-1e9, raw))
        if name in RATED and before != raw and t_s - before_s < RATE_S - SLACK_S:
            wrong.append(f"{name} {before} and {raw} within {t_s - before_s:.2f} s")
        if not self._is_wanted(t_s, name, raw):
            wrong.append(f"{name} {raw}: nobody who may has asked for it")
        return wrong

    def _is_wanted(self, t_s: float, name: str, raw: int) -> bool:
        wanted = [
            one
            for one in self._orders.values()
            if (one.field, one.raw) == (name, raw)
            and not one.is_over
            and one.sends < SENDS
            and one.issued_s - AHEAD_S <= t_s < one.expires_s
        ]
        if wanted:
            # Which it was, nobody can see; the oldest, for once a newer one is accepted it is over.
            min(wanted, key=lambda one: one.issued_s).sends += 1
        return bool(wanted)

    def _stands(self, t_s: float) -> bool:
        said_s, data = self._said.get(VEHICLE_SPEED, (None, b""))
        if said_s is None:
            return self.is_asleep
        if t_s - said_s > SPEED_S and not self.is_asleep:
            return False
        return int.from_bytes(data[2:4], "big") * 0.01 < MOVES_KMH

    def _bits(self, t_s: float, can_id: int, low: int, bits: int) -> int | None:
        """Little-endian bits of the car's last frame of that id; None where it is too old."""
        said_s, data = self._said.get(can_id, (None, b""))
        if said_s is None or (t_s - said_s > STATE_S and not self.is_asleep):
            return None
        return int.from_bytes(data, "little") >> low & ((1 << bits) - 1)


def checksum(can_id: int, rest: bytes) -> int:
    """AUTOSAR end-to-end Profile 1: the id's two bytes, then all but the checksum; 0x1D."""
    crc = 0
    for byte in (can_id & 0xFF, can_id >> 8, *rest):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc
