from hypothesis import given
from hypothesis import strategies as st

from contactor.can.readers.lines import cells_of, cut_lines
from contactor.can.readers.spreadsheet import (
    is_dated_or_scientific,
    is_scientific,
    plain,
    standard_ids,
)

COMMA = ord(",")


def cells(text: bytes) -> list[list[bytes]]:
    lines = plain(cut_lines(text), COMMA)
    fields = cells_of(lines, COMMA)
    pieces = [
        lines.text[start:end].tobytes()
        for start, end in zip(fields.spans.starts, fields.spans.ends, strict=True)
    ]
    return [
        pieces[first:end] for first, end in zip(fields.first[:-1], fields.first[1:], strict=True)
    ]


def test_plain_cells_are_without_quotes_and_blanks() -> None:
    assert cells(b'"a",  b ,="c"\r\n\n\'d,e\n') == [[b"a", b"b", b"c"], [b""], [b"d", b"e"]]


def test_plain_delimiters_between_quotes_split_nothing() -> None:
    assert cells(b'1,"a,b",c\n"open,d\n1,2\n') == [
        [b"1", b"a.b", b"c"],
        [b"open.d"],
        [b"1", b"2"],
    ]


def test_plain_lines_are_the_same_where_only_a_header_is_dressed() -> None:
    lines = cut_lines(b"Time Stamp,ID\n1,2\n")
    assert plain(lines, COMMA) is lines


@given(st.text("\"' =,;ab1\n", max_size=200))
def test_plain_keeps_the_number_of_lines(text: str) -> None:
    lines = cut_lines(text.encode())
    assert len(plain(lines, COMMA)) == len(lines)


def test_scientific_numbers_are_those_that_a_spreadsheet_writes() -> None:
    yes = (b"1.61E+09", b"1,7E+15", b"-1.61e+09", b"1E+03", b"1.0E-3")
    no = (b"1E3", b"15F", b"E+3", b"1.5", b"", b"1E+3E", b"1E+", b"1.2.3E+1")
    lines = cut_lines(b"\n".join(yes + no) + b"\n")
    assert is_scientific(lines.text, lines.spans).tolist() == [True] * len(yes) + [False] * len(no)


@given(st.integers(1, 7), st.integers(0, 9), st.sampled_from((".", ",")))
def test_every_standard_id_taken_for_a_number_is_put_back(
    lead: int, power: int, point: str
) -> None:
    written = f"{lead * 10**power:.2E}".replace(".", point)
    lines = cut_lines(f"{written}\n".encode())
    ids, is_one = standard_ids(lines.text, lines.spans)
    assert is_one.all()
    assert f"{ids[0]:X}" == f"{lead}E{power}"


@given(st.integers(0, 0xFFFF))
def test_no_other_number_is_put_back_as_an_id(value: int) -> None:
    written = f"{value:.2E}"
    lines = cut_lines(f"{written}\n".encode())
    _, is_one = standard_ids(lines.text, lines.spans)
    digits = written.partition("E")[0]
    assert is_one.all() == (digits in [f"{lead}.00" for lead in range(1, 8)])


def test_dates_and_numbers_are_told_from_ids() -> None:
    lines = cut_lines(b"01-Dec\n1.5\n1E+03\n1DB\nno id\n\n")
    found = is_dated_or_scientific(lines.text, lines.spans)
    assert found.tolist() == [True, True, True, False, False, False]
