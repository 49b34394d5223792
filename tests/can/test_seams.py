"""Several logs in one run: those that are one recording, split, and those that are not."""

from collections import Counter
from pathlib import Path

import pytest

from contactor.can.job import open_job
from contactor.can.recording import decode
from contactor.can.summary import Summary, SummaryBuilder
from tests.can.isotp_sender import segmented

DBC = """VERSION ""

BU_: X

BO_ 272 Pack: 8 X
 SG_ Count : 7|8@0+ (1,0) [0|0] "" X

BO_ 2028 Battery: 63 X
 SG_ Charge m257 : 64|8@1+ (0.5,0) [0|0] "%" X
 SG_ Identifier m98M : 23|16@0+ (1,0) [0|0] "" X
 SG_ Service M : 15|8@0+ (1,0) [0|0] "" X

BA_DEF_ SG_ "SignalRole" STRING ;
BA_DEF_DEF_ "SignalRole" "";
BA_ "SignalRole" SG_ 272 Count "counter_full";
SG_MUL_VAL_ 2028 Charge Identifier 257-257;
SG_MUL_VAL_ 2028 Identifier Service 98-98;
"""
DATE_MS = 1_700_000_000_000
LASTS_MS = 900
ANSWER = [f"7EC#{frame.hex()}" for frame in segmented(b"\x62\x01\x01" + bytes(30))]
# The clock of the first log and of the second, in ms.
JOINED = [
    (DATE_MS, DATE_MS + LASTS_MS + 10),
    (DATE_MS, DATE_MS + LASTS_MS + 1000),
    (DATE_MS, DATE_MS + LASTS_MS - 20),
    (50_000, 50_000 + LASTS_MS + 10),
    (0, LASTS_MS),
]
APART = [
    (DATE_MS, DATE_MS + LASTS_MS + 1001),
    (DATE_MS, DATE_MS + LASTS_MS + 3_600_000),
    (50_000, 50_000 + LASTS_MS + 1001),
    (50_000, 50_000 + LASTS_MS - 20),
    (50_000, 7000),
    (0, 0),
]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "car.dbc"
    path.write_text(DBC)
    return path


def written(path: Path, begin_ms: int, frames: list[str]) -> Path:
    """A log of these frames, which lasts `LASTS_MS`."""
    path.write_text(
        "".join(
            f"({at_ms // 1000:010d}.{at_ms % 1000:03d}000) can0 {frame}\n"
            for n, frame in enumerate(frames)
            for at_ms in [begin_ms + n * LASTS_MS // (len(frames) - 1)]
        )
    )
    return path


def counted(begin: int) -> list[str]:
    return [f"110#{begin + n:02X}00000000000000" for n in range(10)]


def streamed(logs: list[Path], database: Path) -> Summary:
    """The same as `decode` gives, chunk by chunk as the command reads."""
    job = open_job(logs, database)
    builder = SummaryBuilder(job.plan)
    for chunk in job.chunks():
        seams = (0,) if chunk.begins_anew else ()
        builder.add_frames(chunk.frames, chunk.groups, claimed=chunk.claimed, seams=seams)
        builder.add_columns(chunk.columns())
    assert job.transport is not None
    return builder.summary(job.sources, job.refused(), job.transport.facts())


@pytest.mark.parametrize("begins_ms", JOINED)
def test_recording_that_was_split_is_one(
    tmp_path: Path, database: Path, begins_ms: tuple[int, int], decode_path: str
) -> None:
    logs = [
        written(tmp_path / "a.log", begins_ms[0], [*counted(0), *ANSWER[:2]]),
        written(tmp_path / "b.log", begins_ms[1], [*ANSWER[2:], *counted(12)]),
    ]
    summary = decode(logs, database).summary()
    checks, transport = summary["checks"]["Pack"], summary["transport"]
    assert (checks["frames"], checks["jumps"], checks["lost"]) == (20, 1, 2)
    assert (transport["transfers"], transport["broken"]) == (1, {})
    assert streamed(logs, database) == summary


@pytest.mark.parametrize("begins_ms", APART)
def test_recordings_apart_have_nothing_to_do_with_each_other(
    tmp_path: Path, database: Path, begins_ms: tuple[int, int], decode_path: str
) -> None:
    logs = [
        written(tmp_path / "a.log", begins_ms[0], [*counted(0), *ANSWER[:2]]),
        written(tmp_path / "b.log", begins_ms[1], [*ANSWER[2:], *ANSWER, *counted(99)]),
    ]
    summary = decode(logs, database).summary()
    alone = [decode(log, database).summary()["transport"] for log in logs]
    checks, transport = summary["checks"]["Pack"], summary["transport"]
    assert (checks["frames"], checks["jumps"], checks["lost"]) == (20, 0, 0)
    assert transport["transfers"] == 1
    assert transport["broken"] == sum((Counter(one["broken"]) for one in alone), Counter())
    assert streamed(logs, database) == summary


def test_logs_without_stamps_have_nothing_to_do_with_each_other(
    tmp_path: Path, database: Path
) -> None:
    for name, count in (("a.log", 3), ("b.log", 9)):
        (tmp_path / name).write_text(f"  can0  110   [2]  {count:02X} 00\n")
    checks = decode([tmp_path / "a.log", tmp_path / "b.log"], database).summary()["checks"]
    assert (checks["Pack"]["frames"], checks["Pack"]["jumps"]) == (2, 0)


def test_log_whose_clock_was_set_late_goes_on_nowhere(tmp_path: Path, database: Path) -> None:
    """Its logger was started anew."""
    first = written(tmp_path / "a.log", DATE_MS, counted(0))
    later = written(tmp_path / "b.log", DATE_MS + LASTS_MS + 10, counted(50))
    later.write_text(f"(0000000000.000000) can0 {counted(49)[0]}\n{later.read_text()}")
    checks = decode([first, later], database).summary()["checks"]["Pack"]
    assert (checks["frames"], checks["jumps"]) == (21, 0)
