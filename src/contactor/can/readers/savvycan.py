"""Reader of SavvyCAN and GVRET CSV, as it was written or as a spreadsheet saved it.

    Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
    1674224,0000015F,false,Rx,0,8,90,F8,00,7D,00,EE,00,7D,

Stamps are microseconds, of the tool's clock or since 1970; zero and negative ones occur, and time
may run backwards. Columns are found by their names: `Dir` may be missing, there may be others, and
up to 64 bytes. Cells may be quoted and stand between commas, semicolons or tabs.

What a spreadsheet took away is put back where one id alone is possible: zeros before an id or a
byte, and a standard id that it took for a number: `1.00E+03` was 0x1E3; so was `1000`, if the log's
other ids show that its flags tell extended ids apart. Else the line is refused.
Source: SavvyCAN, framefileio.cpp, `saveNativeCSVFile`; recordings.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.blocks import line_end_of
from contactor.can.readers.headers import Columns
from contactor.can.readers.lines import (
    Fields,
    Lines,
    Mask,
    Spans,
    Text,
    cells_of,
    cut_lines,
    window,
)
from contactor.can.readers.numbers import (
    decimal,
    spread_payload,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.savvycan_ids import IdReader, flags_of
from contactor.can.readers.spreadsheet import plain
from contactor.can.readers.stamps import counts_ns

_EDGE = rb"[\"'= ]{0,4}"
_NEXT = rb"(?:[^,;\t\r\n]{0,40}[,;\t])"
HEADER = re.compile(
    rb"^"
    + _EDGE
    + rb"time[ _]{0,2}stamp[^,;\t\r\n]{0,16}([,;\t])"
    + _NEXT
    + rb"{0,4}?"
    + _EDGE
    + rb"id"
    + _EDGE
    + rb"[,;\t]"
    + _NEXT
    + rb"{0,6}?"
    + _EDGE
    + rb"(?:len|length|dlc)"
    + _EDGE
    + rb"[,;\t]"
    + _NEXT
    + rb"{0,4}?"
    + _EDGE
    + rb"d[01]\b[^\r\n]{0,4096}",
    re.MULTILINE | re.IGNORECASE,
)
ROW = re.compile(
    rb"^-?\d{1,18},[0-9A-Fa-f]{8},(?:true|false),([RT]x,)?\d{1,3},\d{1,2}"
    rb"(?:,[0-9A-Fa-f]{2}){0,64},?\r?$",
    re.MULTILINE,
)
FORM = re.compile(HEADER.pattern + rb"|" + ROW.pattern, re.MULTILINE | re.IGNORECASE)
WRITTEN_HEADER = b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8"
MICROSECOND_DIGITS = 3
LOWER_CASE = 0x20
TIME_WORD, SEPARATOR_WORD = (np.frombuffer(word, np.uint8) for word in (b"time", b"sep;"))


class SavvyCanParser:
    """Parses lines by the columns of one header, or as the tool writes them without one."""

    is_stamped = True

    def __init__(self, columns: Columns, delimiter: int) -> None:
        self._columns = columns
        self._delimiter = delimiter
        self._ids = IdReader()
        first = columns.place("d1", "d0")
        self._first = 0 if first is None else first
        # With further columns after the bytes a longer payload would read these.
        bytes_there = 0
        while f"d{bytes_there + 1}" in columns.places:
            bytes_there += 1
        is_last = max(columns.places.values()) < self._first + bytes_there
        self._most_bytes = FD_BYTES if is_last else bytes_there

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        header, row = HEADER.search(head), ROW.search(head)
        text, delimiter = WRITTEN_HEADER, b","
        if header:
            text, delimiter = header.group().strip(), header.group(1)
        elif row and not row.group(1):
            text = text.replace(b"Dir,", b"")
        parser = cls(Columns.of(text, delimiter), delimiter[0])
        lines, cells = parser._cells(cut_lines(head, line_end=line_end_of(head)))
        parser._ids = IdReader.of(*parser._identifiers(lines.text, cells))
        return parser

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        lines, cells = self._cells(lines)
        text = lines.text
        stamp = self._columns.spans(cells, "timestamp")
        ts, has_time, is_in_time, is_ruined_time = counts_ns(text, stamp, MICROSECOND_DIGITS)
        ids = self._ids.read(*self._identifiers(text, cells))
        bus, has_bus = decimal(text, self._columns.spans(cells, "bus", "channel"))
        length, has_length = decimal(text, self._columns.spans(cells, "len", "length", "dlc"))
        size = np.clip(length, 0, FD_BYTES)
        data, is_payload = spread_payload(text, cells, self._first, size, fewest_digits=1)
        is_payload &= length <= self._most_bytes
        return settle(
            FrameColumns(
                ts=ts,
                can_id=ids.can_id,
                length=length,
                data=data,
                bus=bus,
                is_extended=ids.is_extended,
            ),
            is_frame=(has_time | is_ruined_time) & ids.is_there & has_bus & has_length,
            is_known=_is_known(text, lines.spans, stamp),
            causes=(
                (is_ruined_time, Cause.RUINED_TIME),
                (ids.is_ruined, Cause.RUINED_IDENTIFIER),
                (~is_in_time, Cause.TIME),
                (~is_payload & (length <= FD_BYTES), Cause.SHORT),
            ),
        )

    def _cells(self, lines: Lines) -> tuple[Lines, Fields]:
        lines = plain(lines, self._delimiter)
        return lines, cells_of(lines, self._delimiter)

    def _identifiers(self, text: Text, cells: Fields) -> tuple[Text, Spans, Mask, Mask]:
        """The text, the ids' cells, and where their rows say that they are extended or not."""
        identifier = without_0x(text, self._columns.spans(cells, "id"))
        return text, identifier, *flags_of(text, self._columns.spans(cells, "extended", "ext"))


def _is_known(text: Text, lines: Spans, stamp: Spans) -> Mask:
    """Whether each line is a header, a hint at the delimiter, or blank."""
    first = window(text, stamp.starts, len(TIME_WORD))
    is_known: Mask = ((first | LOWER_CASE) == TIME_WORD).all(axis=1)
    is_known |= (first[:, :3] == SEPARATOR_WORD[:3]).all(axis=1)
    is_known |= lines.lengths == 0
    # A row of a spreadsheet that is empty has its delimiters still.
    bare = np.flatnonzero((stamp.lengths == 0) & ~is_known)
    if len(bare):
        written = np.cumsum((text > LOWER_CASE) & (text != ord(",")) & (text != ord(";")))
        is_known[bare] = written[lines.ends[bare] - 1] == written[lines.starts[bare] - 1]
    return is_known
