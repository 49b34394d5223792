"""The ids of a SavvyCAN table, and which of them a spreadsheet ruined.

    000001E3 → 1.00E+03     one standard id alone becomes this number: 0x1E3
    000001E3 → 1000         0x1E3, or the extended 0x1000 without its flag
    00000123 → 123          0x123

The first lines of the log tell what its whole ids are like.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from contactor.can.frames import MAX_STANDARD_ID, STANDARD_DIGITS
from contactor.can.readers.lines import Mask, Positions, Spans, Text, window
from contactor.can.readers.numbers import DECIMAL, NO_DIGIT, hexadecimal
from contactor.can.readers.spreadsheet import (
    is_dated_or_scientific,
    standard_ids,
    written_out_ids,
)

PADDED_DIGITS = 8
WORD_BYTES = 8
LOWER_CASE = 0x20


def _words(*words: bytes) -> np.typing.NDArray[np.uint64]:
    padded = b"".join(word[:WORD_BYTES].ljust(WORD_BYTES, b"\0") for word in words)
    return np.frombuffer(padded, np.uint64)


# As spreadsheets of several languages write them, the first eight letters.
TRUE_WORDS = _words(b"true", b"1", b"wahr", b"vrai", b"verdadero", b"vero", b"waar", b"sant")
FALSE_WORDS = _words(b"false", b"0", b"falsch", b"faux", b"falso", b"onwaar", b"falskt")


@dataclass(frozen=True, slots=True, eq=False)
class Identifiers:
    """The ids of n rows.

    Fields:
        can_id: the id, where it is sure.
        is_extended: whether the row says that it is extended.
        is_there: whether there is one, be it ruined.
        is_ruined: whether more ids than one, or none, are possible.
    """

    can_id: Positions
    is_extended: Mask
    is_there: Mask
    is_ruined: Mask


class IdReader:
    """Reads ids, given what the log's first lines show."""

    def __init__(
        self,
        *,
        flags_tell: bool = False,
        flags_fail: bool = False,
        writes_out: bool = False,
        has_three_digits: bool = False,
    ) -> None:
        self._flags_tell = flags_tell
        self._flags_fail = flags_fail
        self._writes_out = writes_out
        self._has_three_digits = has_three_digits

    @classmethod
    def of(cls, text: Text, cells: Spans, is_extended: Mask, is_standard: Mask) -> Self:
        """A reader for the log whose first rows have these ids and flags."""
        can_id, is_id = hexadecimal(text, cells)
        is_decimal = _is_decimal(text, cells)
        is_long = is_id & (can_id > MAX_STANDARD_ID)
        is_whole = is_long & ((cells.lengths == PADDED_DIGITS) | ~is_decimal)
        is_number = is_long & ~is_whole & is_standard
        flags_fail = bool((is_whole & is_standard).any())
        return cls(
            flags_tell=bool((is_whole & is_extended).any()) and not flags_fail,
            flags_fail=flags_fail,
            writes_out=bool((is_number & written_out_ids(can_id)[1]).any()),
            has_three_digits=bool(is_id.any() and cells.lengths[is_id].max() <= STANDARD_DIGITS),
        )

    def read(self, text: Text, cells: Spans, is_extended: Mask, is_standard: Mask) -> Identifiers:
        """The ids of a block."""
        can_id, is_there = hexadecimal(text, cells)
        is_ruined = np.zeros(len(can_id), np.bool_)
        odd = np.flatnonzero(~is_there & (cells.lengths > 0))
        if len(odd):
            spans = Spans(cells.starts[odd], cells.ends[odd])
            found, is_one = standard_ids(text, spans)
            is_one &= is_standard[odd] | (self._has_three_digits & ~is_extended[odd])
            can_id[odd] = np.where(is_one, found, 0)
            is_there[odd] = is_dated_or_scientific(text, spans)
            is_ruined[odd] = is_there[odd] & ~is_one
        if not self._flags_fail:
            self._put_back(text, cells, is_standard, can_id, is_there, is_ruined)
        return Identifiers(can_id, is_extended, is_there, is_ruined)

    def _put_back(
        self,
        text: Text,
        cells: Spans,
        is_standard: Mask,
        can_id: Positions,
        is_there: Mask,
        is_ruined: Mask,
    ) -> None:
        """Put the standard ids back that stand as whole numbers, or tell that they are ruined."""
        rows = np.flatnonzero(is_there & is_standard & (cells.lengths < PADDED_DIGITS))
        spans = Spans(cells.starts[rows], cells.ends[rows])
        rows = rows[_is_decimal(text, spans)]
        found, is_possible = written_out_ids(can_id[rows])
        is_long = can_id[rows] > MAX_STANDARD_ID
        # 100 was 0x100 or 0x1E2, if the numbers of this log are written out.
        is_ruined[rows] = is_possible & np.where(is_long, not self._flags_tell, self._writes_out)
        if self._flags_tell:
            can_id[rows] = np.where(is_possible & is_long, found, can_id[rows])


def flags_of(text: Text, cells: Spans) -> tuple[Mask, Mask]:
    """Where the cells say true, and where they say false."""
    is_inside = np.arange(WORD_BYTES) < cells.lengths[:, None]
    letters = np.where(is_inside, window(text, cells.starts, WORD_BYTES) | LOWER_CASE, 0)
    words = np.ascontiguousarray(letters.astype(np.uint8)).view(np.uint64)[:, 0]
    return np.isin(words, TRUE_WORDS), np.isin(words, FALSE_WORDS)


def _is_decimal(text: Text, cells: Spans) -> Mask:
    is_inside = np.arange(PADDED_DIGITS) < cells.lengths[:, None]
    is_digit = DECIMAL[window(text, cells.starts, PADDED_DIGITS)] != NO_DIGIT
    result: Mask = (is_digit | ~is_inside).all(axis=1) & (cells.lengths > 0)
    return result
