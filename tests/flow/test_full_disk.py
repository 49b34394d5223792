"""No room left while cars drive: what was produced waits where it is, and arrives in the end.

Shown twice: by a limit on the size of files (everywhere), and by a small file system (where this
machine lets a test mount one).
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.test_full_disk import can_mount, mount
from tests.flow.drives import make_drives
from tests.flow.flow import Flow
from tests.flow.size import ROUNDS, SEED
from tests.flow.stored import check

pytestmark = pytest.mark.flow

DISK_BYTES = 32 * 2**20
NO_LIMIT = 2**62


@pytest.mark.parametrize("role", ["agent", "cloud"])
def test_files_of_one_role_may_not_grow_for_a_while(tmp_path: Path, role: str) -> None:
    drives = make_drives(tmp_path, vehicles=2, count=1_000 + 500 * ROUNDS)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        flow.wait_settled(0.02)
        for _ in range(ROUNDS):
            flow.limit_files(role, flow.chance.choice([0, 4_000, 60_000]))
            time.sleep(flow.chance.uniform(0.5, 2.0))
            flow.limit_files(role, NO_LIMIT)
            time.sleep(flow.chance.uniform(0.2, 0.5))
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert not flow.ended


if can_mount():

    @pytest.fixture
    def small_disk(tmp_path: Path) -> Iterator[Path]:
        """A file system of its own."""
        disk = tmp_path / "disk"
        disk.mkdir()
        assert mount(disk, str(DISK_BYTES))
        yield disk
        subprocess.run(["umount", "--lazy", str(disk)], check=True)

    def test_disk_of_everything_is_full_for_a_while(tmp_path: Path, small_disk: Path) -> None:
        # Fast cars: what comes while the disk is full brings the broker to its end, too.
        drives = make_drives(tmp_path, vehicles=3, count=5_000 * ROUNDS)
        with Flow(small_disk, drives, seed=SEED, speed=100) as flow:
            flow.wait_settled(0.02)
            for _ in range(ROUNDS - 1):
                filler = small_disk / "filler"
                fill(filler)
                time.sleep(flow.chance.uniform(3.0, 5.0))
                filler.unlink()
                time.sleep(flow.chance.uniform(0.2, 0.5))
            flow.finish()
        assert check(flow.data, drives.truth).is_empty()


def fill(filler: Path) -> None:
    """Take all the room that there is."""
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4_096)):
                pass
        except OSError:
            return
