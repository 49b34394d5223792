"""A folder becomes one file and a folder again, in use or not, and nothing else changes."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

import contactor
from contactor.app.backup.archive import Manifest
from contactor.app.backup.make import make_backup
from contactor.app.backup.restore import restore_backup
from contactor.app.folder import DataFolder
from contactor.app.format import FORMAT
from contactor.car.agent.outbox import Lane, Outbox
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.lake.local import LocalStore
from contactor.errors import FolderError, UsageError
from contactor.signals.command import Command, CommandState
from contactor.signals.groups import Group
from tests.app.command_line import command_here, tree
from tests.app.counting import COUNT, make_log, make_profile, ts_of
from tests.app.processes import running, wait_for
from tests.cloud.lake.samples import SPEED, T0, S, rows, store_drive

VEHICLE = "counter"


def ignore(_done: int, _total: int) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A folder with a bit of everything."""
    made = DataFolder.create(tmp_path / "data")
    store_drive(LocalStore(made.root), {SPEED: [1.0, 2.0, 3.0]})
    outbox = Outbox(made.outbox)
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="nissan_leaf_ze1")
    outbox.append(stream, [(rows(Group.DRIVE, [T0 + n], {SPEED: [float(n)]}),) for n in range(9)])
    outbox.acknowledge(stream, 5)
    outbox.note("odometer", "12")
    outbox.close()
    store = CommandStore(made.commands)
    for name, state in {"a": CommandState.SENT, "b": CommandState.DONE}.items():
        store.put(Command(name, "leaf", SPEED, 1.0, "test", T0, T0 + 1, state))
    store.close()
    (made.root / "later.snapshot").write_bytes(b"what a later version keeps")
    (made.root / "log").mkdir()
    (made.root / "log" / "cloud.log").write_text("said")
    (made.root / "broker").mkdir()
    (made.root / "broker" / "password").write_text("secret")
    return made


def restored(folder: DataFolder, tmp_path: Path, name: str = "b.tar.zst") -> DataFolder:
    make_backup(folder, tmp_path / name, ignore)
    restore_backup(tmp_path / name, tmp_path / "back", ignore)
    return DataFolder.create(tmp_path / "back")


# ── what is in it ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["b.tar", "b.tar.zst"])
def test_everything_comes_back_but_what_a_start_makes_anew(
    folder: DataFolder, tmp_path: Path, name: str
) -> None:
    before = tree(folder.root)
    back = restored(folder, tmp_path, name)
    held = {path.name for path in back.root.iterdir()}
    assert held == {
        *(".gitignore", "agent", "commands.db", "format.json", "lake", "later.snapshot")
    }
    assert (back.root / "later.snapshot").read_bytes() == b"what a later version keeps"
    assert back.format.format == FORMAT
    assert contactor.open_lake(back.root).signals("leaf")[SPEED].to_list() == [1.0, 2.0, 3.0]
    assert {**before, "lake/drafts": None} == {**tree(folder.root), "lake/drafts": None}
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_restored_lake_goes_on(folder: DataFolder, tmp_path: Path) -> None:
    store = LocalStore(folder.root, checkpoint_every=5)
    for number in range(12):
        store_drive(store, {SPEED: [4.0]}, ts=[T0 + (10 + number) * S])
    back = restored(folder, tmp_path)
    log = {path.name for path in (back.root / "lake/telemetry/_delta_log").iterdir()}
    assert not {f"{0:020d}.json", "_last_checkpoint"} & log  # from the newest checkpoint on
    store_drive(LocalStore(back.root), {SPEED: [5.0]}, ts=[T0 + 60 * S])
    assert contactor.open_lake(back.root).signals("leaf")[SPEED].to_list() == [
        *(1.0, 2.0, 3.0),
        *[4.0] * 12,
        5.0,
    ]


def test_a_torn_commit_is_not_in_it(folder: DataFolder, tmp_path: Path) -> None:
    log = folder.root / "lake/telemetry/_delta_log"
    newest = max(log.glob("*.json"))
    (log / f"{int(newest.stem) + 1:020d}.json").write_bytes(newest.read_bytes()[:-20])
    back = restored(folder, tmp_path)
    assert len(list((back.root / "lake/telemetry/_delta_log").iterdir())) == int(newest.stem) + 1
    assert contactor.open_lake(back.root).signals("leaf").height == 3


def test_an_empty_folder_comes_back(tmp_path: Path) -> None:
    back = restored(DataFolder.create(tmp_path / "data"), tmp_path)
    assert back.is_new
    assert {path.name for path in back.root.iterdir()} == {".gitignore", "format.json"}


def test_a_damaged_outbox_is_told(folder: DataFolder, tmp_path: Path) -> None:
    content = bytearray(folder.outbox.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    folder.outbox.write_bytes(content)
    with pytest.raises(FolderError, match=r"agent/outbox\.db .* cannot be copied"):
        make_backup(folder, tmp_path / "b.tar", ignore)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


# ── a second life ────────────────────────────────────────────────────────────────────────────────


def test_what_the_outbox_holds_keeps_its_number_and_what_is_new_gets_another(
    folder: DataFolder, tmp_path: Path
) -> None:
    first = Outbox(folder.outbox)
    (old,) = first.streams()
    outbox = Outbox(restored(folder, tmp_path).outbox)
    held = outbox.held(old, after=0, limit=100)
    assert [message.payload for message in held] == [
        message.payload for message in first.held(old, after=0, limit=100)
    ]
    new = outbox.open_stream("leaf", Lane.LIVE, profile="nissan_leaf_ze1")
    assert new.stream != old.stream
    more = [(rows(Group.DRIVE, [T0], {SPEED: [0.5]}),)]
    assert outbox.append(old, more).last == 1  # goes on in the new one
    assert outbox.append(new, more).last == 2
    assert {stream.stream for stream in outbox.streams()} == {old.stream, new.stream}
    assert outbox.noted("odometer") == "12"
    # The cloud has more of it than the copy ever made: nothing of it is sent under another number.
    assert outbox.renew(old) == old
    outbox.acknowledge(old, 40)
    assert outbox.held(old, after=0, limit=100) == []
    assert outbox.position(new).first == 1
    outbox.close()
    first.close()


def test_a_command_without_an_end_is_expired(folder: DataFolder, tmp_path: Path) -> None:
    store = CommandStore(restored(folder, tmp_path).commands)
    assert store.unfinished() == []
    sent, done = store.find("leaf", "a"), store.find("leaf", "b")
    store.close()
    assert (sent.state, done.state) == (CommandState.EXPIRED, CommandState.DONE)
    assert sent.reason == "restored from a backup: it is not known whether the car did it"


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_restore_takes_only_an_empty_or_new_folder(folder: DataFolder, tmp_path: Path) -> None:
    make_backup(folder, tmp_path / "b.tar", ignore)
    (tmp_path / "file").touch()
    for root, words in {folder.root: "is not empty", tmp_path / "file": "is a file"}.items():
        before = tree(tmp_path)
        with pytest.raises(UsageError, match=words):
            restore_backup(tmp_path / "b.tar", root, ignore)
        assert tree(tmp_path) == before
    (tmp_path / "empty").mkdir()
    restore_backup(tmp_path / "b.tar", tmp_path / "empty", ignore)
    restore_backup(tmp_path / "b.tar", tmp_path / "a" / "new", ignore)
    assert DataFolder.existing(tmp_path / "a" / "new").format.format == FORMAT


@pytest.mark.parametrize("name", ["b.tar", "b.tar.zst"])
@pytest.mark.parametrize("is_there", [False, True])
def test_nothing_is_written_of_a_damaged_backup(
    folder: DataFolder, tmp_path: Path, name: str, is_there: bool
) -> None:
    make_backup(folder, tmp_path / name, ignore)
    whole = (tmp_path / name).read_bytes()
    if is_there:
        (tmp_path / "back").mkdir()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:10], b"", changed, whole + b"x"):
        (tmp_path / name).write_bytes(content)
        before = tree(tmp_path)
        with pytest.raises(FolderError, match="is damaged or none"):
            restore_backup(tmp_path / name, tmp_path / "back", ignore)
        assert tree(tmp_path) == before


def test_nothing_is_left_of_a_restore_that_fails(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(folder, tmp_path / "b.tar", ignore)
    before = tree(tmp_path)
    written = 0
    fsync = os.fsync

    def fail_late(descriptor: int) -> None:
        nonlocal written
        written += 1
        if written == 4:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_late)
    with pytest.raises(FolderError, match="no space left in"):
        restore_backup(tmp_path / "b.tar", tmp_path / "back", ignore)
    assert tree(tmp_path) == before


def test_a_restore_that_was_cut_short_is_no_data_folder(folder: DataFolder, tmp_path: Path) -> None:
    make_backup(folder, tmp_path / "b.tar", ignore)
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / ".restoring").touch()
    with pytest.raises(FolderError, match="cut short; delete the folder and restore again"):
        DataFolder.create(tmp_path / "back")
    with pytest.raises(UsageError, match="is not empty"):
        restore_backup(tmp_path / "b.tar", tmp_path / "back", ignore)


def test_a_backup_is_never_written_over_or_into_the_folder(
    folder: DataFolder, tmp_path: Path
) -> None:
    make_backup(folder, tmp_path / "b.tar", ignore)
    for path, words in {
        tmp_path / "b.tar": "is there already",
        tmp_path / "no" / "b.tar": "there is no folder",
        folder.root / "b.tar": "lies in the data folder",
        folder.root / "lake" / "b.tar": "lies in the data folder",
        tmp_path / "b.zip": "must end in",
    }.items():
        with pytest.raises(UsageError, match=words):
            make_backup(folder, path, ignore)
    (folder.root / "backups").mkdir()
    make_backup(folder, folder.root / "backups" / "b.tar", ignore)


def test_what_a_killed_backup_left_is_removed_by_the_next(
    folder: DataFolder, tmp_path: Path
) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    for number in (int(ended.stdout), os.getppid()):
        (tmp_path / f".b.tar.backup-{number}").mkdir()
    make_backup(folder, tmp_path / "b.tar", ignore)
    assert [path.name for path in tmp_path.glob(".b.tar*")] == [f".b.tar.backup-{os.getppid()}"]


def test_commands_say_what_was_done(
    folder: DataFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, back = tmp_path / "b.tar", tmp_path / "back"
    made = command_here(capfd, f"backup {file} --data {folder.root} --json").document()
    assert made == {
        "file": str(file),
        "bytes": file.stat().st_size,
        "files": made["files"],
        "created_at": made["created_at"],
        "format": FORMAT,
        "flush": 1,
    }
    again = command_here(capfd, f"restore {file} --data {back} --json").document()
    assert (again["data"], again["files"]) == (str(back), made["files"])
    command_here(capfd, f"restore {file} --data {back}").check_refused(2, "is not empty")
    command_here(capfd, f"restore {tmp_path / 'none.tar'} --data x").check_refused(2, "no backup")
    command_here(capfd, f"restore {tmp_path} --data x").check_refused(2, "is a folder")
    command_here(capfd, f"backup {file} --data nowhere").check_refused(2, "no data folder nowhere")


# ── beside a running instance ────────────────────────────────────────────────────────────────────


def committed(data: Path, version: int) -> pl.DataFrame:
    """What the lake held at a version, read without us."""
    table = DeltaTable(str(data / "lake" / "telemetry"), version=version)
    return pl.scan_delta(table).filter(group="drive").select("ts", COUNT).collect().sort("ts")


def newest_version(data: Path) -> int:
    return DeltaTable(str(data / "lake" / "telemetry")).version()


@pytest.mark.processes
def test_a_backup_under_load_holds_what_was_committed_and_goes_on_exactly(tmp_path: Path) -> None:
    data, count = tmp_path / "data", 2_500
    log = make_log(tmp_path / "count.log", count)
    car = f"recording:{log}?profile={make_profile(tmp_path)}&vehicle={VEHICLE}&sampling=every"
    backups: list[tuple[Path, Manifest]] = []
    with running(data, "--car", car, "--speed", "2", "--history-days", "0"):
        wait_for(lambda: newest_version(data) > 1, timeout_s=60, why="a first flush")
        for number in range(3):
            path = tmp_path / f"{number}.tar.zst"
            before = newest_version(data)
            manifest = make_backup(DataFolder.existing(data), path, ignore).manifest
            assert before <= manifest.lake_version <= newest_version(data)
            backups.append((path, manifest))
            time.sleep(2)
    for path, manifest in backups:
        back = tmp_path / path.name.removesuffix(".tar.zst")
        restore_backup(path, back, ignore)
        rows = committed(data, manifest.lake_version)
        assert rows.height > 0
        assert committed(back, newest_version(back)).equals(rows)
        with sqlite3.connect(DataFolder(back).outbox) as outbox:
            assert outbox.execute("pragma integrity_check").fetchone() == ("ok",)
    # The copy lives on: whatever it held or lacked, each number is there once in the end.
    back = tmp_path / "0"
    with running(back, "--car", car, "--speed", "max", "--history-days", "0"):
        wait_for(
            lambda: contactor.open_lake(back).signals(VEHICLE, [COUNT]).height >= count,
            timeout_s=60,
            why="all numbers in the restored lake",
        )
    found = contactor.open_lake(back).signals(VEHICLE, [COUNT])
    assert found[COUNT].to_list() == list(range(1, count + 1))
    assert found["ts"].to_list() == [ts_of(number) for number in range(1, count + 1)]
    assert contactor.open_lake(back).gaps(VEHICLE).is_empty()
