from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can import reading
from contactor.can.log import LogReading, open_log, read_log
from contactor.can.reading import Refusal
from contactor.errors import ContactorError, LogError, UsageError

Read = Callable[[str | bytes], LogReading]

LINE = "(1700000000.{:06d}) can0 1DB#{:08X}\n"
GOLDENS = (
    "".join(LINE.format(n, n) for n in range(4)),
    "  can0  1DB   [2]  FF E0\n  can0  1DC   [1]  0F\n",
    "ParserFlags\tCh\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\t\n"
    "1\t0\t1\tRX\t48659509\t\t0x000001db\t4\t0x08 dc 00 dd \t\n",
    "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2\n1674224,0000015F,false,Rx,0,2,90,F8,\n",
    "1632509059.541604 2R11 174 00 00 00 aa\n1632509059.541799 1T29 18DB33F1 02 01 00\n",
)


def test_log_is_chosen_by_content_whatever_the_extension(tmp_path: Path) -> None:
    path = tmp_path / "drive.csv"
    path.write_text(LINE.format(0, 0))
    assert open_log(path).format == "candump"


def test_log_is_read_in_chunks_that_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drive.log"
    lines = [LINE.format(n, n) if n % 7 else "oops\n" for n in range(1000)]
    lines[900] = "(1700000000.0) can0 1DB#0\n"
    path.write_text("".join(lines))
    whole = read_log(path)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 777)
    monkeypatch.setattr(reading, "FAST_BLOCK_BYTES", 777)
    log = open_log(path)
    tables = list(log.chunks())
    assert len(tables) > 20
    assert [ts for table in tables for ts in table.ts] == whole.frames.ts.tolist()
    assert tuple(log.refused) == whole.refused
    assert whole.refused == (
        Refusal("not a frame", 143, 1, "oops"),
        Refusal("truncated line", 1, 901, "(1700000000.0) can0 1DB#0"),
    )


def test_log_of_a_clock_set_while_it_recorded_has_dates(tmp_path: Path) -> None:
    early = "".join(f"(0000000000.{n:06d}) can0 1DB#00\n" for n in range(3))
    later = LINE.format(0, 0) + LINE.format(1, 1)
    (tmp_path / "set.log").write_text(early + later)
    log = open_log(tmp_path / "set.log")
    assert (log.has_date, log.first_ts) == (True, 1_700_000_000 * 10**9)
    assert next(log.chunks()).ts[:3].tolist() == [0, 1000, 2000]
    (tmp_path / "lost.log").write_text(early + later + early)
    assert not open_log(tmp_path / "lost.log").has_date


def test_log_may_be_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "drive.log"
    path.write_text(LINE.format(0, 0) + "oops\n")
    log = open_log(path)
    for _ in range(2):
        assert sum(len(table) for table in log.chunks()) == 1
        assert log.refused == [Refusal("not a frame", 1, 2, "oops")]


def test_log_tells_how_far_it_has_been_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "drive.log"
    path.write_text("".join(LINE.format(n, n) for n in range(100)))
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1000)
    told: list[tuple[int, int]] = []
    read_log(path, lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_log_begins_after_a_byte_order_mark(read: Read) -> None:
    log = read(b"\xef\xbb\xbf" + LINE.format(0, 0).encode())
    assert len(log.frames) == 1
    assert not log.refused


def test_log_may_end_its_lines_with_carriage_returns(read: Read) -> None:
    log = read("".join(LINE.format(n, n) for n in range(3)).replace("\n", "\r"))
    assert len(log.frames) == 3


def test_refused_text_is_short_and_printable(read: Read) -> None:
    log = read(LINE.format(0, 0).encode() + b"\x1b[1m\xff" + b"x" * 200 + b"\n")
    assert len(log.refused[0].first_text) == 80
    assert log.refused[0].first_text.isprintable()


@pytest.mark.parametrize(
    "behind", ["", "\n", "\n" + LINE.format(5, 5), "\n" + LINE.format(5, 5) * 99]
)
def test_line_of_any_length_is_refused_once(
    read: Read, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    small_blocks(monkeypatch, 5000)
    long = LINE.format(4, 4).strip() + "x" * 123_456
    log = read("".join(GOLDENS[0]) + long + behind)
    assert len(log.frames) == 4 + behind.count("can0")
    assert log.refused == (Refusal("line longer than any frame's", 1, 5, long[:80]),)


def test_comment_of_any_length_is_a_comment(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 5000)
    log = read(f"{GOLDENS[4]}1632509060.0 CXX {'x' * 123_456}\n{GOLDENS[4]}")
    assert (len(log.frames), log.refused) == (4, ())


def test_zeros_of_any_length_are_no_line(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """What file systems leave of what was not written to its end."""
    small_blocks(monkeypatch, 5000)
    zeros = "\0" * 123_456
    log = read(GOLDENS[0] + zeros + LINE.format(5, 5) + "oops\n" + zeros)
    assert len(log.frames) == 5
    assert log.refused == (Refusal("not a frame", 1, 6, "oops"),)


def small_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for name in ("HEAD_BYTES", "BLOCK_BYTES", "FAST_BLOCK_BYTES", "KEPT_BLOCK_BYTES"):
        monkeypatch.setattr(reading, name, size)


def test_missing_file_and_directory_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file: .*nothing\.log"):
        open_log(tmp_path / "nothing.log")
    with pytest.raises(UsageError, match="is a directory"):
        open_log(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git-LFS pointer"),
        (b"<html>", "is an HTML page"),
        (bytes(range(256)), "is binary"),
        (b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1\n1,zz\n", "form of a savvycan log but holds no"),
    ],
)
def test_file_that_is_no_log_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "drive.log"
    path.write_bytes(content)
    with pytest.raises(LogError, match=reason) as raised:
        open_log(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.fuzz
@given(
    golden=st.sampled_from(GOLDENS),
    places=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=6),
    end=st.floats(0, 1),
)
def test_ruined_log_gives_frames_and_refusals_or_our_error(
    tmp_path_factory: pytest.TempPathFactory,
    golden: str,
    places: list[tuple[float, bytes]],
    end: float,
) -> None:
    data = bytearray(golden.encode())
    for place, scrap in places:
        at = int(place * len(data))
        data[at : at + len(scrap)] = scrap
    path = tmp_path_factory.getbasetemp() / "ruined.log"
    path.write_bytes(data[: 1 + int(end * len(data))])
    try:
        log = read_log(path)
    except ContactorError:
        return
    lines = path.read_bytes().replace(b"\r", b"\n").count(b"\n") + 1
    assert 1 <= len(log.frames) + sum(refusal.count for refusal in log.refused) <= lines
    assert all(0 <= length <= 64 for length in log.frames.length)


def test_cut_last_line_is_judged_by_all_lines_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "drive.log"
    lines = ["(1.0) can0 1DB#0011223344556677\n", "(1.0) can0 18FF50E5#001122\n"]
    filler = [f"({n}.0) can0 100#00\n" for n in range(2, 300)]
    for last in ("1DB#00112233", "18FF50E5#0011"):
        path.write_text("".join([*lines, *filler, f"(300.0) can0 {last}"]))
        for size in (2**21, 500):
            monkeypatch.setattr(reading, "BLOCK_BYTES", size)
            monkeypatch.setattr(reading, "FAST_BLOCK_BYTES", size)
            (refusal,) = read_log(path).refused
            assert (refusal.reason, refusal.first_line) == ("truncated line", 301)
