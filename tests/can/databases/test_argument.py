from pathlib import Path

import pytest

from contactor.can.databases.argument import DatabaseFile, database_argument, database_files
from contactor.errors import UsageError


@pytest.mark.parametrize(
    ("text", "path", "bus"),
    [
        ("body.dbc", "body.dbc", None),
        ("1=body.dbc", "body.dbc", 1),
        ("0=a=b.dbc", "a=b.dbc", 0),
        ("can1=body.dbc", "body.dbc", 1),
        ("vcan0=body.dbc", "body.dbc", 0),
        ("a=b.dbc", "a=b.dbc", None),
        ("./1=body.dbc", "1=body.dbc", None),
        ("=body.dbc", "=body.dbc", None),
    ],
)
def test_argument_is_a_file_with_or_without_a_bus(text, path, bus):
    assert database_argument(text) == DatabaseFile(Path(path), bus)


def test_argument_is_the_file_of_the_whole_name_where_only_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("1=body.dbc").touch()
    assert database_argument("1=body.dbc") == DatabaseFile(Path("1=body.dbc"))
    Path("body.dbc").touch()
    assert database_argument("1=body.dbc") == DatabaseFile(Path("body.dbc"), 1)


@pytest.mark.parametrize("text", ["", "256=body.dbc", "99999999999999999999=body.dbc"])
def test_argument_beyond_the_buses_is_refused(text):
    with pytest.raises(UsageError, match="database"):
        database_argument(text)


def test_files_are_paths_or_a_mapping_to_buses():
    both = DatabaseFile(Path("a"), 1), DatabaseFile(Path("b"))
    assert database_files({Path("a"): 1, "b": None}) == both
    assert database_files([DatabaseFile(Path("a"), 1), Path("b")]) == both
    with pytest.raises(UsageError, match="bus 300"):
        database_files({"a": 300})
