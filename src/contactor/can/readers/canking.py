"""Reader of what Kvaser CanKing shows, kept as text.

    Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir
     0    000000AD         8  FF  FF  00  00  00  00  00  00     154.266550 R
     0    0CFBFFDB X       8  1B  31  20  EB  B3  FF  D9  FF     100.000139 R
     0    00000000            ErrorFrame                          29.095270 R
    Logging stopped.

Ids and bytes are hexadecimal, bytes of two digits, or all decimal and not padded. Seconds count
from the start. X: extended; R among the flags: remote. Text between the rows is refused, but for
what the tool says of its own logging.
Source: SavvyCAN, framefileio.cpp, `loadKvaserFile`; public parsers of the format.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import CLASSIC_BYTES, DLC_BYTES, FD_BYTES, MAX_DLC
from contactor.can.readers.blocks import line_end_of
from contactor.can.readers.lines import (
    Fields,
    Lines,
    Mask,
    Positions,
    Text,
    begins_with,
    cut_lines,
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

FORM = re.compile(rb"^[ \t]{0,8}Chn[ \t]+Identifier[ \t]+Flg[ \t]+DLC[ \t]+D0", re.MULTILINE)
HEXADECIMAL = re.compile(
    rb"(?:^|\r)[ \t]{0,8}\d{1,3}[ \t]{1,16}(?:0[0-9A-F]{7}|[0-9]{0,7}[A-F][0-9A-F]{0,7})[ \t]",
    re.MULTILINE,
)
HEADER, LOGGING, ERROR = b"Chn", b"Logging", b"ErrorFrame"
MAX_FLAGS = 8
LETTER_X, LETTER_R, LOWER_CASE = ord("x"), ord("r"), 0x20


class CanKingParser:
    """Parses lines, each on its own, in the base that the log's first bytes show."""

    is_stamped = True

    def __init__(self, *, is_decimal: bool) -> None:
        self._is_decimal = is_decimal

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        lines = cut_lines(head, line_end=line_end_of(head))
        words = words_of(lines)
        place = _length_place(lines.text, words)
        count = words.counts - place - 3
        # In decimal a byte has one to three digits, in hexadecimal always two.
        is_decimal = False
        for number in range(CLASSIC_BYTES):
            digits = words.at(place + 1 + number).lengths
            is_decimal |= bool(((number < count) & (count <= CLASSIC_BYTES) & (digits != 2)).any())
        return cls(is_decimal=is_decimal and HEXADECIMAL.search(head) is None)

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        ts, has_time = seconds_ns(text, words.at(words.counts - 2))
        direction = words.at(words.counts - 1)
        bus, has_bus = decimal(text, words.at(0))
        can_id, has_id = (decimal if self._is_decimal else hexadecimal)(text, words.at(1))
        flags = words.at(2)
        place = _length_place(text, words)
        is_flagged = place > 2
        dlc, has_dlc = decimal(text, words.at(place))
        is_error = begins_with(text, flags.starts, ERROR) & is_flagged
        count = np.where(is_error, 0, words.counts - place - 3)
        letters = window(text, flags.starts, MAX_FLAGS) | LOWER_CASE
        letters[np.arange(MAX_FLAGS) >= flags.lengths[:, None]] = 0
        is_remote = is_flagged & ~is_error & (letters == LETTER_R).any(axis=1) & (count == 0)
        size = np.clip(count, 0, FD_BYTES)
        if self._is_decimal:
            data, is_payload = decimal_payload(text, words, place + 1, size)
        else:
            data, is_payload = spread_payload(text, words, place + 1, size)
        is_frame = has_time & has_bus & has_id & (has_dlc | is_error) & (count >= 0)
        is_frame &= (direction.lengths == 1) & (words.counts >= 5)
        return settle(
            FrameColumns(
                ts=ts,
                can_id=np.where(is_error, 0, can_id),
                length=np.where(is_remote, dlc, count),
                data=data,
                bus=bus,
                is_extended=is_flagged & ~is_error & (letters == LETTER_X).any(axis=1),
                is_remote=is_remote,
                is_error=is_error,
            ),
            is_frame=is_frame,
            is_known=_is_known(text, words),
            causes=(
                (count > FD_BYTES, Cause.LENGTH),
                (~is_payload, Cause.SHORT),
                (~is_error & ~is_remote & ~agrees(dlc, count), Cause.SHORT),
            ),
        )


def agrees(dlc: Positions, count: Positions) -> Mask:
    """Whether so many bytes go with a DLC: as many, 8 with a raw one above 8, or those of CAN FD.

    Source: ISO 11898-1:2015, table 5.
    """
    is_code = (dlc > CLASSIC_BYTES) & (dlc <= MAX_DLC)
    of_code = DLC_BYTES[np.clip(dlc, 0, MAX_DLC)]
    result: Mask = (dlc == count) | (is_code & ((count == CLASSIC_BYTES) | (count == of_code)))
    return result


def _length_place(text: Text, words: Fields) -> Positions:
    """The number of the word with the DLC: the third, or the fourth after flags."""
    has_flags: Mask = DECIMAL[text[words.at(2).starts]] == NO_DIGIT
    return 2 + has_flags.astype(np.int64)


def _is_known(text: Text, words: Fields) -> Mask:
    first = words.at(0).starts
    is_known: Mask = words.counts == 0
    is_known |= begins_with(text, first, HEADER) | begins_with(text, first, LOGGING)
    return is_known
