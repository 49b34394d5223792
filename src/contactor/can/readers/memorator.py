"""Reader of Kvaser Memorator logs that were extracted as plain text.

                              Kvaser Memorator Log
    Settings:
       Format of data field: HEX                             or DEC
       Format of id field:   HEX
        Time Chan   Identifier Flags        DLC  Data                             Counter
    =====================================================================================
        0.000000  Trigger (type=0x1, active=0x00, pre-trigger=0, post-trigger=-1)    known
        1.234560  1         1DB    Rx         8  FF E0 B7 6A 00 FF F0 25             1
        1.234660  2    18FF50E5x   Tx    FB   9  00 11 22 33 44 55 66 77 88 99 AA BB 2
        1.234760  1  ErrorFrame    Rx            ERROR FRAME                         3
        1.234860  1         123    Rx   R     8  RTR                                 4

Seconds count from the start. x: extended. Flags: F, B, P of CAN FD, R remote, E, W, # others.
Source: Kvaser kvlclib, kvaLogWriter_PlainAsc.cpp.
"""

import re
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FD_BYTES
from contactor.can.readers.canking import agrees
from contactor.can.readers.lines import (
    Fields,
    Lines,
    Mask,
    Positions,
    Spans,
    Text,
    begins_with,
    window,
    words_of,
)
from contactor.can.readers.numbers import (
    DECIMAL,
    NO_DIGIT,
    decimal,
    decimal_payload,
    hexadecimal,
    seconds_ns,
    spread_payload,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle

FORM = re.compile(
    rb"^ {0,40}Kvaser Memorator Log|^ {0,16}Time Chan {1,8}Identifier Flags {1,16}DLC", re.MULTILINE
)
DECIMAL_DATA = re.compile(rb"Format of data field *: *DEC")
DECIMAL_IDS = re.compile(rb"Format of id field *: *DEC")
TIME, CHANNEL, IDENTIFIER, DIRECTION, FIRST_FLAG = range(5)
MOST_FLAGS = 5
ERROR, TRIGGER, CALENDAR, UNDERLINE = b"ErrorFrame", b"Trigger", b"DateTime:", b"========="
LETTER_X, REMOTE, FD = b"xRF"


class MemoratorParser:
    """Parses lines by the number formats of the header; remembers whether that has ended."""

    is_stamped = True

    def __init__(self, *, has_decimal_ids: bool, has_decimal_data: bool) -> None:
        self._has_decimal_ids = has_decimal_ids
        self._has_decimal_data = has_decimal_data
        self._is_begun = False

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        return cls(
            has_decimal_ids=DECIMAL_IDS.search(head) is not None,
            has_decimal_data=DECIMAL_DATA.search(head) is not None,
        )

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        ts, has_time = seconds_ns(text, words.at(TIME))
        bus, has_bus = decimal(text, words.at(CHANNEL))
        identifier, direction = words.at(IDENTIFIER), words.at(DIRECTION)
        is_error = begins_with(text, identifier.starts, ERROR)
        is_extended = (text[identifier.ends - 1] == LETTER_X) & (identifier.lengths > 1)
        digits = Spans(identifier.starts, identifier.ends - is_extended)
        can_id, has_id = (decimal if self._has_decimal_ids else hexadecimal)(text, digits)
        place, is_remote, is_fd = _flags(text, words)
        dlc, has_dlc = decimal(text, words.at(place))
        is_remote &= ~is_error
        count = np.where(is_error | is_remote, 0, words.counts - place - 2)
        data, is_payload = self._payload(text, words, place + 1, np.clip(count, 0, FD_BYTES))
        is_frame = has_time & has_bus & (has_id & has_dlc | is_error) & (count >= 0)
        is_frame &= (text[direction.ends - 1] == LETTER_X) | (direction.lengths == len("TxRq"))
        return settle(
            FrameColumns(
                ts=ts,
                can_id=np.where(is_error, 0, can_id),
                length=np.where(is_remote, dlc, count),
                data=data,
                bus=bus,
                is_extended=is_extended & ~is_error,
                is_fd=is_fd & ~is_error,
                is_remote=is_remote,
                is_error=is_error,
            ),
            is_frame=is_frame,
            is_known=self._is_known(lines, words),
            causes=(
                (count > FD_BYTES, Cause.LENGTH),
                (~is_payload | (~is_error & ~is_remote & ~agrees(dlc, count)), Cause.SHORT),
            ),
        )

    def _payload(
        self, text: Text, words: Fields, first: Positions, size: Positions
    ) -> tuple[NDArray[np.uint8], Mask]:
        if self._has_decimal_data:
            return decimal_payload(text, words, first, size)
        return spread_payload(text, words, first, size)

    def _is_known(self, lines: Lines, words: Fields) -> Mask:
        """Whether each line is of the header, tells of a trigger or the calendar, or is blank."""
        text, first = lines.text, words.at(0).starts
        is_underline = begins_with(text, first, UNDERLINE)
        begun = np.cumsum(is_underline & begins_with(text, first + len(UNDERLINE), UNDERLINE * 3))
        is_head = (begun == 0) & (not self._is_begun)
        self._is_begun |= bool(len(begun) and begun[-1])
        is_told = begins_with(text, words.at(1).starts, TRIGGER)
        is_told |= begins_with(text, first, CALENDAR)
        is_known: Mask = is_head | is_underline | is_told | (words.counts == 0)
        return is_known


def _flags(text: Text, words: Fields) -> tuple[Positions, Mask, Mask]:
    """The number of the word with the DLC; whether a flag says remote; whether one says CAN FD."""
    place = np.full(len(words.counts), FIRST_FLAG)
    is_remote, is_fd = np.zeros(len(place), np.bool_), np.zeros(len(place), np.bool_)
    is_flag = np.ones(len(place), np.bool_)
    for _ in range(MOST_FLAGS):
        word = words.at(place)
        is_flag &= (DECIMAL[text[word.starts]] == NO_DIGIT) & (word.lengths > 0)
        is_flag &= word.lengths <= MOST_FLAGS
        letters = window(text, word.starts, MOST_FLAGS)
        is_inside = (np.arange(MOST_FLAGS) < word.lengths[:, None]) & is_flag[:, None]
        is_remote |= ((letters == REMOTE) & is_inside).any(axis=1)
        is_fd |= ((letters == FD) & is_inside).any(axis=1)
        place = place + is_flag
    return place, is_remote, is_fd
