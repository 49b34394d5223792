"""The compiled path of the candump reader: whole blocks at a time.

fast = parse_fast(block, interfaces, may_learn=True)
fast.frames, fast.odd           # the lines left are parsed by `CandumpParser.parse`
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import BUSES, CLASSIC_BYTES, FD_BYTES, FrameTable
from contactor.can.readers.interfaces import NAME_BYTES, InterfaceNumbers
from contactor.can.readers.lines import PAD, Lines, Spans, TextBlock, cut_lines
from contactor.can.readers.parsed import FastParsed

# The shortest line of a frame, `(0.0) a 123#` and its end.
SHORTEST_LINE_BYTES = 13
# With more odd lines than one in so many bytes the block is not of the usual form.
ODD_LINE_BYTES = 1_000
# What the kernel gives for the odd lines where it ended early: payloads need more room.
NEEDS_FD = -2
NOWHERE = np.zeros(0, np.int64)
NO_LINES = Lines(np.zeros(2 * PAD, np.uint8), Spans(NOWHERE, NOWHERE), 1, False)


def parse_fast(
    block: TextBlock, interfaces: InterfaceNumbers, *, may_learn: bool
) -> FastParsed | None:
    """Read the usual lines of a block; arguments and result as of `FastParser.parse_fast`."""
    # Whether a last line without its end is cut, the plain parser tells.
    end = _last_line(block) if block.is_last_open else PAD + block.size
    found = _Columns(block, CLASSIC_BYTES)
    if found.parse(end) == NEEDS_FD:
        found = _Columns(block, FD_BYTES)
        found.parse(end)
    if found.left < 0:
        return None
    odd, lines = found.odd[: found.left], found.lines
    if block.is_last_open:
        odd = np.concatenate((odd, [(lines, end, PAD + block.size - 1, found.frames)]))
        lines += 1
    bus = _buses(found.names[: found.name_count], interfaces, may_learn and not len(odd))
    if bus is None:
        return None
    odd_lines = _odd_lines(block, odd) if len(odd) else NO_LINES
    return FastParsed(found.table(bus), lines, odd_lines, odd[:, 0], odd[:, 3])


class _Columns:
    """The columns that the kernel fills, with payloads of `width` bytes."""

    def __init__(self, block: TextBlock, width: int) -> None:
        rows = block.size // SHORTEST_LINE_BYTES + 1
        self._block = block
        self._width = width
        self._ts = np.empty(rows, np.int64)
        self._name = np.empty(rows, np.uint8)
        self._can_id = np.empty(rows, np.uint32)
        self._is_extended, self._is_fd = np.empty(rows, np.bool_), np.empty(rows, np.bool_)
        self._length = np.empty(rows, np.uint8)
        self._data = np.empty(rows * width // 8, np.uint64)
        self.odd = np.empty((block.size // ODD_LINE_BYTES + 16, 4), np.int64)
        self.names = np.zeros((BUSES, NAME_BYTES // 8), np.uint64)
        self.frames, self.lines, self.left, self.name_count = 0, 0, -1, 0

    def parse(self, end: int) -> int:
        """Read the block up to `end`; gives the odd lines left, or why that ended early."""
        from contactor.can.kernels.candump import parse_lines

        self.frames, self.lines, self.left, self.name_count = parse_lines(
            self._block.text,
            PAD,
            end,
            self._block.line_end,
            self.names,
            np.zeros(BUSES, np.int64),
            0,
            self._width // 8,
            self._ts,
            self._name,
            self._can_id,
            self._is_extended,
            self._is_fd,
            self._length,
            self._data,
            self.odd,
        )
        return self.left

    def table(self, bus: NDArray[np.uint8]) -> FrameTable:
        """The frames; `bus` has the number of each name."""
        rows = slice(self.frames)
        data = self._data[: self.frames * self._width // 8].view(np.uint8)
        data = data.reshape(self.frames, self._width)
        if self._length[rows].max(initial=0) <= CLASSIC_BYTES < self._width:
            data = data[:, :CLASSIC_BYTES].copy()
        return FrameTable(
            ts=self._ts[rows],
            bus=bus[self._name[rows]],
            can_id=self._can_id[rows],
            is_extended=self._is_extended[rows],
            is_fd=self._is_fd[rows],
            is_remote=np.zeros(self.frames, np.bool_),
            is_error=np.zeros(self.frames, np.bool_),
            length=self._length[rows],
            data=data,
        )


def _last_line(block: TextBlock) -> int:
    """Where the last line begins."""
    ends = np.flatnonzero(block.text[PAD : PAD + block.size - 1] == block.line_end)
    return PAD + int(ends[-1]) + 1 if len(ends) else PAD


def _buses(
    names: NDArray[np.uint64], interfaces: InterfaceNumbers, may_learn: bool
) -> NDArray[np.uint8] | None:
    """The bus of each name, at least one; None where a name is new and may not be learnt now."""
    numbers = np.zeros(BUSES, np.uint8)
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
    """The lines left, as a text of their own."""
    end = bytes([block.line_end])
    pieces = (block.text[start:stop].tobytes() for _, start, stop, _ in odd.tolist())
    lines = cut_lines(b"".join(piece + end for piece in pieces), line_end=block.line_end)
    return replace(lines, is_last_open=block.is_last_open)
