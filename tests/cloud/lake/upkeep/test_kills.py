"""Upkeep and erasure killed -9 at random moments: not a row is lost, doubled or summed twice.

Flush n holds three rows of `drive` and two of `fast` with the value n. Beside the commits the
upkeep packs, sums, combines and deletes without pause.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.upkeep.erasure import erase
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.signals.groups import Group
from tests.cloud.lake.samples import DAY, POWER, SPEED, T0, S, flush, frame, state
from tests.cloud.lake.upkeep.test_erasure import GONE, files_that_name, fill, shown
from tests.cloud.lake.upkeep.test_upkeep import assert_sums_are_right

KILLS = 8
LATER = T0 + 400 * DAY
REPOSITORY = Path(__file__).resolve().parents[4]
CHILD = (
    "import sys; from pathlib import Path; from tests.cloud.lake.upkeep import test_kills as t; "
)


def write_and_keep(data: Path) -> None:
    """Commit for ever, and keep the lake in order beside it."""
    print(0, flush=True)
    store = LocalStore(data, checkpoint_every=4)
    threading.Thread(target=_keep_for_ever, args=(store,), daemon=True).start()
    while True:
        number = store.next_flush
        ts = [T0 + number % 3 * DAY + number * S] * 3
        car = f"car-{number % 4}"
        drive = frame(Group.DRIVE, ts, {SPEED: [number % 200] * 3}, car)
        fast = frame(Group.FAST, ts[:2], {POWER: [number] * 2}, car)
        told = state(car, watermark=number, rows_stored=5, paths=(SPEED, POWER))
        store.commit(flush(number, {Group.DRIVE: drive, Group.FAST: fast}, [told]))
        print(number, flush=True)


def _keep_for_ever(store: LocalStore) -> None:
    upkeep = Upkeep(store, max_cells=40, kept_s=0)
    try:
        while True:
            upkeep.run(now_ns=LATER, is_thorough=True)
    finally:
        os.abort()  # seen by the test: it ends with another signal than the kill


def erase_once(data: Path) -> None:
    store = LocalStore(data)
    print(0, flush=True)
    erase(store, GONE, max_cells=40)
    print(1, flush=True)


@contextmanager
def child(call: str, data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{CHILD}t.{call}(Path(sys.argv[1]))", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def killed(call: str, data: Path, after_s: float) -> int:
    """Let it run that long; the last number that it told."""
    with child(call, data) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        with suppress(subprocess.TimeoutExpired):
            process.wait(after_s)
        process.kill()
        assert process.wait() in (-signal.SIGKILL, 0)
        return int(("0 " + process.stdout.read()).split()[-1])


@pytest.mark.processes
def test_a_killed_upkeep_loses_doubles_and_sums_nothing_twice(tmp_path: Path) -> None:
    moments = random.Random(20_240_501)
    stored = rewrites = 0
    for _ in range(KILLS):
        told = killed("write_and_keep", tmp_path, moments.uniform(0.1, 0.8))
        store = LocalStore(tmp_path)
        acknowledged, stored = max(stored, told), store.next_flush - 1
        assert acknowledged <= stored <= acknowledged + 1
        lake = Lake(store)
        found: list[int] = []
        for car in lake.vehicles()["vehicle_id"].to_list():
            values = lake.signals(car, [POWER])
            found += [int(value) for value in values[POWER].drop_nulls().to_list()]
            speeds = lake.signals(car, [SPEED])[SPEED].drop_nulls()
            assert len(speeds) * 2 == len(values[POWER].drop_nulls()) * 3
        assert sorted(found) == [n for n in range(1, stored + 1) for _ in range(2)]
        assert_sums_are_right(store)
        rewrites += sum(part.is_packed for part in store.snapshot().parts)
    assert rewrites


@pytest.mark.processes
def test_a_killed_erasure_harms_nobody_else_and_can_be_run_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "before")
    fill(store)
    Upkeep(store).run(now_ns=LATER)
    fill(store, day=1)
    before = shown(tmp_path / "before")
    moments, finished = random.Random(7), 0
    for number in range(KILLS):
        data = tmp_path / str(number)
        shutil.copytree(tmp_path / "before", data)
        finished += killed("erase_once", data, moments.uniform(0.0, 0.6))
        assert shown(data) == before
        erase(LocalStore(data), GONE)
        assert shown(data) == before
        assert files_that_name(data, GONE) == []
        assert GONE not in open_lake(data).vehicles()["vehicle_id"].to_list()
    assert finished < KILLS
