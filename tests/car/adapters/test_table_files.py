import contextlib
import gzip
import io
import zipfile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.adapters.table_files import OVERLONG, open_table
from contactor.car.adapters.table_map import TextLayout
from contactor.errors import TableError

PLAIN = "t,speed\n0.0,1\n0.5,2\n"
ROWS = [("0.0", "1"), ("0.5", "2")]


def rows_of(path, *, wanted=("t", "speed"), rows=1_000, **layout):
    with open_table(path, layout=TextLayout(**layout), wanted=wanted) as table:
        frames = list(table.batches(wanted, rows))
    return [row for frame in frames for row in frame.select(wanted).rows()]


def write(tmp_path, content, name="trip.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_file_delimiter_is_the_one_under_which_the_columns_are_there(tmp_path, delimiter):
    assert rows_of(write(tmp_path, PLAIN.replace(",", delimiter))) == ROWS


def test_file_delimiter_may_be_given(tmp_path):
    path = write(tmp_path, "t:speed\n0.0:1\n0.5:2\n")
    assert rows_of(path, delimiter=":") == ROWS
    with pytest.raises(TableError, match="no column 't'"):
        rows_of(path)


def test_file_delimiter_is_not_misled_by_decimal_commas(tmp_path):
    path = write(tmp_path, "t;speed, km/h\n0,5;1,5\n")
    assert rows_of(path, wanted=("t", "speed, km/h")) == [("0,5", "1,5")]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.removesuffix("\n"),
        "\n\n" + PLAIN,
        PLAIN + "\n\n",
        PLAIN.replace("0.5", "\n0.5"),
        " t , speed\n0.0,1\n0.5,2",
        '"t","speed"\n"0.0","1"\n0.5,"2"\n',
        "t,speed,\n0.0,1,\n0.5,2,\n",
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_file_text_is_read_however_it_is_written(tmp_path, content, is_compressed):
    content = content if isinstance(content, bytes) else content.encode()
    assert rows_of(write(tmp_path, gzip.compress(content) if is_compressed else content)) == ROWS


def test_file_that_is_not_utf_8_is_taken_as_windows_1252(tmp_path):
    path = write(tmp_path, "t;Außen °C\n0;21\n".encode("cp1252"))
    assert rows_of(path, wanted=("t", "Außen °C")) == [("0", "21")]


def test_file_header_may_span_lines(tmp_path):
    path = write(tmp_path, '"t","speed\nkm/h"\n0.0,1\n0.5,2\n')
    assert rows_of(path, wanted=("t", "speed\nkm/h")) == ROWS


def test_file_rows_shorter_or_longer_than_the_header_are_told(tmp_path):
    path = write(tmp_path, "t,speed\n0.0\n0.5,2,\n1.0,3,4\n,\n,,\n1.5,\n")
    with open_table(path, layout=TextLayout(), wanted=("t",)) as table:
        (frame,) = table.batches(("t", "speed"), 1_000)
    assert frame.rows() == [
        ("0.0", None, False),
        ("0.5", "2", False),
        ("1.0", "3", True),
        ("1.5", None, False),
    ]
    assert frame.columns == ["t", "speed", OVERLONG]


@pytest.mark.parametrize("rows", [1, 7, 100, 20_000, 100_000])
def test_file_batches_have_the_asked_length(tmp_path, rows):
    count = 30_001
    lines = "".join(f"{row},{row}\n{'' if row % 3 else chr(10)}" for row in range(count))
    text = write(tmp_path, "t,speed\n" + lines)
    parquet = tmp_path / "trip.parquet"
    pl.DataFrame({"t": range(count), "speed": range(count)}).write_parquet(
        parquet, row_group_size=999
    )
    for path in (text, parquet):
        with open_table(path, layout=TextLayout(), wanted=("t",)) as table:
            frames = list(table.batches(("t",), rows))
        assert {frame.height for frame in frames[:-1]} <= {rows}
        assert 0 < frames[-1].height <= rows
        assert pl.concat(frames)["t"].cast(pl.Int64).to_list() == list(range(count))


def test_file_parquet_is_told_by_content(tmp_path):
    path = tmp_path / "trip.csv"
    pl.DataFrame({"t": [0.0, 0.5], "speed": [1, 2]}).write_parquet(path)
    assert rows_of(path) == [(0.0, 1), (0.5, 2)]
    packed = write(tmp_path, gzip.compress(path.read_bytes()), "trip.gz")
    assert rows_of(packed) == [(0.0, 1), (0.5, 2)]


def test_file_names_may_look_like_patterns(tmp_path):
    path = write(tmp_path, PLAIN, "trip[1]*.csv")
    assert rows_of(path) == ROWS


def test_file_without_a_column_names_the_nearest_and_all(tmp_path):
    with pytest.raises(TableError) as caught:
        rows_of(write(tmp_path, PLAIN), wanted=("t", "sped"))
    assert str(caught.value) == (
        f"{tmp_path / 'trip.csv'}: no column 'sped'; did you mean 'speed'? columns: t, speed"
    )


def test_file_with_a_column_twice_is_told(tmp_path):
    with pytest.raises(TableError, match="column 't' is there 2 times"):
        rows_of(write(tmp_path, "t,t,speed\n1,2,3\n"))


def test_file_with_another_column_twice_is_read(tmp_path):
    assert rows_of(write(tmp_path, "t,x,x,speed\n1,2,3,4\n")) == [("1", "4")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0", "neither Parquet nor delimited text"),
        (b"PAR1 and nothing else", "no readable table: parquet"),
        (b"PAR1" + b"\xff" * 100 + b"PAR1", "no readable table"),
        (gzip.compress(PLAIN.encode() * 99, mtime=0)[:-20], "damaged gzip"),
        (b"\x1f\x8b\x08garbage", "damaged gzip"),
        (b'"' + b"x" * 200_000 + b'"\n', "the first line names no columns"),
        (b'{"t": 1}\n', "no column 't'; columns: "),
    ],
)
def test_file_that_is_no_table_is_told_in_one_line(tmp_path, content, told):
    with pytest.raises(TableError) as caught:
        rows_of(write(tmp_path, content))
    assert told in str(caught.value)
    assert str(tmp_path / "trip.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_of_a_spreadsheet_is_told(tmp_path):
    path = tmp_path / "trip.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(TableError, match="neither Parquet nor delimited text"):
        rows_of(path)


def test_file_damaged_inside_is_told(tmp_path):
    path = tmp_path / "trip.parquet"
    pl.DataFrame({"t": range(10_000), "speed": range(10_000)}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:4_000] = b"\xff" * 3_900
    path.write_bytes(content)
    with pytest.raises(TableError, match="no readable table"):
        rows_of(path)


def test_file_leaves_no_temporary_file_behind(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = write(tmp_path, gzip.compress(PLAIN.encode()))
    with open_table(path, layout=TextLayout(), wanted=("t",)) as table:
        assert list(folder.iterdir())
        next(table.batches(("t",), 1))
    assert not list(folder.iterdir())


def seeds():
    frame = pl.DataFrame({"t": [0.0, 0.5, 1.0], "speed": [1, 2, None], "word": ["a", "b", None]})
    parquet = io.BytesIO()
    frame.write_parquet(parquet)
    return [parquet.getvalue(), gzip.compress(PLAIN.encode() * 20, mtime=0), PLAIN.encode() * 20]


@pytest.mark.fuzz
@given(
    content=st.sampled_from(seeds()),
    edits=st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=8)), max_size=6),
    length=st.integers(0, 3_000),
)
def test_file_of_damaged_bytes_is_read_or_told(tmp_path_factory, content, edits, length):
    damaged = bytearray(content)
    for place, replacement in edits:
        damaged[place : place + len(replacement)] = replacement
    path = write(tmp_path_factory.mktemp("damaged"), bytes(damaged[:length]))
    with contextlib.suppress(TableError):
        rows_of(path)
