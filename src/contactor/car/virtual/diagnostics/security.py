"""Sessions of one control unit, and the lock of its protected services.

    default ─ 10 03 ─► extended ─ 27 01, 27 02 key ─► extended, unlocked
       ▲                  │ 5 s without a request, 10 01 or a reset
       └──────────────────┘

After three wrong keys no seed is given for ten seconds.

Source: ISO 14229-1:2020, 10.2, 10.4; S3 of the server 5 s, ISO 14229-2:2013, table 4.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from contactor.clock import NS_PER_S

DEFAULT, EXTENDED = 0x01, 0x03
S3_NS = 5 * NS_PER_S
MAX_ATTEMPTS = 3
DELAY_NS = 10 * NS_PER_S
SEED_BYTES = 4
_SECRET = 0xC0_17_AC_70

KeyOf = Callable[[bytes], bytes]
"""The key that belongs to a seed."""


def default_key(seed: bytes) -> bytes:
    """Our car's key: the seed turned left by 3 bits, exclusive-or C017AC70. No secret: a toy."""
    value = int.from_bytes(seed, "big")
    turned = (value << 3 | value >> 29) & 0xFFFF_FFFF
    return (turned ^ _SECRET).to_bytes(SEED_BYTES, "big")


@dataclass(slots=True)
class Session:
    """Owns in which session a control unit is, and whether it is unlocked.

    Args:
        seeds: where the seeds come from.
        key_of: which key opens it.
    """

    seeds: random.Random
    key_of: KeyOf = default_key
    kind: int = DEFAULT
    is_unlocked: bool = False
    _until_ns: int = 0
    _seed: bytes | None = None
    _attempts: int = 0
    _delayed_until_ns: int = 0

    def touch(self, now_ns: int) -> None:
        """A request came: a session that has run out is over, another one goes on."""
        if self.kind != DEFAULT and now_ns >= self._until_ns:
            self.enter(DEFAULT, now_ns)
        self._until_ns = now_ns + S3_NS

    def enter(self, kind: int, now_ns: int) -> None:
        """Begin a session; whatever was unlocked is locked."""
        self.kind, self.is_unlocked, self._seed = kind, False, None
        self._until_ns = now_ns + S3_NS

    def seed(self, now_ns: int) -> bytes | None:
        """A seed, all zeros where it is unlocked already; None while no more may be asked."""
        if now_ns < self._delayed_until_ns:
            return None
        if self.is_unlocked:
            return bytes(SEED_BYTES)
        if self._seed is None:
            self._seed = self.seeds.randrange(1, 1 << 8 * SEED_BYTES).to_bytes(SEED_BYTES, "big")
        return self._seed

    @property
    def has_given_seed(self) -> bool:
        """Whether a key is waited for."""
        return self._seed is not None

    def try_key(self, key: bytes, now_ns: int) -> bool | None:
        """Whether the key opens; None if it does not, and no other may be tried for now."""
        seed, self._seed = self._seed, None
        if seed is not None and key == self.key_of(seed):
            self.is_unlocked, self._attempts = True, 0
            return True
        self._attempts += 1
        if self._attempts < MAX_ATTEMPTS:
            return False
        self._attempts, self._delayed_until_ns = 0, now_ns + DELAY_NS
        return None
