"""Clocks that begin again from zero, as one time that goes on.

A step back of more than half the period is the clock beginning again; a step forward to within a
second of a whole period is a frame from before that, late. Any other step back is time running
backwards in the recording, and stays.

    clock = WrappingClock(60 * NS_PER_S)
    clock.unwrapped(np.array([59, 1, 2]) * NS_PER_S)      # 59 s, 61 s, 62 s
    clock.unwrapped(np.array([3]) * NS_PER_S)             # 63 s: it remembers
"""

import numpy as np

from contactor.can.readers.lines import Mask, Positions, Spans, Text, window
from contactor.can.readers.numbers import decimal
from contactor.clock import NS_PER_MS, NS_PER_S

LATE_NS = NS_PER_S
LONGEST_TIME = 32
MAX_SEPARATORS = 4
COLON, DOT, COMMA = b":.,"


class WrappingClock:
    """Turns the readings of a clock that wraps into a time that does not, in order."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._last_ns: int | None = None
        self._turns = 0

    def unwrapped(self, clock_ns: Positions) -> Positions:
        """The time of each reading, (n,), counted from the turn of the first one ever given."""
        if not len(clock_ns):
            return clock_ns
        before = int(clock_ns[0]) if self._last_ns is None else self._last_ns
        steps = np.diff(clock_ns, prepend=before)
        begins_again = steps < -self._period_ns // 2
        is_late = steps > self._period_ns - LATE_NS
        turns = self._turns + np.cumsum(begins_again.astype(np.int64) - is_late)
        self._last_ns, self._turns = int(clock_ns[-1]), int(turns[-1])
        return clock_ns + turns * self._period_ns


def time_of_day(text: Text, spans: Spans) -> tuple[Positions, Mask]:
    """`h:m:s` with a fourth number of milliseconds after `.`, `,` or `:`, as nanoseconds of a day.

    The fourth number is a count, not a decimal fraction: `17:19:9.69` is 9 s and 69 ms. Numbers
    need no leading zeros; what follows a further separator is left to the caller.

    Returns:
        nanoseconds since midnight, and whether there were such four numbers.
    """
    characters = window(text, spans.starts, LONGEST_TIME)
    is_mark = (characters == COLON) | (characters == DOT) | (characters == COMMA)
    is_mark &= np.arange(LONGEST_TIME) < spans.lengths[:, None]
    count = np.cumsum(is_mark, axis=1, dtype=np.int8)
    is_time = count[:, -1] >= MAX_SEPARATORS - 1
    starts, numbers = spans.starts, []
    for number in range(1, MAX_SEPARATORS + 1):
        is_end = count == number
        ends = np.where(is_end.any(axis=1), spans.starts + is_end.argmax(axis=1), spans.ends)
        value, is_number = decimal(text, Spans(starts, np.maximum(ends, starts)))
        is_time &= is_number & (value >= 0)
        numbers.append(np.where(is_number, value, 0))
        starts = np.minimum(ends + 1, spans.ends)
    hours, minutes, seconds, milliseconds = numbers
    is_time &= (hours < 24) & (minutes < 60) & (seconds < 60) & (milliseconds < 1000)
    whole_s = np.where(is_time, (hours * 60 + minutes) * 60 + seconds, 0)
    return whole_s * NS_PER_S + np.where(is_time, milliseconds, 0) * NS_PER_MS, is_time
