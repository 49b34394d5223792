"""Reader of SavvyCAN and GVRET CSV.

    Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
    1674224,0000015F,false,Rx,0,8,90,F8,00,7D,00,EE,00,7D,

Stamps are whole microseconds, of the tool's clock or since 1970; zero and negative ones occur, and
time may run backwards. Columns past LEN are ignored; the column Dir may be missing.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.lines import Fields, Lines, Spans, begins_with, cells_of
from contactor.can.readers.numbers import decimal, hexadecimal, scaled_ns, spread_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle

COMMA = 0x2C
HEADER = re.compile(rb"^Time Stamp,ID,Extended,(?:Dir,)?Bus,LEN,D1\b", re.MULTILINE)
NS_PER_US = 1_000


class SavvyCanParser:
    """Parses lines by the columns of one header."""

    is_stamped = True

    def __init__(self, columns: tuple[bytes, ...]) -> None:
        self._columns = columns

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`, which holds the header."""
        header = HEADER.search(head)
        return cls(tuple(header.group().split(b",")) if header else ())

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, cells = lines.text, cells_of(lines, COMMA)
        stamp = self._column(cells, b"Time Stamp")
        time_us, has_time = decimal(text, stamp)
        can_id, has_id = hexadecimal(text, self._column(cells, b"ID"))
        bus, has_bus = decimal(text, self._column(cells, b"Bus"))
        length, has_length = decimal(text, self._column(cells, b"LEN"))
        extended = self._column(cells, b"Extended")
        size = np.clip(length, 0, FD_BYTES)
        first = self._columns.index(b"D1")
        data, is_payload = spread_payload(text, cells, first, size, fewest_digits=1)
        ts, is_in_time = scaled_ns(time_us, NS_PER_US)
        return settle(
            FrameColumns(
                ts=ts,
                can_id=can_id,
                length=length,
                data=data,
                bus=bus,
                is_extended=begins_with(text, extended.starts, b"true"),
            ),
            is_frame=has_time & has_id & has_bus & has_length,
            is_known=begins_with(text, stamp.starts, b"Time Stamp") | (lines.spans.lengths == 0),
            causes=((~is_in_time, Cause.TIME), (~is_payload & (length <= FD_BYTES), Cause.SHORT)),
        )

    def _column(self, cells: Fields, name: bytes) -> Spans:
        return cells.at(self._columns.index(name))
