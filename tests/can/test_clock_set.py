import gzip
from pathlib import Path

import numpy as np
import pytest

from contactor.can.clock_set import TimeSpan, find_first_instant, first_instant
from contactor.can.frames import FIRST_DATE_NS
from contactor.can.log import LogFile, TimeSource, open_log
from contactor.can.recording import decode

DATE_NS = 1_700_000_000 * 10**9
STEP_NS = 10_000_000
# A line of candump has 46 bytes here: 400,000 bytes before and after.
MANY = 9000


def lines(*stamps_ns: int) -> bytes:
    """Frames of two ids in turn."""
    return b"".join(
        b"(%010d.%09d) can0 %s#%08X\n" % (*divmod(ts, 10**9), (b"1DB", b"1DC")[n % 2], n)
        for n, ts in enumerate(stamps_ns)
    )


def steps(count: int, first_ns: int = 0, step_ns: int = STEP_NS) -> list[int]:
    return [first_ns + n * step_ns for n in range(count)]


def opened(folder: Path, content: bytes) -> LogFile:
    path = folder / "drive.log"
    path.write_bytes(content)
    return open_log(path)


@pytest.mark.parametrize("early", [[0], [0] * 7, steps(7), [0] * MANY, steps(MANY)])
@pytest.mark.parametrize("late", [1, 2, MANY])
def test_log_has_dates_once_its_clock_was_set(tmp_path: Path, early: list[int], late: int) -> None:
    log = opened(tmp_path, lines(*early, *steps(late, DATE_NS)))
    assert log.time_source is TimeSource.UTC
    assert log.first_ts == DATE_NS
    ts = np.concatenate([frames.ts for frames in log.chunks()])
    assert ts.tolist() == early + steps(late, DATE_NS)
    assert log.off_clock == len(early)


@pytest.mark.parametrize(
    "stamps",
    [
        [*steps(5), DATE_NS, *steps(5)],
        [*steps(MANY), DATE_NS, *steps(MANY)],
        [*steps(MANY), *steps(5, DATE_NS), *steps(MANY)],
    ],
)
def test_log_that_ends_without_dates_has_none_and_counts_them(
    tmp_path: Path, stamps: list[int]
) -> None:
    log = opened(tmp_path, lines(*stamps))
    assert log.time_source is TimeSource.START
    assert sum(len(frames) for frames in log.chunks()) == len(stamps)
    assert log.off_clock == sum(ts >= FIRST_DATE_NS for ts in stamps)


def test_log_with_dates_from_the_start_counts_later_stamps_without(tmp_path: Path) -> None:
    log = opened(tmp_path, lines(*steps(5, DATE_NS), 0, 0, *steps(5, DATE_NS)))
    assert sum(len(frames) for frames in log.chunks()) == 12
    assert (log.time_source, log.first_ts, log.off_clock) == (TimeSource.UTC, DATE_NS, 2)


@pytest.mark.parametrize(("early", "has_date"), [(MANY, True), (5 * MANY, False)])
def test_packed_log_is_looked_at_for_a_megabyte(tmp_path: Path, early: int, has_date: bool) -> None:
    """No place in it can be found but by unpacking all before; what is not seen is counted."""
    log = opened(tmp_path, gzip.compress(lines(*[7] * early, *steps(MANY, DATE_NS)), 1))
    assert log.has_date == has_date
    assert sum(len(frames) for frames in log.chunks()) == early + MANY
    assert log.off_clock == (early if has_date else MANY)


@pytest.mark.parametrize(
    ("stamps", "found"),
    [
        ([], None),
        ([0, 1], None),
        ([0, DATE_NS], DATE_NS),
        ([0, DATE_NS, 0, DATE_NS + 1, DATE_NS + 2], DATE_NS),
        ([DATE_NS, 0], None),
        ([0, DATE_NS, *[0] * 9, DATE_NS + 1], None),
    ],
)
def test_first_instant_is_that_of_a_clock_that_stays_set(
    stamps: list[int], found: int | None
) -> None:
    assert first_instant(np.array(stamps, np.int64)) == found


@pytest.mark.parametrize("switch", [1, 2, 499, 500, 501, 900, 999])
def test_first_instant_is_found_by_halves(switch: int) -> None:
    stamps = np.array([*steps(switch), *steps(1000 - switch, DATE_NS)], np.int64)
    looks: list[int] = []

    def look(place: int) -> np.ndarray:
        looks.append(place)
        return stamps[place : place + 40]

    assert find_first_instant(look, end=960) == DATE_NS
    assert len(looks) < 12


def test_span_of_time_is_that_of_the_dates() -> None:
    span = TimeSpan()
    assert span.lasted_ns is None
    for stamps in ([5, 9], [7, DATE_NS + 3], [1], [DATE_NS + 8, DATE_NS]):
        span.add(np.array(stamps, np.int64))
    assert (span.first_ts, span.last_ts, span.lasted_ns) == (DATE_NS, DATE_NS + 8, 8)


@pytest.mark.parametrize("early", [[0] * 5, steps(6)])
def test_summary_is_of_the_time_after_the_clock_was_set(
    tmp_path: Path, early: list[int], decode_path: str
) -> None:
    path = tmp_path / "drive.log"
    path.write_bytes(lines(*early, *steps(200, DATE_NS)))
    summary = decode(path).summary()
    log = {"file": "drive.log", "format": "candump", "time": "utc"}
    assert summary["logs"] == [{**log, "frames_off_clock": len(early)}]
    assert (summary["frames"], summary["duration_s"]) == (len(early) + 200, 1.99)
    facts = summary["ids"]["0x1db"]
    assert (facts["cycle_time_ms"], facts["longest_gap_ms"]) == (20, 20)
    assert facts["rate_hz"] == 50
    assert facts["first_ts"] >= DATE_NS
    assert summary["buses"]["0"]["frames_per_s"] == pytest.approx((len(early) + 200) / 1.99)
