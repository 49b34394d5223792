"""A writer killed -9 at random moments, again and again: each flush is there whole or not at all.

The moments reach from the opening of the lake over some ten commits and two checkpoints.

Flush n holds three rows of `drive` and two of `fast` with the value n, and a stream state with the
watermark n. The writer says the number of each flush that it was told is stored.
"""

import random
import signal
import subprocess
import sys
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


def killed_writer(data: Path, after_s: float) -> int:
    """Let a writer run that long; the last number that it was told is stored, 0 if none."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(data)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert child.stdout is not None
    with child.stdout as told:
        assert told.readline() == "0\n"
        with suppress(subprocess.TimeoutExpired):
            child.wait(after_s)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        return int(("0 " + told.read()).split()[-1])


@pytest.mark.processes
def test_a_killed_writer_loses_and_doubles_nothing(tmp_path: Path) -> None:
    moments = random.Random(20_240_501)
    stored = 0
    for _ in range(KILLS):
        acknowledged = max(stored, killed_writer(tmp_path, moments.uniform(0.0, 0.3)))
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
