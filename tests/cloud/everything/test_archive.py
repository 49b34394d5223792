"""An archive: what it holds, as JSON and as CSV, and that it ends when it is told to."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from contactor.cloud.everything.archive import Archive
from contactor.errors import InstanceError

T0 = 1_772_535_600 * 10**9
ROWS = [{"text": '=1+1"', "list": ["é", 1], "number": 1.5, "none": None}]


def opened(file: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_rows_are_told_as_json_and_as_csv(tmp_path: Path) -> None:
    file, plain = io.BytesIO(), tmp_path / "plain"
    plain.write_bytes(b"PAR1")
    with Archive(file, title="everything of leaf", now_ns=T0) as archive:
        archive.table("rows", lambda: ROWS, "some")
        archive.table("none", list, "nothing")
        archive.document("one.json", {"a": 1}, "one")
        archive.file("plain.parquet", plain, "as it is", rows=7)
    files = opened(file)
    assert json.loads(files["rows.json"]) == ROWS
    head, row = csv.reader(io.StringIO(files["rows.csv"].decode(), newline=""))
    assert head == ["text", "list", "number", "none"]
    assert row == ["'=1+1\"", '["é",1]', "1.5", ""]
    assert (json.loads(files["none.json"]), files["none.csv"]) == ([], b"")
    assert json.loads(files["one.json"]) == {"a": 1}
    assert files["plain.parquet"] == b"PAR1"
    readme = files["README.md"].decode()
    assert readme.startswith("# Everything of leaf\n")
    for line in (
        "| rows.json, rows.csv | some | 1 |",
        "| none.json, none.csv | nothing | 0 |",
        "| one.json | one |  |",
        "| plain.parquet | as it is | 7 |",
    ):
        assert line in readme


def test_it_ends_when_it_is_told_to() -> None:
    told = iter([False, True])
    with (
        pytest.raises(InstanceError, match="the instance stops"),
        Archive(io.BytesIO(), title="t", now_ns=T0, is_stopped=lambda: next(told)) as archive,
    ):
        archive.table("rows", lambda: [{"a": 1}, {"a": 2}], "some")
