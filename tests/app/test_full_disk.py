"""No space left: one clear line, what was stored stays, and the same command later stores the rest.

A full disk is shown twice: by a limit on the size of files (everywhere), and by a small file system
(where this machine lets a test mount one).
"""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

import contactor
from tests.app.command_line import command, command_here
from tests.app.counting import COUNT, make_log, make_profile
from tests.app.processes import running, wait_for

pytestmark = pytest.mark.processes

NUMBERS = 20_000
REPLAY = "replay drive.log --car counting --vehicle counter --data data/of_mine --json"
SIGNALS = "signals --data data/of_mine --json"


def mount(folder: Path, size: str) -> bool:
    """Put a small file system in place of a folder, if this machine allows it."""
    tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(tmpfs, capture_output=True).returncode == 0


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        if not mount(Path(folder), "64k"):
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_profile(tmp_path)
    make_log(tmp_path / "drive.log", NUMBERS)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def small_disk(desk: Path) -> Iterator[Path]:
    """`data` as a file system of its own."""
    assert mount(desk / "data", "20m")
    yield desk / "data"
    subprocess.run(["umount", str(desk / "data")], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def check_completes(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With room again the same command stores all of it, once."""
    sent = command_here(capfd, REPLAY).document()
    assert (sent["rows_read"], sent["rows_stored"]) == (NUMBERS, NUMBERS)
    stored = contactor.open_lake(desk / "data" / "of_mine").signals("counter")
    assert stored[COUNT].to_list() == list(range(1, NUMBERS + 1))


# Room for nothing; for what marks the folder; for the log; for all but the rows.
@pytest.mark.parametrize("limit", [0, 36, 4_000, 60_000])
def test_replay_ends_when_files_may_not_grow(
    desk: Path, capfd: pytest.CaptureFixture[str], limit: int
) -> None:
    full = command(REPLAY, cwd=desk, largest_file_bytes=limit)
    full.check_refused(1, "no space left in")
    check_completes(desk, capfd)


def test_folder_still_opens_after_a_full_disk(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    again = REPLAY.replace("counter", "again")
    assert command_here(capfd, REPLAY).exit_code == 0
    before = command_here(capfd, SIGNALS).document()
    command(again, cwd=desk, largest_file_bytes=60_000).check_refused(1, "no space left in")
    assert command(SIGNALS, cwd=desk).document() == before
    vehicles = command_here(capfd, "vehicles --data data/of_mine --json").document()
    assert [vehicle["vehicle_id"] for vehicle in vehicles] == ["counter"]


if can_mount():

    @pytest.mark.parametrize("size", ["0", "4k", "48k"])
    def test_replay_ends_when_the_disk_is_full(
        desk: Path, small_disk: Path, capfd: pytest.CaptureFixture[str], size: str
    ) -> None:
        resize(small_disk, "4k")
        filler = small_disk / "filler"
        filler.write_bytes(bytes(4_096) if size == "0" else b"")
        resize(small_disk, "4k" if size == "0" else size)
        command(REPLAY, cwd=desk).check_refused(1, "no space left in")
        filler.unlink()
        resize(small_disk, "20m")
        check_completes(desk, capfd)

    def test_instance_outlives_a_full_disk(desk: Path, small_disk: Path) -> None:
        with running(small_disk / "of_mine", command="serve") as instance:
            url = instance.document()["url"]
            cloud = instance.pid("cloud")
            filler = small_disk / "filler"
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(4_096)):
                        pass
                except OSError:
                    pass
            instance.kill("cloud")
            wait_for(lambda: not answers(url), timeout_s=60, why="the API is gone")
            wait_for(
                lambda: any(child.pid != cloud for child in clouds(instance.process.pid)),
                timeout_s=60,
                why="the cloud is started again",
            )
            filler.unlink()
            wait_for(lambda: answers(url), timeout_s=60, why="the API is back")
            assert instance.process.poll() is None


def answers(url: object) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def clouds(supervisor: int) -> list[psutil.Process]:
    children = psutil.Process(supervisor).children()
    return [child for child in children if "serve" in child.cmdline()]
