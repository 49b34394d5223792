"""Lines of text from columns, a whole table at a time.

A line is put together from fields; each is a matrix of characters, a row per line, and a mask of
those that are kept. The masked matrix read row by row is the text.

    line = Line(2)
    line.literal(b"id ")
    line.hexadecimal(np.array([0x1DB, 0x7]), 3)
    line.literal(b"\\n")
    line.text()                       # b"id 1DB\\nid 007\\n"
"""

import numpy as np
from numpy.typing import NDArray

Characters = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HEX_DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
SPACE, ZERO = b" 0"


def _triples() -> Characters:
    numbers = np.arange(1000)
    digits = np.stack([numbers // 100, numbers // 10 % 10, numbers % 10], axis=1)
    return (digits + ZERO).astype(np.uint8)


def _pairs() -> Characters:
    return np.stack([HEX_DIGITS.repeat(16), np.tile(HEX_DIGITS, 16)], axis=1)


# The three digits of 0..999, and the two hexadecimal ones of a byte, alone and after a space.
TRIPLES = _triples()
PAIRS = _pairs()
SPACED_PAIRS = np.column_stack([np.full(256, SPACE, np.uint8), PAIRS])


class Line:
    """The lines of n frames, field by field."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._fields: list[Characters] = []
        self._kept: list[Mask | None] = []

    def literal(self, text: bytes, where: Mask | None = None) -> None:
        """The same text in every line, or in those of a mask (n,)."""
        characters = np.broadcast_to(np.frombuffer(text, np.uint8), (self._rows, len(text)))
        self.field(characters, None if where is None else where[:, None])

    def field(self, characters: Characters, kept: Mask | None = None) -> None:
        """Characters (n, w), of which the mask (n, w) or (n, 1) is kept; all of them without."""
        self._fields.append(characters)
        self._kept.append(kept)

    def choice(self, texts: NDArray[np.bytes_], chosen: NDArray[np.int64]) -> None:
        """For each line one of several texts, which have no trailing NUL."""
        width = texts.dtype.itemsize
        characters = texts.view(np.uint8).reshape(len(texts), width)[chosen]
        self.field(characters, None if (characters > 0).all() else characters > 0)

    def decimal(
        self, numbers: NDArray[np.int64], *, least: int = 1, width: int = 0, pad_left: bool = True
    ) -> None:
        """Numbers from 0 on, with at least `least` digits, spaces before or after up to `width`."""
        groups = 1 + (len(str(int(numbers.max(initial=0)))) - 1) // 3
        groups = max(groups, -(-max(least, width) // 3))
        characters = np.empty((self._rows, groups, 3), np.uint8)
        rest = numbers
        for group in range(groups - 1, -1, -1):
            rest, triple = np.divmod(rest, 1000) if group else (rest, rest)
            characters[:, group] = TRIPLES[triple]
        digits = characters.reshape(self._rows, groups * 3)
        is_leading = np.logical_and.accumulate(digits == ZERO, axis=1)
        is_leading[:, groups * 3 - least :] = False
        if not pad_left:
            self.field(digits, ~is_leading)
            counts = (~is_leading).sum(axis=1)
            spaces = np.full((self._rows, width), SPACE, np.uint8)
            self.field(spaces, np.arange(width) < (width - counts)[:, None])
            return
        digits[is_leading] = SPACE
        is_leading[:, groups * 3 - max(least, width) :] = False
        self.field(digits, ~is_leading if is_leading.any() else None)

    def fraction(self, numbers: NDArray[np.int64], digits: int) -> None:
        """The digits after a decimal point: 3, 6 or 9 of them, from numbers below 10**digits."""
        characters = np.empty((self._rows, digits // 3, 3), np.uint8)
        rest = numbers.astype(np.uint32)
        for group in range(digits // 3 - 1, -1, -1):
            characters[:, group] = TRIPLES[rest % 1000]
            rest = rest // 1000
        self.field(characters.reshape(self._rows, digits))

    def hexadecimal(
        self,
        numbers: NDArray[np.uint32],
        digits: int,
        *,
        kept: Mask | None = None,
        is_leading_kept: bool = True,
    ) -> None:
        """Numbers in `digits` hexadecimal digits, leading zeros kept or not; rows of `kept`."""
        shifts = np.arange(4 * (digits - 1), -1, -4, dtype=np.uint32)
        nibbles = (numbers[:, None].astype(np.uint32) >> shifts) & np.uint32(15)
        mask = None if kept is None else kept[:, None]
        if not is_leading_kept:
            is_digit = ~np.logical_and.accumulate(nibbles == 0, axis=1)
            is_digit[:, -1] = True
            mask = is_digit if mask is None else is_digit & mask
        self.field(HEX_DIGITS[nibbles], mask)

    def payload(
        self, data: NDArray[np.uint8], lengths: NDArray[np.int64], *, is_spaced: bool
    ) -> None:
        """The first `lengths` bytes of each row of data, a space before each or none."""
        width = int(lengths.max(initial=0))
        pairs = SPACED_PAIRS if is_spaced else PAIRS
        size = pairs.shape[1]
        characters = pairs[data[:, :width]].reshape(self._rows, width * size)
        if (lengths == width).all():
            self.field(characters)
        else:
            self.field(characters, np.arange(width * size) < (lengths * size)[:, None])

    def text(self) -> bytes:
        """All lines."""
        characters = np.concatenate(self._fields, axis=1)
        if all(kept is None for kept in self._kept):
            return characters.tobytes()
        mask = np.concatenate(
            [
                np.broadcast_to(True if kept is None else kept, field.shape)
                for field, kept in zip(self._fields, self._kept, strict=True)
            ],
            axis=1,
        )
        kept_characters: Characters = characters[mask]
        return kept_characters.tobytes()
