"""What time it is in a car whose clock may be wrong, and may be set while it drives. Pure.

A source stamps by a *steady* clock: a monotonic one plus a constant. UTC is that plus a shift.

    clock at boot     1970 ......... 1970 │ 12:00 ...   12:10 │ 12:05 ...          12:40 ...
    shift             unknown             │ known       kept │ kept while awake │ right again
                      rows wait           └ those that       └ the clock was    └ the car sleeps,
                                            waited are dated    set back 5 min      and 12:40 is
                                                                                    after the last

1. A clock before `EARLIEST_GOOD` was never set: the time is unknown, and rows wait for it.
2. While the car is awake the shift does not change, whatever the clock does: rows keep their order
   and their spacing.
3. Another time that has stood for `CONFIRM_NS` is taken once the car rests, or at the latest after
   `LATEST_NS`; never so that a stamp would lie before one given earlier.
4. After a start that finds the clock up to `MAX_BEHIND_NS` before the last stamp, stamps go on
   where they ended (then 3). One that is further behind is believed: what it says now is better
   than what it said before.

    timeline = Timeline(last_stamp=None)
    timeline.look(wall_ns, steady_ns, is_resting=False)     # whether the shift has changed
    timeline.shift_ns                                       # None while the time is unknown
"""

from contactor.clock import NS_PER_MS, NS_PER_S

EARLIEST_GOOD = 1_577_836_800 * NS_PER_S  # 2020-01-01T00:00:00Z
"""No Contactor is older; clocks that were never set say 1970, 1980, 2000 or 2010."""
JITTER_NS = 5 * NS_PER_MS
"""Two clocks are not read at one instant; what is less is no change."""
CONFIRM_NS = 30 * NS_PER_S
LATEST_NS = 12 * 3600 * NS_PER_S
MAX_BEHIND_NS = 3600 * NS_PER_S


class Timeline:
    """Owns the shift of one car.

    Args:
        last_stamp: ns UTC, the last that an earlier run of the agent gave; None for none.

    Fields:
        shift_ns: what is added to the steady clock's time; None while that is unknown.
    """

    def __init__(self, *, last_stamp: int | None = None) -> None:
        self.shift_ns: int | None = None
        self._last_stamp = last_stamp
        self._other: tuple[int, int] | None = None
        self._was_resting = False

    @property
    def last_stamp(self) -> int | None:
        """No stamp given so far is later, ns UTC; None for none."""
        return self._last_stamp

    def look(self, wall_ns: int, steady_ns: int, *, is_resting: bool) -> bool:
        """Compare the clocks, which were read just now; whether the shift has changed.

        Args:
            is_resting: the car is asleep, so that no row is under way.
        """
        if self.shift_ns is not None and not (is_resting and self._was_resting):
            self._last_stamp = max(self._last_stamp or 0, steady_ns + self.shift_ns)
        self._was_resting = is_resting
        if wall_ns < EARLIEST_GOOD:
            self._other = None
            return False
        told_ns = wall_ns - steady_ns
        if self.shift_ns is None:
            self.shift_ns = self._first(wall_ns, steady_ns)
            return True
        if abs(told_ns - self.shift_ns) <= JITTER_NS:
            self._other = None
            return False
        if self._other is None or abs(told_ns - self._other[0]) > JITTER_NS:
            self._other = (told_ns, steady_ns)
        stood_ns = steady_ns - self._other[1]
        is_due = (is_resting and stood_ns >= CONFIRM_NS) or stood_ns >= LATEST_NS
        if not is_due or wall_ns <= (self._last_stamp or 0):
            return False
        self.shift_ns, self._other = told_ns, None
        return True

    def _first(self, wall_ns: int, steady_ns: int) -> int:
        """The shift by the first good time."""
        behind_ns = 0 if self._last_stamp is None else self._last_stamp - wall_ns
        if 0 <= behind_ns <= MAX_BEHIND_NS and self._last_stamp is not None:
            return self._last_stamp + 1 - steady_ns
        self._last_stamp = wall_ns
        return wall_ns - steady_ns
