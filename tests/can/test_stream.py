"""Logs as chunks: however they are cut, and by however many threads, they are one recording."""

import gzip
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from contactor.can import reading
from contactor.can.frames import FrameTable
from contactor.can.job import Job, open_job
from contactor.can.kernels import SWITCH, is_installed
from contactor.can.recording import Recording, decode
from contactor.can.stream import Chunk, stream_of, threads_for, workers
from contactor.errors import LogError

DBC = """\
VERSION ""

BU_: X

BO_ 475 HVBAT: 8 X
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" X
 SG_ Page M : 16|4@1+ (1,0) [0|0] "" X
 SG_ Cell m1 : 24|12@1- (0.001,2) [0|0] "V" X
 SG_ Heat m2 : 31|12@0+ (1,-40) [0|0] "degC" X
 SG_ Ratio : 32|32@1- (1,0) [0|0] "" X
 SG_ Long : 8|56@1+ (3,1) [0|0] "" X

BO_ 2566840070 Wide: 12 X
 SG_ Late : 72|16@1+ (1,0) [0|0] "" X

SIG_VALTYPE_ 475 Ratio : 1;
VAL_ 475 Page 15 "Not available" ;
"""


def lines_of(count: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    lines = []
    for number in range(count):
        stamp = f"({1_700_000_000 + number // 1000}.{number % 1000:03d}000)"
        data = random.bytes(8 if number % 11 else 5).hex().upper()
        lines.append(f"{stamp} can{number % 2} 1DB#{data}")
        if number % 5 == 0:
            lines.append(f"{stamp} can0 18FEDF06##1{random.bytes(12).hex().upper()}")
        if number % 97 == 0:
            lines.append(f"{stamp} can0 1DB#R8")
            lines.append("what is this")
    return lines


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    (folder / "car.dbc").write_text(DBC)
    (folder / "drive.log").write_text("\n".join(lines_of(3000, 1)) + "\n")
    return folder


@pytest.fixture(
    params=[
        "0",
        pytest.param(
            "1", marks=pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
        ),
    ]
)
def path_of_decoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(SWITCH, request.param)
    return str(request.param)


def assert_same(found: Recording, expected: Recording) -> None:
    assert [column.name for column in found.columns] == [column.name for column in expected.columns]
    for one, other in zip(found.columns, expected.columns, strict=True):
        assert np.array_equal(one.rows, other.rows), one.name
        assert np.array_equal(one.values, other.values, equal_nan=True), one.name
        assert np.array_equal(one.raw, other.raw, equal_nan=True), one.name
        assert np.array_equal(one.is_unavailable, other.is_unavailable), one.name
    left, right = found.summary(), expected.summary()
    for name, facts in right["signals"].items():
        assert left["signals"][name].pop("mean") == pytest.approx(facts.pop("mean"))  # type: ignore[misc]
    assert left == right


def test_both_paths_decode_the_same(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for switch in "01":
        monkeypatch.setenv(SWITCH, switch)
        found.append(decode(files / "drive.log", files / "car.dbc"))
    assert_same(*found)
    assert {column.name for column in found[0].columns} == {
        "HVBAT.Voltage",
        "HVBAT.Page",
        "HVBAT.Cell",
        "HVBAT.Heat",
        "HVBAT.Ratio",
        "HVBAT.Long",
        "Wide.Late",
    }


def test_recording_is_the_same_in_small_blocks(
    files: Path, path_of_decoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = decode(files / "drive.log", files / "car.dbc")
    assert whole.summary()["frames_refused"] == 31
    for name in ("BLOCK_BYTES", "FAST_BLOCK_BYTES", "KEPT_BLOCK_BYTES"):
        monkeypatch.setattr(reading, name, 1500)
    assert_same(decode(files / "drive.log", files / "car.dbc"), whole)


@pytest.mark.usefixtures("path_of_decoding")
def test_threads_give_chunks_in_order(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = decode(files / "drive.log").frames
    for name in ("BLOCK_BYTES", "FAST_BLOCK_BYTES", "KEPT_BLOCK_BYTES"):
        monkeypatch.setattr(reading, name, 1500)
    job = open_job(files / "drive.log", files / "car.dbc")
    with ThreadPoolExecutor(3) as executor:
        chunks = list(job.chunks(executor=executor))
    frames = FrameTable.concat(chunk.frames for chunk in chunks)
    assert len(chunks) > 50
    assert np.array_equal(frames.ts, expected.ts)
    assert np.array_equal(frames.data, expected.data)
    assert sum(refusal.count for refusal in job.refused()) == 31


def test_undated_logs_are_laid_end_to_end(tmp_path: Path) -> None:
    for name, start in (("a.log", 100), ("b.log", 7)):
        (tmp_path / name).write_text(f"({start}.0) can0 1DB#00\n({start + 2}.0) can0 1DB#01\n")
    job = open_job([tmp_path / "a.log", tmp_path / "b.log"])
    assert [chunk.frames.ts.tolist() for chunk in job.chunks()] == [
        [0, 2_000_000_000],
        [2_000_000_000, 4_000_000_000],
    ]


def test_consumer_that_stops_early_leaves_nothing_running(files: Path) -> None:
    job = open_job(files / "drive.log", files / "car.dbc")
    with ThreadPoolExecutor(2) as executor:
        chunks: Iterator[Chunk] = stream_of(job.logs, job.plan, executor=executor)
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
    assert threads_of(job) == 0


def test_many_cores_are_given_few_workers_and_few_blocks(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block in the making takes memory, whatever the machine has."""
    monkeypatch.setenv(SWITCH, "1" if is_installed() else "0")
    for name in ("BLOCK_BYTES", "FAST_BLOCK_BYTES", "KEPT_BLOCK_BYTES"):
        monkeypatch.setattr(reading, name, 1500)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert workers() == 4
    job = open_job(files / "drive.log", files / "car.dbc")
    with Counted(workers()) as executor:
        taken = [
            executor.submitted - number for number, _ in enumerate(job.chunks(executor=executor))
        ]
    assert len(taken) > 50
    assert max(taken) <= 5


class Counted(ThreadPoolExecutor):
    """Threads that know how many things they were given to do."""

    submitted = 0

    def submit(self, *arguments, **named):  # type: ignore[no-untyped-def]
        self.submitted += 1
        return super().submit(*arguments, **named)


def threads_of(job: Job) -> int:
    """How many threads a small job is given."""
    with threads_for(job.logs) as executor:
        return 0 if executor is None else 1


def test_log_that_vanishes_while_it_is_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "drive.log"
    path.write_text("(1.0) can0 1DB#00\n")
    job = open_job(path)
    path.unlink()
    with pytest.raises(LogError, match="cannot be read: No such file"):
        list(job.chunks())


@pytest.mark.usefixtures("path_of_decoding")
def test_damage_is_told_behind_the_last_line(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress((files / "drive.log").read_bytes(), 1)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) * 2 // 3])
    for name in ("BLOCK_BYTES", "FAST_BLOCK_BYTES", "KEPT_BLOCK_BYTES"):
        monkeypatch.setattr(reading, name, 1500)
    found = []
    for threads in (1, 3):
        job = open_job(tmp_path / "cut.gz")
        with ThreadPoolExecutor(threads) as executor:
            chunks = list(job.chunks(executor=executor if threads > 1 else None))
        found.append((sum(len(chunk.frames) for chunk in chunks), job.refused()))
    assert found[0] == found[1]
    assert found[0][1][-1].reason == "packed data is damaged from here on"
    assert found[0][1][-1].first_line > found[0][0]
