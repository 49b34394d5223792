"""An audit log: whatever is changed in it is found, and a kill loses nothing that was answered."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.access.audit import MAX_LINE_BYTES, NOBODY, AuditLog, Entry, entries, verify
from contactor.errors import AuditBroken, FolderError

T0 = 1_772_535_600 * 10**9


def entry(number: int) -> Entry:
    detail = {"path": "Vehicle.Speed", "value": float(number), "is_done": number % 2 == 0}
    return Entry(T0 + number, "Mia", "command", f"done {number}", "leaf", detail)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    log = AuditLog.open(path)
    for number in range(5):
        log.append(entry(number))
    return path


def test_what_was_appended_is_read_and_whole(path: Path) -> None:
    assert list(entries(path)) == [entry(number) for number in range(5)]
    assert verify(path).count == 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_anybody_can_check_it_without_us(path: Path) -> None:
    before = NOBODY
    for text in path.read_text().splitlines():
        line = json.loads(text)
        body, _, _ = text.rpartition(',"hash"')
        assert line["hash"] == hashlib.sha256((body + "}").encode()).hexdigest()
        assert line["previous"] == before
        before = line["hash"]
    assert verify(path).head == before


@given(st.data())
def test_a_changed_byte_is_found_in_its_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "audit.jsonl"
    log = AuditLog.open(path)
    for number in range(3):
        log.append(entry(number))
    text = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != text[place]))
    line = bytes(text[:place]).count(b"\n") + 1
    text[place] = byte
    path.write_bytes(bytes(text))
    with pytest.raises(AuditBroken, match=f"line {line}"):
        verify(path)


@pytest.mark.parametrize("change", ["drop", "double", "swap"])
def test_lines_left_out_put_in_or_moved_are_found(path: Path, change: str) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "drop":
        del lines[2]
    elif change == "double":
        lines.insert(2, lines[2])
    else:
        lines[2], lines[3] = lines[3], lines[2]
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditBroken, match=r"line [34]: says that it is line"):
        verify(path)


def test_an_end_cut_off_is_found_by_a_hash_noted_before(path: Path) -> None:
    noted = verify(path).head
    AuditLog.open(path).append(entry(5))
    assert verify(path, head=noted).count == 6
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    assert verify(path).count == 4
    with pytest.raises(AuditBroken, match="cut off"):
        verify(path, head=noted)


def test_it_goes_on_after_a_line_that_a_crash_cut_off(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"number":6,"ts":"2026')
    log = AuditLog.open(path)
    log.append(entry(5))
    assert [one.outcome for one in entries(path)] == [f"done {number}" for number in range(6)]


def test_a_damaged_end_is_told_at_once(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"done 4", b"done 9"))
    with pytest.raises(AuditBroken, match="line 5: altered"):
        AuditLog.open(path)


def test_what_is_too_large_is_refused_and_long_words_are_cut(path: Path) -> None:
    log = AuditLog.open(path)
    log.append(Entry(T0, "x" * 5_000, "command", "done"))
    with pytest.raises(FolderError, match="the limit"):
        log.append(Entry(T0, "x", "command", "done", detail={str(n): "y" * 900 for n in range(30)}))
    assert verify(path).count == 6
    assert max(map(len, path.read_bytes().splitlines())) < MAX_LINE_BYTES


def test_where_no_space_is_left_it_stays_as_it_was(path: Path) -> None:
    log, before = AuditLog.open(path), path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(FolderError, match=r"audit\.jsonl: "):
            log.append(entry(5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    log.append(entry(5))
    assert verify(path).count == 6


WRITER = """
import sys
from pathlib import Path
from contactor.cloud.access.audit import AuditLog, Entry
log = AuditLog.open(Path(sys.argv[1]))
for number in range(100_000):
    log.append(Entry(number, "x", "command", str(number)))
    print(number, flush=True)
"""


@pytest.mark.processes
def test_a_killed_writer_loses_nothing_that_it_said(tmp_path: Path) -> None:
    path, said = tmp_path / "audit.jsonl", 0
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.1)
            os.kill(writer.pid, signal.SIGKILL)
            said += 1 + writer.stdout.read().count("\n")
        AuditLog.open(path)
        assert said <= verify(path).count <= said + 1
        said = verify(path).count
