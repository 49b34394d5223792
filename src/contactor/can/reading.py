"""One reading of a log, in steps that several threads can share.

    reading = log.begin()
    for block in reading.blocks():                              # one thread, in order
        piece = reading.parse_ahead(block) or reading.parse(block)
        frames = reading.settle(piece)                          # one thread, in order

`parse` changes what a parser knows (a clock that wraps, the names of interfaces), so it goes in the
order of the blocks; `parse_ahead` changes nothing, and may be called by any thread at any time.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

import numpy as np

from contactor.can.frames import MAX_STANDARD_ID, FrameTable
from contactor.can.kernels import are_wanted
from contactor.can.readers.blocks import line_end_of, read_blocks
from contactor.can.readers.lines import Lines, TextBlock
from contactor.can.readers.parsed import Block, Cause, FastParsed, Parsed
from contactor.can.readers.sources import Source
from contactor.can.readers.table import BinaryReader, FastParser, Reader
from contactor.errors import LogError

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 2 * 1024 * 1024
# The compiled path makes no arrays of its own per line; of what is kept whole, larger blocks are
# less work, of what is used up chunk by chunk they are more memory.
FAST_BLOCK_BYTES = 4 * 1024 * 1024
KEPT_BLOCK_BYTES = 8 * 1024 * 1024
# The shortest lines of frames that occur much: so many frames may a log of that size hold.
LINE_BYTES = 40
SHOWN_CHARACTERS = 80
MAX_BUSES, STANDARD_IDS, EXTENDED_SHIFT = 256, MAX_STANDARD_ID + 1, 30
NO_LENGTH = -1
SUM_IS_WRONG = re.compile(r"CRC|check ?sum|Adler|data check", re.IGNORECASE)
HALF_BYTE_AT_END = re.compile(rb"[^0-9A-Za-z+/][0-9A-Fa-f]$")
# Told how many bytes of how many have been read; of 0 where nobody knows.
Progress: TypeAlias = Callable[[int, int], None]
AnyBlock = TypeVar("AnyBlock", TextBlock, Block)


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
    """The frames of one block, and what was refused in it.

    `first_line` of a refusal counts from the block's first line, 0; `lines` is their number. A
    binary log numbers its records itself, from 1, and has no lines.
    """

    frames: FrameTable
    refused: dict[Cause, Refusal]
    lines: int


class Pass(ABC, Generic[AnyBlock]):
    """One reading of a log from its start.

    Attributes:
        is_stamped: whether the log states times.
        refused: what was refused so far, in the order of first lines.
    """

    is_stamped: bool

    def __init__(self) -> None:
        self._line = 1
        self._refused: dict[Cause, Refusal] = {}
        self._damage: str | None = None

    @property
    def refused(self) -> list[Refusal]:
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
    def parse(self, block: AnyBlock) -> Piece:
        """Parse a block in its turn."""

    @abstractmethod
    def parse_ahead(self, block: AnyBlock) -> "Piece | FastParsed | None":
        """Parse a block before its turn; None where that cannot be done.

        Gives what the compiled path read where some lines have to wait: see `finish`.
        """

    def finish(self, fast: FastParsed) -> Piece:
        """In its turn, what `parse_ahead` gave of a block, with the lines that had to wait."""
        raise NotImplementedError

    def settle(self, piece: Piece) -> FrameTable:
        """Count what a piece refused, in the order of the file, and give its frames."""
        for cause, refusal in piece.refused.items():
            self._refuse(cause, replace(refusal, first_line=self._line + refusal.first_line))
        self._line += piece.lines
        return piece.frames

    def _refuse(self, cause: Cause, refusal: Refusal) -> None:
        known = self._refused.get(cause)
        self._refused[cause] = (
            refusal if known is None else replace(known, count=known.count + refusal.count)
        )


class BinaryPass(Pass[Block]):
    """A reading of a binary log, whose parser gives frames of its own accord."""

    def __init__(
        self,
        source: Source,
        reader: BinaryReader,
        head: bytes,
        *,
        origin_ns: int = 0,
        on_progress: Progress | None = None,
        is_final: bool = True,
        are_kept: bool = False,
    ) -> None:
        super().__init__()
        self._source = source
        self._parser = reader.parser(head)
        self._origin_ns = origin_ns
        self._on_progress = on_progress
        self._is_final = is_final

    @property
    def is_stamped(self) -> bool:  # type: ignore[override]
        return self._parser.is_stamped

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

    def parse(self, block: Block) -> Piece:
        refused: dict[Cause, Refusal] = {}
        for fault in block.faults:
            known = refused.get(fault.cause)
            refused[fault.cause] = (
                Refusal(fault.cause.value, fault.count, fault.first - 1, shown(fault.text))
                if known is None
                else replace(known, count=known.count + fault.count)
            )
        return Piece(_since(block.frames, self._origin_ns), refused, 0)

    def parse_ahead(self, block: Block) -> Piece | None:
        return self.parse(block)


class TextPass(Pass[TextBlock]):
    """A reading of a text log, line by line; by a compiled path where the parser has one."""

    def __init__(
        self,
        source: Source,
        reader: Reader,
        head: bytes,
        *,
        origin_ns: int = 0,
        on_progress: Progress | None = None,
        is_final: bool = True,
        are_kept: bool = False,
    ) -> None:
        super().__init__()
        self._source = source
        self._parser = reader.parser(head)
        self._states_length = reader.states_length
        self._line_end = line_end_of(head)
        self._origin_ns = origin_ns
        self._on_progress = on_progress
        self._is_final = is_final
        self._are_kept = are_kept
        self._fast = self._parser if isinstance(self._parser, FastParser) else None
        self._lengths = LastLengths()
        self._may_end_open = not self._states_length and _may_end_open(source, self._line_end)

    @property
    def is_stamped(self) -> bool:  # type: ignore[override]
        return self._parser.is_stamped

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

    def parse(self, block: TextBlock) -> Piece:
        if self._fast and self._are_many(block.size):
            fast = self._fast.parse_fast(block, may_learn=True)
            if fast is not None:
                return self.finish(fast)
        lines = block.lines()
        parsed = self._parser.parse(lines)
        return self._piece(lines, parsed, parsed.frames, None)

    def parse_ahead(self, block: TextBlock) -> Piece | FastParsed | None:
        if not self._fast or not self._are_many(block.size):
            return None
        fast = self._fast.parse_fast(block, may_learn=False)
        return fast if fast is None or len(fast.odd) else self.finish(fast)

    def finish(self, fast: FastParsed) -> Piece:
        if not len(fast.odd):
            return Piece(_since(fast.frames, self._origin_ns), {}, fast.lines)
        parsed = self._parser.parse(fast.odd)
        return self._piece(fast.odd, parsed, fast.with_frames(parsed), fast)

    def _are_many(self, at_least: int) -> bool:
        return are_wanted(max(self._source.size, at_least) // LINE_BYTES)

    def _piece(
        self, lines: Lines, parsed: Parsed, frames: FrameTable, fast: FastParsed | None
    ) -> Piece:
        """A piece of parsed lines; `fast` tells which of the block's they are, if not all."""
        if lines.is_last_open:
            was_frame = parsed.last_is_frame
            parsed = self._without_cut_end(lines, parsed, frames)
            if was_frame and parsed.last_is_refused:
                frames = frames.take(slice(0, -1))
        refused = {}
        for cause, rows in parsed.refused().items():
            row = int(rows[0])
            number = row if fast is None else int(fast.odd_lines[row])
            text = lines.line(row).decode("utf-8", "replace")
            refused[cause] = Refusal(cause.value, len(rows), number, shown(text))
        count = len(lines) if fast is None else fast.lines
        return Piece(_since(frames, self._origin_ns), refused, count)

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


def _since(frames: FrameTable, origin_ns: int) -> FrameTable:
    return replace(frames, ts=frames.ts - origin_ns) if origin_ns else frames


def _may_end_open(source: Source, line_end: int) -> bool:
    """Whether the last line may lack its line end: not where the file's last byte is one."""
    if not source.path.is_file():
        return True
    with source.path.open("rb") as file:
        file.seek(max(0, source.size - 1))
        return file.read(1) != bytes([line_end])


class LastLengths:
    """How long the last frame with each id was, over all blocks of a log."""

    def __init__(self) -> None:
        self._standard = np.full(MAX_BUSES * STANDARD_IDS, NO_LENGTH, np.int16)
        self._extended: dict[int, int] = {}

    def add(self, frames: FrameTable) -> None:
        """Take in a block's frames; the last one of an id counts."""
        is_there = ~frames.is_remote
        keys = frames.bus[is_there].astype(np.int64) * STANDARD_IDS
        ids, lengths = frames.can_id[is_there], frames.length[is_there]
        is_standard = ids < STANDARD_IDS
        self._standard[(keys + ids)[is_standard]] = lengths[is_standard]
        rows = np.flatnonzero(~is_standard)
        # Of equal keys NumPy gives the first, so the newest come first.
        own = ((keys[rows] << EXTENDED_SHIFT) + ids[rows])[::-1]
        found, first = np.unique(own, return_index=True)
        self._extended.update(zip(found.tolist(), lengths[rows][::-1][first].tolist(), strict=True))

    def ends_short(self, frames: FrameTable) -> bool:
        """Whether the last frame is shorter than the one before it with its id: it may be cut."""
        if frames.is_remote[-1]:
            return False
        length = int(frames.length[-1])
        is_same = (frames.can_id == frames.can_id[-1]) & (frames.bus == frames.bus[-1])
        lengths = frames.length[is_same & ~frames.is_remote]
        if len(lengths) > 1:
            return length < int(lengths[-2])
        before = self._before(int(frames.bus[-1]), int(frames.can_id[-1]))
        return length == 0 if before == NO_LENGTH else length < before

    def _before(self, bus: int, can_id: int) -> int:
        if can_id < STANDARD_IDS:
            return int(self._standard[bus * STANDARD_IDS + can_id])
        key = (bus * STANDARD_IDS << EXTENDED_SHIFT) + can_id
        return self._extended.get(key, NO_LENGTH)
