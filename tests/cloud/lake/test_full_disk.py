"""No space left, at every step of a commit: nothing is stored by halves, and nothing is broken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.errors import FolderFull
from contactor.signals.groups import Group
from tests.cloud.lake.samples import GEAR, POWER, SPEED, T0, S, flush, frame, state

PAGE = 4096
REPOSITORY = Path(__file__).resolve().parents[3]


def try_flush(store: LocalStore, path: str = SPEED) -> bool:
    """Commit a flush of two groups; False, and nothing of it stored, where the disk is full."""
    number, before = store.next_flush, len(store.snapshot().parts)
    ts = [T0 + number * S]
    tables = {group: frame(group, ts, {path: [1]}) for group in (Group.DRIVE, Group.FAST)}
    paths = tuple({path}.union(*(known.paths for known in store.streams())))
    try:
        told = state(watermark=number, rows_stored=2 * number, paths=paths)
        store.commit(flush(number, tables, [told]))
    except FolderFull:
        assert store.next_flush == number
        assert len(store.snapshot().parts) == before
        return False
    return True


def check_intact(data: Path, store: LocalStore) -> None:
    """What the writer says is stored is what a reader finds, each flush whole."""
    stored = store.next_flush - 1
    for lake in (open_lake(data), Lake(store)):
        assert lake.view.snapshot.flush == stored
        assert lake.vehicles()["rows"].to_list() == [2 * stored]
        assert lake.signals("leaf", [SPEED, POWER, GEAR], layout="long").height == 2 * stored


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets tests mount no tmpfs")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def fill(filler: Path, *, free_pages: int) -> None:
    """Leave that many pages of the file system free."""
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(16 * PAGE)):
            pass
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(PAGE)):
            pass
    os.truncate(filler, filler.stat().st_size - free_pages * PAGE)


def test_a_full_disk_stores_nothing_by_halves(small_disk: Path) -> None:
    data, filler = small_disk / "data", small_disk / "filler"
    store = LocalStore(data, checkpoint_every=3)
    assert try_flush(store)
    failed = 0
    for free_pages in range(14):
        path = (SPEED, POWER, GEAR)[free_pages % 3]  # the first of each labels columns too
        fill(filler, free_pages=free_pages)
        while try_flush(store, path):
            pass
        failed += 1
        check_intact(data, store)
        store = LocalStore(data, checkpoint_every=3)
        check_intact(data, store)
        filler.unlink()
        assert try_flush(store, path)
        check_intact(data, store)
    assert failed == 14


def test_a_lake_that_cannot_be_made_for_want_of_space_is_made_later(small_disk: Path) -> None:
    filler, data = small_disk / "filler", small_disk / "data"
    fill(filler, free_pages=0)
    with pytest.raises(FolderFull, match="no space left in"):
        LocalStore(data)
    filler.unlink()
    store = LocalStore(data)
    assert try_flush(store)
    check_intact(data, store)


LIMITED = """
import resource, sys
from pathlib import Path
from contactor.cloud.lake.local import LocalStore
from tests.cloud.lake.samples import GEAR, POWER, SPEED
from tests.cloud.lake.test_full_disk import check_intact, try_flush

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

data = Path(sys.argv[1])
store, outcomes = LocalStore(data, checkpoint_every=2), []
assert try_flush(store)
for number, size in enumerate([0, 100, 700, 1500, 2000, 2500, 3000, 4000, 6000, 10000, 50000]):
    limit(size)
    outcomes.append(try_flush(store, (POWER, GEAR, SPEED)[number % 3]))
    limit(resource.RLIM_INFINITY)
    check_intact(data, store)
    assert try_flush(store)
    check_intact(data, LocalStore(data))
print(outcomes)
"""


@pytest.mark.processes
def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith("[False, False")
    assert child.stdout.endswith("True]\n")
