"""Writer of PEAK TRC logs, version 2.1.

    ;$FILEVERSION=2.1
    ;$STARTTIME=45244.92578125
    ;$COLUMNS=N,O,T,B,I,d,R,l,D
          1         0.640 DT 1      01DB Rx -  8    00 11 22 33 44 55 66 77
          2         0.740 FD 2  18FF50E5 Rx -  12   00 11 22 33 44 55 66 77 88 99 AA BB
          3         0.840 RR 1      01DB Rx -  8
          4         0.940 ER 1         - Rx -  0

Buses count from 1. The start is in days since 1899-12-30 UTC; it lies on a 1024th of a day, which
a float64 holds exactly and which is whole milliseconds, so that no stamp is shifted. A log without
a date has no `$STARTTIME`.

Source: PEAK-System, "PEAK CAN TRC File Format", version 2.1.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO

import numpy as np

from contactor.can.frames import CLASSIC_BYTES, FrameTable
from contactor.can.writers.losses import Losses
from contactor.can.writers.start import Start, with_first_ts
from contactor.can.writers.text import Line
from contactor.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S

# 1899-12-30, from where Windows counts its days, is so many days before 1970.
ORIGIN_NS = -25569 * NS_PER_DAY
PARTS_OF_A_DAY = 1024
STEP_NS = NS_PER_DAY // PARTS_OF_A_DAY  # 84.375 s exactly
COLUMNS = """\
;   Message   Time    Type    ID     Rx/Tx
;   Number    Offset  |  Bus  [hex]  |  Reserved
;   |         [ms]    |  |    |      |  |  Data Length
;   |         |       |  |    |      |  |  |    Data [hex] ...
;   |         |       |  |    |      |  |  |    |
;---+-- ------+------ +- +- --+----- +- +- +--- +- -- -- -- -- -- -- --
"""
TYPES = np.array([b" DT ", b" FD ", b" RR ", b" ER "])
DATA, FD, REMOTE, ERROR = range(4)
NUMBER_WIDTH, OFFSET_WIDTH = 7, 9


def write_trc(
    tables: Iterable[FrameTable], target: BinaryIO, losses: Losses, least_ts: int | None
) -> None:
    """Write the head and the lines of all tables."""
    first_ts, tables = with_first_ts(tables)
    start = Start(first_ts, least_ts, step_ns=STEP_NS, origin_ns=ORIGIN_NS)
    target.write(_head(start))
    number = 1
    for table in tables:
        target.write(_lines(table, number, start, losses))
        number += len(table)


def _head(start: Start) -> bytes:
    lines = [";$FILEVERSION=2.1"]
    if start.is_dated:
        lines.append(f";$STARTTIME={Decimal((start.ts - ORIGIN_NS) // STEP_NS) / PARTS_OF_A_DAY}")
    lines += [";$COLUMNS=N,O,T,B,I,d,R,l,D", ";"]
    if start.is_dated:
        at = datetime.fromtimestamp(start.ts // NS_PER_S, UTC)
        lines.append(f";   Start time: {at:%d.%m.%Y %H:%M:%S}.{start.ts % NS_PER_S // 1000:06} UTC")
    return ("\n".join(lines) + f"\n;   Written by Contactor\n;\n{COLUMNS}").encode()


def _lines(frames: FrameTable, number: int, start: Start, losses: Losses) -> bytes:
    losses.add_error_details(frames, name="TRC")
    is_remote_fd = frames.is_remote & frames.is_fd
    losses.add("CAN FD remote frames are written as classic ones", int(is_remote_fd.sum()))
    offsets_ns = start.offsets_ns(frames, losses)
    kind = np.where(frames.is_fd, FD, DATA)
    kind = np.where(frames.is_remote, REMOTE, kind)
    kind = np.where(frames.is_error, ERROR, kind)
    lengths = np.where(frames.is_error, 0, frames.length).astype(np.int64)
    lengths = np.where(frames.is_remote, np.minimum(lengths, CLASSIC_BYTES), lengths)

    line = Line(len(frames))
    line.decimal(np.arange(number, number + len(frames)), width=NUMBER_WIDTH)
    line.literal(b" ")
    line.decimal(offsets_ns // NS_PER_MS, width=OFFSET_WIDTH)
    line.literal(b".")
    if (offsets_ns % 1000).any():
        line.fraction(offsets_ns % NS_PER_MS, 6)
    else:
        line.fraction(offsets_ns % NS_PER_MS // 1000, 3)
    line.choice(TYPES, kind)
    line.decimal(frames.bus.astype(np.int64) + 1, width=2, pad_left=False)
    _identifier(line, frames)
    line.literal(b" Rx -  ")
    line.decimal(lengths, width=3, pad_left=False)
    shown = np.where(frames.is_remote, 0, lengths)
    line.literal(b" ", shown > 0)
    line.payload(frames.data, shown, is_spaced=True)
    line.literal(b"\n")
    return line.text()


def _identifier(line: Line, frames: FrameTable) -> None:
    is_long = frames.is_extended & ~frames.is_error
    is_short = ~(is_long | frames.is_error)
    line.literal(b" ")
    line.hexadecimal(frames.can_id >> np.uint32(16), 4, kept=is_long)
    line.literal(b"    ", ~is_long)
    line.hexadecimal(frames.can_id & np.uint32(0xFFFF), 4, kept=is_long | is_short)
    line.literal(b"   -", frames.is_error)
