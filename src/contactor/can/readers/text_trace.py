"""Reader of the text traces of CARBUS Analyzer, `@ TEXT @`, whatever their extension.

    @ TEXT @ 3 @ 64 @ 0 @ 44640 @ 21701 @ 00:00:21.701 @    version, ..., frames, ms, length
    # $LocalTime=05:16:53.581                               a comment
    39,615791  1  00000004  463  8  02 00 00 00 74 00 00 AB  00000000  text    tab separated
    01,319485  1  00000004  2C6  7  CF 00 00 00 00 00 00     00000000  text

Lines may end in a carriage return alone. Seconds begin again after each minute; they stand before
the comma, and after it whole microseconds (version 3) or milliseconds (2), padded or not. An id of
more than three digits, or above 0x7FF, is extended.
Source: SavvyCAN, framefileio.cpp, of CARBUS Analyzer files; recordings.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import FD_BYTES
from contactor.can.readers.clocks import WrappingClock
from contactor.can.readers.lines import Lines, Mask, Positions, Spans, Text, cells_of, window
from contactor.can.readers.numbers import decimal, hexadecimal, packed_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_MS, NS_PER_S, NS_PER_US

FORM = re.compile(rb"\A@ TEXT @ *(\d{1,9})? *@")
TAB = 0x09
MINUTE_NS = 60 * NS_PER_S
MILLISECOND_VERSIONS = (1, 2)
TIME, BUS, IDENTIFIER, LENGTH, PAYLOAD = 0, 1, 3, 4, 5
STAMP_CHARACTERS = 20
MAX_SECONDS = 2**32
STANDARD_ID_DIGITS = 3
STEP_BYTES = len("02 ")
COMMENT, HEADER, COMMA, DOT, SPACE = b"#@,. "


class TextTraceParser:
    """Parses lines; remembers how many minutes have passed."""

    is_stamped = True

    def __init__(self, *, unit_ns: int) -> None:
        self._unit_ns = unit_ns
        self._clock = WrappingClock(MINUTE_NS)

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the trace that begins with `head`."""
        header = FORM.search(head)
        version = int(header.group(1) or 0) if header else 0
        return cls(unit_ns=NS_PER_MS if version in MILLISECOND_VERSIONS else NS_PER_US)

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, cells = lines.text, cells_of(lines, TAB)
        clock_ns, has_time = _clock_ns(text, cells.at(TIME), self._unit_ns)
        bus, has_bus = decimal(text, cells.at(BUS))
        identifier = cells.at(IDENTIFIER)
        can_id, has_id = hexadecimal(text, identifier)
        length, has_length = decimal(text, cells.at(LENGTH))
        payload = cells.at(PAYLOAD)
        size = np.clip(length, 0, FD_BYTES)
        data, is_hexadecimal = packed_payload(text, payload.starts, size, STEP_BYTES)
        is_short = ~is_hexadecimal | (payload.lengths < STEP_BYTES * size - 1)
        is_frame = has_time & has_bus & has_id & has_length
        ts = np.zeros(len(lines), np.int64)
        ts[is_frame] = self._clock.unwrapped(clock_ns[is_frame])
        first = text[lines.spans.starts]
        is_blank = lines.spans.lengths == 0
        return settle(
            FrameColumns(
                ts=ts,
                can_id=can_id,
                length=length,
                data=data,
                bus=bus,
                is_extended=identifier.lengths > STANDARD_ID_DIGITS,
            ),
            is_frame=is_frame,
            is_known=is_blank | (first == COMMENT) | (first == HEADER),
            causes=((is_short & (length <= FD_BYTES), Cause.SHORT),),
        )


def _clock_ns(text: Text, spans: Spans, unit_ns: int) -> tuple[Positions, Mask]:
    """Seconds, a comma, and whole units after it; many writers do not pad them."""
    characters = window(text, spans.starts, STAMP_CHARACTERS)
    is_mark = (characters == COMMA) | (characters == DOT)
    marks = spans.starts + is_mark.argmax(axis=1)
    has_mark = is_mark.any(axis=1) & (marks < spans.ends)
    marks = np.where(has_mark, marks, spans.ends)
    seconds, has_seconds = decimal(text, Spans(spans.starts, marks))
    decimals = Spans(np.minimum(marks + 1, spans.ends), spans.ends)
    units, has_units = decimal(text, decimals)
    fits = (seconds >= 0) & (seconds < MAX_SECONDS) & (units >= 0)
    fits &= decimals.lengths <= len(str(NS_PER_S // unit_ns - 1))
    is_time = has_seconds & has_units & has_mark & fits
    return np.where(is_time, seconds * NS_PER_S + units * unit_ns, 0), is_time
