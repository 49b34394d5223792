import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from contactor.can.log import LogReading, open_log, open_logs, read_log
from contactor.errors import LogError, UsageError

LINES = 20_000
TEXT = "".join(
    f"({1_700_000_000 + n // 100}.{n % 100:02d}0000) can0 {0x100 + n % 64:03X}#{n:08X}\n"
    for n in range(LINES)
).encode()
FILES = {"a": TEXT, "b": gzip.compress(TEXT), "notes": b"sunny", "__MACOSX/a": b"x", ".b": b"x"}
SCRIPT = "from contactor.can.log import read_log; print(len(read_log('-').frames))"


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def read(folder: Path, content: bytes) -> LogReading:
    path = folder / "drive.bin"
    path.write_bytes(content)
    return read_log(path)


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zstandard.compress,
        lambda text: zipped({"drives/monday": text}),
        lambda text: text.decode().encode("utf-16"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: zstandard.compress(gzip.compress(text)),
        lambda text: gzip.compress(zipped({"monday": gzip.compress(text)})),
        lambda text: gzip.compress(text[:99_999]) + gzip.compress(text[99_999:]),
    ],
    ids=[
        "gzip",
        "bzip2",
        "xz",
        "zstd",
        "zip",
        "utf-16",
        "bom",
        "gzip-in-zstd",
        "gzip-in-zip-in-gzip",
        "two-members",
    ],
)
def test_packed_log_reads_as_the_plain_one(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    plain, found = read(tmp_path, TEXT), read(tmp_path, pack(TEXT))
    assert len(found.frames) == LINES
    assert np.array_equal(found.frames.ts, plain.frames.ts)
    assert np.array_equal(found.frames.data, plain.frames.data)
    assert not found.refused


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_packed_log_that_is_cut_gives_what_was_unpacked(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(TEXT * 4)
    found = read(tmp_path, packed[: len(packed) * 2 // 3])
    assert len(found.frames) > LINES // 4
    reasons = {refusal.reason for refusal in found.refused}
    assert reasons <= {"truncated line", "packed data is damaged from here on"}
    assert reasons


def test_bytes_behind_a_packed_log_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, gzip.compress(TEXT) + b"what is this")
    assert len(found.frames) == LINES
    (refusal,) = found.refused
    assert refusal.reason == "packed data is damaged from here on"
    assert refusal.first_line == LINES + 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"") + b"", "empty"),
        (zipped({"a": TEXT})[:-30], "damaged zip archive"),
        (zipped({"README": b"hello", "car.dbc": b"VERSION"}), "none of them a log"),
        (b"\x1f\x8b\x08", "cannot be unpacked"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT)))), "more than 4 times"),
    ],
)
def test_archive_without_a_log_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(tmp_path, content)


def test_archive_of_several_logs_gives_them_all(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    path.write_bytes(zipped(FILES))
    told: list[str] = []
    logs = open_logs([path], told.append)
    assert [log.name for log in logs] == ["drives.zip: a", "drives.zip: b"]
    assert sum(len(table) for log in logs for table in log.chunks()) == 2 * LINES
    assert [line.startswith(f"left out: {path}: notes is text") for line in told] == [True]
    with pytest.raises(LogError, match="holds 2 logs"):
        open_log(path)


def test_encrypted_archive_says_so(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": TEXT}))
    directory = content.rfind(b"PK\x01\x02")
    content[directory + 8] |= 1
    with pytest.raises(LogError, match="is encrypted"):
        read(tmp_path, bytes(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: zipped({"a": text})])
@pytest.mark.parametrize("is_file", [True, False])
def test_standard_input_is_read_once_whatever_it_is(
    tmp_path: Path, pack: Callable[[bytes], bytes], is_file: bool
) -> None:
    path = tmp_path / "drive"
    path.write_bytes(pack(TEXT))
    command = [sys.executable, "-c", SCRIPT]
    with path.open("rb") as file:
        if is_file:
            done = subprocess.run(command, stdin=file, capture_output=True, text=True)
        else:
            with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                done = subprocess.run(command, stdin=cat.stdout, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{LINES}\n", "")


def test_named_pipe_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    log = open_log(path)
    assert sum(len(table) for table in log.chunks()) == LINES
    writer.join()
    with pytest.raises(LogError, match="can be read only once"):
        next(log.chunks())


@pytest.mark.parametrize(("name", "message"), [("no.log", "no such file"), (".", "is a directory")])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_log(tmp_path / name)
