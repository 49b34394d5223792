"""A text log as blocks of whole lines, in bounded memory.

    for block in read_blocks(stream, line_end=LINE_FEED, block_bytes=2**21):
        parser.parse(lines_of(block, first_number=1))

Each block has its own memory, so that several can be parsed side by side.
"""

from collections.abc import Iterator

import numpy as np

from contactor.can.readers.lines import (
    CARRIAGE_RETURN,
    LINE_FEED,
    PAD,
    SPACE,
    Text,
    TextBlock,
)
from contactor.can.readers.sources import Stream

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
AHEAD_BYTES = 4096
# How far back a line end is looked for at a time.
BACK_BYTES = 1024


def line_end_of(head: bytes) -> int:
    """The byte that ends lines: a line feed, or a carriage return where there is no line feed."""
    return LINE_FEED if bytes([LINE_FEED]) in head else CARRIAGE_RETURN


def read_blocks(stream: Stream, *, line_end: int, block_bytes: int) -> Iterator[TextBlock]:
    """The lines of a stream, in blocks of about `block_bytes`.

    Of a line longer than that its first bytes are a block, and the rest of it is passed over. Of
    blanks before it (zeros where a log was not written to its end) nothing is given.

    Raises:
        OSError: the stream cannot be read.
    """
    # The last block keeps its open line with those before it: they tell whether it was cut.
    ahead_bytes = min(AHEAD_BYTES, block_bytes)
    rest = _read(stream, ahead_bytes).removeprefix(BYTE_ORDER_MARK)
    while rest:
        room = max(block_bytes, len(rest) + 1)
        text = np.empty(PAD + room + 1 + PAD, np.uint8)
        text[PAD : PAD + len(rest)] = np.frombuffer(rest, np.uint8)
        count = stream.readinto(text[PAD + len(rest) : PAD + room])
        filled = len(rest) + count
        ahead = _read(stream, ahead_bytes) if filled == room else b""
        size = _whole_lines(text, filled, line_end) if ahead else filled
        if size:
            rest = text[PAD + size : PAD + filled].tobytes() + ahead
            yield TextBlock.settled(text, size, line_end=line_end, is_end=not ahead)
        elif (text[PAD : PAD + filled] <= SPACE).all():
            rest = ahead
        else:
            rest = _after_line(stream, ahead, line_end, block_bytes)
            yield TextBlock.settled(text, filled, line_end=line_end, is_end=False, is_long=True)


def _read(stream: Stream, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: stream.readinto(buffer)])


def _after_line(stream: Stream, piece: bytes, line_end: int, block_bytes: int) -> bytes:
    """What was read behind the end of the line that a piece lies in."""
    while piece:
        _, end, rest = piece.partition(bytes([line_end]))
        if end:
            return rest or _read(stream, AHEAD_BYTES)
        piece = _read(stream, block_bytes)
    return b""


def _whole_lines(text: Text, filled: int, line_end: int) -> int:
    """The bytes up to and with the last line end, 0 where there is none."""
    end = PAD + filled
    while end > PAD:
        start = max(PAD, end - BACK_BYTES)
        found = text[start:end].tobytes().rfind(line_end)
        if found >= 0:
            return start + found + 1 - PAD
        end = start
    return 0
