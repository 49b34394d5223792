from hypothesis import given
from hypothesis import strategies as st

from contactor.can.readers.lines import (
    CARRIAGE_RETURN,
    Fields,
    Lines,
    cells_of,
    cut_lines,
    words_of,
)

TEXT = st.binary(max_size=200).map(lambda data: data.replace(b"\r", b" ").replace(b"\0", b" "))


def fields_of(lines: Lines, fields: Fields) -> list[list[bytes]]:
    spans, first = fields.spans, fields.first
    return [
        [
            lines.text[spans.starts[i] : spans.ends[i]].tobytes()
            for i in range(first[k], first[k + 1])
        ]
        for k in range(len(lines))
    ]


@given(TEXT)
def test_lines_are_those_that_split_finds(data: bytes) -> None:
    lines = cut_lines(data)
    expected = data.split(b"\n")
    if expected[-1] == b"" and data:
        expected.pop()
    assert [lines.line(row) for row in range(len(lines))] == expected


@given(TEXT)
def test_words_are_those_that_split_finds(data: bytes) -> None:
    lines = cut_lines(data)
    blanks = bytes(range(33))
    expected = [
        bytes(32 if byte in blanks else byte for byte in lines.line(row)).split()
        for row in range(len(lines))
    ]
    assert fields_of(lines, words_of(lines)) == expected


@given(TEXT)
def test_cells_are_those_that_split_finds(data: bytes) -> None:
    lines = cut_lines(data)
    expected = [lines.line(row).split(b",") for row in range(len(lines))]
    assert fields_of(lines, cells_of(lines, ord(","))) == expected


def test_line_keeps_no_carriage_return_before_its_line_feed() -> None:
    lines = cut_lines(b"ab\r\n\r\ncd")
    assert [lines.line(row) for row in range(3)] == [b"ab", b"", b"cd"]


def test_line_may_end_with_a_carriage_return_alone() -> None:
    lines = cut_lines(b"ab\rcd\r", line_end=CARRIAGE_RETURN)
    assert [lines.line(row) for row in range(len(lines))] == [b"ab", b"cd"]


def test_last_line_is_open_where_the_file_stops_within_it() -> None:
    assert cut_lines(b"ab\ncd").is_last_open
    assert not cut_lines(b"ab\ncd\n").is_last_open
    assert not cut_lines(b"ab\ncd", is_end=False).is_last_open


def test_missing_field_is_empty() -> None:
    lines = cut_lines(b"a b\nc\n")
    assert words_of(lines).at(1).lengths.tolist() == [1, 0]
    assert words_of(cut_lines(b"\n")).at(0).lengths.tolist() == [0]
