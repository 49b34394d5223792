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
from contactor.can.readers.numbers import MAX_TS_NS, NS_DIGITS, decimal
from contactor.clock import NS_PER_S

LATE_NS = NS_PER_S
LONGEST_TIME = 20
NUMBERS = 4
MS_DIGITS = 3
COLON, DOT, COMMA = b":.,"


class WrappingClock:
    """Turns the readings of a clock that wraps into a time that does not, in order."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._most_turns = MAX_TS_NS // period_ns
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
        # No recording is that long: more turns are a clock that is broken.
        turns = np.clip(turns, -self._most_turns, self._most_turns)
        self._last_ns, self._turns = int(clock_ns[-1]), int(turns[-1])
        return clock_ns + turns * self._period_ns


class StepSum:
    """Adds up the times between frames, in order."""

    def __init__(self) -> None:
        self._sum_ns = 0

    def times(self, steps_ns: Positions) -> Positions:
        """The time of each frame, (n,), given the time since the one before; none is negative."""
        # No recording is that long: the rest of it is a clock that is broken, and stands still.
        long = self._sum_ns + np.cumsum(steps_ns, dtype=np.float64)
        sums: Positions = self._sum_ns + np.cumsum(np.where(long < MAX_TS_NS, steps_ns, 0))
        self._sum_ns = int(sums[-1]) if len(sums) else self._sum_ns
        return sums


def time_of_day(text: Text, spans: Spans, *, has_decimals: bool = False) -> tuple[Positions, Mask]:
    """`h:m:s` and a fourth number after `.`, `,` or `:`, as nanoseconds of a day.

    Numbers need no leading zeros; what follows a further separator is left to the caller.

    Args:
        has_decimals: whether the fourth number is decimals of a second (9:0:1:5000 is 1.5 s), else
            it counts milliseconds (`17:19:9.69` is 9 s and 69 ms).

    Returns:
        nanoseconds since midnight, and whether there were such four numbers.
    """
    characters = window(text, spans.starts, LONGEST_TIME)
    is_mark = (characters == COLON) | (characters == DOT) | (characters == COMMA)
    is_mark &= np.arange(LONGEST_TIME) < spans.lengths[:, None]
    count = np.cumsum(is_mark, axis=1, dtype=np.int8)
    is_time = count[:, -1] >= NUMBERS - 1
    starts, ends = spans.starts, spans.ends
    numbers: list[Positions] = []
    for number in range(1, NUMBERS + 1):
        is_end = count == number
        starts = np.minimum(ends + 1, spans.ends) if numbers else spans.starts
        ends = np.where(is_end.any(axis=1), spans.starts + is_end.argmax(axis=1), spans.ends)
        value, is_number = decimal(text, Spans(starts, np.maximum(ends, starts)))
        is_time &= is_number & (value >= 0)
        numbers.append(np.where(is_number, value, 0))
    hours, minutes, seconds, rest = numbers
    digits = np.clip(ends - starts, 0, NS_DIGITS) if has_decimals else np.full_like(rest, MS_DIGITS)
    is_time &= (hours < 24) & (minutes < 60) & (seconds < 60) & (rest < 10**digits)
    whole_s = np.where(is_time, (hours * 60 + minutes) * 60 + seconds, 0)
    rest_ns = np.where(is_time, rest, 0) * 10 ** (NS_DIGITS - digits)
    return whole_s * NS_PER_S + rest_ns, is_time
