"""Reader of tab separated tool logs, as Leaf owners record them.

    ParserFlags  Ch  Counter  T/R  Time      Flags  CAN ID      Len  Data               Parser Name
    1            0   1        RX   48659509         0x000001db  8    0xee c0 c3 ... 9b  Default ...

Time is milliseconds of the tool's own clock, whole or with decimals. The columns are found by their
names in the header, whatever their case; they stand between tabs, commas or semicolons.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.headers import Columns
from contactor.can.readers.lines import Lines, cells_of, window
from contactor.can.readers.numbers import (
    decimal,
    hexadecimal,
    packed_payload,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.stamps import counts_ns

_NEXT = rb"(?:[^,;\t\r\n]{0,40}[,;\t])"
HEADER = re.compile(
    rb"^"
    + _NEXT
    + rb"{0,8}?Ch([,;\t])"
    + _NEXT
    + rb"{0,4}?Time[,;\t]"
    + _NEXT
    + rb"{0,4}?CAN ID[,;\t]"
    + _NEXT
    + rb"{0,4}?Len[,;\t]"
    + _NEXT
    + rb"{0,4}?Data\b[^\r\n]{0,1024}",
    re.MULTILINE | re.IGNORECASE,
)
MILLISECOND_DIGITS = 6
STEP_BYTES = len("ee ")
LOWER_CASE = 0x20
ID_WORD = np.frombuffer(b"can id", np.uint8)


class LeafTabParser:
    """Parses lines by the columns of one header."""

    is_stamped = True

    def __init__(self, columns: Columns, delimiter: int) -> None:
        self._columns = columns
        self._delimiter = delimiter

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`, which holds the header."""
        header = HEADER.search(head)
        text, delimiter = (header.group(), header.group(1)) if header else (b"", b"\t")
        return cls(Columns.of(text.strip(), delimiter), delimiter[0])

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, cells = lines.text, cells_of(lines, self._delimiter)
        stamp = self._columns.spans(cells, "time")
        ts, has_time, is_in_time, is_ruined = counts_ns(text, stamp, MILLISECOND_DIGITS)
        bus, has_bus = decimal(text, self._columns.spans(cells, "ch"))
        identifier = self._columns.spans(cells, "canid")
        can_id, has_id = hexadecimal(text, without_0x(text, identifier))
        length, has_length = decimal(text, self._columns.spans(cells, "len"))
        payload = without_0x(text, self._columns.spans(cells, "data"))
        size = np.clip(length, 0, FD_BYTES)
        data, is_hexadecimal = packed_payload(text, payload.starts, size, STEP_BYTES)
        is_short = ~is_hexadecimal | (payload.lengths < STEP_BYTES * size - 1)
        first = window(text, identifier.starts, len(ID_WORD)) | LOWER_CASE
        return settle(
            FrameColumns(ts=ts, can_id=can_id, length=length, data=data, bus=bus),
            is_frame=(has_time | is_ruined) & has_bus & has_id & has_length,
            is_known=(first == ID_WORD).all(axis=1) | (lines.spans.lengths == 0),
            causes=(
                (is_ruined, Cause.RUINED_TIME),
                (~is_in_time, Cause.TIME),
                (is_short & (length <= FD_BYTES), Cause.SHORT),
            ),
        )
