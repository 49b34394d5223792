"""Several writers of one lake: each its vehicles, the newer of two alike."""

import random
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.local_reader import LocalReader
from contactor.errors import StaleWriter
from contactor.signals.groups import Group
from tests.app.processes import wait_for
from tests.cloud.lake.samples import SPEED, T0, S, flush, frame, state

LOW, HIGH = range(32), range(32, 64)


def store_one(store: LocalStore, vehicle_id: str, number: int) -> None:
    """One row of a vehicle, at its instant `number`, and the state of its stream."""
    rows = frame(Group.DRIVE, [T0 + number * S], {SPEED: [float(number)]}, vehicle_id=vehicle_id)
    told = state(vehicle_id, watermark=number, rows_stored=number, received_at=T0 + number)
    store.commit(flush(store.next_flush, {Group.DRIVE: rows}, [told]))


def stored(data: Path) -> dict[str, int]:
    reader = LocalReader(data)
    assert len(reader.streams()) == len({one.vehicle_id for one in reader.streams()})
    rows = sum(part.row_count for part in reader.snapshot().parts if part.group == Group.DRIVE)
    assert rows == sum(one.rows_stored for one in reader.streams())
    return {one.vehicle_id: one.watermark for one in reader.streams()}


def test_writers_of_different_parts_go_on_beside_each_other(tmp_path: Path) -> None:
    low, high = LocalStore(tmp_path, parts=LOW), LocalStore(tmp_path, parts=HIGH)
    for number in range(1, 60):
        store_one(low, "low", number)
        if number % 5 == 0:
            store_one(high, "high", number // 5)
    assert stored(tmp_path) == {"low": 59, "high": 11}


def test_writers_in_threads_wait_for_their_turn(tmp_path: Path) -> None:
    def write(part: int) -> None:
        store = LocalStore(tmp_path, parts=[part])
        for number in range(1, 16):
            store_one(store, f"car{part}", number)

    LocalStore(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert stored(tmp_path) == {f"car{part}": 15 for part in range(4)}


@pytest.mark.parametrize(
    ("older", "newer"),
    [(LOW, LOW), (LOW, range(16)), (range(16), LOW), (LOW, None), (None, LOW), (LOW, range(64))],
)
def test_newer_of_two_writers_of_a_part_wins_before_it_has_written(
    tmp_path: Path, older: range | None, newer: range | None
) -> None:
    first = LocalStore(tmp_path, parts=older)
    store_one(first, "leaf", 1)
    first.check()
    second = LocalStore(tmp_path, parts=newer)
    with pytest.raises(StaleWriter):
        first.check()
    with pytest.raises(StaleWriter):
        store_one(first, "leaf", 2)
    assert [one.watermark for one in second.streams()] == [1]
    store_one(second, "leaf", 2)
    with pytest.raises(StaleWriter):
        store_one(first, "leaf", 3)
    assert stored(tmp_path) == {"leaf": 2}


def test_state_of_a_part_goes_on_with_whoever_takes_it_over(tmp_path: Path) -> None:
    # One of the two writes much more than the other, so that its numbers run ahead.
    low, high = LocalStore(tmp_path, parts=LOW), LocalStore(tmp_path, parts=HIGH)
    for number in range(1, 50):
        store_one(low, "low", number)
    store_one(high, "high", 1)
    quarter = LocalStore(tmp_path, parts=range(48, 64))
    assert {one.vehicle_id: one.watermark for one in quarter.streams()} == {"low": 49, "high": 1}
    store_one(quarter, "high", 2)
    store_one(low, "low", 50)
    alone = LocalStore(tmp_path)
    assert {one.vehicle_id: one.watermark for one in alone.streams()} == {"low": 50, "high": 2}


WRITER = """
import sys
from pathlib import Path
from contactor.cloud.lake.local import LocalStore
from tests.cloud.lake.test_writers import store_one
part = int(sys.argv[2])
store = LocalStore(Path(sys.argv[1]), parts=[part])
known = {one.vehicle_id: one.watermark for one in store.streams()}
print("open", flush=True)
for number in range(known.get(f"car{part}", 0) + 1, 10**9):
    store_one(store, f"car{part}", number)
    print(number, flush=True)
"""


def have_said(data: Path, parts: Iterable[int]) -> bool:
    """Whether each writer has stored its second row: it has said its first."""
    found = {one.vehicle_id: one.watermark for one in LocalReader(data).streams()}
    return all(found.get(f"car{part}", 0) > 1 for part in parts)


@pytest.mark.processes
def test_writers_killed_at_random_leave_every_commit_whole(tmp_path: Path) -> None:
    chance = random.Random(7)
    said = dict.fromkeys(range(3), 0)

    def start(part: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(part)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def end(part: int, process: subprocess.Popen[str]) -> None:
        process.kill()
        lines = process.communicate()[0].splitlines()
        numbers = [int(line) for line in lines if line.isdigit()]
        said[part] = max([said[part], *numbers])

    LocalStore(tmp_path)
    running = {part: start(part) for part in said}
    try:
        for _ in range(9):
            time.sleep(chance.uniform(0.3, 1.0))
            part = chance.randrange(3)
            end(part, running[part])
            running[part] = start(part)
        wait_for(lambda: have_said(tmp_path, said), timeout_s=60, why="each has said a number")
    finally:
        for part, process in running.items():
            end(part, process)
    found = stored(tmp_path)
    assert min(said.values()) > 0
    for part, number in said.items():
        assert number <= found[f"car{part}"] <= number + 1
