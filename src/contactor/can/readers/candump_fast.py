"""The compiled path of the candump reader: whole blocks at a time.

fast = parse_fast(block, interfaces, may_learn=True)
fast.frames, fast.odd           # the lines left are parsed by `CandumpParser.parse`
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, FrameTable
from contactor.can.readers.interfaces import MAX_BUSES, NAME_BYTES, InterfaceNumbers
from contactor.can.readers.lines import CARRIAGE_RETURN, PAD, Lines, Spans, TextBlock
from contactor.can.readers.parsed import FastParsed

# The shortest line of a frame, `(0.0) a 123#` and its end.
SHORTEST_LINE_BYTES = 13
# With more odd lines than one in so many bytes the block is not of the usual form.
ODD_LINE_BYTES = 1_000


def parse_fast(
    block: TextBlock, interfaces: InterfaceNumbers, *, may_learn: bool
) -> FastParsed | None:
    """Read the usual lines of a block; arguments and result as of `FastParser.parse_fast`."""
    from contactor.can.kernels.candump import MAX_NAMES, parse_lines

    rows = block.size // SHORTEST_LINE_BYTES + 1
    end = PAD + block.size
    if block.is_last_open:  # whether that one is cut, the plain parser tells
        end = _last_line(block)
    names = np.zeros((MAX_NAMES, NAME_BYTES // 8), np.uint64)
    name_lengths = np.zeros(MAX_NAMES, np.int64)
    ts = np.empty(rows, np.int64)
    name = np.empty(rows, np.uint8)
    can_id = np.empty(rows, np.uint32)
    is_extended, is_fd = np.empty(rows, np.bool_), np.empty(rows, np.bool_)
    length = np.empty(rows, np.uint8)
    odd = np.empty((block.size // ODD_LINE_BYTES + 16, 4), np.int64)
    left, width = -1, CLASSIC_BYTES
    for width in (CLASSIC_BYTES, FD_BYTES):
        names[:] = 0
        data = np.empty(rows * width // 8, np.uint64)
        frames, lines, left, name_count = parse_lines(
            block.text,
            PAD,
            end,
            block.line_end,
            names,
            name_lengths,
            0,
            width // 8,
            ts,
            name,
            can_id,
            is_extended,
            is_fd,
            length,
            data,
            odd,
        )
        if left >= 0:
            break
    if left < 0:
        return None
    odd = odd[:left]
    if block.is_last_open:
        odd = np.concatenate((odd, [(lines, end, PAD + block.size - 1, frames)]))
        lines += 1
    bus = _buses(names[:name_count], interfaces, may_learn=may_learn and not len(odd))
    if bus is None:
        return None
    table = FrameTable(
        ts=ts[:frames],
        bus=bus[name[:frames]],
        can_id=can_id[:frames],
        is_extended=is_extended[:frames],
        is_fd=is_fd[:frames],
        is_remote=np.zeros(frames, np.bool_),
        is_error=np.zeros(frames, np.bool_),
        length=length[:frames],
        data=data[: frames * width // 8].view(np.uint8).reshape(frames, width),
    )
    return FastParsed(table, lines, _odd_lines(block, odd), odd[:, 0], odd[:, 3])


def _last_line(block: TextBlock) -> int:
    """Where the last line begins."""
    ends = np.flatnonzero(block.text[PAD : PAD + block.size - 1] == block.line_end)
    return PAD + int(ends[-1]) + 1 if len(ends) else PAD


def _buses(
    names: NDArray[np.uint64], interfaces: InterfaceNumbers, *, may_learn: bool
) -> NDArray[np.uint8] | None:
    """The bus of each name, at least one; None where a name is new and may not be learnt now."""
    numbers = np.zeros(MAX_BUSES, np.uint8)
    for place, words in enumerate(names):
        name = words.tobytes().rstrip(b"\0")
        number = interfaces.known(name)
        if number is None:
            if not may_learn or interfaces.is_full:
                return None
            number = interfaces.learnt(name)
        numbers[place] = number
    return numbers


def _odd_lines(block: TextBlock, odd: NDArray[np.int64]) -> Lines:
    starts, ends = odd[:, 1], odd[:, 2]
    has_return = (block.text[ends - 1] == CARRIAGE_RETURN) & (ends > starts)
    return Lines(block.text, Spans(starts, ends - has_return), 1, block.is_last_open)
