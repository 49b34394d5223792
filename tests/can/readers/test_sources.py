import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zstandard

from contactor.can.log import LogFile, LogReading, open_log, open_logs, read_log
from contactor.can.readers import sources
from contactor.can.readers.layers import layer_of
from contactor.can.readers.sources import sources_of
from contactor.can.recording import decode
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


def packed_times(times: int, pack: Callable[[bytes], bytes]) -> bytes:
    content = TEXT[: 1000 * len(TEXT) // LINES]
    for _ in range(times):
        content = pack(content)
    return content


def zipped_one_by_one(files: list[tuple[str, bytes]], compression: int) -> bytes:
    """A zip archive in which two files may have one name."""
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", compression) as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def frames_in(log: LogFile) -> int:
    return sum(len(table) for table in log.chunks())


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
        lambda text: text.decode().encode("utf-16-le"),
        lambda text: gzip.compress(text.decode().encode("utf-16-be")),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: zstandard.compress(gzip.compress(text)),
        lambda text: gzip.compress(zipped({"monday": gzip.compress(text)})),
        lambda text: gzip.compress(text[:99_999]) + gzip.compress(text[99_999:]),
        lambda text: gzip.compress(gzip.compress(gzip.compress(gzip.compress(text)))),
        lambda text: zipped_one_by_one([("a", text)], zipfile.ZIP_STORED),
        lambda text: zipped_one_by_one([("a", text)], zipfile.ZIP_BZIP2),
        lambda text: zipped_one_by_one([("a", text)], zipfile.ZIP_LZMA),
    ],
    ids=[
        "gzip",
        "bzip2",
        "xz",
        "zstd",
        "zip",
        "utf-16",
        "utf-16-le-without-mark",
        "utf-16-be-without-mark-in-gzip",
        "bom",
        "gzip-in-zstd",
        "gzip-in-zip-in-gzip",
        "two-members",
        "gzip-four-times",
        "zip-stored",
        "zip-bzip2",
        "zip-lzma",
    ],
)
def test_packed_log_reads_as_the_plain_one(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    plain, found = read(tmp_path, TEXT), read(tmp_path, pack(TEXT))
    assert len(found.frames) == LINES
    assert np.array_equal(found.frames.ts, plain.frames.ts)
    assert np.array_equal(found.frames.data, plain.frames.data)
    assert not found.refused


@pytest.mark.parametrize(
    "head",
    [
        b"LOGG" + bytes(508),
        b"MDF     4.10    " + bytes(496),
        bytes(512),
        b"\x10\0\x20\0\x7f\0\xf0\0" * 64,
        b"\0\x01\0\x02\0\x03" * 80,
        b"d\0r\0i\0v\0e\0" + b"\0\x07" * 251,
        TEXT[:512],
        b"a\0b\0",
    ],
)
def test_no_binary_data_are_taken_for_wide_text(head: bytes) -> None:
    assert layer_of(head) is None


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


@pytest.mark.parametrize(
    ("is_checked", "lost_bytes"), [(False, 1), (False, 3), (True, 1), (True, 4), (True, 7)]
)
def test_zstd_that_is_cut_at_a_line_end_is_told(
    tmp_path: Path, is_checked: bool, lost_bytes: int
) -> None:
    packer = zstandard.ZstdCompressor(write_checksum=is_checked).compressobj()
    packed = packer.compress(TEXT) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    packed += packer.flush()
    found = read(tmp_path, packed[:-lost_bytes])
    assert len(found.frames) == LINES
    (refusal,) = found.refused
    assert refusal.reason == "packed data is damaged from here on"
    assert refusal.first_text == "packed data ended before the end of its zstd frame"


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: zstandard.ZstdCompressor(level=1, write_content_size=False).compress(text),
        lambda text: zstandard.ZstdCompressor(write_checksum=True).compress(text),
        lambda text: zstandard.compress(text[:99_999]) + zstandard.compress(text[99_999:]),
        lambda text: zstandard.compress(text) + b"\x53\x2a\x4d\x18\x03\0\0\0abc",
        lambda text: zstandard.compress(b"") + zstandard.compress(text),
    ],
    ids=["no-size", "checksum", "two-frames", "skippable", "empty-frame"],
)
def test_zstd_of_any_form_is_whole(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    found = read(tmp_path, pack(TEXT))
    assert len(found.frames) == LINES
    assert not found.refused


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
        (packed_times(5, gzip.compress), "more than 4 times"),
        (packed_times(5, lambda content: zipped({"a": content})), "more than 4 times"),
        (zipped({"a": packed_times(4, gzip.compress)}), "more than 4 times"),
    ],
    ids=lambda one: one if isinstance(one, str) else "packed",  # bytes hold the time
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


def test_files_of_one_name_in_an_archive_are_read_each(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    half = TEXT[: len(TEXT) // 2]
    path.write_bytes(zipped_one_by_one([("a", TEXT), ("a", half)], zipfile.ZIP_DEFLATED))
    assert [frames_in(log) for log in open_logs([path])] == [LINES, LINES // 2]


def test_name_in_an_archive_is_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    path.write_bytes(zipped({"\x1b[1m\n" + "x" * 900: TEXT, "b": TEXT}))
    name = open_logs([path])[0].name
    assert name == "drives.zip: ?[1m?" + "x" * 195 + "..."


def test_archive_tells_the_share_of_each_log(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    path.write_bytes(zipped(dict.fromkeys("abcd", TEXT) | {"e": zstandard.compress(TEXT)}))
    told: list[tuple[int, int]] = []
    recording = decode(path, on_progress=lambda done, total: told.append((done, total)))
    assert len(recording.frames) == 5 * LINES
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    done, total = told[-1]
    assert done == total <= path.stat().st_size


def test_archive_of_many_files_is_opened_in_their_time(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    path.write_bytes(zipped({f"{n}.log": TEXT[:200] for n in range(2000)}))
    start_s = time.process_time()
    found = sources_of(path)
    heads = {source.head(10) for source in found}
    assert time.process_time() - start_s < 8  # by name, each time from the whole directory: 60
    assert (len(found), heads) == (2000, {TEXT[:10]})


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda content: zipped({"in": content})])
def test_archive_leaves_no_file_open(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "drives.zip"
    inner = zipped({"a": TEXT})
    path.write_bytes(pack(zipped({f"{n}.zip": inner for n in range(50)})))
    before = open_files()
    logs = open_logs([path])
    assert [frames_in(log) for log in logs] == [LINES] * 50
    assert open_files() <= before + 1
    del logs
    assert open_files() == before


def test_files_of_an_archive_are_read_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "drives.gz"  # unpacked to disk, to one file that all share
    files = [(name, TEXT * 4) for name in "abcdefgh"]
    path.write_bytes(gzip.compress(zipped_one_by_one(files, zipfile.ZIP_STORED), 1))
    logs = open_logs([path])
    both = zip(logs[0].chunks(), logs[1].chunks(), strict=True)
    assert all(np.array_equal(one.ts, other.ts) for one, other in both)
    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(frames_in, logs)) == [4 * LINES] * 8


def test_archive_of_archives_holds_so_many_files_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_MEMBERS", 100)
    path = tmp_path / "drives.zip"
    inner = zipped({f"{n}.log": TEXT[:200] for n in range(30)})
    path.write_bytes(zipped(dict.fromkeys("abc", inner)))
    assert len(open_logs([path])) == 90
    path.write_bytes(zipped(dict.fromkeys("abcd", inner)))
    with pytest.raises(LogError, match=r"d holds 30 files, which makes 124 in all; at most 100"):
        open_logs([path])


def test_archive_whose_files_share_their_bytes_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": TEXT, "b": TEXT}))
    directory = content.find(b"PK\x01\x02", content.find(b"PK\x01\x02") + 1)
    content[directory + 42 : directory + 46] = bytes(4)
    with pytest.raises(LogError, match="damaged zip archive: 'b' is said to have"):
        read(tmp_path, bytes(content))


def test_archive_with_a_huge_directory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    entry = b"PK\x01\x02" + bytes(42)
    entries = entry * (1 + 16 * 1024**2 // len(entry))
    end = b"PK\x05\x06" + bytes(8) + len(entries).to_bytes(4, "little") + bytes(4) + bytes(2)
    with pytest.raises(LogError, match=r"has a directory of \d+ bytes, more than 16777216"):
        read(tmp_path, zipped({"a": TEXT})[:40] + entries + end)


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zstandard.compress,
        lambda text: zipped({"a": text, "b": text}),
        lambda text: zipped_one_by_one([("a", text), ("b", text)], zipfile.ZIP_LZMA),
        lambda text: zipped({"a": zipped({"b": zstandard.compress(text)})}),
    ],
)
def test_ruined_packed_log_gives_frames_or_our_error(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(TEXT[: 100 * len(TEXT) // LINES])
    rng = random.Random(5)
    read_at_all = 0
    for _ in range(150):
        ruined = bytearray(packed)
        for _ in range(rng.randint(1, 3)):
            ruined[rng.randrange(len(ruined))] = rng.randrange(256)
        path = tmp_path / "drive"
        path.write_bytes(ruined[: rng.choice([len(ruined), rng.randrange(1, len(ruined))])])
        try:
            read_at_all += sum(frames_in(log) for log in open_logs([path])) > 0
        except LogError:
            continue
    assert read_at_all


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


@pytest.mark.parametrize("is_closed", [True, False])
def test_standard_input_that_is_closed_is_wrong_usage(is_closed: bool) -> None:
    script = "import sys; from contactor.can.log import open_log\n"
    script += "" if is_closed else "sys.stdin.close()\n"
    script += "try: open_log('-')\nexcept Exception as error: print(repr(error))"
    stop = "<&-" if is_closed else "</dev/null"
    command = ["sh", "-c", f'exec "$0" -c "$1" {stop}', sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith("UsageError('standard input is closed"), done.stderr


def test_standard_input_is_given_once_a_file_as_often_as_wanted(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="standard input can be given once"):
        open_logs(["-", "-"])
    path = tmp_path / "drive"
    path.write_bytes(TEXT)
    assert [frames_in(log) for log in open_logs([path, path])] == [LINES, LINES]


@pytest.mark.parametrize(
    ("content", "names"),
    [(TEXT, "['standard input']"), (zipped(FILES), "['standard input: a', 'standard input: b']")],
)
def test_standard_input_has_a_name(content: bytes, names: str) -> None:
    script = "from contactor.can.log import open_logs; print([log.name for log in open_logs('-')])"
    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True)
    assert (done.stdout.decode().strip(), done.stderr) == (names, b"")


def test_what_is_kept_of_a_pipe_is_freed_once_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(bytes(12_000_000),))
    writer.start()
    tracemalloc.start()
    try:
        (source,) = sources_of(path)
        source.head(10_000_000)
        assert tracemalloc.get_traced_memory()[0] > 10_000_000
        buffer = bytearray(1_000_000)
        with source.open() as stream:
            count = sum(iter(lambda: stream.readinto(buffer), 0))
            assert tracemalloc.get_traced_memory()[0] < 3_000_000
    finally:
        tracemalloc.stop()
        writer.join()
    assert count == 12_000_000
