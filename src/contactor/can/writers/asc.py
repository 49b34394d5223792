"""Writer of Vector ASC logs, with hexadecimal numbers and stamps that count from the start.

    date Tue Nov 14 22:13:20.000 2023
    base hex  timestamps absolute
    internal events logged
    Begin Triggerblock Tue Nov 14 22:13:20.000 2023
       0.000000 Start of measurement
       0.000100 1  1DB             Rx   d 8 00 11 22 33 44 55 66 77
       0.000200 2  18FF50E5x       Rx   r 8
       0.000300 1  ErrorFrame
       0.000400 CANFD   1 Rx  1DB    0 0 9 12 00 11 22 33 44 55 66 77 88 99 AA BB 0 0 1000 0 0 0 0 0
    End TriggerBlock

Buses count from 1. The date is UTC; a log without a date has no date lines. The flags of a CAN FD
line say again what it is: bit 12 CAN FD, bit 4 remote.

Source: Vector, "CAN, log & trigger: ASCII logging file format"; python-can 4.6 as reader.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, DLC_BYTES, FrameTable
from contactor.can.writers.losses import Losses
from contactor.can.writers.start import Start, with_first_ts
from contactor.can.writers.text import HEX_DIGITS, Line
from contactor.clock import NS_PER_MS, NS_PER_S

HEAD = "base hex  timestamps absolute\ninternal events logged\n"
START = "   0.000000 Start of measurement\n"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ID_WIDTH = 15
FD_TAIL = b"        0    0     %s        0        0        0        0        0"


def write_asc(
    tables: Iterable[FrameTable], target: BinaryIO, losses: Losses, least_ts: int | None
) -> None:
    """Write the head, the lines of all tables, and the end."""
    first_ts, tables = with_first_ts(tables)
    start = Start(first_ts, least_ts, step_ns=NS_PER_MS)
    date = _date(start.ts)
    head = f"date {date}\n{HEAD}Begin Triggerblock {date}\n" if start.is_dated else HEAD
    target.write(f"{head}{START}".encode())
    for table in tables:
        target.write(_lines(table, start, losses))
    if start.is_dated:
        target.write(b"End TriggerBlock\n")


def dlc_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The least DLC whose payload holds so many bytes."""
    return np.searchsorted(DLC_BYTES, lengths)


def _date(ts: int) -> str:
    """As an English Windows writes it; the names do not depend on this machine's language."""
    at = datetime.fromtimestamp(ts // NS_PER_S, UTC)
    ms = ts // NS_PER_MS % 1000
    day, month = DAYS[at.weekday()], MONTHS[at.month - 1]
    return f"{day} {month} {at.day:02} {at:%H:%M:%S}.{ms:03} {at.year}"


def _lines(frames: FrameTable, start: Start, losses: Losses) -> bytes:
    losses.add_error_details(frames, name="ASC")
    offsets_ns = start.offsets_ns(frames, losses)
    is_fd = frames.is_fd & ~frames.is_error
    is_classic = ~(is_fd | frames.is_error)
    bus = frames.bus.astype(np.int64) + 1
    lengths = frames.length.astype(np.int64)
    shown = np.where(frames.is_remote | frames.is_error, 0, lengths)

    line = Line(len(frames))
    line.literal(b" ")
    line.decimal(offsets_ns // NS_PER_S, width=3)
    line.literal(b".")
    if (offsets_ns % 1000).any():
        line.fraction(offsets_ns % NS_PER_S, 9)
    else:
        line.fraction(offsets_ns % NS_PER_S // 1000, 6)
    line.literal(b" ")
    if is_fd.any():
        line.literal(b"CANFD ", is_fd)
    line.decimal(bus)
    if frames.is_error.any():
        line.literal(b"  ErrorFrame", frames.is_error)
    if is_classic.any():
        _classic_head(line, frames, is_classic, np.minimum(lengths, CLASSIC_BYTES))
    if is_fd.any():
        _fd_head(line, frames, is_fd, lengths, shown)
    line.payload(frames.data, shown, is_spaced=True)
    if is_fd.any():
        line.literal(FD_TAIL % b"1000", is_fd & ~frames.is_remote)
        line.literal(FD_TAIL % b"1010", is_fd & frames.is_remote)
    line.literal(b"\n")
    return line.text()


def _identifier(line: Line, frames: FrameTable, where: NDArray[np.bool_]) -> None:
    line.hexadecimal(frames.can_id, 8, kept=where, is_leading_kept=False)
    line.literal(b"x", where & frames.is_extended)


def _spaces(line: Line, counts: NDArray[np.int64]) -> None:
    most = int(counts.max(initial=0))
    line.field(np.full((len(counts), most), ord(" "), np.uint8), np.arange(most) < counts[:, None])


def _id_characters(frames: FrameTable) -> NDArray[np.int64]:
    """How many characters the id has, with its `x`."""
    beyond = np.array([16**digits for digits in range(1, 8)], np.uint32)
    return 1 + np.searchsorted(beyond, frames.can_id, side="right") + frames.is_extended


def _classic_head(
    line: Line, frames: FrameTable, where: NDArray[np.bool_], dlc: NDArray[np.int64]
) -> None:
    line.literal(b"  ", where)
    _identifier(line, frames, where)
    _spaces(line, np.where(where, ID_WIDTH - _id_characters(frames), 0))
    line.literal(b" Rx   d ", where & ~frames.is_remote)
    line.literal(b" Rx   r ", where & frames.is_remote)
    line.hexadecimal(dlc.astype(np.uint32), 1, kept=where)


def _fd_head(
    line: Line,
    frames: FrameTable,
    where: NDArray[np.bool_],
    lengths: NDArray[np.int64],
    shown: NDArray[np.int64],
) -> None:
    line.literal(b" Rx   ", where)
    _identifier(line, frames, where)
    line.literal(b"                                  0 0 ", where)
    line.field(HEX_DIGITS[dlc_of(lengths)][:, None], where[:, None])
    line.literal(b" ", where)
    tens, ones = np.divmod(shown, 10)
    line.field((tens + ord("0")).astype(np.uint8)[:, None], (where & (tens > 0))[:, None])
    line.field((ones + ord("0")).astype(np.uint8)[:, None], where[:, None])
