"""ASC, TRC and CSV logs, frame by frame as python-can reads and writes them."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.log import LogReading, read_log
from contactor.errors import LogError
from tests.can.readers.python_can import Row, as_undated, rows, rows_of, rows_of_peer, write

DATE_US = 1_600_000_000_000_000
# Where python-can 4.6 is plainly wrong: the row, what is true, and why.
CORRECTIONS = {
    # A classic frame holds eight bytes whatever its DLC (ISO 11898-1); it says 32 for DLC 13.
    "issue_1299.asc": (2, {"length": 8}),
    # All 64 bytes are in the line, of a CAN FD frame; it cuts them to eight of a classic one.
    "single_frame.asc": (0, {"is_fd": True, "data": bytes(range(64))}),
    # CAN FD has no remote frames (ISO 11898-1), and the line's flags 200050 lack bit 12, CAN FD.
    "logfile.asc": (17, {"is_fd": False}),
}
REFERENCES = (
    "issue_1256.asc",
    "issue_1299.asc",
    "logfile.asc",
    "logfile_errorframes.asc",
    "single_frame.asc",
    "single_frame_us_locale.asc",
    "test_CanErrorFrames.asc",
    "test_CanFdMessage.asc",
    "test_CanFdMessage64.asc",
    "test_CanFdRemoteMessage.asc",
    "test_CanMessage.asc",
    "test_CanRemoteMessage.asc",
    "test_CanMessage.trc",
    "test_CanMessage_V1_0_BUS1.trc",
    "test_CanMessage_V1_1.trc",
    "test_CanMessage_V1_3.trc",
    "test_CanMessage_V2_0_BUS1.trc",
    "test_CanMessage_V2_1.trc",
)


def corrected(name: str, found: list[Row]) -> list[Row]:
    row, truth = CORRECTIONS.get(name, (0, {}))
    return [*found[:row], found[row]._replace(**truth), *found[row + 1 :]]


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_log_has_the_frames_that_python_can_finds(shared_data: Path, name: str) -> None:
    path = shared_data / "can" / "formats" / name
    log = read_log(path)
    wanted = corrected(name, rows_of_peer(path))
    assert rows_of(log.frames) == (wanted if log.has_date else as_undated(wanted))
    assert log.has_date == (name != "test_CanMessage_V1_0_BUS1.trc")
    assert not log.refused


def test_reference_logs_are_all_of_these_formats(shared_data: Path) -> None:
    folder = shared_data / "can" / "formats"
    assert {path.name for path in folder.iterdir() if path.suffix in (".asc", ".trc")} == set(
        REFERENCES
    )


def test_reference_trace_of_a_car_has_the_frames_that_python_can_finds(shared_data: Path) -> None:
    path = shared_data / "can" / "other" / "2009_Zebra_Frozenbattery.trc"
    log = read_log(path)
    assert (len(log.frames), log.refused) == (6279, ())
    assert rows_of(log.frames) == rows_of_peer(path)


def rows_if_any(path: Path, text: bytes) -> list[Row]:
    path.write_bytes(text)
    try:
        return rows_of(read_log(path).frames)
    except LogError:
        return []


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_log_cut_anywhere_loses_nothing_before_the_cut(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    text = (shared_data / "can" / "formats" / name).read_bytes()
    whole = rows_of(read_log(shared_data / "can" / "formats" / name).frames)
    cut = tmp_path / name
    for size in range(1, min(len(text), 1500), 31):
        found = rows_if_any(cut, text[:size])
        assert found == whole[: len(found)]
        whole_lines = rows_if_any(cut, text[: text.rfind(b"\n", 0, size) + 1])
        assert len(found) - len(whole_lines) in (0, 1)


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_log_with_other_line_ends_is_the_same(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    path = shared_data / "can" / "formats" / name
    log = read_log(path)
    lines = path.read_bytes().splitlines()
    for number, line_end in enumerate((b"\r", b"\n", b"\r\n")):
        other = tmp_path / f"{number}_{name}"
        other.write_bytes(line_end.join(lines) + line_end)
        again = read_log(other)
        assert rows_of(again.frames) == rows_of(log.frames)
        assert not again.refused


def written_and_read(path: Path, frames: list[Row]) -> LogReading:
    write(frames, path)
    log = read_log(path)
    assert not log.refused
    return log


def in_whole_ms(frames: list[Row]) -> list[Row]:
    """python-can writes the start of an ASC log in milliseconds."""
    lost_us = frames[0].ts_us % 1000
    return [row._replace(ts_us=row.ts_us - lost_us) for row in frames]


@given(rows(kinds=("data", "remote", "error", "fd"), first_us=DATE_US, has_bus=True))
def test_asc_of_python_can_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, frames: list[Row]
) -> None:
    log = written_and_read(tmp_path_factory.mktemp("asc") / "log.asc", frames)
    assert log.format == "asc"
    assert rows_of(log.frames) == in_whole_ms(frames)


@given(rows(kinds=("data",), first_us=DATE_US, has_bus=True))
def test_trc_of_python_can_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, frames: list[Row]
) -> None:
    log = written_and_read(tmp_path_factory.mktemp("trc") / "log.trc", frames)
    assert log.format == "trc"
    assert rows_of(log.frames) == frames


@given(
    rows(kinds=("data", "remote", "error", "fd"), first_us=DATE_US, has_bus=False), st.booleans()
)
def test_csv_of_python_can_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, frames: list[Row], has_header: bool
) -> None:
    path = tmp_path_factory.mktemp("csv") / "log.csv"
    write(frames, path)
    if not has_header:
        path.write_bytes(path.read_bytes().partition(b"\n")[2])
    log = read_log(path)
    assert log.format == "python-can-csv"
    assert not log.refused
    # CAN FD is not written but for its length.
    assert rows_of(log.frames) == [row._replace(is_fd=row.length > 8) for row in frames]


@pytest.mark.parametrize("suffix", [".asc", ".trc", ".csv"])
def test_log_of_python_can_without_a_date_begins_at_zero(tmp_path: Path, suffix: str) -> None:
    first = Row(5, 0, 0x1DB, False, False, False, False, 2, b"\1\2")
    frames = [first, first._replace(ts_us=25), first._replace(ts_us=3_000_005)]
    log = written_and_read(tmp_path / f"log{suffix}", frames)
    assert not log.has_date
    assert rows_of(log.frames) == as_undated(frames)


@pytest.mark.parametrize("suffix", [".asc", ".trc", ".csv"])
def test_log_of_python_can_is_read_packed(tmp_path: Path, suffix: str) -> None:
    frames = [Row(DATE_US, 0, 0x18FF50E5, True, False, False, False, 8, bytes(8))]
    path = tmp_path / f"log{suffix}"
    write(frames, path)
    packed = tmp_path / f"log{suffix}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert rows_of(read_log(packed).frames) == frames
