"""Reader of tab separated tool logs, as Leaf owners record them.

    ParserFlags  Ch  Counter  T/R  Time      Flags  CAN ID      Len  Data               Parser Name
    1            0   1        RX   48659509         0x000001db  8    0xee c0 c3 ... 9b  Default ...

Time is milliseconds of the tool's own clock. The columns are found by their names in the header.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.lines import Fields, Lines, Spans, begins_with, cells_of
from contactor.can.readers.numbers import (
    decimal,
    hexadecimal,
    packed_payload,
    scaled_ns,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_MS

TAB = 0x09
HEADER = re.compile(
    rb"^(?:[^\r\n]*\t)?Ch\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\b", re.MULTILINE
)
STEP_BYTES = len("ee ")


class LeafTabParser:
    """Parses lines by the columns of one header."""

    is_stamped = True

    def __init__(self, columns: tuple[bytes, ...]) -> None:
        self._columns = columns

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`, which holds the header."""
        header = HEADER.search(head)
        return cls(tuple(header.group().split(b"\t")) if header else ())

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, cells = lines.text, cells_of(lines, TAB)
        time_ms, has_time = decimal(text, self._column(cells, b"Time"))
        bus, has_bus = decimal(text, self._column(cells, b"Ch"))
        can_id, has_id = hexadecimal(text, without_0x(text, self._column(cells, b"CAN ID")))
        length, has_length = decimal(text, self._column(cells, b"Len"))
        payload = without_0x(text, self._column(cells, b"Data"))
        size = np.clip(length, 0, FD_BYTES)
        data, is_hexadecimal = packed_payload(text, payload.starts, size, STEP_BYTES)
        is_short = ~is_hexadecimal | (payload.lengths < STEP_BYTES * size - 1)
        ts, is_in_time = scaled_ns(time_ms, NS_PER_MS)
        is_header = begins_with(text, self._column(cells, b"CAN ID").starts, b"CAN ID")
        return settle(
            FrameColumns(ts=ts, can_id=can_id, length=length, data=data, bus=bus),
            is_frame=has_time & has_bus & has_id & has_length,
            is_known=is_header | (lines.spans.lengths == 0),
            causes=((~is_in_time, Cause.TIME), (is_short & (length <= FD_BYTES), Cause.SHORT)),
        )

    def _column(self, cells: Fields, name: bytes) -> Spans:
        return cells.at(self._columns.index(name))
