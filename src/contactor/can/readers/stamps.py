"""Stamps in brackets, as `candump` writes them before a frame.

    (1700000000.000000)               -ta: seconds since 1970
    (2023-11-14 22:13:20.000000)      -tA: a date, of the zone of the recorder; taken as UTC
    (000.010000)                      -tz: seconds since the first frame
    (000.010000)                      -td: seconds since the frame before: these add up

Zero and delta stamps look the same. They are deltas where time would else go back or stand still in
a fifth of the steps, which no bus does.
Source: can-utils, candump.c, `sprint_timestamp`.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

import numpy as np

from contactor.can.readers.clocks import StepSum
from contactor.can.readers.lines import Fields, Lines, Mask, Positions, Spans, Text
from contactor.can.readers.numbers import decimal, decimal_ns, scaled_ns, seconds_ns
from contactor.can.readers.spreadsheet import is_scientific
from contactor.clock import NS_PER_DAY, NS_PER_S

OPENING, CLOSING, MINUS = b"()-"
DATE_BYTES, CLOCK_BYTES = len("(2023-11-14"), len("22:13:20")
DELTA_DIGITS = len("(000.000000)")
DELTA_SHARE = 0.2


class StampKind(Enum):
    """What the stamps of a log count from."""

    NONE = auto()
    SECONDS = auto()
    DELTA = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """The stamps of n lines.

    Fields:
        ts: nanoseconds, as written; 0 where there is none.
        is_there: whether the line begins with a bracket that closes.
        is_time: whether that is a time.
        has_lost_digits: whether it is a number like `1.61E+09`, which has lost its digits.
        words: how many words it takes, 0, 1 or 2.
    """

    ts: Positions
    is_there: Mask
    is_time: Mask
    has_lost_digits: Mask
    words: Positions


class StampReader:
    """Turns stamps into times; remembers the sum of deltas."""

    def __init__(self, kind: StampKind) -> None:
        self.kind = kind
        self._sum = StepSum()

    @classmethod
    def of(cls, lines: Lines, words: Fields, is_frame: Mask) -> Self:
        """A reader for the log whose first lines are these, frames where it is said so."""
        stamps = read_stamps(lines.text, words)
        is_time = stamps.is_time & is_frame
        ts = stamps.ts[is_time]
        if not (stamps.is_there & is_frame).any():
            return cls(StampKind.NONE)
        steps = np.diff(ts)
        # The recorder writes three digits, and zero where time would go back.
        is_delta = (
            len(steps) > 1
            and int(ts.max()) < NS_PER_DAY
            and int(words.at(0).lengths[is_time].min()) == DELTA_DIGITS
            and (steps <= 0).mean() >= DELTA_SHARE
        )
        return cls(StampKind.DELTA if is_delta else StampKind.SECONDS)

    def times(self, ts: Positions, is_frame: Mask) -> Positions:
        """The times of the lines with frames."""
        if self.kind is not StampKind.DELTA:
            return ts
        return self._sum.times(np.where(is_frame, np.clip(ts, 0, NS_PER_DAY), 0))


def read_stamps(text: Text, words: Fields) -> Stamps:
    """The stamp at the beginning of each line, if there is one."""
    first = words.at(0)
    is_open = (words.counts > 0) & (text[first.starts] == OPENING)
    is_closed = is_open & (text[first.ends - 1] == CLOSING)
    ts, is_seconds = seconds_ns(text, first.trimmed(1, 1))
    is_time = is_closed & is_seconds
    has_lost_digits = np.zeros(len(is_time), np.bool_)
    odd = np.flatnonzero(is_closed & ~is_seconds)
    if len(odd):
        has_lost_digits[odd] = is_scientific(
            text, Spans(first.starts[odd] + 1, first.ends[odd] - 1)
        )
    is_dated = is_open & ~is_closed & (text[first.starts + DATE_BYTES - 3] == MINUS)
    if is_dated.any():
        second = words.at(1)
        dated_ns, is_date = _dated_ns(text, first, second)
        is_dated &= is_date & (text[second.ends - 1] == CLOSING)
        ts = np.where(is_dated, dated_ns, ts)
        is_time |= is_dated
    else:
        is_dated[:] = False
    return Stamps(
        np.where(is_time, ts, 0),
        is_closed | is_dated,
        is_time,
        has_lost_digits,
        is_closed + 2 * is_dated,
    )


def counts_ns(text: Text, spans: Spans, unit_digits: int) -> tuple[Positions, Mask, Mask, Mask]:
    """Stamps that are counts of a unit, mostly whole ones.

    Args:
        unit_digits: as of `decimal_ns`.

    Returns:
        nanoseconds; whether there is a number; whether it fits; whether it has lost its digits.
    """
    units, has_time = decimal(text, spans)
    ts, is_in_time = scaled_ns(units, 10**unit_digits)
    has_lost_digits = np.zeros(len(ts), np.bool_)
    odd = np.flatnonzero(~has_time & (spans.lengths > 0))
    if len(odd):
        pieces = Spans(spans.starts[odd], spans.ends[odd])
        ts[odd], has_time[odd] = decimal_ns(text, pieces, unit_digits)
        is_in_time[odd] = True
        has_lost_digits[odd] = is_scientific(text, pieces)
    return ts, has_time, is_in_time, has_lost_digits


def days_since_1970(year: Positions, month: Positions, day: Positions) -> Positions:
    """Days from 1970-01-01 in the Gregorian calendar, (n,).

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    """
    year = year - (month <= 2)
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days: Positions = era * 146_097 + day_of_era - 719_468
    return days


def _dated_ns(text: Text, date: Spans, clock: Spans) -> tuple[Positions, Mask]:
    """`(2023-11-14` and `22:13:20.000000)` as nanoseconds since 1970."""
    is_date = (date.lengths == DATE_BYTES) & (clock.lengths >= CLOCK_BYTES + 1)
    numbers = []
    for spans, start, end in (
        (date, 1, 5),
        (date, 6, 8),
        (date, 9, 11),
        (clock, 0, 2),
        (clock, 3, 5),
    ):
        value, is_number = decimal(text, Spans(spans.starts + start, spans.starts + end))
        is_date &= is_number & (value >= 0)
        numbers.append(np.where(is_number, value, 0))
    year, month, day, hour, minute = numbers
    second_ns, is_second = seconds_ns(
        text, Spans(np.minimum(clock.starts + 6, clock.ends), clock.ends - 1)
    )
    is_date &= is_second & (second_ns >= 0) & (second_ns < 61 * NS_PER_S)
    is_date &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    is_date &= (hour < 24) & (minute < 60) & (year >= 1970) & (year < 2116)
    days = np.where(is_date, days_since_1970(year, month, day), 0)
    minutes = np.where(is_date, hour * 60 + minute, 0)
    return days * NS_PER_DAY + minutes * 60 * NS_PER_S + second_ns, is_date
