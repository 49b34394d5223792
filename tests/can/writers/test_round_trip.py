"""What we write, we read back: every frame as it was."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.can.log import read_log
from contactor.can.writers.start import least_stamp
from contactor.can.writers.table import FORMATS
from tests.can.writers.python_can import DATE_NS, frames, write

FD_LENGTHS = (0, 1, 5, 8, 12, 16, 20, 24, 32, 48, 64)


def assert_same(found: FrameTable, wanted: FrameTable) -> None:
    for name in ("ts", "bus", "can_id", "is_extended", "is_fd", "is_remote", "is_error", "length"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name
    rows = range(len(wanted))
    assert [found[row].data for row in rows] == [wanted[row].data for row in rows]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("first_ts", [DATE_NS, DATE_NS + 123_456_789, 0])
def test_every_kind_of_frame_is_read_back(tmp_path: Path, form: str, first_ts: int) -> None:
    table = frames(first_ts=first_ts)
    assert write(tmp_path / "log", form, table).losses == ()
    reading = read_log(tmp_path / "log")
    assert (reading.format, reading.refused) == (form, ())
    assert reading.has_date == (first_ts > 0)
    assert_same(reading.frames, table)


@st.composite
def tables(draw: st.DrawFn) -> FrameTable:
    """Frames such as every format can carry, the first of them at the start."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 10**13),
                st.integers(0, 20),
                st.booleans(),
                st.sampled_from(["data", "fd", "remote"]),
                st.integers(0, 2**29 - 1),
                st.binary(max_size=64),
            ),
            min_size=1,
            max_size=30,
        )
    )
    first = draw(st.sampled_from([0, DATE_NS, DATE_NS + 987_654_321_012]))
    stamps = [0, *(row[0] for row in rows[1:])]
    payloads = []
    for _, _, _, kind, _, data in rows:
        longest = max(n for n in FD_LENGTHS if n <= len(data)) if kind == "fd" else 8
        payloads.append(bytes(len(data[:8])) if kind == "remote" else data[:longest])
    return FrameTable.of(
        ts=[first + stamp for stamp in stamps],
        bus=[row[1] for row in rows],
        is_extended=[row[2] for row in rows],
        is_fd=[row[3] == "fd" for row in rows],
        is_remote=[row[3] == "remote" for row in rows],
        can_id=[row[4] if row[2] else row[4] % 0x800 for row in rows],
        data=payloads,
    )


@pytest.mark.parametrize("form", FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(table=tables())
def test_any_frames_are_read_back(tmp_path: Path, form: str, table: FrameTable) -> None:
    assert write(tmp_path / "log", form, table).losses == ()
    reading = read_log(tmp_path / "log")
    assert reading.refused == ()
    assert_same(reading.frames, table)


@pytest.mark.parametrize("form", FORMATS)
def test_a_recorded_drive_is_read_back(tmp_path: Path, shared_data: Path, form: str) -> None:
    table = read_log(shared_data / "can" / "leaf" / "EV-CANeplus2.log").frames
    write(tmp_path / "log", form, table)
    found = read_log(tmp_path / "log").frames
    assert np.array_equal(found.data[:, :8], table.data[:, :8])
    assert_same(found.take(slice(0, 500)), table.take(slice(0, 500)))


@pytest.mark.parametrize(
    ("form", "keeps_id"), [("candump", True), ("asc", False), ("blf", True), ("trc", False)]
)
def test_error_frames_are_read_back(tmp_path: Path, form: str, keeps_id: bool) -> None:
    table = FrameTable.of(
        ts=[0, 5000],
        bus=[0, 1],
        can_id=[4, 0x12],
        data=[bytes([0, 1, 0, 0, 0, 0, 0, 0]), b""],
        is_error=[True, False],
    )
    write(tmp_path / "log", form, table)
    found = read_log(tmp_path / "log").frames
    assert found.is_error.tolist() == [True, False]
    assert (found.ts.tolist(), found.bus.tolist()) == ([0, 5000], [0, 1])
    assert found.can_id.tolist() == [4 if keeps_id else 0, 0x12]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("first_ts", [0, DATE_NS, DATE_NS + 123_456_789])
def test_every_stamp_of_a_log_whose_clock_restarts_is_read_back(
    tmp_path: Path, form: str, first_ts: int
) -> None:
    stamps = [0, 5_000, -72_318_004_000, -72_318_003_123, 7_000]
    table = FrameTable.of(
        ts=[first_ts + stamp for stamp in stamps], can_id=[1] * 5, data=[b"\x01"] * 5
    )
    parts = [table.take(slice(0, 2)), FrameTable.empty(), table.take(slice(2, None))]
    least_ts = least_stamp(parts)
    assert write(tmp_path / "log", form, *parts, least_ts=least_ts).losses == ()
    reading = read_log(tmp_path / "log")
    assert reading.has_date == (first_ts > 0)
    assert reading.frames.ts.tolist() == table.ts.tolist()


@pytest.mark.parametrize("form", FORMATS)
def test_clock_that_falls_back_to_1970_is_read_back(tmp_path: Path, form: str) -> None:
    table = FrameTable.of(ts=[DATE_NS, 3_000_000_000], can_id=[1, 2], data=[b"", b""])
    assert write(tmp_path / "log", form, table, least_ts=3_000_000_000).losses == ()
    assert read_log(tmp_path / "log").frames.ts.tolist() == table.ts.tolist()


def test_least_stamp_of_no_frames_is_none() -> None:
    assert least_stamp([FrameTable.empty()]) is None


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("length", [8, 12, 64])
def test_remote_fd_frame_is_read_back(tmp_path: Path, form: str, length: int) -> None:
    table = FrameTable.of(ts=[0], can_id=[0x123], data=[bytes(length)], is_remote=True, is_fd=True)
    write(tmp_path / "log", form, table)
    reading = read_log(tmp_path / "log")
    assert reading.refused == ()
    is_kept = form in ("asc", "blf")
    frame = reading.frames[0]
    assert (frame.is_remote, frame.is_fd) == (True, is_kept)
    assert frame.length == (length if is_kept else 8)
