"""The compiled path reads what the plain one reads, whatever the lines."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.can.kernels import SWITCH, is_installed
from contactor.can.log import LogReading, read_log
from contactor.can.readers.candump import CandumpParser
from contactor.can.readers.lines import block_of

pytestmark = pytest.mark.skipif(not is_installed(), reason="Numba is not installed")

STAMPS = st.one_of(
    st.integers(0, 2**31 * 10**6).map(lambda us: f"({us // 10**6:010d}.{us % 10**6:06d})"),
    st.from_regex(r"\([0-9]{1,12}\.[0-9]{1,11}\)?", fullmatch=True),
)
NAMES = st.sampled_from(["can0", "can1", "vcan0", "slcan", "a-name-of-sixteen", "sixteencharacter"])
FRAMES = st.one_of(
    st.from_regex(r"[0-9A-F]{3}#([0-9A-Fa-f]{2}){8}", fullmatch=True),
    st.from_regex(r"[0-9A-F]{3}#([0-9A-Fa-f]{2}){0,9}", fullmatch=True),
    st.from_regex(r"[0-3][0-9A-F]{7}#([0-9A-Fa-f]{2}){0,8}", fullmatch=True),
    st.from_regex(r"[0-9A-F]{3}##[0-9A-F]([0-9A-Fa-f]{2}){0,64}", fullmatch=True),
    st.from_regex(r"[0-9A-F]{3,8}#R?[0-9A-Gg/:@`]{0,17}(_[0-9A-F])?", fullmatch=True),
)
LINES = st.tuples(STAMPS, st.sampled_from([" ", "  ", "\t"]), NAMES, FRAMES).map(
    lambda parts: f"{parts[0]}{parts[1]}{parts[2]} {parts[3]}"
)
ENDS = st.sampled_from(["\n", "\n", "\n", " R\n", " T\r\n", "\r\n", " X\n", "\n\n", " \n"])
LOGS = st.lists(st.tuples(LINES, ENDS).map("".join), min_size=1, max_size=30).map("".join)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "drive.log"


def read(path: Path, switch: str) -> LogReading:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, switch)
        return read_log(path)


def assert_same(found: LogReading, expected: LogReading) -> None:
    assert found.refused == expected.refused
    assert_same_frames(found.frames, expected.frames)


def assert_same_frames(found: FrameTable, expected: FrameTable) -> None:
    for field in fields(FrameTable):
        fast, plain = (getattr(one, field.name) for one in (found, expected))
        assert fast.dtype == plain.dtype
        assert np.array_equal(fast, plain), field.name


@given(text=LOGS, is_cut=st.booleans())
def test_compiled_path_reads_what_the_plain_path_reads(log: Path, text: str, is_cut: bool) -> None:
    good = "(1700000000.000000) can0 1DB#0011223344556677\n"
    log.write_text(good + (text[:-3] if is_cut else text), newline="")
    assert_same(read(log, "1"), read(log, "0"))


NAME = range(19, 25)  # where the interface is, and the blanks around it


@pytest.mark.parametrize(
    "line", [b"(1700000000.123456) can0 1DB#0011223344556677", b"(1700000000.654321) can0 7fF#aB0C"]
)
def test_compiled_path_sees_every_character_that_is_wrong(line: bytes) -> None:
    usual = b"(1700000000.000000) can0 1DB#0011223344556677\n" * 25
    for place in range(len(line) + 1):
        for one in b"0/159:@AFGZ`afgz \t\n\r()+-.#R_\0\x7f\x80\xb0\xff":
            changed = line[:place] + bytes([one]) + line[place + 1 :]
            block = block_of(usual + changed + b"\n" + usual)
            parser = CandumpParser()
            parser.parse_fast(block_of(usual), may_learn=True)
            fast = parser.parse_fast(block, may_learn=False)
            assert fast is not None or place in NAME  # which may be a new one
            if fast is not None:
                plain = CandumpParser().parse(block.lines())
                assert_same_frames(fast.with_frames(parser.parse(fast.odd)), plain.frames)


@given(text=st.binary(min_size=16, max_size=16).map(bytearray), at=st.integers(0, 15))
def test_sixteen_digits_are_their_bytes(text: bytearray, at: int) -> None:
    from contactor.can.kernels.jit import sixteen_digits

    text[:at] = text[:at].hex().encode()[:at]
    word, count = sixteen_digits(np.frombuffer(text, np.uint8), 0)
    digits = re.match(rb"[0-9A-Fa-f]*", text)
    assert digits
    assert count == len(digits[0])
    whole = bytes.fromhex(digits[0][: count // 2 * 2].decode())
    assert int(word).to_bytes(8, "little")[: len(whole)] == whole


@given(data=st.binary(max_size=300))
def test_compiled_path_survives_any_bytes(log: Path, data: bytes) -> None:
    log.write_bytes(b"(1700000000.000000) can0 1DB#00\n" + data)
    assert_same(read(log, "1"), read(log, "0"))


def test_compiled_path_numbers_many_interfaces_in_order(log: Path) -> None:
    names = [f"if{number % 300}x" for number in range(700)]
    log.write_text("".join(f"(1700000000.0) {name} 1DB#00\n" for name in names))
    assert_same(read(log, "1"), read(log, "0"))


def test_usual_lines_are_not_left_to_the_plain_path(log: Path) -> None:
    text = b"(1700000000.5) can0 1DB#00\n(1700000000.500000) can0 18FF50E5##10011 T\r\n" * 9
    block = block_of(text)
    fast = CandumpParser().parse_fast(block, may_learn=True)
    assert fast is not None
    assert (len(fast.frames), fast.lines, len(fast.odd)) == (18, 18, 0)
    assert CandumpParser().parse_fast(block, may_learn=False) is None
