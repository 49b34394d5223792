"""Reader of the CAN logs of Battery-Emulator, from its web page, SD card or USB.

    (12.340) RX0 1DB [8] FF E0 B7 6A 00 FF F0 25      received on interface 0
    (12.35) TX3 18FF50E5 [2] 01 02                    sent on interface 1
    7556  54A  8  10 0 70 2 0 0 0 2B                  until 11/2024: milliseconds, id, length

The number after RX is twice the interface's, after TX one more. Ids are not padded: one above 0x7FF
is extended. The clock of the board begins again after 2^32 ms.
Source: Battery-Emulator, comm_can.cpp, `print_can_frame` and `dump_can_frame`; pull requests 248
and 607.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.clocks import WrappingClock
from contactor.can.readers.lines import Fields, Lines, Mask, Positions, window, words_of
from contactor.can.readers.numbers import (
    decimal,
    decimal_ns,
    hexadecimal,
    seconds_ns,
    spread_payload,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_MS

NAMED = rb"^\(\d+\.\d+\) [RT]X\d{1,3} [0-9A-F]{1,8} \[\d{1,2}\]"
PLAIN = rb"^\d+  [0-9A-F]{1,8}  [0-8]  (?:[0-9A-F]{1,2} ){0,8}[ \t]*\r?$"
FORM = re.compile(NAMED + rb"|" + PLAIN, re.MULTILINE)
NAMED_FORM = re.compile(NAMED[1:])
MILLISECOND_DIGITS = 6
CLOCK_PERIOD_NS = 2**32 * NS_PER_MS
OPENING, CLOSING, OPENING_BRACKET, CLOSING_BRACKET = b"()[]"
RECEIVED, SENT = np.frombuffer(b"RX", np.uint8), np.frombuffer(b"TX", np.uint8)


class BatteryEmulatorParser:
    """Parses lines of the one form or the other; remembers how often the clock began again."""

    is_stamped = True

    def __init__(self, *, is_named: bool) -> None:
        self._is_named = is_named
        self._clock = WrappingClock(CLOCK_PERIOD_NS)

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        return cls(is_named=NAMED_FORM.search(head) is not None)

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        words = words_of(lines)
        return self._named(lines, words) if self._is_named else self._plain(lines, words)

    def _named(self, lines: Lines, words: Fields) -> Parsed:
        text, stamp, interface, bracket = lines.text, words.at(0), words.at(1), words.at(3)
        clock_ns, is_frame = seconds_ns(text, stamp.trimmed(1, 1))
        is_frame &= (text[stamp.starts] == OPENING) & (text[stamp.ends - 1] == CLOSING)
        kind = window(text, interface.starts, len(RECEIVED))
        is_frame &= (kind == RECEIVED).all(axis=1) | (kind == SENT).all(axis=1)
        number, has_number = decimal(text, interface.trimmed(len(RECEIVED)))
        can_id, has_id = hexadecimal(text, words.at(2))
        length, has_length = decimal(text, bracket.trimmed(1, 1))
        is_frame &= has_number & has_id & has_length
        is_frame &= text[bracket.starts] == OPENING_BRACKET
        is_frame &= text[bracket.ends - 1] == CLOSING_BRACKET
        data, is_payload = spread_payload(text, words, 4, np.clip(length, 0, FD_BYTES))
        rows = FrameColumns(
            ts=self._time(clock_ns, is_frame),
            can_id=can_id,
            length=length,
            data=data,
            bus=number // 2,
        )
        return _settled(rows, is_frame=is_frame, is_payload=is_payload, words=words)

    def _plain(self, lines: Lines, words: Fields) -> Parsed:
        text, first = lines.text, words.at(0)
        clock_ns, has_time = decimal_ns(text, first, MILLISECOND_DIGITS)
        can_id, has_id = hexadecimal(text, words.at(1))
        length, has_length = decimal(text, words.at(2))
        data, is_payload = spread_payload(
            text, words, 3, np.clip(length, 0, FD_BYTES), fewest_digits=1
        )
        is_frame = has_time & has_id & has_length & (words.counts <= 3 + np.maximum(length, 0))
        rows = FrameColumns(
            ts=self._time(clock_ns, is_frame), can_id=can_id, length=length, data=data
        )
        return _settled(rows, is_frame=is_frame, is_payload=is_payload, words=words)

    def _time(self, clock_ns: Positions, is_frame: Mask) -> Positions:
        ts = np.zeros(len(clock_ns), np.int64)
        ts[is_frame] = self._clock.unwrapped(clock_ns[is_frame])
        return ts


def _settled(rows: FrameColumns, *, is_frame: Mask, is_payload: Mask, words: Fields) -> Parsed:
    return settle(
        rows,
        is_frame=is_frame,
        is_known=words.counts == 0,
        causes=((~is_payload & (rows.length <= FD_BYTES), Cause.SHORT),),
    )
