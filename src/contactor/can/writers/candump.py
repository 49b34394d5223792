"""Writer of `candump -L` logs (can-utils).

    (1700000000.000000) can0 1DB#0011223344556677      standard id: three digits
    (1700000000.000100) can1 18FF50E5#0102             extended id: eight digits
    (1700000000.000200) can0 1DB##0112233              CAN FD: one digit of flags, then the payload
    (1700000000.000300) can0 1DB#R8                    remote: the length asked for
    (1700000000.000400) can0 20000004#0001000000000000 error frame: bit 29 of the id

Stamps have six digits after the point; a table with a stamp between two microseconds has nine. They
have no sign: a log without a date whose time runs back counts from its least stamp, where that is
known.

Source: can-utils, lib.c, `snprintf_canframe`; linux/can.h and linux/can/error.h.
"""

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from contactor.can.frames import (
    CLASSIC_BYTES,
    EXTENDED_DIGITS,
    MAX_STANDARD_ID,
    STANDARD_DIGITS,
    FrameTable,
)
from contactor.can.writers.losses import Losses
from contactor.can.writers.start import Start, with_first_ts
from contactor.can.writers.text import Line
from contactor.clock import NS_PER_S

ERROR_FLAG = 0x2000_0000
# An error on the bus that nobody knows more of.
BUS_ERROR = 0x80


def write_candump(
    tables: Iterable[FrameTable], target: BinaryIO, losses: Losses, least_ts: int | None
) -> None:
    """Write the lines of all tables."""
    first_ts, tables = with_first_ts(tables)
    start = Start(first_ts, least_ts, step_ns=1)
    for table in tables:
        target.write(_lines(table, 0 if start.is_dated else start.ts, losses))


def _lines(frames: FrameTable, origin_ns: int, losses: Losses) -> bytes:
    stamps = frames.ts - origin_ns
    is_early = stamps < 0
    losses.add("frames from before the start are written at the start", int(is_early.sum()))
    is_remote_fd = frames.is_remote & frames.is_fd
    losses.add("CAN FD remote frames are written as classic ones", int(is_remote_fd.sum()))
    is_bare = frames.is_error & (frames.can_id == 0)
    losses.add("error frames that tell no cause are written as bus errors", int(is_bare.sum()))

    line = Line(len(frames))
    line.literal(b"(")
    seconds, rest_ns = np.divmod(np.maximum(stamps, 0), NS_PER_S)
    line.decimal(seconds)
    line.literal(b".")
    if (rest_ns % 1000).any():
        line.fraction(rest_ns, 9)
    else:
        line.fraction(rest_ns // 1000, 6)
    line.literal(b") can")
    line.decimal(frames.bus.astype(np.int64))
    line.literal(b" ")
    _identifier(line, frames, is_bare)
    is_fd = frames.is_fd & ~frames.is_remote
    line.literal(b"#")
    if is_fd.any():
        line.literal(b"#0", is_fd)
    lengths = frames.length.astype(np.int64)
    if frames.is_remote.any():
        line.literal(b"R", frames.is_remote)
        asked = np.minimum(lengths, CLASSIC_BYTES).astype(np.uint32)
        line.hexadecimal(asked, 1, kept=frames.is_remote & (lengths > 0))
        lengths = np.where(frames.is_remote, 0, lengths)
    line.payload(frames.data, lengths, is_spaced=False)
    line.literal(b"\n")
    return line.text()


def _identifier(line: Line, frames: FrameTable, is_bare_error: np.ndarray) -> None:
    is_long = frames.is_extended | frames.is_error | (frames.can_id > MAX_STANDARD_ID)
    if not is_long.any():
        line.hexadecimal(frames.can_id, STANDARD_DIGITS)
        return
    flagged = frames.can_id | np.where(frames.is_error, np.uint32(ERROR_FLAG), np.uint32(0))
    flagged |= np.where(is_bare_error, np.uint32(BUS_ERROR), np.uint32(0))
    high, low = flagged >> np.uint32(12), flagged & np.uint32(0xFFF)
    line.hexadecimal(high, EXTENDED_DIGITS - STANDARD_DIGITS, kept=is_long)
    line.hexadecimal(low, STANDARD_DIGITS)
