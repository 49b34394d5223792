"""What to send next of one stream: the sender's half of the watermark protocol. Pure.

    acknowledged          cursor
    ─────┴─────────────────┴──────────────► sequence
    stored by the cloud  │ sent, unproven  │ not yet sent

It sends from the watermark on again when a connection begins, and when the watermark has stood
still for `STANDSTILL_NS` while something was out; it sends missing ranges when it is told of them.
A round counts the times of going back, so that a message sent again is never taken for the copy
that was lost.
"""

from collections import deque
from collections.abc import Sequence

from contactor.clock import NS_PER_S

STANDSTILL_NS = 10 * NS_PER_S
ASK_NS = 5 * NS_PER_S
REPEAT_MISSING_NS = 2 * NS_PER_S
MAX_IN_FLIGHT = 2_048


class SendWindow:
    """State of one stream's sending; `now_ns` is monotonic.

    `cursor` is the last sequence handed to the broker, `round` how often it went back.
    """

    def __init__(self, acknowledged: int, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self.acknowledged = acknowledged
        self.round = 0
        self._max_in_flight = max_in_flight
        self.cursor = acknowledged
        self._progress_ns = 0
        self._asked_ns = 0
        self._told_missing_ns = -REPEAT_MISSING_NS
        self._missing: deque[tuple[int, int]] = deque()

    def connected(self, now_ns: int) -> None:
        """A connection began: nothing that was out can be relied on."""
        self._go_back(now_ns)

    def heard(self, watermark: int, missing: Sequence[tuple[int, int]], now_ns: int) -> None:
        """The cloud has 1..watermark and lacks `missing` above it."""
        if watermark > self.acknowledged:
            self.acknowledged = watermark
            self.cursor = max(self.cursor, watermark)
            self._progress_ns = self._asked_ns = now_ns
        if missing and now_ns - self._told_missing_ns >= REPEAT_MISSING_NS:
            self._told_missing_ns = now_ns
            self.round += 1
            self._missing = deque((first, min(last, self.cursor)) for first, last in missing)

    def next(self, now_ns: int) -> tuple[int, int]:
        """Send up to `count` messages above `after`: (after, count); count 0 means wait."""
        if self._is_waiting and now_ns - self._progress_ns >= STANDSTILL_NS:
            self._go_back(now_ns)
        while self._missing:
            first, last = self._missing[0]
            first = max(first, self.acknowledged + 1)
            if first <= last:
                return first - 1, min(last - first + 1, self._max_in_flight)
            self._missing.popleft()
        room = self._max_in_flight - (self.cursor - self.acknowledged)
        return self.cursor, max(room, 0)

    def sent(self, after: int, last: int, now_ns: int) -> None:
        """Everything above `after` up to `last` has been handed to the broker."""
        if self._missing and after < self._missing[0][1]:
            _, end = self._missing.popleft()
            if last < end:
                self._missing.appendleft((last + 1, end))
            return
        if not self._is_waiting:
            self._progress_ns = self._asked_ns = now_ns
        self.cursor = max(self.cursor, last)

    def nothing_held(self, after: int) -> None:
        """The outbox holds nothing of the missing range that begins above `after`."""
        if self._missing and self._missing[0][0] >= after:
            self._missing.popleft()

    def should_ask(self, now_ns: int) -> bool:
        """Whether it is time to ask the cloud for its watermark; true once per `ASK_NS`."""
        if not self._is_waiting or now_ns - self._asked_ns < ASK_NS:
            return False
        self._asked_ns = now_ns
        return True

    @property
    def _is_waiting(self) -> bool:
        return self.cursor > self.acknowledged

    def _go_back(self, now_ns: int) -> None:
        self.round += 1
        self.cursor = self.acknowledged
        self._missing.clear()
        self._progress_ns = self._asked_ns = now_ns
