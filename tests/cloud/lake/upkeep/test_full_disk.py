"""No space left in the midst of upkeep and erasure: rows are as they were, and it works later."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.upkeep.erasure import erase
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.errors import FolderFull
from tests.cloud.lake.test_full_disk import fill as fill_disk
from tests.cloud.lake.upkeep.test_erasure import GONE, LATER, OTHERS, fill, shown
from tests.cloud.lake.upkeep.test_upkeep import assert_sums_are_right, raw_rows


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets tests mount no tmpfs")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_rows_as_they_were(small_disk: Path) -> None:
    data, filler = small_disk / "data", small_disk / "filler"
    store = LocalStore(data)
    fill(store)
    rows, before, failed = raw_rows(store), shown(data), 0
    for free_pages in range(0, 40, 3):
        fill_disk(filler, free_pages=free_pages)
        try:
            Upkeep(store).run(now_ns=LATER, is_thorough=True)
        except FolderFull:
            failed += 1
        assert raw_rows(store) == rows
        assert raw_rows(LocalStore(data)) == rows
        assert_sums_are_right(store)
        filler.unlink()
    assert failed
    Upkeep(store).run(now_ns=LATER, is_thorough=True)
    assert shown(data) == before
    fill_disk(filler, free_pages=1)
    with pytest.raises(FolderFull):
        erase(store, GONE)
    filler.unlink()
    assert shown(data) == before
    erase(store, GONE)
    assert shown(data) == before
    assert set(OTHERS) == {state.vehicle_id for state in store.streams()}
