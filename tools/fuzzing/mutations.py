"""Inputs made wrong, a little or a lot, always the same way for the same random numbers.

mutated(sample, random.Random(7), others)      # others: what may be spliced in
"""

import random
import re
from collections.abc import Callable, Sequence

Mutation = Callable[[bytes, random.Random], bytes]

MAX_BYTES = 256 * 1024
LONG_RUN = 70_000  # longer than the head by which a format is told
NUMBER = re.compile(rb"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
EXTREME_NUMBERS = (
    *(b"0", b"-0", b"-1", b"1", b"64", b"65", b"255", b"256", b"2047", b"2048", b"536870912"),
    *(b"2147483648", b"4294967295", b"4294967296", b"9223372036854775807", b"9223372036854775808"),
    *(b"18446744073709551616", b"-9223372036854775809", b"1e308", b"1e309", b"-1e-320", b"nan"),
    *(b"inf", b"1.7976931348623157e308", b"0.0000000000000000000001", b"1,5", b"0x1F", b"1_000"),
    *(b"9" * 40, b"9" * 400, b"1" + b"0" * 5000, b"", b"-", b".", b"1.2.3", b"\xd9\xa3"),
)
EXTREME_SIZES = (0, 1, 2, 7, 8, 15, 16, 23, 24, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF)
EXTREME_SIZES += (2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
LINE_ENDS = (b"\n", b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x1e", b"\xc2\x85", b"\xe2\x80\xa8", b"\0")
ODD_BYTES = (b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b";", b",", b"\t", b"#", b"(")


def mutated(sample: bytes, rng: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """One to some mutations, one on another; few are likelier than many."""
    data = sample
    for _ in range(min(1 + int(rng.expovariate(0.7)), 12)):
        if others and rng.random() < 0.05:
            data = _spliced(data, rng.choice(others), rng)
        else:
            data = rng.choice(MUTATIONS)(data, rng)
    return data[:MAX_BYTES]


def _place(data: bytes, rng: random.Random) -> int:
    """Anywhere; the beginning, where the headers are, is likelier."""
    end = min(len(data), 256) if rng.random() < 0.3 else len(data)
    return rng.randint(0, end)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    begin = _place(data, rng)
    return begin, min(len(data), begin + int(rng.expovariate(1 / 24)) + 1)


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        made[min(_place(data, rng), len(made) - 1)] ^= 1 << rng.randrange(8)
    return bytes(made)


def insert_bytes(data: bytes, rng: random.Random) -> bytes:
    place = _place(data, rng)
    return data[:place] + rng.randbytes(rng.choice((1, 1, 2, 8, 100))) + data[place:]


def insert_odd(data: bytes, rng: random.Random) -> bytes:
    place = _place(data, rng)
    return data[:place] + rng.choice(ODD_BYTES) * rng.choice((1, 1, 2, 9)) + data[place:]


def insert_long_run(data: bytes, rng: random.Random) -> bytes:
    place = _place(data, rng)
    byte = data[place : place + 1] or b"A"
    return data[:place] + byte * rng.choice((300, 5000, LONG_RUN)) + data[place:]


def delete_bytes(data: bytes, rng: random.Random) -> bytes:
    begin, end = _span(data, rng)
    return data[:begin] + data[end:]


def double_bytes(data: bytes, rng: random.Random) -> bytes:
    begin, end = _span(data, rng)
    return data[:end] + data[begin:end] * rng.choice((1, 1, 3, 50)) + data[end:]


def swap_blocks(data: bytes, rng: random.Random) -> bytes:
    one, two, three = sorted(rng.randint(0, len(data)) for _ in range(3))
    return data[:one] + data[two:three] + data[one:two] + data[three:]


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def cut_beginning(data: bytes, rng: random.Random) -> bytes:
    return data[_place(data, rng) :]


def replace_number(data: bytes, rng: random.Random) -> bytes:
    begin = _place(data, rng)
    found = NUMBER.search(data, begin) or NUMBER.search(data)
    if not found:
        return insert_bytes(data, rng)
    return data[: found.start()] + rng.choice(EXTREME_NUMBERS) + data[found.end() :]


def replace_size(data: bytes, rng: random.Random) -> bytes:
    """Any number in a binary header, near an extreme or near the size of the file."""
    size = rng.choice((1, 2, 4, 4, 8, 8))
    place = _place(data, rng) // size * size
    value = rng.choice((*EXTREME_SIZES, len(data), place)) + rng.choice((0, 0, -1, 1))
    field = (value % 2**64).to_bytes(8, "little")[:size]
    return data[:place] + field + data[place + size :]


def swap_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return swap_blocks(data, rng)
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def shuffle_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    begin, end = sorted((rng.randint(0, len(lines)), rng.randint(0, len(lines))))
    part = lines[begin:end]
    rng.shuffle(part)
    return b"".join(lines[:begin] + part + lines[end:])


def drop_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def double_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    place = rng.randrange(len(lines))
    return b"".join(
        lines[:place] + lines[place : place + 1] * rng.choice((2, 3, 60)) + lines[place + 1 :]
    )


def other_line_ends(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines()
    if rng.random() < 0.5 or not lines:
        return rng.choice(LINE_ENDS).join(lines)
    place = rng.randrange(len(lines))
    return b"\n".join(lines[:place]) + rng.choice(LINE_ENDS) + b"\n".join(lines[place:])


def move_word(data: bytes, rng: random.Random) -> bytes:
    """One word of a text over another: a keyword where a name was, a name where a number was."""
    words = list(re.finditer(rb"[^\s,;:|()\[\]\"]+", data[:20_000]))
    if len(words) < 2:
        return swap_blocks(data, rng)
    source, target = rng.choice(words), rng.choice(words)
    return data[: target.start()] + source.group() + data[target.end() :]


def recode(data: bytes, rng: random.Random) -> bytes:
    """Text in another encoding."""
    name = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "utf-7"))
    return data.decode("latin-1").encode(name)


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, flip_bits, insert_bytes, insert_odd, insert_long_run, delete_bytes, delete_bytes),
    *(double_bytes, swap_blocks, cut_off, cut_beginning, replace_number, replace_number),
    *(replace_number, replace_size, replace_size, swap_lines, shuffle_lines, drop_line),
    *(double_line, other_line_ends, move_word, move_word, recode),
)


def _spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """The beginning of one and the end of another."""
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]
