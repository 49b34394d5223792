"""Reader of what `candump` shows on a screen, kept as text (can-utils).

      can0  1DB   [8]  FF E0 B7 6A 00 FF F0 25                  no time at all
     (1700000000.000000)  can0  18FF50E5   [2]  01 02           -ta, -tz
      can0  RX B -  1DB  [12]  00 11 22 33 44 55 66 77 88 99 AA BB   -x; CAN FD: two digits
      can0  123   [4]  remote request
      can0  20000004   [8]  00 01 00 00 00 00 00 00   ERRORFRAME

A frame without a stamp is taken to come 1 ms after the one before it. What a terminal wrote between
the frames is refused line by line.
"""

import re
from dataclasses import replace
from typing import Self

import numpy as np

from contactor.can.frames import MAX_EXTENDED_ID
from contactor.can.readers.candump import CLOSING, ERROR_FLAG, OPENING, STANDARD_ID_DIGITS
from contactor.can.readers.interfaces import InterfaceNumbers
from contactor.can.readers.lines import Fields, Lines, Positions, Spans, begins_with, words_of
from contactor.can.readers.numbers import decimal, hexadecimal, seconds_ns, spread_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_MS

FORM = re.compile(
    rb"^[ \t]*(\(\d+\.\d+\)[ \t]+)?\S+[ \t]+(\S+[ \t]+){0,3}[0-9A-F]{3,8}[ \t]+\[\d{1,2}\]",
    re.MULTILINE,
)
STAMPED = re.compile(rb"^[ \t]*\(\d+\.\d+\)[ \t]+\S+[ \t]+[^\r\n]*\[\d{1,2}\]", re.MULTILINE)
OPENING_BRACKET, CLOSING_BRACKET = b"[]"
FD_LENGTH_DIGITS = 2
ASSUMED_STEP_NS = NS_PER_MS


class CandumpScreenParser:
    """Parses lines; remembers the interfaces' numbers and how many frames there were."""

    def __init__(self, *, is_stamped: bool) -> None:
        self._interfaces = InterfaceNumbers()
        self.is_stamped = is_stamped
        self._frames = 0

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        return cls(is_stamped=STAMPED.search(head) is not None)

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        bracket_word = _bracket_words(lines, words)
        bracket = words.at(bracket_word)
        length, has_length = decimal(text, bracket.trimmed(1, 1))
        has_length &= (text[bracket.ends - 1] == CLOSING_BRACKET) & (bracket_word > 0)
        identifier = words.at(bracket_word - 1)
        flagged_id, has_id = hexadecimal(text, identifier)
        has_id &= identifier.lengths >= STANDARD_ID_DIGITS
        is_error = (flagged_id & ERROR_FLAG) != 0

        is_remote = begins_with(text, words.at(bracket_word + 1).starts, b"remote")
        size = np.where(is_remote | ~has_length, 0, length)
        data, is_payload = spread_payload(text, words, bracket_word + 1, size)

        first = words.at(0)
        has_stamp = (text[first.starts] == OPENING) & (text[first.ends - 1] == CLOSING)
        interface_word = has_stamp.astype(np.int64)
        is_frame = has_length & has_id & (interface_word < bracket_word - 1)
        ts = np.zeros(len(lines), np.int64)
        if self.is_stamped:
            ts, is_time = seconds_ns(text, first.trimmed(1, 1))
            is_frame &= has_stamp & is_time
        interface = words.at(interface_word)
        bus = np.zeros(len(lines), np.int64)
        bus[is_frame] = self._interfaces.numbers(
            text, Spans(interface.starts[is_frame], interface.ends[is_frame])
        )
        parsed = settle(
            FrameColumns(
                ts=ts,
                can_id=np.where(is_error, flagged_id & MAX_EXTENDED_ID, flagged_id),
                length=length,
                data=data,
                bus=bus,
                is_extended=identifier.lengths > STANDARD_ID_DIGITS,
                is_fd=bracket.lengths > FD_LENGTH_DIGITS + 1,
                is_remote=is_remote,
                is_error=is_error,
            ),
            is_frame=is_frame,
            is_known=words.counts == 0,
            causes=((~is_payload, Cause.SHORT),),
        )
        return parsed if self.is_stamped else self._with_assumed_time(parsed)

    def _with_assumed_time(self, parsed: Parsed) -> Parsed:
        numbers = self._frames + np.arange(len(parsed.frames))
        self._frames += len(numbers)
        return replace(parsed, frames=replace(parsed.frames, ts=numbers * ASSUMED_STEP_NS))


def _bracket_words(lines: Lines, words: Fields) -> Positions:
    """The number of each line's first word that opens a bracket; -1 where there is none."""
    index = np.flatnonzero(lines.text[words.spans.starts] == OPENING_BRACKET)
    line = np.searchsorted(words.first, index, side="right") - 1
    is_first = np.diff(line, prepend=-1) != 0
    result = np.full(len(lines), -1, np.int64)
    result[line[is_first]] = index[is_first] - words.first[line[is_first]]
    return result
