"""Whether the queue stands still: a car goes on saying that it holds more, and nothing comes.

A broker whose disk was full may keep a stream that takes nothing any more, though there is room
again, and answers nobody. Nothing in it is needed, for the cars hold what is not stored: it is
given up, and made anew.

    standstill = Standstill()
    standstill.came()                                   # a message was taken, or may be soon
    standstill.held(clock.monotonic_ns())               # a hello tells of more than came
    if standstill.is_too_long(): ...                    # true once, then after as long again
"""

from contactor.clock import NS_PER_S

PATIENCE_NS = 20 * NS_PER_S


class Standstill:
    """How long cars have held what does not come; `now_ns` is monotonic."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._told_ns = 0

    def came(self) -> None:
        """Something came, or nothing was asked for: all begins anew."""
        self._since_ns = None

    def held(self, now_ns: int) -> None:
        """A car says that it holds more than came."""
        if self._since_ns is None:
            self._since_ns = now_ns
        self._told_ns = now_ns

    def is_too_long(self) -> bool:
        """Whether to wait no longer; begins anew when it is so."""
        if self._since_ns is None or self._told_ns - self._since_ns < PATIENCE_NS:
            return False
        self._since_ns = None
        return True
