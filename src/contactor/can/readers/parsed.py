"""What a parser gives back: the frames of a block of lines, and why a line was none.

Every line gets a verdict: a parser drops nothing in silence.

    rows = FrameColumns(ts=ts, can_id=can_id, length=length, data=data)
    parsed = settle(rows, is_frame=is_frame, is_known=is_header, causes=((is_short, Cause.SHORT),))
    len(parsed.frames), parsed.verdicts      # a verdict per line, 0 where nothing was refused
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import (
    CLASSIC_BYTES,
    FD_BYTES,
    MAX_EXTENDED_ID,
    MAX_STANDARD_ID,
    FrameTable,
)
from contactor.can.readers.lines import Lines, Mask, Positions

MAX_BUS = 255


class Cause(StrEnum):
    """Why a line was refused."""

    NO_FRAME = "not a frame"
    CUT = "truncated line"
    SHORT = "payload shorter than length"
    LENGTH = "length out of range"
    IDENTIFIER = "identifier out of range"
    TIME = "time out of range"
    RUINED_IDENTIFIER = "identifier ruined by a spreadsheet"
    RUINED_TIME = "time ruined by a spreadsheet"
    NO_IDENTIFIER = "answer without its identifier"
    BUS = "bus out of range"
    NAME_ONLY = "identifier given as a name only"
    DAMAGED = "packed data is damaged from here on"
    CHECKSUM = "checksum of the packed data is wrong: any frame before may be"
    GARBLED = "bytes that are no record"
    CUT_RECORD = "truncated record"
    LONG = "line longer than any frame's"


CAUSES = tuple(Cause)


@dataclass(frozen=True, slots=True, eq=False)
class FrameColumns:
    """What was read from n lines, frames or not; columns as in `FrameTable`, of any integer type.

    A scalar stands for all rows. An id above 0x7FF is extended whatever `is_extended` says.
    """

    ts: Positions
    can_id: Positions
    length: Positions
    data: NDArray[np.uint8]
    bus: Positions | int = 0
    is_extended: Mask | bool = False
    is_fd: Mask | bool = False
    is_remote: Mask | bool = False
    is_error: Mask | bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Records of a binary log that were refused for one cause.

    Fields:
        cause: why.
        count: how many.
        first: the number in the file of the first of them, from 1.
        text: what that looked like, in some words or bytes.
    """

    cause: Cause
    count: int
    first: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some of a binary log's frames, what was refused among them, and how much of it is read.

    `done` counts bytes of the file.
    """

    frames: FrameTable
    faults: tuple[Fault, ...]
    done: int


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """The frames of a block in row order, and a verdict for each of its lines.

    Fields:
        frames: the frames.
        verdicts: uint8 (lines,), 0 where the line was not refused, else 1 + the place of its cause
            in `CAUSES`.
        is_known: bool (lines,), headers, comments and blank lines.
    """

    frames: FrameTable
    verdicts: NDArray[np.uint8]
    is_known: Mask

    @property
    def last_is_refused(self) -> bool:
        """Whether the block's last line was refused."""
        return bool(self.verdicts[-1])

    @property
    def last_is_frame(self) -> bool:
        """Whether the block's last line is a frame."""
        return not self.verdicts[-1] and not self.is_known[-1]

    def refused(self) -> dict[Cause, Positions]:
        """The lines refused for each cause, as rows of the block."""
        codes = np.unique(self.verdicts[self.verdicts > 0])
        return {CAUSES[code - 1]: np.flatnonzero(self.verdicts == code) for code in codes}

    def with_last_refused(self, cause: Cause) -> "Parsed":
        """The same with the last line refused."""
        frames = self.frames.take(slice(0, -1)) if self.last_is_frame else self.frames
        verdicts = self.verdicts.copy()
        verdicts[-1] = 1 + CAUSES.index(cause)
        return Parsed(frames, verdicts, self.is_known)


@dataclass(frozen=True, slots=True, eq=False)
class FastParsed:
    """What a compiled path read of a block, and the lines that it leaves to the plain one.

    Fields:
        frames: the frames it read.
        lines: the number of lines in the block.
        odd: the lines left.
        odd_lines: int64 (len(odd),), which lines of the block they are, from 0.
        odd_places: int64 (len(odd),), how many of `frames` come before each.
    """

    frames: FrameTable
    lines: int
    odd: Lines
    odd_lines: Positions
    odd_places: Positions

    def with_frames(self, parsed: Parsed) -> FrameTable:
        """All frames in the order of lines, those of the parsed odd lines among them."""
        is_frame = (parsed.verdicts == 0) & ~parsed.is_known
        places = np.concatenate(
            (2 * np.arange(len(self.frames)) + 1, 2 * self.odd_places[is_frame])
        )
        order = np.argsort(places, kind="stable")
        return FrameTable.concat((self.frames, parsed.frames)).take(order)


def settle(
    rows: FrameColumns,
    *,
    is_frame: Mask,
    is_known: Mask,
    causes: Sequence[tuple[Mask, Cause]] = (),
) -> Parsed:
    """Keep the rows that are frames and give every line its verdict.

    Args:
        rows: what was read from each line.
        is_frame: where that is a frame, by the format's own rules.
        is_known: where the line is a header, a comment or blank.
        causes: what else is wrong where a line has the form of a frame; the first cause that
            applies is named.
    """
    bus = np.asarray(rows.bus)
    faults = (
        *causes,
        ((rows.length < 0) | (rows.length > FD_BYTES), Cause.LENGTH),
        ((rows.can_id < 0) | (rows.can_id > MAX_EXTENDED_ID), Cause.IDENTIFIER),
        (np.broadcast_to((bus < 0) | (bus > MAX_BUS), is_frame.shape), Cause.BUS),
    )
    verdicts = np.full(is_frame.shape, 1 + CAUSES.index(Cause.NO_FRAME), np.uint8)
    verdicts[is_frame] = 0
    for is_wrong, cause in reversed(faults):
        verdicts[is_wrong & is_frame] = 1 + CAUSES.index(cause)
    is_kept = (verdicts == 0) & ~is_known
    verdicts[is_known] = 0
    return Parsed(_frames(rows, is_kept), verdicts, is_known)


def _padded(data: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Payloads of that width; a remote frame may ask for more bytes than any frame here has."""
    if data.shape[1] == width:
        return np.ascontiguousarray(data)
    padded = np.zeros((len(data), width), np.uint8)
    padded[:, : data.shape[1]] = data
    return padded


def _frames(rows: FrameColumns, is_kept: Mask) -> FrameTable:
    count = int(is_kept.sum())
    length = rows.length[is_kept]
    # One ruined length must not make every payload of its block 64 bytes wide.
    width = FD_BYTES if int(length.max(initial=0)) > CLASSIC_BYTES else CLASSIC_BYTES

    def flags(column: Mask | bool) -> Mask:
        return np.full(count, column) if isinstance(column, bool) else column[is_kept]

    can_id = rows.can_id[is_kept].astype(np.uint32)
    is_error = flags(rows.is_error)
    bus = np.asarray(rows.bus)
    return FrameTable(
        ts=rows.ts[is_kept],
        bus=np.full(count, bus, np.uint8) if bus.ndim == 0 else bus[is_kept].astype(np.uint8),
        can_id=can_id,
        is_extended=(flags(rows.is_extended) | (can_id > MAX_STANDARD_ID)) & ~is_error,
        is_fd=flags(rows.is_fd) | (length > CLASSIC_BYTES),
        is_remote=flags(rows.is_remote),
        is_error=is_error,
        length=length.astype(np.uint8),
        data=_padded(rows.data[is_kept, :width], width),
    )
