"""Reader of pp2can logs.

    CAN speed 1: 500k CAN speed 2: 500k ... Id format: HEX | Data format: HEX | Id29 format: 29
    >  0  17:18:39.303:4446.00  St  0x197  0  4  64  E0  9E  C0          p:1     tab separated
    >  1  17:19:9.69:5328.00    St  0x105  0  8  D0  F6  7F  ...  0F     p:2

The time of day has milliseconds as a count (9.69 is 9.069 s), then the microseconds since the
frame before, which are left out. Time goes on after midnight. `p:` is the channel. `Id format` and
`Data format` may be DEC.
Source: recordings; the numbers of the header.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.clocks import WrappingClock, time_of_day
from contactor.can.readers.lines import Lines, begins_with, words_of
from contactor.can.readers.numbers import (
    decimal,
    decimal_payload,
    hexadecimal,
    spread_payload,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_DAY

FORM = re.compile(rb"\A\s*CAN speed \d+ *:")
DECIMAL_IDS = re.compile(rb"\bId format: *DEC", re.IGNORECASE)
DECIMAL_DATA = re.compile(rb"\bData format: *DEC", re.IGNORECASE)
TIME, KIND, IDENTIFIER, REMOTE, LENGTH, PAYLOAD = range(2, 8)
MARK, STANDARD, HEADER, CHANNEL = b">", b"St", b"CAN speed", b"p:"


class Pp2canParser:
    """Parses lines by the number formats of the header; remembers the days that have passed."""

    is_stamped = True

    def __init__(self, *, has_decimal_ids: bool, has_decimal_data: bool) -> None:
        self._has_decimal_ids = has_decimal_ids
        self._has_decimal_data = has_decimal_data
        self._clock = WrappingClock(NS_PER_DAY)

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
        first, identifier, kind = words.at(0), words.at(IDENTIFIER), words.at(KIND)
        clock_ns, has_time = time_of_day(text, words.at(TIME))
        if self._has_decimal_ids:
            can_id, has_id = decimal(text, identifier)
        else:
            can_id, has_id = hexadecimal(text, without_0x(text, identifier))
        length, has_length = decimal(text, words.at(LENGTH))
        channel = words.at(words.counts - 1)
        bus, has_bus = decimal(text, channel.trimmed(len(CHANNEL)))
        has_bus &= begins_with(text, channel.starts, CHANNEL)
        flag, has_flag = decimal(text, words.at(REMOTE))
        is_remote = has_flag & (flag == 1) & (words.counts == PAYLOAD + 1)
        size = np.where(is_remote, 0, np.clip(length, 0, FD_BYTES))
        if self._has_decimal_data:
            data, is_payload = decimal_payload(text, words, PAYLOAD, size)
        else:
            data, is_payload = spread_payload(text, words, PAYLOAD, size)

        is_frame = begins_with(text, first.starts, MARK) & has_time & has_id & has_length
        is_frame &= has_bus & has_flag
        ts = np.zeros(len(lines), np.int64)
        ts[is_frame] = self._clock.unwrapped(clock_ns[is_frame])
        is_mark_alone = begins_with(text, first.starts, MARK) & (words.counts == 1)
        return settle(
            FrameColumns(
                ts=ts,
                can_id=can_id,
                length=length,
                data=data,
                bus=bus,
                is_extended=~begins_with(text, kind.starts, STANDARD),
                is_remote=is_remote,
            ),
            is_frame=is_frame,
            is_known=(words.counts == 0) | is_mark_alone | begins_with(text, first.starts, HEADER),
            causes=((~is_payload & (length <= FD_BYTES), Cause.SHORT),),
        )
