"""How many wrong codes one host may try: ten at once, then one every six seconds. No I/O.

guesses = Guesses()
guesses.may_try("10.0.0.7", now_ns)
guesses.was_wrong("10.0.0.7", now_ns)

Only wrong codes count, and only against the host that they came from: nobody is locked out by
another's guesses, and a car that has a certificate never is.
"""

from collections import OrderedDict
from typing import Final

from contactor.clock import NS_PER_S

AT_ONCE: Final = 10
AGAIN_NS: Final = 6 * NS_PER_S
HOSTS: Final = 10_000
"""The host that was wrong longest ago is forgotten first."""


class Guesses:
    """Owns the count of every host."""

    def __init__(self) -> None:
        self._paid_until: OrderedDict[str, int] = OrderedDict()
        """By host: when all its wrong guesses will have been forgiven, ns."""

    def may_try(self, host: str, now_ns: int) -> bool:
        """Whether the host may try a code now."""
        return self._paid_until.get(host, 0) - now_ns <= (AT_ONCE - 1) * AGAIN_NS

    def was_wrong(self, host: str, now_ns: int) -> None:
        """The host tried a code that is none."""
        begun = max(self._paid_until.pop(host, 0), now_ns)
        self._paid_until[host] = begun + AGAIN_NS
        if len(self._paid_until) > HOSTS:
            self._paid_until.popitem(last=False)
