import io
import time
from collections.abc import Iterator
from pathlib import Path

import can
import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.can.writers.table import FORMATS, write_log
from contactor.errors import UsageError
from tests.can.writers.python_can import DATE_NS, expected, frames, messages, told, write


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone, which python-can takes an ASC's date to be in."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("first_ts", [DATE_NS, DATE_NS + 123_456_000, 0])
@pytest.mark.usefixtures("utc")
def test_writer_is_read_back_by_python_can(tmp_path: Path, form: str, first_ts: int) -> None:
    table = frames(first_ts=first_ts)
    written = write(tmp_path / "log", form, table.take(slice(0, 4)), table.take(slice(4, None)))
    assert (written.frames, written.losses) == (len(table), ())
    assert [told(message, form) for message in messages(tmp_path / "log", form)] == expected(table)


@pytest.mark.parametrize("form", FORMATS)
def test_writer_keeps_nanoseconds(tmp_path: Path, form: str) -> None:
    table = FrameTable.of(ts=[0, 1_000_000_123], can_id=[1, 2], data=[b"\x01", b"\x02"])
    write(tmp_path / "log", form, table)
    assert [message.timestamp for message in messages(tmp_path / "log", form)] == [0, 1.000000123]


@pytest.mark.parametrize("form", FORMATS)
def test_writer_of_no_frames_writes_an_empty_log(tmp_path: Path, form: str) -> None:
    assert write(tmp_path / "log", form).frames == 0
    assert messages(tmp_path / "log", form) == []


@pytest.mark.parametrize("form", FORMATS)
def test_writer_counts_frames_from_before_the_start(tmp_path: Path, form: str) -> None:
    table = FrameTable.of(ts=[5_000, -2_000], can_id=[1, 2], data=[b"", b""])
    written = write(tmp_path / "log", form, table)
    assert len(written.losses) == 1
    assert written.losses[0].startswith("1 frames from before")
    stamps = [round(message.timestamp * 1e6) for message in messages(tmp_path / "log", form)]
    assert stamps == [5, 0]


def test_dated_log_in_which_time_runs_back_keeps_what_it_can(tmp_path: Path) -> None:
    table = FrameTable.of(
        ts=[DATE_NS + 5_400_000, DATE_NS + 5_100_000, DATE_NS], can_id=[1] * 3, data=[b""] * 3
    )
    assert write(tmp_path / "log", "candump", table).losses == ()
    written = write(tmp_path / "log", "blf", table)
    assert written.losses == ("1 frames from before the first one's time are written at that time",)
    stamps = [round((m.timestamp - 1.7e9) * 1e4) for m in messages(tmp_path / "log", "blf")]
    assert stamps == [54, 51, 50]


@pytest.mark.parametrize("form", ["asc", "trc"])
def test_error_frames_without_a_place_for_details_are_counted(form: str, tmp_path: Path) -> None:
    table = FrameTable.of(ts=[0, 1000], can_id=[0, 4], data=[b"", bytes(8)], is_error=[True, True])
    written = write(tmp_path / "log", form, table)
    assert written.losses == (
        f"1 error frames are written without their details, which {form.upper()} cannot carry",
    )


@pytest.mark.parametrize("form", ["asc", "blf"])
def test_error_frames_are_error_frames_to_python_can(form: str, tmp_path: Path) -> None:
    table = FrameTable.of(
        ts=[0, 1000, 2000],
        bus=[0, 1, 0],
        can_id=[0, 4, 0x55],
        data=[b"", b"\x00\x01\x02", b"\x01"],
        is_error=[True, True, False],
    )
    write(tmp_path / "log", form, table)
    found = messages(tmp_path / "log", form)
    assert [message.is_error_frame for message in found] == [True, True, False]
    assert [message.channel for message in found] == [0, 1, 0]
    if form == "blf":
        assert (found[1].arbitration_id, bytes(found[1].data)) == (4, b"\x00\x01\x02")


def test_candump_says_what_an_error_frame_was(tmp_path: Path) -> None:
    table = FrameTable.of(
        ts=[0, 1000], can_id=[0, 4], data=[b"", bytes([0, 1, 0, 0, 0, 0, 0, 0])], is_error=True
    )
    written = write(tmp_path / "log", "candump", table)
    assert (tmp_path / "log").read_text().splitlines() == [
        "(0.000000) can0 20000080#",
        "(0.000001) can0 20000004#0001000000000000",
    ]
    assert written.losses == ("1 error frames that tell no cause are written as bus errors",)


def test_remote_fd_frames_become_classic_where_the_format_has_none(tmp_path: Path) -> None:
    table = FrameTable.of(
        ts=[0], can_id=[0x50005], data=[bytes(8)], is_extended=True, is_remote=True, is_fd=True
    )
    for form in ("candump", "trc"):
        written = write(tmp_path / "log", form, table)
        assert written.losses == ("1 CAN FD remote frames are written as classic ones",)
        assert [message.is_fd for message in messages(tmp_path / "log", form)] == [False]
    for form in ("asc", "blf"):
        assert write(tmp_path / "log", form, table).losses == ()
        (message,) = messages(tmp_path / "log", form)
        assert (message.is_fd, message.is_remote_frame, message.dlc) == (True, True, 8)


def test_blf_head_counts_what_the_file_holds(tmp_path: Path) -> None:
    rows = 6000
    table = FrameTable.of(
        ts=[DATE_NS + row * 1000 for row in range(rows)],
        can_id=[row % 0x800 for row in range(rows)],
        data=[bytes(12) if row % 7 == 0 else b"\x01" for row in range(rows)],
        is_fd=[row % 7 == 0 for row in range(rows)],
    )
    write(tmp_path / "log", "blf", table)
    with can.BLFReader(tmp_path / "log") as reader:
        assert reader.object_count == rows
        assert reader.file_size == (tmp_path / "log").stat().st_size
        assert reader.uncompressed_size > rows * 56
        assert reader.stop_timestamp - reader.start_timestamp == pytest.approx(0.005, abs=1e-6)
        assert [message.arbitration_id for message in reader] == table.can_id.tolist()


def test_trc_start_is_exact_in_a_float(tmp_path: Path) -> None:
    write(tmp_path / "log", "trc", frames())
    line = (tmp_path / "log").read_text().splitlines()[1]
    days = float(line.removeprefix(";$STARTTIME="))
    start_ms = (days - 25569) * 86_400_000
    assert start_ms == int(start_ms)
    assert 0 <= DATE_NS // 1_000_000 - start_ms < 84_375


def test_numbers_of_lines_go_on_from_table_to_table(tmp_path: Path) -> None:
    table = frames()
    write(tmp_path / "log", "trc", table, table, FrameTable.empty(), table)
    lines = [line for line in (tmp_path / "log").read_text().splitlines() if line[0] != ";"]
    assert [int(line.split()[0]) for line in lines] == list(range(1, 3 * len(table) + 1))


def test_unknown_format_is_refused_with_those_known() -> None:
    with pytest.raises(UsageError, match=r"unknown format 'mf4'; written are: candump, asc"):
        write_log([], io.BytesIO(), "mf4")


def test_long_logs_are_written_the_same_in_one_table_or_many(tmp_path: Path) -> None:
    rows = 2000
    generator = np.random.default_rng(7)
    table = FrameTable.of(
        ts=list(range(0, rows * 137_000, 137_000)),
        can_id=generator.integers(0, 0x800, rows).tolist(),
        data=[bytes(generator.integers(0, 256, row % 9).tolist()) for row in range(rows)],
    )
    for form in ("candump", "asc", "trc"):
        write(tmp_path / "one", form, table)
        parts = [table.take(slice(row, row + 300)) for row in range(0, rows, 300)]
        write(tmp_path / "many", form, *parts)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()
