"""Reader of PEAK TRC logs (PCAN-View, PCAN-Explorer, python-can), versions 1.0 to 2.1.

    ;$FILEVERSION=2.1
    ;$STARTTIME=45244.92578125             days since 1899-12-30, without a zone: taken as UTC
    ;$COLUMNS=N,O,T,B,I,d,R,L,D
          1      1059.900 DT 1      0300 Rx -  7    00 00 00 00 04 00 00        milliseconds
          2      1334.416 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C
          3      1336.543 RR 1      0100 Rx -  3                                remote
          4      1334.222 ER 1         - Rx -  5    04 00 02 00 00              error frame
          5      1334.231 ST 1         - Rx -  4    00 00 00 08                 known, no frame

         1)      1059    0300  7  00 00 00 00 04 00 00                          1.0
         2)      1323.0  Rx         0300  7  00 00 00 00 06 00 00               1.1
         3)      1346.8  Warng  FFFFFFFF  4  00 00 00 04  BUSLIGHT              known, no frame
         4)      1349.2  Error      0008  4  00 19 08 08                        error frame
         5)      1352.7  Rx         0100  3  RTR
         6)      1059.900  1  Rx         0300  7  00 00 00 00 04 00 00          1.2
         7)      1059.900 1  Rx        0300 -  7    00 00 00 00 04 00 00        1.3

Types FD, FB, FE and BI are CAN FD. `l` is a count of bytes, `L` a DLC. An id of more than four
digits is extended. Buses count from 0, the column from 1 but in a log with a bus 0. An error frame
has no id; the payload is what PEAK says of it. A message that J1939 put together of several frames
(a destination in the reserved column, more than eight bytes) is known and no frame.
Source: PEAK-System, "PEAK CAN TRC File Format", 2023-08-22; python-can 4.6; recordings.
"""

from dataclasses import dataclass
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
    words_of,
)
from contactor.can.readers.numbers import (
    MAX_TS_NS,
    decimal,
    decimal_ns,
    hexadecimal,
    spread_payload,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.trc_columns import TrcColumns, start_of

MS_DIGITS = 6  # decimals of a millisecond that make a nanosecond
STANDARD_ID_DIGITS = 4
WARNING_ID = 0xFFFF_FFFF
COMMENT, DASH, LOWER_R, LOWER_T = b";-rt"
LOWER = 0x20
RTR, ERROR = b"RTR", b"ERROR"


class TrcParser:
    """Parses lines by the columns of one head."""

    is_stamped = True

    def __init__(self, columns: TrcColumns, *, start: int, first_bus: int) -> None:
        self._columns = columns
        self._start = start
        self._first_bus = first_bus

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        columns, start = TrcColumns.of(head), start_of(head)
        if columns.bus is None:
            return cls(columns, start=start, first_bus=0)
        as_written = cls(columns, start=0, first_bus=0)
        buses = as_written.parse(cut_lines(head, line_end=line_end_of(head))).frames.bus
        return cls(columns, start=start, first_bus=min(1, int(buses.min(initial=1))))

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words, columns = lines.text, words_of(lines), self._columns
        offset_ns, has_time = decimal_ns(text, words.at(columns.time), MS_DIGITS)
        ts = self._start + offset_ns
        identifier = words.at(columns.identifier)
        can_id, has_id = hexadecimal(text, identifier)
        size, has_size = decimal(text, words.at(columns.size))
        kinds = _kinds_2(text, words, columns) if columns.is_2 else _kinds_1(text, words, columns)
        bus = np.zeros(len(lines), np.int64)
        if columns.bus is not None:
            bus, has_bus = decimal(text, words.at(columns.bus))
            bus = np.where(has_bus, bus, -1) - self._first_bus

        size = np.where(kinds.count >= 0, kinds.count, size)
        is_known = kinds.is_known
        if not columns.is_2:
            is_known |= has_id & (can_id == WARNING_ID)
        if columns.reserved is not None:
            is_reserved = text[words.at(columns.reserved).starts] != DASH
            is_known |= is_reserved & (size > CLASSIC_BYTES) & kinds.is_frame & ~kinds.is_fd
        length, has_length = self._lengths(size, kinds)
        has_number = (has_id & has_size) | (kinds.is_error & (has_size | (kinds.count >= 0)))
        is_frame = has_time & kinds.is_frame & has_number
        shown = np.where(kinds.is_remote | ~is_frame, 0, np.clip(length, 0, FD_BYTES))
        data, has_payload = spread_payload(text, words, kinds.first, shown)
        is_comment = text[words.at(0).starts] == COMMENT
        return settle(
            FrameColumns(
                ts=ts,
                can_id=np.where(kinds.is_error, 0, can_id),
                length=length,
                data=data,
                bus=bus,
                is_extended=identifier.lengths > STANDARD_ID_DIGITS,
                is_fd=kinds.is_fd,
                is_remote=kinds.is_remote,
                is_error=kinds.is_error,
            ),
            is_frame=is_frame,
            is_known=(words.counts == 0) | is_comment | (has_time & is_known),
            causes=(
                (np.abs(ts) > MAX_TS_NS, Cause.TIME),
                (~has_length, Cause.LENGTH),
                (~has_payload, Cause.SHORT),
            ),
        )

    def _lengths(self, size: Positions, kinds: "Kinds") -> tuple[Positions, Mask]:
        """The payload of each line, bytes, and whether there is such a one."""
        most = np.where(kinds.is_fd, FD_BYTES, CLASSIC_BYTES)
        if self._columns.has_length:
            return size, (size >= 0) & (size <= most)
        length = DLC_BYTES[np.clip(size, 0, MAX_DLC)]
        return np.minimum(length, most), (size >= 0) & (size <= MAX_DLC)


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """What n lines are, (n,) each.

    Fields:
        is_frame: whether they are frames, as far as their type tells.
        is_known: whether they are known and no frames.
        first: the word of the first byte.
        count: the bytes there are, where that is not said by the line; else -1.
    """

    is_frame: Mask
    is_known: Mask
    is_fd: Mask
    is_remote: Mask
    is_error: Mask
    first: int | Positions
    count: int | Positions


def _kinds_2(text: Text, words: Fields, columns: TrcColumns) -> Kinds:
    """The kinds of lines of version 2.

    Those without an id leave columns out in version 2.0: `6  1334.522 ER  Rx  04 00 02 00 00`.
    """
    kind = words.at(columns.kind or 0)
    code = text[kind.starts].astype(np.int64) << 8 | text[kind.starts + 1]
    code[kind.lengths != len("DT")] = 0

    def is_one_of(*names: bytes) -> Mask:
        numbers = [int.from_bytes(name) for name in names]
        return np.isin(code, numbers) if len(numbers) > 1 else code == numbers[0]

    is_data, is_fd = is_one_of(b"DT"), is_one_of(b"FD", b"FB", b"FE", b"BI")
    is_remote, is_error = is_one_of(b"RR"), is_one_of(b"ER")
    first: int | Positions = columns.data
    count: int | Positions = -1
    if is_error.any():
        letter = text[words.at(columns.identifier).starts] | LOWER
        is_left_out = is_error & ((letter == LOWER_R) | (letter == LOWER_T))
        begin = columns.identifier + 1
        first = np.where(is_left_out, begin, columns.data)
        count = np.where(is_left_out, np.clip(words.counts - begin, 0, CLASSIC_BYTES), -1)
    return Kinds(
        is_frame=is_data | is_fd | is_remote | is_error,
        is_known=is_one_of(b"ST", b"EC", b"EV"),
        is_fd=is_fd,
        is_remote=is_remote,
        is_error=is_error,
        first=first,
        count=count,
    )


def _kinds_1(text: Text, words: Fields, columns: TrcColumns) -> Kinds:
    """The kinds of lines of versions 1.x; in version 1.0 the first byte may be a word."""
    data = words.at(columns.data)
    is_remote = (data.lengths == len(RTR)) & begins_with(text, data.starts, RTR)
    no = np.zeros(len(is_remote), np.bool_)
    if columns.kind is None:
        is_error = (data.lengths == len(ERROR)) & begins_with(text, data.starts, ERROR)
        first = columns.data + is_error.astype(np.int64)
        return Kinds(~no, no, no, is_remote, is_error, first, -1)
    kind = words.at(columns.kind)
    is_error = begins_with(text, kind.starts, b"Error")
    is_known = begins_with(text, kind.starts, b"Warng")
    is_data = begins_with(text, kind.starts, b"Rx") | begins_with(text, kind.starts, b"Tx")
    is_data &= kind.lengths == len(b"Rx")
    return Kinds(is_data | is_error, is_known, no, is_remote, is_error, columns.data, -1)
