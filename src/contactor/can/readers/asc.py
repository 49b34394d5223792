"""Reader of Vector ASC logs (CANoe, CANalyzer, python-can and many others).

    date Sat Sep 30 15:06:13.191 2017
    base hex  timestamps absolute
    internal events logged
    // version 9.0.0
    Begin Triggerblock Sat Sep 30 15:06:13.191 2017
       0.000000 Start of measurement
       2.501000 1  ErrorFrame
       2.510001 2  100             Tx   r 8
       3.098426 1  18EBFF00x       Rx   d 8 01 A0 0F A6 60 3B D1 40  Length = 273910 ...
       3.148421 1  EngineData      Rx   d 1 02  Length = 0 BitCount = 0 ID = 100
      30.005021 CANFD   1 Rx        300  Name  1 0 9 12 00 11 22 33 44 55 66 77 88 99 AA BB ...
       1.015991 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%
       3.297743 1  J1939TP FEE3p  6  0  0  -  Rx  d 23 A0 0F ...
    End TriggerBlock

Any part of the head may be missing. Channels count from 1 and buses from 0, but in a log with a
channel 0. Ids with `x` are extended; where the id is a message's name, `ID = ` gives its number.
A request to send (`TxRq`) is no frame on the bus. Events of other kinds, and of other buses, are
known and no frames. With `base dec` Vector still writes CAN FD lines in hexadecimal.

A CAN FD line has `BRS ESI DLC DataLength`, the bytes and, in its long form, the duration, the bits
and the flags: bit 4 remote, bit 12 CAN FD. Without flags it is CAN FD; a DLC with no bytes is a
remote frame. A classic line with more bytes than eight is CAN FD of a writer without another form.
Source: Vector, "CAN, log & trigger: ASCII logging file format", 1.3.5; python-can 4.6; recordings.
"""

from collections.abc import Iterator
from typing import Self

import numpy as np

from contactor.can.readers.asc_clock import AscClock, DateLine
from contactor.can.readers.asc_head import DATE, AscHead
from contactor.can.readers.asc_rows import LOWER, read_rows
from contactor.can.readers.lines import Fields, Lines, Mask, begins_with, window, words_of
from contactor.can.readers.numbers import seconds_ns
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.can.readers.spelled_dates import read_date

COMMENT = b"//"
LETTER_B, LETTER_D = b"bd"
HEAD_WORDS = (b"date", b"base", b"internal", b"no internal", b"begin trigger", b"end trigger")
FEWEST_EVENT_WORDS = 4


class AscParser:
    """Parses lines; remembers dates and the sum of relative stamps."""

    is_stamped = True

    def __init__(self, head: AscHead) -> None:
        self._head = head
        self._clock = AscClock(is_dated=head.is_dated, is_relative=head.is_relative)

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        return cls(AscHead.of(head))

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        words = words_of(lines)
        stamps_ns, has_stamp = seconds_ns(lines.text, words.at(0))
        is_head = self._are_head(lines, words, has_stamp)
        ts, is_in_time = self._clock.times(stamps_ns, has_stamp, self._dates(lines, words, is_head))
        rows = read_rows(lines.text, words, self._head, is_last_open=lines.is_last_open)
        is_event = rows.is_event & has_stamp
        if lines.is_last_open and words.counts[-1] < FEWEST_EVENT_WORDS:
            is_event[-1] = False  # the beginning of a frame, perhaps
        return settle(
            FrameColumns(
                ts=ts,
                can_id=rows.can_id,
                length=rows.length,
                data=rows.data,
                bus=rows.bus,
                is_extended=rows.is_extended,
                is_fd=rows.is_fd,
                is_remote=rows.is_remote,
                is_error=rows.is_error,
            ),
            is_frame=rows.is_frame & has_stamp,
            is_known=is_head | is_event | (rows.is_request & rows.is_claimed & has_stamp),
            causes=(
                (~is_in_time, Cause.TIME),
                (~rows.has_id, Cause.NAME_ONLY),
                (~rows.has_length, Cause.LENGTH),
                (~rows.has_payload, Cause.SHORT),
            ),
        )

    def _are_head(self, lines: Lines, words: Fields, has_stamp: Mask) -> Mask:
        """Blank lines, comments, and what stands at the beginning and the end of a log."""
        is_head: Mask = words.counts == 0
        rows = np.flatnonzero(~has_stamp & ~is_head)
        starts = words.at(0).starts[rows]
        is_kind = begins_with(lines.text, starts, COMMENT)
        for word in HEAD_WORDS:
            letters = window(lines.text, starts, len(word)) | LOWER
            is_kind |= (letters == np.frombuffer(word, np.uint8)).all(axis=1)
        is_head[rows] = is_kind
        return is_head

    def _dates(self, lines: Lines, words: Fields, is_head: Mask) -> Iterator[DateLine]:
        """The head's lines with a date, in order."""
        if not self._head.is_dated:
            return
        letter = lines.text[words.at(0).starts] | LOWER
        for row in np.flatnonzero(is_head & ((letter == LETTER_D) | (letter == LETTER_B))):
            found = DATE.match(lines.line(int(row)))
            if found:
                is_block = found.group(1) is None
                yield DateLine(int(row), read_date(found.group(2)), is_block)
