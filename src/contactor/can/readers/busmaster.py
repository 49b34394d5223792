"""Reader of BUSMASTER logs.

    ***BUSMASTER Ver 3.2.0***
    ***START DATE AND TIME 8:8:2014 11:49:7:965***         day:month:year h:m:s:ms
    ***HEX***                                              or DEC: ids and bytes
    ***SYSTEM MODE***                                      what the times are, see below
    ***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
    11:49:12:9420 Rx 1 0x023 s 1 40                        s, x: 11, 29 bit id
    11:49:12:9440 Tx 2 0x18FF50E5 xr 8                     sr, xr: remote

Times are h:m:s and decimals of a second: of the day (system mode, past midnight they go on), since
the start (absolute) or since the frame before (relative; these add up). With a start date they are
instants; its zone is the recorder's, and it is taken as UTC. A log may hold several sessions.
Source: BUSMASTER, LogObjectCAN.cpp; SavvyCAN, framefileio.cpp.
"""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FD_BYTES
from contactor.can.readers.clocks import StepSum, WrappingClock, time_of_day
from contactor.can.readers.lines import Fields, Lines, Mask, Positions, begins_with, words_of
from contactor.can.readers.numbers import (
    decimal,
    decimal_payload,
    hexadecimal,
    spread_payload,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S

FORM = re.compile(rb"^\W?\*\*\*BUSMASTER Ver|^\*\*\*<Time><Tx/Rx><Channel><CAN ID>", re.MULTILINE)
DECIMAL_FORM = re.compile(rb"\*\*\*DEC\*\*\*")
MODE = re.compile(rb"\*\*\*(SYSTEM|ABSOLUTE|RELATIVE) MODE\*\*\*")
START = re.compile(
    rb"\*\*\*START DATE AND TIME (\d{1,2}):(\d{1,2}):(\d{4}) "
    rb"(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,3})\b"
)
STARS, SESSION = b"***", b"***START DATE AND TIME"
TIME, DIRECTION, CHANNEL, IDENTIFIER, KIND, LENGTH, PAYLOAD = range(7)
# What fits into nanoseconds.
FIRST_YEAR, END_YEAR = 1970, 2116
LETTER_X, LETTER_R, LOWER_CASE = ord("x"), ord("r"), 0x20


class BusmasterParser:
    """Parses lines; remembers the session's start and how far its time has come."""

    is_stamped = True

    def __init__(self, *, mode: bytes, is_decimal: bool) -> None:
        self._mode = mode
        self._is_decimal = is_decimal
        self._begin(b"")

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for the log that begins with `head`."""
        mode = MODE.search(head)
        return cls(
            mode=mode.group(1) if mode else b"SYSTEM",
            is_decimal=DECIMAL_FORM.search(head) is not None,
        )

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, words = lines.text, words_of(lines)
        clock_ns, has_time = time_of_day(text, words.at(TIME), has_decimals=True)
        bus, has_bus = decimal(text, words.at(CHANNEL))
        identifier, kind = words.at(IDENTIFIER), words.at(KIND)
        if self._is_decimal:
            can_id, has_id = decimal(text, identifier)
        else:
            can_id, has_id = hexadecimal(text, without_0x(text, identifier))
        length, has_length = decimal(text, words.at(LENGTH))
        is_extended = (text[kind.starts] | LOWER_CASE) == LETTER_X
        is_remote = (kind.lengths == 2) & ((text[kind.ends - 1] | LOWER_CASE) == LETTER_R)
        size = np.where(is_remote, 0, np.clip(length, 0, FD_BYTES))
        data, is_payload = self._payload(lines, words, size)
        is_known = (words.counts == 0) | begins_with(text, lines.spans.starts, STARS)
        is_frame = has_time & has_bus & has_id & has_length & ~is_known
        return settle(
            FrameColumns(
                ts=self._times(lines, clock_ns, is_frame),
                can_id=can_id,
                length=length,
                data=data,
                bus=bus,
                is_extended=is_extended,
                is_remote=is_remote,
            ),
            is_frame=is_frame,
            is_known=is_known,
            causes=((~is_payload & (length <= FD_BYTES), Cause.SHORT),),
        )

    def _payload(
        self, lines: Lines, words: Fields, size: Positions
    ) -> tuple[NDArray[np.uint8], Mask]:
        if self._is_decimal:
            return decimal_payload(lines.text, words, PAYLOAD, size)
        return spread_payload(lines.text, words, PAYLOAD, size)

    def _times(self, lines: Lines, clock_ns: Positions, is_frame: Mask) -> Positions:
        """The times of the lines with frames, session by session."""
        ts = np.zeros(len(lines), np.int64)
        starts = np.flatnonzero(begins_with(lines.text, lines.spans.starts, SESSION))
        for first, end in pairwise((-1, *starts.tolist(), len(lines))):
            if first >= 0:
                self._begin(lines.line(first))
            rows = first + 1 + np.flatnonzero(is_frame[first + 1 : end])
            ts[rows] = self._base_ns + self._session_ns(clock_ns[rows])
        return ts

    def _session_ns(self, clock_ns: Positions) -> Positions:
        if self._mode != b"RELATIVE":
            return self._clock.unwrapped(clock_ns)
        return self._sum.times(clock_ns)

    def _begin(self, line: bytes) -> None:
        """Begin a session: from its date on, or from zero where there is none."""
        self._clock, self._sum, self._base_ns = WrappingClock(NS_PER_DAY), StepSum(), 0
        found = START.match(line)
        if not found:
            return
        day, month, year, hour, minute, second, millisecond = (int(part) for part in found.groups())
        try:
            start = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return
        if not FIRST_YEAR <= year < END_YEAR:
            return
        of_day = start.replace(hour=0, minute=0, second=0) if self._mode == b"SYSTEM" else start
        self._base_ns = round(of_day.timestamp()) * NS_PER_S
        if self._mode != b"SYSTEM":
            self._base_ns += millisecond * NS_PER_MS
