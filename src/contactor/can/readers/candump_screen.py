"""Reader of what `candump` shows on a screen, kept as text (can-utils).

      can0  1DB   [8]  FF E0 B7 6A 00 FF F0 25                  no time at all
     (1700000000.000000)  can0  18FF50E5   [2]  01 02           -ta, -tA, -tz, -td: see stamps.py
      can0  RX B -  1DB  [12]  00 11 22 33 44 55 66 77 88 99 AA BB   -x; CAN FD: two digits
      can0  123   [4]  remote request
      can0  123   {E}  00 11 22 33 44 55 66 77                  -8: a raw DLC, here 14; 8 bytes
      can0  123   [2]  41 42   'AB'                             -a: the bytes as text, too
      can0  123   [2]  10100101 00000001                        -i: in binary
      can0  123   [3]  33`22`11                                 -S: the last byte first
      can0  20000004   [8]  00 01 00 00 00 00 00 00   ERRORFRAME
            controller-problem{rx-overflow}                     -e: what the error was, known

A frame without a stamp is taken to come 1 ms after the one before it. Colours (-c) are looked
through. What else a terminal wrote between the frames is refused line by line.
Source: can-utils, candump.c and lib.c, `snprintf_long_canframe`.
"""

import re
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, MAX_EXTENDED_ID
from contactor.can.readers.blocks import line_end_of
from contactor.can.readers.candump import ERROR_FLAG, STANDARD_ID_DIGITS
from contactor.can.readers.interfaces import InterfaceNumbers
from contactor.can.readers.lines import (
    Fields,
    Lines,
    Mask,
    Positions,
    Spans,
    Text,
    begins_with,
    cut_lines,
    window,
    words_of,
)
from contactor.can.readers.numbers import decimal, hexadecimal, packed_payload, spread_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.stamps import StampKind, StampReader, read_stamps
from contactor.clock import NS_PER_MS

BLANKS = rb"(?:[ \t]|\x1b\[[0-9;]{0,8}m)"
FORM = re.compile(
    rb"^"
    + BLANKS
    + rb"{0,64}(\([^()\r\n]{1,32}\)"
    + BLANKS
    + rb"{1,64})?\S+[ \t]+(\S+[ \t]+){0,3}[0-9A-F]{3,8}[ \t]+(\[\d{1,2}\]|\{[0-9A-F]\})",
    re.MULTILINE,
)
OPENINGS, CLOSINGS = b"[{", b"]}"
ESCAPE, LETTER_M, TAB, BACKTICK = 0x1B, ord("m"), 0x09, ord("`")
LONGEST_COLOUR = 10
FD_LENGTH_DIGITS = 2
BINARY_DIGITS = 8
ASSUMED_STEP_NS = NS_PER_MS


class CandumpScreenParser:
    """Parses lines; remembers interfaces, how many frames there were, and whether one failed."""

    def __init__(self, stamps: StampReader) -> None:
        self._interfaces = InterfaceNumbers()
        self._stamps = stamps
        self.is_stamped = stamps.kind is not StampKind.NONE
        self._frames = 0
        self._last_is_error = False

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        lines = _without_colours(cut_lines(head, line_end=line_end_of(head)))
        words = words_of(lines)
        return cls(StampReader.of(lines, words, _bracket_words(lines, words) > 1))

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        lines = _without_colours(lines)
        text, words = lines.text, words_of(lines)
        bracket_word = _bracket_words(lines, words)
        bracket = words.at(bracket_word)
        length, has_length = _lengths(text, bracket)
        has_length &= bracket_word > 0
        identifier = words.at(bracket_word - 1)
        flagged_id, has_id = hexadecimal(text, identifier)
        has_id &= identifier.lengths >= STANDARD_ID_DIGITS
        is_error = (flagged_id & ERROR_FLAG) != 0

        is_remote = begins_with(text, words.at(bracket_word + 1).starts, b"remote")
        size = np.where(is_remote | ~has_length, 0, length)
        data, is_payload = _payload(text, words, bracket_word + 1, size)

        stamps = read_stamps(text, words)
        is_frame = has_length & has_id & (stamps.words < bracket_word - 1)
        is_there = stamps.is_there if self.is_stamped else ~stamps.is_there
        is_frame &= is_there & (stamps.is_time | stamps.has_lost_digits | ~stamps.is_there)
        interface = words.at(stamps.words)
        bus = np.zeros(len(lines), np.int64)
        bus[is_frame] = self._interfaces.numbers(
            text, Spans(interface.starts[is_frame], interface.ends[is_frame])
        )
        is_known = (words.counts == 0) | self._tells_an_error(lines, is_frame, is_error)
        parsed = settle(
            FrameColumns(
                ts=self._stamps.times(stamps.ts, is_frame),
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
            is_known=is_known,
            causes=((stamps.has_lost_digits, Cause.RUINED_TIME), (~is_payload, Cause.SHORT)),
        )
        return parsed if self.is_stamped else self._with_assumed_time(parsed)

    def _tells_an_error(self, lines: Lines, is_frame: Mask, is_error: Mask) -> Mask:
        """Whether a line, set in by a tab, says more of the error frame above it."""
        is_set_in = (lines.text[lines.spans.starts] == TAB) & (lines.spans.lengths > 1) & ~is_frame
        rows = np.arange(len(lines))
        above = np.maximum.accumulate(np.where(is_set_in, -1, rows)) if len(rows) else rows
        follows = np.where(above < 0, self._last_is_error, (is_frame & is_error)[above])
        if len(rows):
            self._last_is_error = bool(follows[-1])
        tells: Mask = is_set_in & follows
        return tells

    def _with_assumed_time(self, parsed: Parsed) -> Parsed:
        numbers = self._frames + np.arange(len(parsed.frames))
        self._frames += len(numbers)
        return replace(parsed, frames=replace(parsed.frames, ts=numbers * ASSUMED_STEP_NS))


def _without_colours(lines: Lines) -> Lines:
    """The lines with blanks where a terminal was told a colour (`ESC [ 31 m`)."""
    escapes = np.flatnonzero(lines.text == ESCAPE)
    if not len(escapes):
        return lines
    ends = (window(lines.text, escapes, LONGEST_COLOUR) == LETTER_M).argmax(axis=1)
    columns = np.arange(LONGEST_COLOUR)
    places = (escapes[:, None] + columns)[(columns <= ends[:, None]) & (ends[:, None] > 0)]
    text = lines.text.copy()
    text[places] = ord(" ")
    return replace(lines, text=text)


def _lengths(text: Text, bracket: Spans) -> tuple[Positions, Mask]:
    """What stands in each bracket: `[8]`, `[12]`, or a raw DLC `{E}` of up to eight bytes."""
    inner = bracket.trimmed(1, 1)
    opening, closing = text[bracket.starts], text[bracket.ends - 1]
    length, is_length = decimal(text, inner)
    is_length &= (opening == OPENINGS[0]) & (closing == CLOSINGS[0])
    is_raw = (opening == OPENINGS[1]) & (closing == CLOSINGS[1])
    if is_raw.any():
        raw, is_digit = hexadecimal(text, inner, most=1)
        length = np.where(is_raw, np.minimum(raw, CLASSIC_BYTES), length)
        is_length |= is_raw & is_digit
    return length, is_length


def _payload(
    text: Text, words: Fields, first: Positions, size: Positions
) -> tuple[NDArray[np.uint8], Mask]:
    """The bytes of each line from word `first` on, as hex digits, binary or the last one first."""
    data, is_payload = spread_payload(text, words, first, size)
    word = words.at(first)
    is_swapped = (size > 1) & (word.lengths == 3 * size - 1) & (text[word.starts + 2] == BACKTICK)
    rows = np.flatnonzero(is_swapped)
    if len(rows):
        swapped, is_hexadecimal = packed_payload(text, word.starts[rows], size[rows], 3)
        column = np.arange(swapped.shape[1])
        place = np.maximum(size[rows, None] - 1 - column, 0)
        turned = np.take_along_axis(swapped, place, axis=1)
        data[rows] = 0
        data[rows, : swapped.shape[1]] = np.where(column < size[rows, None], turned, 0)
        is_payload[rows] = is_hexadecimal
    rows = np.flatnonzero(~is_payload & (size <= CLASSIC_BYTES) & (word.lengths == BINARY_DIGITS))
    if len(rows):
        data[rows], is_payload[rows] = 0, True
        for number in range(CLASSIC_BYTES):
            byte = words.at(first + number)
            spans = Spans(byte.starts[rows], byte.ends[rows])
            bits = window(text, spans.starts, BINARY_DIGITS) - ord("0")
            is_byte = (bits <= 1).all(axis=1) & (spans.lengths == BINARY_DIGITS)
            is_inside = number < size[rows]
            value = np.packbits(np.minimum(bits, 1), axis=1)[:, 0]
            data[rows, number] = np.where(is_inside & is_byte, value, 0)
            is_payload[rows] &= is_byte | ~is_inside
    return data, is_payload


def _bracket_words(lines: Lines, words: Fields) -> Positions:
    """The number of each line's first word that opens a bracket; -1 where there is none."""
    opening = lines.text[words.spans.starts]
    index = np.flatnonzero((opening == OPENINGS[0]) | (opening == OPENINGS[1]))
    line = np.searchsorted(words.first, index, side="right") - 1
    is_first = np.diff(line, prepend=-1) != 0
    result = np.full(len(lines), -1, np.int64)
    result[line[is_first]] = index[is_first] - words.first[line[is_first]]
    return result
