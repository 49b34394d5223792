import pytest

from contactor.can.readers.headers import Columns
from contactor.can.readers.lines import cells_of, cut_lines


def test_columns_are_found_by_their_plain_names() -> None:
    columns = Columns.of(b'"Time Stamp";ID; Can_Id ;LEN;id', b";")
    assert columns.places == {"timestamp": 0, "id": 1, "canid": 2, "len": 3}
    assert columns.place("length", "len") == 3
    assert columns.place("bus") is None


@pytest.mark.parametrize(("name", "length"), [("b", 2), ("c", 0)])
def test_columns_give_empty_cells_where_there_is_no_such_column(name: str, length: int) -> None:
    lines = cut_lines(b"1,22\n")
    spans = Columns.of(b"a,b", b",").spans(cells_of(lines, ord(",")), name)
    assert spans.lengths.tolist() == [length]
