import pytest

from contactor.can.databases import text as text_module
from contactor.can.databases.text import read_text
from contactor.can.databases.text_repair import mended_unit
from contactor.errors import DatabaseError, UsageError


def test_line_ends_of_all_systems_are_one(tmp_path):
    path = tmp_path / "a.dbc"
    path.write_bytes(b"a\r\nb\rc\nd")
    assert read_text(path).content == "a\nb\nc\nd"


def test_file_beyond_the_largest_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_module, "MAX_DATABASE_BYTES", 10)
    path = tmp_path / "a.dbc"
    path.write_bytes(b"0123456789")
    assert read_text(path).content == "0123456789"
    path.write_bytes(b"0123456789a")
    with pytest.raises(DatabaseError, match=r"a\.dbc is larger than 10 bytes"):
        read_text(path)


def test_missing_file_and_directory_are_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_text(tmp_path / "nothing.dbc")
    with pytest.raises(UsageError, match="is a directory"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("unit", "mended"),
    [
        ("Â°C", "°C"),
        ("mÂ²", "m²"),
        ("â„ƒ", "℃"),
        ("\ufffdC", "°C"),
        ("°C", "°C"),
        ("Ω", "Ω"),
        ("å", "å"),
        ("km/h", "km/h"),
    ],
)
def test_unit_read_in_a_wrong_encoding_is_mended(unit, mended):
    assert mended_unit(unit) == mended
