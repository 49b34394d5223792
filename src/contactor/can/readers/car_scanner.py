"""Reader of the adapter log of Car Scanner, and of other text of an ELM327 with headers on.

    [ELM RESET]                       what the app notes: known
    >ATH1                             what it asks of the adapter: known
    OK
    >0100
    7E8064100BE3FA813                 an answer, 11 bit id and bytes; with blanks or without
    18DAF110064100BE3FA813            an answer, 29 bit id
    >
    [cmd_reply=] 7E8064100BE3FA813    the same told again, up to [DecodeResult=True]: known

Only what carries its id is a frame: answers after `ATH1`, of diagnostic ids (0x600..0x7FF, 18DA and
18DB with 29 bits; any 11 bit id while the adapter monitors: ATMA, STM). An answer without an id is
refused. The adapter keeps no time: a frame is taken to come 1 ms after the one before it.
Source: ELM327 data sheet, "Interpreting CAN message formats"; logs in wican-fw issue 508.
"""

import re
from typing import Self

import numpy as np

from contactor.can.frames import (
    CLASSIC_BYTES,
    EXTENDED_DIGITS,
    MAX_STANDARD_ID,
    STANDARD_DIGITS,
)
from contactor.can.readers.lines import Lines, Mask, Spans, Text, begins_with, window, without
from contactor.can.readers.numbers import HEXADECIMAL, NO_DIGIT, hexadecimal, packed_payload
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle
from contactor.clock import NS_PER_MS

FORM = re.compile(
    rb"^\[(?:ELM RESET|cmd_reply=|DecodeResult=|STSupported=)"
    rb"|^>?AT ?(?:Z|H ?1|SP ?[0-9A-C])[ \t]{0,8}\r?$",
    re.MULTILINE,
)
ASSUMED_STEP_NS = NS_PER_MS
MOST_DIGITS = EXTENDED_DIGITS + 2 * CLASSIC_BYTES
LOWEST_DIAGNOSTIC_ID = 0x600
PHYSICAL, FUNCTIONAL = 0x18DA, 0x18DB
# Answers have the service that was asked for plus 0x40.
FIRST_ANSWER = 0x40
PROMPT, NOTE = b">["
# What opens a copy of an answer; `[DecodeResult` or the next command closes it.
TOLD_AGAIN = (b"[CMD_REPLY=", b"[TRYING")
DECODED = b"[DECODERESULT"
SAYINGS = (
    b"OK", b"?", b"NODATA", b"STOPPED", b"SEARCHING", b"BUS", b"UNABLE", b"CANERROR", b"ELM",
    b"STN", b"AT", b"ST", b"VT", b"BUFFERFULL", b"<", b"ACTALERT", b"LVRESET", b"FBERROR",
)  # fmt: skip
HEADERS_ON, HEADERS_OFF = (b"ATH1",), (b"ATH0", b"ATZ", b"ATD", b"ATWS")
MONITORS = (b"ATMA", b"STM", b"STMA")
IS_BLANK = np.isin(np.arange(256), (0x20, 0x09))
UPPER = np.frombuffer(bytes(range(256)).upper(), np.uint8)


class CarScannerParser:
    """Parses lines; remembers whether headers are on, what the adapter does, how many frames."""

    is_stamped = False

    def __init__(self) -> None:
        self._has_headers = False
        self._monitors = False
        self._is_told_again = False
        self._frames = 0

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for any such log."""
        return cls()

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        shown = without(lines, IS_BLANK)
        text, spans = UPPER[shown.text], shown.spans
        has_prompt = text[spans.starts] == PROMPT
        spans = Spans(np.minimum(spans.starts + has_prompt, spans.ends), spans.ends)
        is_asked = has_prompt & (spans.lengths > 0)
        is_note = text[spans.starts] == NOTE
        is_copy = _latest(
            _any_begin(text, spans, TOLD_AGAIN),
            begins_with(text, spans.starts, DECODED) | is_asked,
            before=self._is_told_again,
        )
        has_headers = _latest(
            _is_any(text, spans, HEADERS_ON) & ~is_copy,
            _is_any(text, spans, HEADERS_OFF) & ~is_copy,
            before=self._has_headers,
        )
        is_monitor = _is_any(text, spans, MONITORS) & ~is_copy
        monitors = _latest(is_monitor, has_prompt & ~is_monitor, before=self._monitors)
        if len(lines):
            self._is_told_again, self._has_headers = bool(is_copy[-1]), bool(has_headers[-1])
            self._monitors = bool(monitors[-1])

        is_hexadecimal = _is_hexadecimal(text, spans)
        digits = spans.lengths
        is_extended = digits % 2 == 0
        id_digits = np.where(is_extended, EXTENDED_DIGITS, STANDARD_DIGITS)
        id_ends = np.minimum(spans.starts + id_digits, spans.ends)
        can_id, has_id = hexadecimal(text, Spans(spans.starts, id_ends))
        length = np.clip((digits - id_digits) // 2, 0, CLASSIC_BYTES)
        data, is_payload = packed_payload(text, id_ends, length)
        is_diagnostic = np.where(
            is_extended,
            ((can_id >> 16) == PHYSICAL) | ((can_id >> 16) == FUNCTIONAL),
            (can_id >= LOWEST_DIAGNOSTIC_ID) | monitors,
        )
        is_diagnostic &= is_extended | (can_id <= MAX_STANDARD_ID)
        is_line = is_hexadecimal & ~is_asked & ~is_copy
        is_whole = has_id & is_payload & is_diagnostic & (digits > id_digits)
        is_frame = is_line & is_whole & has_headers & (digits <= id_digits + 2 * CLASSIC_BYTES)
        service_ends = np.minimum(spans.starts + 2, spans.ends)
        service, _ = hexadecimal(text, Spans(spans.starts, service_ends))
        is_command = is_line & ~is_frame & is_extended & (service < FIRST_ANSWER)
        is_answer = is_line & ~is_frame & ~is_command & (digits >= 4)
        is_known = is_asked | is_note | is_copy | is_command | (spans.lengths == 0)
        is_known |= _any_begin(text, spans, SAYINGS) & ~is_line
        rows = np.cumsum(is_frame)
        parsed = settle(
            FrameColumns(
                ts=(self._frames + rows - 1) * ASSUMED_STEP_NS,
                can_id=can_id,
                length=length,
                data=data,
                is_extended=is_extended,
            ),
            is_frame=is_frame | is_answer,
            is_known=is_known & ~is_frame,
            causes=((is_answer, Cause.NO_IDENTIFIER),),
        )
        self._frames += len(parsed.frames)
        return parsed


def _latest(begins: Mask, ends: Mask, *, before: bool) -> Mask:
    """Whether the latest of two marks up to each line is one that begins, (n,)."""
    rows = np.arange(1, len(begins) + 1)
    begun = np.maximum.accumulate(np.where(begins, rows, 0))
    ended = np.maximum.accumulate(np.where(ends, rows, 0))
    result: Mask = np.where((begun == 0) & (ended == 0), before, begun > ended)
    return result


def _any_begin(text: Text, spans: Spans, words: tuple[bytes, ...]) -> Mask:
    result = np.zeros(len(spans.starts), np.bool_)
    for word in words:
        result |= begins_with(text, spans.starts, word)
    return result


def _is_any(text: Text, spans: Spans, words: tuple[bytes, ...]) -> Mask:
    result = np.zeros(len(spans.starts), np.bool_)
    for word in words:
        result |= begins_with(text, spans.starts, word) & (spans.lengths == len(word))
    return result


def _is_hexadecimal(text: Text, spans: Spans) -> Mask:
    is_digit = HEXADECIMAL[window(text, spans.starts, MOST_DIGITS)] != NO_DIGIT
    is_inside = np.arange(MOST_DIGITS) < spans.lengths[:, None]
    result: Mask = (is_digit | ~is_inside).all(axis=1)
    result &= (spans.lengths >= 1) & (spans.lengths <= MOST_DIGITS)
    return result
