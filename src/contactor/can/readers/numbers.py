"""Digits in a text as numbers, a whole column at a time; integers stay exact.

Every function returns its values and a mask of the rows where the text was such a number; a value
outside the mask means nothing.

    lines = cut_lines(b"1DB\\n7FF\\n")
    hexadecimal(lines.text, lines.spans)      # (array([475, 2047]), array([True, True]))
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES
from contactor.can.readers.lines import Fields, Mask, Positions, Spans, Text, window

# Half of the int64 range, so that the difference of two stamps never overflows (until 2116).
MAX_TS_NS = 2**62
NS_DIGITS = 9
MAX_DIGITS = 18
NO_DIGIT = 255
MINUS, DOT, COMMA, ZERO, LETTER_X = b"-.,0x"


def _digit_values(digits: bytes) -> NDArray[np.uint8]:
    table = np.full(256, NO_DIGIT, np.uint8)
    for value, pair in enumerate(zip(digits.lower(), digits.upper(), strict=True)):
        table[list(pair)] = value
    return table


DECIMAL = _digit_values(b"0123456789")
HEXADECIMAL = _digit_values(b"0123456789abcdef")


def _number(
    text: Text, spans: Spans, digits: NDArray[np.uint8], base: int, most: int
) -> tuple[Positions, Mask]:
    """Unsigned numbers of one to `most` digits."""
    lengths = spans.lengths
    is_number = (lengths >= 1) & (lengths <= most)
    width = int(lengths[is_number].max(initial=1))
    # Numbers are read from their last digit, so that each column has one weight.
    characters = window(text, np.maximum(spans.ends - width, 0), width)
    values = np.zeros(len(lengths), np.int64)
    shortest = int(lengths.min(initial=width))
    for column in range(width):
        digit = digits[characters[:, column]]
        if column < width - shortest:
            is_inside = lengths >= width - column
            is_number &= (digit != NO_DIGIT) | ~is_inside
            digit = np.where(is_inside, digit, 0)
        else:
            is_number &= digit != NO_DIGIT
        values *= base
        values += digit
    return values, is_number


def hexadecimal(text: Text, spans: Spans, most: int = 8) -> tuple[Positions, Mask]:
    """Hexadecimal numbers of one to `most` digits, without a prefix."""
    return _number(text, spans, HEXADECIMAL, 16, most)


def without_0x(text: Text, spans: Spans) -> Spans:
    """The spans after their `0x`, where they have one."""
    has_prefix = (text[spans.starts] == ZERO) & ((text[spans.starts + 1] | 0x20) == LETTER_X)
    return Spans(np.minimum(spans.starts + 2 * has_prefix, spans.ends), spans.ends)


def decimal(text: Text, spans: Spans) -> tuple[Positions, Mask]:
    """Decimal integers of up to 18 digits, with a minus or without."""
    is_negative = (spans.lengths > 1) & (text[spans.starts] == MINUS)
    values, is_number = _number(
        text, Spans(spans.starts + is_negative, spans.ends), DECIMAL, 10, MAX_DIGITS
    )
    return np.where(is_negative, -values, values), is_number


def scaled_ns(values: Positions, unit_ns: int) -> tuple[Positions, Mask]:
    """Whole numbers of a unit of `unit_ns` nanoseconds as nanoseconds, where they fit."""
    fits = np.abs(values) <= MAX_TS_NS // unit_ns
    return np.where(fits, values, 0) * unit_ns, fits


def decimal_ns(text: Text, spans: Spans, unit_digits: int) -> tuple[Positions, Mask]:
    """Numbers with a decimal point or comma, or without, as nanoseconds.

    Args:
        unit_digits: how many decimals of the unit make a nanosecond: 9 for seconds, 6 for
            milliseconds, 3 for microseconds; digits past them are cut.
    """
    width = int(np.clip(spans.lengths.max(initial=1), 1, 2 * MAX_DIGITS))
    characters = window(text, spans.starts, width)
    points = spans.starts + ((characters == DOT) | (characters == COMMA)).argmax(axis=1)
    has_point = ((text[points] == DOT) | (text[points] == COMMA)) & (points < spans.ends)
    points = np.where(has_point, points, spans.ends)
    units, is_number = decimal(text, Spans(spans.starts, points))
    whole_ns, fits = scaled_ns(units, 10**unit_digits)
    digits = Spans(points + 1, np.minimum(spans.ends, points + 1 + unit_digits))
    fraction, is_fraction = _number(text, digits, DECIMAL, 10, unit_digits)
    scale = 10 ** (unit_digits - np.clip(digits.lengths, 0, unit_digits))
    fraction_ns = np.where(has_point & is_fraction, fraction * scale, 0)
    is_negative = text[spans.starts] == MINUS
    ts_ns = whole_ns + np.where(is_negative, -fraction_ns, fraction_ns)
    return ts_ns, is_number & fits & (is_fraction | ~has_point)


def seconds_ns(text: Text, spans: Spans) -> tuple[Positions, Mask]:
    """Seconds with a decimal point or comma, or without, as nanoseconds."""
    return decimal_ns(text, spans, NS_DIGITS)


def payload_width(lengths: Positions) -> int:
    """Bytes that a payload column needs: 8, or 64 where any length is of CAN FD."""
    return FD_BYTES if int(lengths.max(initial=0)) > CLASSIC_BYTES else CLASSIC_BYTES


def packed_payload(
    text: Text, starts: Positions, lengths: Positions, step: int = 2
) -> tuple[NDArray[np.uint8], Mask]:
    """Payloads whose bytes stand `step` characters apart, as candump and most tools write them.

    Args:
        starts: where each payload's first byte stands, (n,).
        lengths: bytes in each payload, (n,); taken as 0..64.
        step: 2 for bytes that touch, 3 for bytes with one character between them.

    Returns:
        uint8 (n, 8 or 64), zeros past each length; and whether all bytes were two hex digits.
    """
    width = payload_width(lengths)
    characters = window(text, starts, step * width)
    high, low = HEXADECIMAL[characters[:, 0::step]], HEXADECIMAL[characters[:, 1::step]]
    return _bytes_of(high, low, lengths)


def spread_payload(
    text: Text,
    fields: Fields,
    first: int | Positions,
    lengths: Positions,
    *,
    fewest_digits: int = 2,
) -> tuple[NDArray[np.uint8], Mask]:
    """Payloads of one field per byte.

    Args:
        fields: the fields of the n lines.
        first: the field that holds the first byte, one for all lines or (n,).
        lengths: bytes in each payload, (n,); taken as 0..64.
        fewest_digits: 1 where a spreadsheet may have taken leading zeros away.

    Returns:
        uint8 (n, 8 or 64), zeros past each length; and whether all bytes were there.
    """
    begin = fields.at(first)
    last = fields.at(first + lengths - 1)
    is_there = (first + lengths <= fields.counts) | (lengths == 0)
    # Nearly every line has its bytes three characters apart; only the others are looked up.
    data, is_payload = packed_payload(text, begin.starts, lengths, step=3)
    is_payload &= (last.ends - begin.starts == 3 * lengths - 1) | (lengths == 0)
    odd = np.flatnonzero(~is_payload & is_there)
    if len(odd):
        index = (fields.first[:-1] + first)[odd, None] + np.arange(data.shape[1])
        index = np.minimum(index, len(fields.spans.starts) - 1)
        starts, ends = fields.spans.starts[index], fields.spans.ends[index]
        sizes = ends - starts
        high = np.where(sizes == 2, HEXADECIMAL[text[starts]], NO_DIGIT).astype(np.uint8)
        if fewest_digits == 1:
            high[sizes == 1] = 0
        data[odd], is_payload[odd] = _bytes_of(high, HEXADECIMAL[text[ends - 1]], lengths[odd])
    return data, is_payload


def decimal_payload(
    text: Text, fields: Fields, first: int | Positions, lengths: Positions
) -> tuple[NDArray[np.uint8], Mask]:
    """Payloads of one field per byte, each a decimal number of 0..255; else as `spread_payload`."""
    data = np.zeros((len(lengths), payload_width(lengths)), np.uint8)
    is_payload = np.ones(len(lengths), np.bool_)
    for column in range(int(lengths.max(initial=0))):
        values, is_number = decimal(text, fields.at(first + column))
        is_inside = column < lengths
        is_payload &= (is_number & (values >= 0) & (values < 256)) | ~is_inside
        data[:, column] = np.where(is_inside, values & 0xFF, 0)
    return data, is_payload


def _bytes_of(
    high: NDArray[np.uint8], low: NDArray[np.uint8], lengths: Positions
) -> tuple[NDArray[np.uint8], Mask]:
    """Bytes from their digits, (n, width) each; what lies past a row's length is zero and fine."""
    is_inside = np.arange(high.shape[1]) < lengths[:, None]
    is_bad = ((high | low) == NO_DIGIT) & is_inside
    data = np.where(is_inside, (high << 4) | low, 0).astype(np.uint8)
    # Eight bytes are looked at as one number: many times faster than `any(axis=1)`.
    return data, ~is_bad.view(np.uint64).any(axis=1)
