from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.readers.lines import cut_lines, words_of
from contactor.can.readers.numbers import (
    decimal,
    hexadecimal,
    packed_payload,
    scaled_ns,
    seconds_ns,
    spread_payload,
    without_0x,
)


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1))
def test_decimal_reads_every_integer_exactly(numbers: list[int]) -> None:
    lines = cut_lines("\n".join(map(str, numbers)).encode())
    values, is_number = decimal(lines.text, lines.spans)
    assert values.tolist() == numbers
    assert is_number.all()


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1), st.booleans())
def test_hexadecimal_reads_every_identifier(numbers: list[int], upper: bool) -> None:
    text = "\n".join(f"{number:X}" if upper else f"{number:x}" for number in numbers)
    lines = cut_lines(text.encode())
    values, is_number = hexadecimal(lines.text, lines.spans)
    assert values.tolist() == numbers
    assert is_number.all()


def test_text_that_is_no_number_is_told_apart() -> None:
    lines = cut_lines(b"12\n1x\n\n-\n1-2\n1234567890123456789\n7")
    assert decimal(lines.text, lines.spans)[1].tolist() == [True, *[False] * 5, True]
    lines = cut_lines(b"1DB\n1G0\n\n-1\n123456789\n7")
    assert hexadecimal(lines.text, lines.spans)[1].tolist() == [True, *[False] * 4, True]


def test_prefix_0x_is_left_out_where_it_is() -> None:
    lines = cut_lines(b"0x1db\n0X1DB\n1db\n0")
    values, is_number = hexadecimal(lines.text, without_0x(lines.text, lines.spans))
    assert values.tolist() == [0x1DB, 0x1DB, 0x1DB, 0]
    assert is_number.all()


@given(st.lists(st.decimals(0, 4_000_000_000, places=9), min_size=1), st.integers(0, 9))
def test_seconds_are_exact_to_the_nanosecond(stamps: list[Decimal], places: int) -> None:
    cut = [Decimal(f"{stamp:.{places}f}") for stamp in stamps]
    lines = cut_lines("\n".join(f"{stamp:f}" for stamp in cut).encode())
    values, is_number = seconds_ns(lines.text, lines.spans)
    assert values.tolist() == [int(stamp * 10**9) for stamp in cut]
    assert is_number.all()


def test_seconds_below_zero_and_with_more_than_nine_digits() -> None:
    lines = cut_lines(b"-0.5\n-1.25\n1.1234567899\n1.\n.5\n1.5.2")
    values, is_number = seconds_ns(lines.text, lines.spans)
    assert values[:3].tolist() == [-500_000_000, -1_250_000_000, 1_123_456_789]
    assert is_number.tolist() == [True, True, True, False, False, False]


def test_stamps_beyond_the_range_are_told_apart() -> None:
    _, fits = scaled_ns(np.array([4 * 10**15, 5 * 10**15, -(10**17)]), 1000)
    assert fits.tolist() == [True, False, False]


@given(st.lists(st.binary(max_size=64), min_size=1), st.sampled_from(["", " ", "  "]))
def test_payload_is_read_back(payloads: list[bytes], gap: str) -> None:
    text = "\n".join(gap.join(f"{byte:02x}" for byte in data) for data in payloads)
    lines = cut_lines(text.encode() + b"\n")
    lengths = np.array([len(data) for data in payloads])
    data, is_payload = packed_payload(lines.text, lines.spans.starts, lengths, 2 + len(gap))
    assert [bytes(row[:n]) for row, n in zip(data, lengths, strict=True)] == payloads
    assert is_payload.all()
    assert not any(row[n:].any() for row, n in zip(data, lengths, strict=True))


def test_payload_of_uneven_columns_is_read_byte_by_byte() -> None:
    lines = cut_lines(b"01  02 03\n1 02 03\n01 02\n01 2G 03\n010 2 03")
    words, lengths = words_of(lines), np.full(5, 3)
    data, is_payload = spread_payload(lines.text, words, 0, lengths)
    assert is_payload.tolist() == [True, False, False, False, False]
    assert data[0, :3].tolist() == [1, 2, 3]
    data, is_payload = spread_payload(lines.text, words, 0, lengths, fewest_digits=1)
    assert is_payload.tolist() == [True, True, False, False, False]
    assert data[1, :3].tolist() == [1, 2, 3]
