"""A writer killed -9 at random moments, again and again: each flush is there whole or not at all.

A moment is so many commits and the share of one more after the opening, or within the opening: it
reaches over some ten commits and two checkpoints, however fast the machine is.

Flush n holds three rows of `drive` and two of `fast` with the value n, and a stream state with the
watermark n. The writer says the number of each flush that it was told is stored.
"""

import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.local import LocalStore
from contactor.signals.groups import Group
from tests.cloud.lake.samples import POWER, SPEED, T0, S, flush, frame, state

KILLS = 16
REPOSITORY = Path(__file__).resolve().parents[3]
WRITER = """
import sys
from pathlib import Path
from tests.cloud.lake.test_kills import write_for_ever
write_for_ever(Path(sys.argv[1]))
"""


def write_for_ever(data: Path) -> None:
    print(0, flush=True)
    store = LocalStore(data, checkpoint_every=4)
    while True:
        number = store.next_flush
        ts = [T0 + number * S] * 3
        drive = frame(Group.DRIVE, ts, {SPEED: [number % 200] * 3})
        fast = frame(Group.FAST, ts[:2], {POWER: [number] * 2})
        told = state(watermark=number, rows_stored=5 * number, paths=(SPEED, POWER))
        store.commit(flush(number, {Group.DRIVE: drive, Group.FAST: fast}, [told]))
        print(number, flush=True)


def killed_writer(data: Path, commits: int, share: float) -> int:
    """Let a writer commit so often and a share of one more; the last number it says is stored."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(data)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert child.stdout is not None
    with child.stdout as told:
        assert told.readline() == "0\n"
        begun_s = time.monotonic()
        said = ["0", *(told.readline() for _ in range(commits))]
        with suppress(subprocess.TimeoutExpired):
            one_s = (time.monotonic() - begun_s) / commits if commits else 0.1
            child.wait(share * one_s)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        return int([*said, *told.read().split()][-1])


@pytest.mark.processes
def test_a_killed_writer_loses_and_doubles_nothing(tmp_path: Path) -> None:
    moments = random.Random(20_240_501)
    stored = 0
    for _ in range(KILLS):
        commits, share = moments.randrange(10), moments.uniform(0.0, 1.5)
        acknowledged = max(stored, killed_writer(tmp_path, commits, share))
        store = LocalStore(tmp_path)
        stored = store.next_flush - 1
        assert acknowledged <= stored <= acknowledged + 1
        assert [known.watermark for known in store.streams()] == [stored][: stored > 0]
        if not stored:
            continue
        found = Lake(store).signals("leaf", layout="long")
        expected = [n for n in range(1, stored + 1) for _ in range(5)]
        assert sorted(((found["ts"] - T0) // S).to_list()) == expected
        assert Lake(store).vehicles()["rows"].to_list() == [5 * stored]
    assert stored >= KILLS
