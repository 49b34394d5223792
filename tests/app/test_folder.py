"""The data folder: who may look, who holds it, and what a kill leaves behind."""

import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contactor.app.folder import DataFolder, RunningInstance
from contactor.errors import FolderError, FolderInUse
from contactor.whole_files import write_whole

NOBODY = 2**22 + 1
"""More than any process id on Linux."""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.create(tmp_path / "data")


@pytest.fixture
def looked_at(folder: DataFolder) -> Iterator[int]:
    """A descriptor through which somebody else looks at the lock."""
    (folder.root / "lock").touch()
    descriptor = os.open(folder.root / "lock", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    yield descriptor
    os.close(descriptor)


def leave_run_json(folder: DataFolder, supervisor_pid: int) -> None:
    document = RunningInstance("http://localhost:1", "0", "", supervisor_pid, ())
    write_whole(folder.run_json, msgspec.json.encode(document).decode())


def test_running_is_the_instance_that_holds_the_folder(folder: DataFolder) -> None:
    leave_run_json(folder, os.getpid())
    with folder.held():
        found = folder.running()
    assert found is not None
    assert found.supervisor_pid == os.getpid()


def test_running_does_not_believe_what_a_killed_instance_left(folder: DataFolder) -> None:
    leave_run_json(folder, NOBODY)
    with folder.held():
        assert folder.running() is None


def test_held_waits_for_somebody_who_only_looks(folder: DataFolder, looked_at: int) -> None:
    looker = threading.Timer(0.1, fcntl.flock, (looked_at, fcntl.LOCK_UN))
    looker.start()
    with folder.held():
        assert folder.holder() == os.getpid()
    looker.join()


def test_held_names_who_holds_it(folder: DataFolder) -> None:
    refused = pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}")
    with folder.held(), refused, folder.held():
        pass


def test_create_makes_a_folder_for_its_owner_only(tmp_path: Path) -> None:
    root = DataFolder.create(tmp_path / "new").root
    assert root.stat().st_mode & 0o777 == 0o700


def test_create_leaves_the_rights_of_a_folder_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there").chmod(0o755)
    root = DataFolder.create(tmp_path / "there").root
    assert root.stat().st_mode & 0o777 == 0o755


def test_create_goes_on_where_a_kill_left_a_draft(tmp_path: Path) -> None:
    (tmp_path / ".format.json.123").write_text('{"form')
    assert DataFolder.create(tmp_path).root == tmp_path


@pytest.mark.parametrize("name", [".format.json.mine", "format.json.123", ".bashrc"])
def test_create_refuses_a_folder_with_somebody_elses_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FolderError, match="choose an empty one"):
        DataFolder.create(tmp_path)


def test_write_whole_syncs_the_file_and_then_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_whole(tmp_path / "note.json", "{}")
    assert synced == [f".note.json.{os.getpid()}", tmp_path.name]
    assert (tmp_path / "note.json").stat().st_mode & 0o777 == 0o600
