"""What a spreadsheet does to a log that is opened and saved in it, undone where that is proven.

    "000001DB"   ="1DB"                quotes: looked through, see `plain`
    1E3 → 1.00E+03, 1,00E+03           an id taken for a number: see `standard_ids`
    1E3 → 1000                         the same, written out: see `written_out_ids`
    1700000000123456 → 1.70E+15        digits that are gone: see `is_scientific`

Nothing here decides that a log went through a spreadsheet: the readers do.

    cells = cells_of(plain(lines, ord(";")), ord(";"))
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contactor.can.readers.lines import PAD, Lines, Mask, Positions, Spans, Text, window, without
from contactor.can.readers.numbers import DECIMAL, NO_DIGIT

QUOTE, EXPONENT, HEADER_LETTER = b'"et'
IS_DRESSING = np.isin(np.arange(256), np.frombuffer(b"\"'= ", np.uint8))
POINT, COMMA, PLUS, MINUS = b".,+-"
UNIT_SEPARATOR = 0x1F
LONGEST_NUMBER = 24
LOWER_CASE = 0x20
# A standard id that a spreadsheet takes for a number is one digit, E, one digit: 0x1E3 = 1 · 10³.
MAX_STANDARD_DIGIT, MAX_EXPONENT, EXPONENT_NIBBLE = 7, 9, 0xE


def plain(lines: Lines, delimiter: int) -> Lines:
    """The lines without blanks, quotes and equals signs; the same where only headers have them.

    A delimiter between quotes splits nothing: a comma becomes the decimal point that it is there,
    another a unit separator.
    """
    if not len(lines):
        return lines
    starts = lines.spans.starts
    text = lines.text[: lines.spans.ends[-1] + PAD]
    dressed = np.searchsorted(starts, np.flatnonzero(IS_DRESSING[text]), side="right") - 1
    if (text[starts[dressed]] | LOWER_CASE == HEADER_LETTER).all():
        return lines
    is_quote = text == QUOTE
    if is_quote.any():
        text = text.copy()
        quoted = _quoted(lines, is_quote, np.flatnonzero(text == delimiter))
        text[quoted] = POINT if delimiter == COMMA else UNIT_SEPARATOR
    return without(replace(lines, text=text), IS_DRESSING)


def _quoted(lines: Lines, is_quote: Mask, marks: Positions) -> Positions:
    """The marks that stand between quotes, counted anew on each line."""
    count = np.cumsum(is_quote)
    starts = lines.spans.starts
    line = np.maximum(np.searchsorted(starts, marks, side="right") - 1, 0)
    before: Positions = count[starts] - is_quote[starts]
    inside: Positions = marks[(count[marks] - before[line]) % 2 == 1]
    return inside


def is_scientific(text: Text, spans: Spans) -> Mask:
    """Whether each piece is a number like `1.61E+09`, (n,)."""
    characters, is_inside = _characters(text, spans)
    is_exponent = ((characters | LOWER_CASE) == EXPONENT) & is_inside
    is_sign = (characters == PLUS) | (characters == MINUS)
    is_point = (characters == POINT) | (characters == COMMA)
    is_allowed = (DECIMAL[characters] != NO_DIGIT) | is_exponent | is_sign | is_point | ~is_inside
    is_number = is_allowed.all(axis=1) & (is_exponent.sum(axis=1) == 1)
    is_number &= (is_point & is_inside).sum(axis=1) <= 1
    is_number &= (spans.lengths >= 3) & (spans.lengths <= LONGEST_NUMBER)
    is_number &= DECIMAL[text[spans.ends - 1]] != NO_DIGIT
    first = text[spans.starts]
    is_number &= (DECIMAL[first] != NO_DIGIT) | (first == MINUS)
    # `1E3` as it stands is an id; a number that a spreadsheet wrote has a point or a sign in it.
    result: Mask = is_number & ((is_point | is_sign) & is_inside).any(axis=1)
    return result


def standard_ids(text: Text, spans: Spans) -> tuple[Positions, Mask]:
    """The standard ids that were taken for numbers: `1.00E+03` was 0x1E3.

    A standard id has three hex digits up to 7FF. One that reads as a number with an exponent is a
    digit, E, and a digit, so its mantissa has one digit and zeros after it; of 0E0 to 0E9, which
    all became 0, none can be told.

    Returns:
        the ids, and where exactly one is possible.
    """
    characters, is_inside = _characters(text, spans)
    is_exponent = ((characters | LOWER_CASE) == EXPONENT) & is_inside
    exponent_at = is_exponent.argmax(axis=1)
    column = np.arange(LONGEST_NUMBER)
    is_before = (column < exponent_at[:, None]) & is_inside
    is_after = (column > exponent_at[:, None]) & is_inside
    digits = DECIMAL[characters]
    is_digit = digits != NO_DIGIT
    point = (characters == POINT) | (characters == COMMA)
    # The mantissa: one digit, then nothing or a point and zeros.
    tail = is_before & (column > 1)
    is_mantissa = is_digit[:, 0] & (point[:, 1] | (exponent_at == 1))
    is_mantissa &= ((digits == 0) | ~tail).all(axis=1)
    sign = is_after & (characters == PLUS)
    is_power = (is_digit | sign | ~is_after).all(axis=1) & is_after.any(axis=1)
    power = np.zeros(len(spans.starts), np.int64)
    for place in range(1, LONGEST_NUMBER):
        is_next = is_after[:, place] & is_digit[:, place]
        power = np.where(is_next, np.minimum(power * 10 + digits[:, place], 1000), power)
    mantissa = digits[:, 0].astype(np.int64)
    is_one = is_scientific(text, spans) & is_mantissa & is_power
    is_one &= (mantissa >= 1) & (mantissa <= MAX_STANDARD_DIGIT) & (power <= MAX_EXPONENT)
    return (mantissa << 8) | (EXPONENT_NIBBLE << 4) | np.minimum(power, MAX_EXPONENT), is_one


def written_out_ids(values: Positions) -> tuple[Positions, Mask]:
    """The standard ids that became whole numbers: 1000 was 0x1E3, if it was one.

    Args:
        values: the cells read as hexadecimal, (n,).

    Returns:
        the ids, and where the number is a digit of 1..7 and zeros.
    """
    ids, is_one = np.zeros_like(values), np.zeros(len(values), np.bool_)
    for power in range(MAX_EXPONENT):
        lead, rest = values >> (4 * power), values & ((1 << (4 * power)) - 1)
        is_this = (lead >= 1) & (lead <= MAX_STANDARD_DIGIT) & (rest == 0)
        ids[is_this] = (lead[is_this] << 8) | (EXPONENT_NIBBLE << 4) | power
        is_one |= is_this
    return ids, is_one


def is_dated_or_scientific(text: Text, spans: Spans) -> Mask:
    """Whether each piece is a number with a point or an exponent, or a date, (n,)."""
    characters, is_inside = _characters(text, spans)
    is_mark = np.isin(characters, np.frombuffer(b"-+.,/:", np.uint8)) & is_inside
    has_digit = ((DECIMAL[characters] != NO_DIGIT) & is_inside).any(axis=1)
    result: Mask = is_mark.any(axis=1) & has_digit & (spans.lengths <= LONGEST_NUMBER)
    return result


def _characters(text: Text, spans: Spans) -> tuple[NDArray[np.uint8], Mask]:
    is_inside = np.arange(LONGEST_NUMBER) < spans.lengths[:, None]
    return window(text, spans.starts, LONGEST_NUMBER), is_inside
