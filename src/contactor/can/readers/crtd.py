"""Reader of OVMS CRTD logs.

    1632509059.533816 CXX OVMS CRTD                        C..: a comment, an event, a statistic
    1632509059.541604 2R11 174 00 00 00 aa 0f 00 00 00     bus 2, received, 11 bit id
    1632509072.204836 1T29 18DB33F1 02 01 00               bus 1, transmitted, 29 bit id

A record without a bus number belongs to bus 1.
Source: Open Vehicles documentation, "CRTD CAN Log Format".
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.lines import Lines, Spans, window, words_of
from contactor.can.readers.numbers import decimal, hexadecimal, seconds_ns, spread_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.spreadsheet import is_scientific

FORM = re.compile(
    rb"^-?\d+([.,]\d+)?[ \t]+(\d{0,3}[RT](11|29)[ \t]+[0-9A-Fa-f]{1,8}\b|\d{0,3}C[A-Z]{2}[ \t])",
    re.MULTILINE,
)
KIND_BYTES = len("R11")
FIRST_BYTE_WORD = 3
DEFAULT_BUS = 1
RECEIVED, TRANSMITTED, COMMENT = b"RTC"
STANDARD, EXTENDED = np.frombuffer(b"11", np.uint8), np.frombuffer(b"29", np.uint8)


class CrtdParser:
    """Parses lines, each on its own."""

    is_stamped = True

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for any CRTD log."""
        return cls()

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        ts, has_time = seconds_ns(text, words.at(0))
        record = words.at(1)
        kind = window(text, record.ends - KIND_BYTES, KIND_BYTES)
        is_extended = (kind[:, 1:] == EXTENDED).all(axis=1)
        is_record = (kind[:, 0] == RECEIVED) | (kind[:, 0] == TRANSMITTED)
        is_record &= is_extended | (kind[:, 1:] == STANDARD).all(axis=1)
        bus_digits = Spans(record.starts, record.ends - KIND_BYTES)
        bus, has_bus = decimal(text, bus_digits)
        has_bus |= bus_digits.lengths == 0
        can_id, has_id = hexadecimal(text, words.at(2))
        length = np.maximum(words.counts - FIRST_BYTE_WORD, 0)
        is_ruined = np.zeros(len(lines), np.bool_)
        odd = np.flatnonzero(~has_time & (words.counts > 0))
        if len(odd):
            stamp = words.at(0)
            is_ruined[odd] = is_scientific(text, Spans(stamp.starts[odd], stamp.ends[odd]))
        data, is_payload = spread_payload(
            text, words, FIRST_BYTE_WORD, np.minimum(length, FD_BYTES)
        )
        is_comment = has_time & has_bus & (kind[:, 0] == COMMENT)
        return settle(
            FrameColumns(
                ts=ts,
                can_id=can_id,
                length=length,
                data=data,
                bus=np.where(bus_digits.lengths > 0, bus, DEFAULT_BUS),
                is_extended=is_extended,
            ),
            is_frame=(has_time | is_ruined) & is_record & has_bus & has_id & (length <= FD_BYTES),
            is_known=is_comment | (words.counts == 0),
            causes=((is_ruined, Cause.RUINED_TIME), (~is_payload, Cause.NO_FRAME)),
        )
