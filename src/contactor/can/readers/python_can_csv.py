"""Reader of python-can's CSV logs.

    timestamp,arbitration_id,extended,remote,error,dlc,data
    1483389946.197,0x00dadada,1,0,0,6,WzQyLCA5XQ==             data in Base64 (RFC 4648)
    1483389946.2,0x123,0,1,0,8,                                remote: no data, 8 bytes asked for
    1e-05,0x7ff,0,0,0,0,

Stamps are seconds, as Python writes a float; `dlc` is a count of bytes. There is no bus, and CAN FD
is told by more than eight bytes alone. A file that was appended to may have no header.
Source: python-can 4.6, `CSVWriter`.
"""

import re
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FD_BYTES
from contactor.can.readers.lines import Lines, Mask, Positions, Spans, Text, cells_of, window
from contactor.can.readers.numbers import (
    decimal,
    hexadecimal,
    payload_width,
    seconds_ns,
    without_0x,
)
from contactor.can.readers.parsed import Cause, FrameColumns, Parsed, settle

FORM = re.compile(
    rb"\A(?:\xef\xbb\xbf)?timestamp *, *arbitration[_ ]?id *, *extended *, *remote *, *error *"
    rb"|\A-?\d+(?:\.\d+)?(?:e-?\d+)?,0x[0-9a-f]+,[01],[01],[01],\d{1,2},[A-Za-z0-9+/]*={0,2}[\r\n]"
)
TIME, IDENTIFIER, EXTENDED, REMOTE, ERROR, LENGTH, DATA = range(7)
COMMA, PADDING, LETTER_E, ONE, ZERO, MINUS = b",=e10-"
LETTER_T = ord("t")
NO_LETTER = 255
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _values_of(letters: bytes) -> NDArray[np.uint8]:
    table = np.full(256, NO_LETTER, np.uint8)
    table[list(letters)] = np.arange(len(letters))
    return table


BASE64 = _values_of(LETTERS)


class PythonCanCsvParser:
    """Parses lines; remembers nothing."""

    is_stamped = True

    @classmethod
    def of(cls, head: bytes) -> Self:
        """A parser for any such log."""
        return cls()

    def parse(self, lines: Lines) -> Parsed:
        """Read every line."""
        text, cells = lines.text, cells_of(lines, COMMA)
        ts, has_time = _times(text, cells.at(TIME))
        can_id, has_id = hexadecimal(text, without_0x(text, cells.at(IDENTIFIER)))
        is_extended, has_extended = _flags(text, cells.at(EXTENDED))
        is_remote, has_remote = _flags(text, cells.at(REMOTE))
        is_error, has_error = _flags(text, cells.at(ERROR))
        length, has_length = decimal(text, cells.at(LENGTH))
        is_frame = has_time & has_id & has_extended & has_remote & has_error & has_length
        is_frame &= cells.counts == DATA + 1
        size = np.where(is_frame & ~is_remote, np.clip(length, 0, FD_BYTES), 0)
        data, has_payload, has_more = _payload(text, cells.at(DATA), size)
        is_header = text[lines.spans.starts] == LETTER_T
        return settle(
            FrameColumns(
                ts=ts,
                can_id=can_id,
                length=length,
                data=data,
                is_extended=is_extended,
                is_remote=is_remote,
                is_error=is_error,
            ),
            is_frame=is_frame,
            is_known=(lines.spans.lengths == 0) | is_header,
            causes=(
                (~has_payload & (length <= FD_BYTES), Cause.SHORT),
                (has_more, Cause.LENGTH),
            ),
        )


def _flags(text: Text, cells: Spans) -> tuple[Mask, Mask]:
    """Whether a cell is `1`, and whether it is `0` or `1`."""
    digit = text[cells.starts]
    return digit == ONE, (cells.lengths == 1) & ((digit == ONE) | (digit == ZERO))


def _times(text: Text, cells: Spans) -> tuple[Positions, Mask]:
    """Seconds, also as `1.5e-05`; a float with a positive exponent is out of range."""
    ts, is_time = seconds_ns(text, cells)
    rows = np.flatnonzero(~is_time & (cells.lengths > 1))
    if not len(rows):
        return ts, is_time
    width = int(np.clip(cells.lengths[rows].max(), 1, 32))
    is_mark = window(text, cells.starts[rows], width) == LETTER_E
    marks = cells.starts[rows] + is_mark.argmax(axis=1)
    is_small = (text[marks] == LETTER_E) & (text[marks + 1] == MINUS) & (marks < cells.ends[rows])
    ends = np.where(is_small, marks, cells.ends[rows])
    mantissa_ns, is_mantissa = seconds_ns(text, Spans(cells.starts[rows], ends))
    exponent, is_exponent = decimal(
        text, Spans(np.minimum(ends + 2, cells.ends[rows]), cells.ends[rows])
    )
    is_small &= is_mantissa & is_exponent & (exponent >= 0)
    scale = 10 ** np.clip(np.where(is_small, exponent, 0), 0, 18)
    ts[rows] = np.where(is_small, np.abs(mantissa_ns) // scale * np.sign(mantissa_ns), ts[rows])
    is_time[rows] = is_small
    return ts, is_time


def _payload(text: Text, cells: Spans, sizes: Positions) -> tuple[NDArray[np.uint8], Mask, Mask]:
    """Base64 as bytes: zeros past each size, whether there are so many, and whether there are more.

    Four letters hold three bytes:  aaaaaabb bbbbcccc ccdddddd
    """
    width = payload_width(sizes)
    groups = -(-width // 3)
    letters = window(text, cells.starts, 4 * groups)
    needed = -(-4 * sizes // 3)
    column = np.arange(4 * groups)
    is_inside = column < needed[:, None]
    values = BASE64[letters]
    is_bad = ((values == NO_LETTER) & is_inside).any(axis=1)
    values = np.where(is_inside, values, 0).reshape(len(sizes), groups, 4)
    a, b, c, d = (values[:, :, place] for place in range(4))
    data = np.empty((len(sizes), groups, 3), np.uint8)
    data[:, :, 0] = a << 2 | b >> 4
    data[:, :, 1] = b << 4 | c >> 2
    data[:, :, 2] = c << 6 | d
    flat = data.reshape(len(sizes), groups * 3)[:, :width]
    flat = np.where(np.arange(width) < sizes[:, None], flat, 0)
    has_payload = ~is_bad & (cells.lengths >= needed)
    padded = -(-sizes // 3) * 4
    return flat, has_payload, has_payload & (cells.lengths > padded)
