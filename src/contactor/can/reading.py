"""One reading of a log, in steps that several threads can share.

    reading = log.begin()
    for block in reading.blocks():                              # one thread, in order
        piece = reading.parse(block)
        frames = reading.settle(piece)                          # one thread, in order

`parse` changes what a parser knows (a clock that wraps, the names of interfaces), so it goes in the
order of the blocks; `parse_ahead` changes nothing, and may be called by any thread at any time.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.can.clock_set import find_first_instant, off_clock
from contactor.can.frames import FrameTable
from contactor.can.kernels import are_wanted
from contactor.can.readers.blocks import line_end_of, read_blocks
from contactor.can.readers.cut_end import LastLengths, may_end_open
from contactor.can.readers.lines import Lines, TextBlock, block_of
from contactor.can.readers.parsed import Block, Cause, FastParsed, Parsed
from contactor.can.readers.sources import Source
from contactor.can.readers.table import BinaryParser, FastParser, Parser
from contactor.errors import LogError

HEAD_BYTES = 64 * 1024
# What is looked at of a log in one place.
LOOK_BYTES = 128 * 1024
BLOCK_BYTES = 2 * 1024 * 1024
# The compiled path makes no arrays of its own per line; of what is kept whole, larger blocks are
# less work, of what is used up chunk by chunk they are more memory.
FAST_BLOCK_BYTES = 4 * 1024 * 1024
KEPT_BLOCK_BYTES = 8 * 1024 * 1024
# The shortest lines of frames that occur much: so many frames may a log of that size hold.
LINE_BYTES = 40
SHOWN_CHARACTERS = 80
SUM_IS_WRONG = re.compile(r"CRC|check ?sum|Adler|data check", re.IGNORECASE)
HALF_BYTE_AT_END = re.compile(rb"[^0-9A-Za-z+/][0-9A-Fa-f]$")
# Told how many bytes of how many have been read; of 0 where nobody knows.
Progress: TypeAlias = Callable[[int, int], None]
AnyBlock = TypeVar("AnyBlock", TextBlock, Block)
AnyParser = TypeVar("AnyParser", Parser, BinaryParser)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Lines that were refused for one reason: how many, and the first of them (from line 1).

    Of a binary log records are counted, not lines.
    """

    reason: str
    count: int
    first_line: int
    first_text: str


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The frames of one block, and what was refused in it, each reason once or more.

    `first_line` of a refusal counts from the block's first line, 0; `lines` is their number. A
    binary log numbers its records itself, from 1, and has no lines.
    """

    frames: FrameTable
    refused: Sequence[Refusal]
    lines: int


class Pass(ABC, Generic[AnyBlock, AnyParser]):
    """One reading of a log from its start.

    Args:
        source: the log's bytes.
        parser: made for this reading.
        origin_ns: the stamp that is taken off every other.
        on_progress: told the bytes read and the bytes in all, after each block.
        is_dated: whether the log's stamps are instants.
        is_final: False for a look at the log before its reading.
        are_kept: whether all frames are kept in memory anyway, so that blocks may be larger.
    """

    def __init__(
        self,
        source: Source,
        parser: AnyParser,
        *,
        origin_ns: int = 0,
        is_dated: bool = False,
        on_progress: Progress | None = None,
        is_final: bool = True,
        are_kept: bool = False,
    ) -> None:
        self._source = source
        self._parser: AnyParser = parser
        self._origin_ns = origin_ns
        self._is_dated = is_dated
        self._on_progress = on_progress
        self._is_final = is_final
        self._are_kept = are_kept
        self._line = 1
        self._refused: dict[str, Refusal] = {}
        self._damage: str | None = None
        self.off_clock = 0  # frames whose stamps are of another clock than the log's

    @property
    def is_stamped(self) -> bool:
        """Whether the log states times."""
        return bool(self._parser.is_stamped)

    @property
    def refused(self) -> list[Refusal]:
        """What was refused so far, in the order of first lines."""
        found = sorted(self._refused.values(), key=lambda refusal: refusal.first_line)
        if self._damage is not None:  # behind all that was unpacked
            is_sum = SUM_IS_WRONG.search(self._damage) is not None
            cause = Cause.CHECKSUM if is_sum else Cause.DAMAGED
            found.append(Refusal(cause.value, 1, self._line, shown(self._damage)))
        return found

    @abstractmethod
    def blocks(self) -> Iterator[AnyBlock]:
        """The log in blocks.

        Raises:
            LogError: the file can no longer be read.
        """

    @abstractmethod
    def parse(self, block: AnyBlock, ahead: FastParsed | None = None) -> Piece:
        """Parse a block in its turn.

        Args:
            ahead: what `parse_ahead` read of it, where some lines had to wait for their turn.
        """

    @abstractmethod
    def parse_ahead(self, block: AnyBlock) -> Piece | FastParsed | None:
        """Parse a block before its turn: all of it, its usual lines, or nothing."""

    def settle(self, piece: Piece) -> FrameTable:
        """Count what a piece refused, in the order of the file, and give its frames."""
        for refusal in piece.refused:
            known = self._refused.get(refusal.reason)
            self._refused[refusal.reason] = (
                replace(refusal, first_line=self._line + refusal.first_line)
                if known is None
                else replace(known, count=known.count + refusal.count)
            )
        self._line += piece.lines
        self.off_clock += off_clock(
            piece.frames.ts, is_dated=self._is_dated, origin_ns=self._origin_ns
        )
        return piece.frames

    def _piece(self, frames: FrameTable, refused: Sequence[Refusal], lines: int) -> Piece:
        if self._origin_ns:
            frames = replace(frames, ts=frames.ts - self._origin_ns)
        return Piece(frames, refused, lines)


class BinaryPass(Pass[Block, BinaryParser]):
    """A reading of a binary log, whose parser gives frames of its own accord."""

    def blocks(self) -> Iterator[Block]:
        size_on_disk = self._source.size
        with self._source.seekable(is_final=self._is_final) as (file, size):
            blocks = self._parser.parse(file, size)
            while block := self._next(blocks):
                yield block
                if self._on_progress:
                    done = round(block.done / max(size, 1) * size_on_disk)
                    self._on_progress(min(done, size_on_disk), size_on_disk)

    def _next(self, blocks: Iterator[Block]) -> Block | None:
        """The next block; an error of a parser, which knows no names, gets that of the log."""
        try:
            return next(blocks, None)
        except LogError as error:
            raise LogError(f"{self._source.label}: {error}") from error

    def parse(self, block: Block, ahead: FastParsed | None = None) -> Piece:
        refused = [
            Refusal(fault.cause.value, fault.count, fault.first - 1, shown(fault.text))
            for fault in block.faults
        ]
        return self._piece(block.frames, refused, 0)

    def parse_ahead(self, block: Block) -> Piece:
        return self.parse(block)


class TextPass(Pass[TextBlock, Parser]):
    """A reading of a text log, line by line; by a compiled path where the parser has one.

    Args:
        head: the log's first bytes.
        states_length: whether a line says how long its payload is, so that a cut one shows.
        rest: see `Pass`.
    """

    def __init__(
        self, source: Source, parser: Parser, *, head: bytes, states_length: bool, **rest: Any
    ) -> None:
        super().__init__(source, parser, **rest)
        self._states_length = states_length
        self._line_end = line_end_of(head)
        self._fast = parser if isinstance(parser, FastParser) else None
        self._lengths = LastLengths()
        self._may_end_open = not states_length and may_end_open(source, self._line_end)

    def settle(self, piece: Piece) -> FrameTable:
        if self._may_end_open:
            self._lengths.add(piece.frames)
        return super().settle(piece)

    def blocks(self) -> Iterator[TextBlock]:
        size = BLOCK_BYTES if self._is_final else HEAD_BYTES
        if self._fast and self._is_final and self._are_many(0):
            size = KEPT_BLOCK_BYTES if self._are_kept else FAST_BLOCK_BYTES
        with self._source.open(is_final=self._is_final) as stream:
            for block in read_blocks(stream, line_end=self._line_end, block_bytes=size):
                done = stream.done
                yield block
                if self._on_progress:
                    self._on_progress(done, self._source.size)
            self._damage = stream.damage

    def find_first_instant(self) -> int | None:
        """The first stamp with a date in a plain file that ends with dates; for a look alone."""
        end = max(self._source.size - LOOK_BYTES, 0)
        return find_first_instant(self._look, end=end)

    def _look(self, place: int) -> NDArray[np.int64]:
        """The stamps of the whole lines in some bytes from a place on."""
        with self._source.open(is_final=False) as stream:
            if stream.plain is None:
                return np.zeros(0, np.int64)
            stream.plain.seek(place)
            text = stream.read(LOOK_BYTES) or b""
        line_end = bytes([self._line_end])
        begin = text.find(line_end) + 1 if place else 0
        lines = text[begin : text.rfind(line_end) + 1]
        return self.parse(block_of(lines, line_end=self._line_end)).frames.ts

    def parse(self, block: TextBlock, ahead: FastParsed | None = None) -> Piece:
        fast = ahead or self._parse_fast(block, may_learn=True)
        if fast is None:
            lines = block.lines()
            parsed = self._parser.parse(lines)
            if block.is_long and not parsed.is_known[-1]:
                parsed = parsed.with_last_refused(Cause.LONG)
            return self._piece_of(lines, parsed, parsed.frames, None)
        if not len(fast.odd):
            return self._piece(fast.frames, (), fast.lines)
        parsed = self._parser.parse(fast.odd)
        return self._piece_of(fast.odd, parsed, fast.with_frames(parsed), fast)

    def parse_ahead(self, block: TextBlock) -> Piece | FastParsed | None:
        fast = self._parse_fast(block, may_learn=False)
        if fast is None or len(fast.odd):
            return fast
        return self.parse(block, fast)

    def _parse_fast(self, block: TextBlock, *, may_learn: bool) -> FastParsed | None:
        if self._fast is None or block.is_long or not self._are_many(block.size):
            return None
        return self._fast.parse_fast(block, may_learn=may_learn)

    def _are_many(self, at_least: int) -> bool:
        return are_wanted(max(self._source.size, at_least) // LINE_BYTES)

    def _piece_of(
        self, lines: Lines, parsed: Parsed, frames: FrameTable, fast: FastParsed | None
    ) -> Piece:
        """A piece of parsed lines; `fast` tells which of the block's they are, if not all."""
        if lines.is_last_open:
            was_frame = parsed.last_is_frame
            parsed = self._without_cut_end(lines, parsed, frames)
            if was_frame and parsed.last_is_refused:
                frames = frames.take(slice(0, -1))
        refused = []
        for cause, rows in parsed.refused().items():
            row = int(rows[0])
            number = row if fast is None else int(fast.odd_lines[row])
            text = lines.line(row).decode("utf-8", "replace")
            refused.append(Refusal(cause.value, len(rows), number, shown(text)))
        return self._piece(frames, refused, len(lines) if fast is None else fast.lines)

    def _without_cut_end(self, lines: Lines, parsed: Parsed, frames: FrameTable) -> Parsed:
        """Refuse the last line where the file stops within it."""
        if parsed.last_is_refused:
            return parsed.with_last_refused(Cause.CUT)
        if not parsed.last_is_frame:
            return parsed
        has_payload = not (frames.is_remote[-1] or frames.is_error[-1])
        has_payload &= bool(frames.length[-1]) or not self._states_length
        is_half = has_payload and HALF_BYTE_AT_END.search(lines.line(len(lines) - 1)) is not None
        is_short = not self._states_length and self._lengths.ends_short(frames)
        return parsed.with_last_refused(Cause.CUT) if is_half or is_short else parsed


def shown(text: str) -> str:
    """The beginning of a text as it may stand in a message."""
    plain = "".join(character if character.isprintable() else " " for character in text).strip()
    return plain[:SHOWN_CHARACTERS]
