"""What waits for its answer for a short while: each taken once, so many at most.

    steps = Pending[str](life_s=300.0, most=10_000, clock=clock)
    steps.put(key, "mia")
    steps.take(key)             # 'mia'; None the second time, or when it is over

In memory alone: who was on the way in when an instance ended begins anew. Any thread may call.
"""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from contactor.clock import NS_PER_S, Clock

_What = TypeVar("_What")


class Pending(Generic[_What]):
    """Holds them by key; of too many the one that waits for longest is dropped.

    Args:
        life_s: how long each is good.
        most: how many wait at once.
    """

    def __init__(self, *, life_s: float, most: int, clock: Clock) -> None:
        self._life_ns, self._most, self._clock = int(life_s * NS_PER_S), most, clock
        self._held: OrderedDict[str, tuple[int, _What]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: str, what: _What) -> None:
        """Have something wait."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            self._held[key] = (now_ns + self._life_ns, what)
            self._held.move_to_end(key)
            while len(self._held) > self._most or self._is_over(now_ns):
                self._held.popitem(last=False)

    def look(self, key: str) -> _What | None:
        """What waits there, and goes on waiting."""
        with self._lock:
            return self._good(self._held.get(key))

    def take(self, key: str) -> _What | None:
        """What waited there; it does no longer."""
        with self._lock:
            return self._good(self._held.pop(key, None))

    def _is_over(self, now_ns: int) -> bool:
        """Whether the one that waits for longest is."""
        until_ns, _ = next(iter(self._held.values()))
        return until_ns <= now_ns

    def _good(self, found: tuple[int, _What] | None) -> _What | None:
        if found is None or found[0] <= self._clock.monotonic_ns():
            return None
        return found[1]
