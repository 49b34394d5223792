"""Reader of `candump -L` and `candump -l` logs (can-utils).

    (1700000000.000000) can0 1DB#0011223344556677      standard id: three digits
    (1700000000.000100) can0 18FF50E5#0102             extended id: eight digits
    (1700000000.000200) can0 1DB##1112233              CAN FD: one digit of flags, then the payload
    (1700000000.000300) can0 1DB#R8                    remote: the length asked for, or none
    (1700000000.000400) can0 20000004#0001000000000000 error frame: bit 29 of the id
    (1700000000.000500) can0 1DB#00 R                  received (T: sent), left out
    (1700000000.000600) 1DB#00                         without an interface: bus 0

Source: can-utils, lib.c, `snprintf_canframe`; linux/can.h and linux/can/error.h.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, MAX_EXTENDED_ID
from contactor.can.readers.candump_fast import parse_fast
from contactor.can.readers.interfaces import InterfaceNumbers
from contactor.can.readers.lines import Lines, Spans, TextBlock, window, words_of
from contactor.can.readers.numbers import hexadecimal, packed_payload, seconds_ns
from contactor.can.readers.parsed import Cause, FastParsed, FrameColumns, Parsed, settle
from contactor.can.readers.spreadsheet import is_scientific

FORM = re.compile(
    rb"^[ \t]{0,8}\(-?\d[^()\s]{0,24}\)[ \t]+(?:\S+[ \t]+)?[0-9A-Fa-f]{3,8}#", re.MULTILINE
)
HASH, OPENING, CLOSING, UNDERSCORE, REMOTE = b"#()_R"
ID_DIGITS = 8
STANDARD_ID_DIGITS = 3
ERROR_FLAG = 0x2000_0000
MAX_WORDS = 4  # stamp, interface, frame, and R or T in newer logs


class CandumpParser:
    """Parses lines; remembers the interfaces' numbers."""

    is_stamped = True

    def __init__(self) -> None:
        self._interfaces = InterfaceNumbers()

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for any candump log."""
        return cls()

    def parse_fast(self, block: TextBlock, *, may_learn: bool) -> FastParsed | None:
        """Read the usual lines at once, in a compiled path."""
        return parse_fast(block, self._interfaces, may_learn=may_learn)

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        stamp, direction = words.at(0), words.at(2)
        is_bare = (words.counts == 2) | ((words.counts == 3) & (direction.lengths == 1))
        interface, frame = words.at(1), words.at(2 - is_bare)
        ts, is_time = seconds_ns(text, stamp.trimmed(1, 1))
        is_stamp = (text[stamp.starts] == OPENING) & (text[stamp.ends - 1] == CLOSING)
        is_ruined = np.zeros(len(lines), np.bool_)
        odd = np.flatnonzero(is_stamp & ~is_time)
        if len(odd):
            is_ruined[odd] = is_scientific(text, Spans(stamp.starts[odd] + 1, stamp.ends[odd] - 1))
        has_time = is_stamp & (is_time | is_ruined)

        is_hash = window(text, frame.starts, ID_DIGITS + 1) == HASH
        hash_at = frame.starts + is_hash.argmax(axis=1)
        has_hash = (text[hash_at] == HASH) & (hash_at < frame.ends)
        identifier = Spans(frame.starts, np.where(has_hash, hash_at, frame.starts))
        flagged_id, has_id = hexadecimal(text, identifier)
        is_error = (flagged_id & ERROR_FLAG) != 0

        is_fd = text[hash_at + 1] == HASH
        is_remote = text[hash_at + 1] == REMOTE
        # A raw DLC of 9 to 15 may follow eight bytes: `#0011223344556677_E`.
        has_dlc = (text[frame.ends - 2] == UNDERSCORE) & (frame.ends - 2 > hash_at)
        payload = Spans(hash_at + 1 + 2 * is_fd, frame.ends - 2 * has_dlc)
        digits = np.where(is_remote, 0, payload.lengths)
        asked, has_asked = hexadecimal(text, payload.trimmed(1), most=1)
        length = np.where(is_remote, np.where(has_asked, asked, 0), digits // 2)
        size = np.where(is_remote, 0, np.clip(length, 0, FD_BYTES))
        data, is_hexadecimal = packed_payload(text, payload.starts, size)

        is_frame = has_time & has_hash & has_id & is_hexadecimal & (digits >= 0)
        is_frame &= words.counts <= MAX_WORDS
        bus = np.zeros(len(lines), np.int64)
        is_named = is_frame & ~is_bare
        bus[is_named] = self._interfaces.numbers(
            text, Spans(interface.starts[is_named], interface.ends[is_named])
        )
        return settle(
            FrameColumns(
                ts=ts,
                can_id=np.where(is_error, flagged_id & MAX_EXTENDED_ID, flagged_id),
                length=length,
                data=data,
                bus=bus,
                is_extended=identifier.lengths > STANDARD_ID_DIGITS,
                is_fd=is_fd,
                is_remote=is_remote,
                is_error=is_error,
            ),
            is_frame=is_frame,
            is_known=words.counts == 0,
            causes=(
                (is_ruined, Cause.RUINED_TIME),
                (digits % 2 == 1, Cause.CUT),
                (~is_fd & (length > CLASSIC_BYTES), Cause.LENGTH),
            ),
        )
