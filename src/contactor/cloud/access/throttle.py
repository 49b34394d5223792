"""How often somebody may try: so many at once, then so many an hour. Pure.

    throttle = Throttle(burst=5, per_hour=30)
    throttle.wait_ns("198.51.100.7", now_ns)        # 0: go on
    throttle.count("198.51.100.7", now_ns)

It counts what failed, by who tries; nobody is locked out by what others do. Addresses of IPv6 are
counted by their network.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contactor.clock import NS_PER_S
from contactor.errors import AccessRefused, TooManyTries

MAX_KEYS = 10_000
_NETWORK_BITS = 64
_HOUR_NS = 3_600 * NS_PER_S


@dataclass(slots=True)
class Throttle:
    """A bucket for each who tries; of too many the one not heard of for longest is forgotten.

    Fields:
        burst: how many at once.
        per_hour: how many more, evenly.
    """

    burst: int
    per_hour: int
    _full_ns: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """By key: when its bucket is whole again."""

    def wait_ns(self, key: str, now_ns: int) -> int:
        """How long until another try is allowed; 0 where it is now."""
        return max(
            self._full_ns.get(counted_as(key), 0) - now_ns - (self.burst - 1) * self._each_ns, 0
        )

    def count(self, key: str, now_ns: int) -> None:
        """Note a try that failed."""
        key = counted_as(key)
        full_ns = max(self._full_ns.pop(key, 0), now_ns) + self._each_ns
        self._full_ns[key] = full_ns
        while len(self._full_ns) > MAX_KEYS:
            self._full_ns.popitem(last=False)

    @contextmanager
    def trying(self, key: str, now_ns: int) -> Iterator[None]:
        """A try: not begun by who must wait, and noted where it is refused.

        Raises:
            TooManyTries: another is not allowed yet.
        """
        refuse_while(self.wait_ns(key, now_ns))
        try:
            yield
        except AccessRefused:
            self.count(key, now_ns)
            raise

    def forget(self, key: str) -> None:
        """Begin anew: it has succeeded."""
        self._full_ns.pop(counted_as(key), None)

    @property
    def _each_ns(self) -> int:
        return _HOUR_NS // self.per_hour


def counted_as(key: str) -> str:
    """By what tries are counted: who has one address of IPv6 has all of its network."""
    try:
        found = ipaddress.ip_address(key)
    except ValueError:
        return key
    if isinstance(found, ipaddress.IPv4Address):
        return key
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _NETWORK_BITS), strict=False))


def refuse_while(wait_ns: int) -> None:
    """Refuse another try while one has to wait.

    Raises:
        TooManyTries: `wait_ns` is more than none.
    """
    if wait_ns:
        raise TooManyTries(f"too many tries; again in {-(-wait_ns // NS_PER_S)} s")
