"""A block of a text log as arrays: where its lines, words and cells begin and end.

Nothing is copied out of the block and no Python object is made per line. The text is padded on both
sides, so that a window of up to `PAD` bytes around any position can be read without a check.

    lines = cut_lines(b"(1.5) can0 1DB#00\\n(1.6) can0 1DC#11\\n")
    stamp = words_of(lines).at(0)
    bytes(lines.text[stamp.starts[1] : stamp.ends[1]])      # b"(1.6)"
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PAD = 256
LINE_FEED = 0x0A
CARRIAGE_RETURN = 0x0D
SPACE = 0x20

Text: TypeAlias = NDArray[np.uint8]
Positions: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """n pieces of a text: `starts` inclusive, `ends` exclusive, int64 (n,)."""

    starts: Positions
    ends: Positions

    @property
    def lengths(self) -> Positions:
        return self.ends - self.starts

    def trimmed(self, left: int, right: int = 0) -> "Spans":
        """The same pieces without `left` bytes at the front and `right` at the end."""
        return Spans(self.starts + left, self.ends - right)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """n whole lines of a log.

    Fields:
        text: uint8, the block, padded with `PAD` zeros on both sides.
        spans: where each line is, without its line end.
        first_number: the number in the file of the first line, from 1.
        is_last_open: whether the last line lacks its line end (the file stops within it).
    """

    text: Text
    spans: Spans
    first_number: int
    is_last_open: bool

    def __len__(self) -> int:
        return int(self.spans.starts.shape[0])

    def line(self, row: int) -> bytes:
        """The bytes of one line, for messages."""
        return self.text[self.spans.starts[row] : self.spans.ends[row]].tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class TextBlock:
    """Some whole lines of a log as bytes, not cut yet.

    Fields:
        text: uint8, `PAD` zeros, the lines each with its end, and at least `PAD` zeros.
        size: bytes of the lines.
        line_end: the byte that ends a line.
        is_last_open: whether the last line lacks its line end in the file (it stops within it).
        is_long: whether all of it is the beginning of one line, too long to be read.
    """

    text: Text
    size: int
    line_end: int
    is_last_open: bool
    is_long: bool = False

    @classmethod
    def settled(
        cls, text: Text, size: int, *, line_end: int, is_end: bool, is_long: bool = False
    ) -> "TextBlock":
        """A block of the `size` bytes at `PAD`, all else made zeros, the last line closed."""
        text[:PAD] = 0
        is_open = not size or text[PAD + size - 1] != line_end
        if is_open:
            text[PAD + size] = line_end
            size += 1
        text[PAD + size :] = 0
        return cls(text, size, line_end, bool(is_open) and is_end, is_long)

    def lines(self, first_number: int = 1) -> Lines:
        """The lines, the first of them numbered so."""
        text = self.text
        ends = np.flatnonzero(text == self.line_end)
        starts = np.concatenate(([PAD], ends[:-1] + 1)) if len(ends) else ends
        has_return = (text[ends - 1] == CARRIAGE_RETURN) & (ends > starts)
        return Lines(text, Spans(starts, ends - has_return), first_number, self.is_last_open)


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """All fields of all lines in one row, and where each line's fields begin.

    Fields:
        spans: where each of the m fields is, (m,).
        first: int64 (n + 1,), index into `spans` of each line's first field.
    """

    spans: Spans
    first: Positions

    @property
    def counts(self) -> Positions:
        return np.diff(self.first)

    def at(self, number: int | Positions) -> Spans:
        """Field `number` of every line, (n,); empty (at 0) where the line has no such field."""
        index = self.first[:-1] + number
        is_there = (index < self.first[1:]) & (index >= self.first[:-1])
        if not len(self.spans.starts):
            return Spans(np.zeros_like(index), np.zeros_like(index))
        index = np.where(is_there, index, 0)
        return Spans(
            np.where(is_there, self.spans.starts[index], PAD),
            np.where(is_there, self.spans.ends[index], PAD),
        )


def block_of(text: bytes, *, line_end: int = LINE_FEED, is_end: bool = True) -> TextBlock:
    """A block of whole lines; arguments as of `cut_lines`."""
    padded = np.zeros(PAD + len(text) + 1 + PAD, np.uint8)
    padded[PAD : PAD + len(text)] = np.frombuffer(text, np.uint8)
    return TextBlock.settled(padded, len(text), line_end=line_end, is_end=is_end)


def cut_lines(
    block: bytes, *, first_number: int = 1, line_end: int = LINE_FEED, is_end: bool = True
) -> Lines:
    """Cut a block of whole lines.

    Args:
        block: bytes that begin at a line's start; only at the file's end the last may be open.
        first_number: the number in the file of the block's first line.
        line_end: the byte that ends a line; a carriage return before it is left out.
        is_end: whether the file ends with this block.
    """
    return block_of(block, line_end=line_end, is_end=is_end).lines(first_number)


def without(lines: Lines, is_left_out: Mask) -> Lines:
    """The lines without some of their characters.

    Args:
        is_left_out: bool (256,), by character; line ends have to stay.
    """
    if not len(lines):
        return lines
    text = lines.text[: lines.spans.ends[-1] + PAD]
    is_kept = ~is_left_out[text]
    place: Positions = np.cumsum(is_kept) - is_kept
    kept = np.append(text[is_kept], np.zeros(PAD, np.uint8))
    spans = Spans(place[lines.spans.starts], place[lines.spans.ends])
    return Lines(kept, spans, lines.first_number, lines.is_last_open)


def words_of(lines: Lines) -> Fields:
    """The words of each line: what blanks (spaces, tabs, control characters) stand between."""
    is_blank = lines.text <= SPACE
    edges = np.flatnonzero(is_blank[1:] != is_blank[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    first = np.searchsorted(starts, lines.spans.starts)
    return Fields(Spans(starts, ends), np.append(first, len(starts)))


def cells_of(lines: Lines, delimiter: int) -> Fields:
    """The cells of each line: what the delimiter stands between, empty ones kept."""
    marks = np.flatnonzero(lines.text == delimiter)
    counts = np.diff(np.searchsorted(marks, np.append(lines.spans.starts, len(lines.text)))) + 1
    first = np.concatenate(([0], np.cumsum(counts)))
    is_first = np.zeros(int(first[-1]), np.bool_)
    is_first[first[:-1]] = True
    is_last = np.roll(is_first, -1)
    starts = np.empty(len(is_first), np.int64)
    starts[is_first] = lines.spans.starts
    starts[~is_first] = marks + 1
    ends = np.empty(len(is_first), np.int64)
    ends[is_last] = lines.spans.ends
    ends[~is_last] = marks
    return Fields(Spans(starts, ends), first)


def window(text: Text, starts: Positions, width: int) -> NDArray[np.uint8]:
    """The `width` bytes from each start on, (n, width); a start lies inside the padding."""
    return sliding_window_view(text, width)[starts]


def begins_with(text: Text, starts: Positions, prefix: bytes) -> Mask:
    """Whether the text at each start begins with `prefix`, (n,)."""
    is_same = window(text, starts, len(prefix)) == np.frombuffer(prefix, np.uint8)
    result: Mask = is_same.all(axis=1)
    return result
