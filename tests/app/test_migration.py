"""A data folder of every released version is opened, brought up to date, and read."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contactor import version
from contactor.app.backup.restore import restore_backup
from contactor.app.folder import DataFolder
from contactor.app.format import FORMAT, Format, write_format
from contactor.app.migration import STEPS, bring_up_to_date
from contactor.car.agent.outbox import Outbox
from contactor.errors import FolderError
from contactor.signals.record import Record
from tests.app.command_line import command_here, tree
from tests.app.old_folders import OLD, told, unpack

HOLD = "import sys; from pathlib import Path; from contactor.app.folder import DataFolder\n"
HOLD += "with DataFolder.existing(Path(sys.argv[1])).held(): print('held')"


class Stopped(Exception):
    """What ends a step halfway."""


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    return request.param, unpack(request.param, tmp_path / "data")


def check_content(number: int, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It says what the program that wrote it said, and its outbox holds what it held."""
    expected = told(number)
    assert command_here(capfd, f"vehicles --data {root} --json").document() == expected["vehicles"]
    asked = f"signals --vehicle demo --data {root} --json"
    assert command_here(capfd, asked).document() == expected["signals"]


def check_outbox(number: int, root: Path) -> None:
    outbox = Outbox(DataFolder(root).outbox)
    streams = {f"{stream.stream:016x}": stream for stream in outbox.streams()}
    for known in told(number)["streams"]:
        stream = streams[known["stream"]]
        position = outbox.position(stream)
        assert (position.acknowledged, position.last) == (known["acknowledged"], known["last"])
        held = [
            outbox.read(message)
            for message in outbox.held(stream, after=position.acknowledged, limit=1000)
        ]
        assert len(held) == known["held"]
        assert all(isinstance(message, Record) and message.row_count for message in held)
    outbox.close()


def commands(root: Path) -> dict[str, str]:
    database = sqlite3.connect(DataFolder(root).commands)
    try:
        return dict(database.execute("select id, state from command").fetchall())
    finally:
        database.close()


def test_every_format_but_the_newest_has_a_step_and_a_folder() -> None:
    assert list(STEPS) == list(range(1, FORMAT))
    assert list(range(1, FORMAT)) == [number for number in OLD if number < FORMAT]


def test_an_old_folder_is_read_as_it_is(
    old: tuple[int, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    number, root = old
    before = tree(root)
    check_content(number, root, capfd)
    assert tree(root) == before


def test_an_old_folder_is_brought_up_to_date_when_it_is_held(
    old: tuple[int, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    number, root = old
    folder = DataFolder.create(root)
    with folder.held():
        assert folder.format == Format(FORMAT, version)
    told_user = capfd.readouterr().err
    if number < FORMAT:
        assert f"has format {number}; it becomes {FORMAT}, backup in backups/format-" in told_user
    check_content(number, root, capfd)
    check_outbox(number, root)
    assert commands(root) == told(number)["commands"]
    with folder.held():
        pass
    assert capfd.readouterr().err == ""


def test_the_backup_made_before_is_the_old_folder(
    old: tuple[int, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    number, root = old
    with DataFolder.create(root).held():
        pass
    (backup,) = (root / "backups").iterdir()
    manifest = restore_backup(backup, tmp_path / "back", lambda _done, _total: None)
    capfd.readouterr()
    assert manifest.format == DataFolder(tmp_path / "back").format.format == number
    check_content(number, tmp_path / "back", capfd)
    check_outbox(number, tmp_path / "back")
    assert commands(tmp_path / "back") == told(number)["commands"]


def test_one_that_stops_halfway_goes_on_with_the_same_backup(
    old: tuple[int, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    number, root = old
    folder = DataFolder.create(root)

    def stop(halfway: DataFolder) -> None:
        STEPS[number](halfway)
        raise Stopped

    with pytest.raises(Stopped):
        bring_up_to_date(folder, {**STEPS, number: stop})
    capfd.readouterr()
    (backup,) = (root / "backups").iterdir()
    assert folder.format == Format(FORMAT, version, number, str(backup.relative_to(root)))
    check_content(number, root, capfd)
    command_here(capfd, f"backup {root.parent / 'b.tar'} --data {root}").check_refused(
        1, f"is halfway from format {number} to {FORMAT}"
    )
    with folder.held():
        assert folder.format == Format(FORMAT, version)
    assert capfd.readouterr().err == ""
    assert [backup] == list((root / "backups").iterdir())
    check_content(number, root, capfd)
    check_outbox(number, root)


@pytest.mark.processes
def test_one_that_is_killed_at_random_ends_whole(
    old: tuple[int, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    number, root = old
    chance = random.Random(number)
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(chance.uniform(0.1, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_content(number, root, capfd)
    with DataFolder.existing(root).held():
        pass
    capfd.readouterr()
    assert DataFolder(root).format == Format(FORMAT, version)
    check_content(number, root, capfd)
    check_outbox(number, root)
    for backup in (root / "backups").glob("[!.]*"):
        restore_backup(backup, root.parent / backup.name, lambda _done, _total: None)
        check_content(number, root.parent / backup.name, capfd)


def test_a_newer_folder_is_refused_with_both_versions(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = DataFolder.create(tmp_path / "data").root
    write_format(root, FORMAT + 1)
    words = f"has format {FORMAT + 1}; this Contactor {version} reads 1 to {FORMAT}"
    with pytest.raises(FolderError, match=words):
        DataFolder.create(root)
    command_here(capfd, f"vehicles --data {root}").check_refused(1, words)
    command_here(capfd, f"backup {tmp_path / 'b.tar'} --data {root}").check_refused(1, words)
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "2"}', '{"format": 0}', "\xff"])
def test_a_format_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    root = DataFolder.create(tmp_path / "data").root
    (root / "format.json").write_text(text, encoding="latin-1")
    with pytest.raises(FolderError, match=r"format\.json cannot be read"):
        DataFolder.create(root)


def test_a_format_of_a_later_patch_is_read(tmp_path: Path) -> None:
    root = DataFolder.create(tmp_path / "data").root
    document = {"format": FORMAT, "contactor": "9.9.9", "more": [1]}
    (root / "format.json").write_text(json.dumps(document))
    with DataFolder.create(root).held():
        pass
