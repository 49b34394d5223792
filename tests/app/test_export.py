import os
import signal
import subprocess
import threading
from pathlib import Path

import can
import pytest

from contactor.app.export import check_export, export
from contactor.can.frames import FrameTable
from contactor.errors import ContactorError, UsageError
from tests.app.command_line import command
from tests.app.processes import CONTACTOR, full_device, wait_for

FRAMES = FrameTable.of(ts=[0, 1000], can_id=[0x1DB, 0x7], data=[b"\x01\x02", b"\x03"])


def test_export_replaces_a_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "new.log").write_text("old")
    assert export([FRAMES], "candump", str(tmp_path / "new.log")).frames == 2
    assert [path.name for path in tmp_path.iterdir()] == ["new.log"]
    lines = (tmp_path / "new.log").read_text().splitlines()
    assert lines == ["(0.000000) can0 1DB#0102", "(0.000001) can0 007#03"]


def test_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "new.log").write_text("old")

    def tables():  # type: ignore[no-untyped-def]
        yield FRAMES
        raise ContactorError("the log ends here")

    with pytest.raises(ContactorError, match="ends here"):
        export(tables(), "candump", str(tmp_path / "new.log"))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_export_names_a_file_that_cannot_be_written() -> None:
    with pytest.raises(ContactorError, match=r"cannot write /proc/new\.log"):
        export([FRAMES], "candump", "/proc/new.log")


def test_export_goes_to_standard_output(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    export([FRAMES], "candump", None)
    assert capfdbinary.readouterr().out == b"(0.000000) can0 1DB#0102\n(0.000001) can0 007#03\n"
    export([FRAMES], "blf", None)
    (tmp_path / "out.blf").write_bytes(capfdbinary.readouterr().out)
    with can.BLFReader(tmp_path / "out.blf") as reader:
        assert [message.arbitration_id for message in reader] == [0x1DB, 0x7]


def test_export_refuses_a_terminal_for_binary_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    check_export("candump", None)
    with pytest.raises(UsageError, match="blf is binary, not for a terminal"):
        check_export("blf", None)


def test_export_refuses_what_cannot_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; --to asc writes one file"):
        check_export("asc", str(tmp_path))
    with pytest.raises(UsageError, match="there is no folder"):
        check_export("asc", str(tmp_path / "none" / "new.asc"))
    with pytest.raises(UsageError, match="unknown format 'mf4'"):
        check_export("mf4", None)


def test_export_writes_into_a_pipe(tmp_path: Path) -> None:
    """Of a format with totals in its head too, which a pipe cannot go back to."""
    pipe = tmp_path / "pipe.blf"
    os.mkfifo(pipe)
    for form in ("candump", "blf"):
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)  # noqa: B023
        thread.start()
        export([FRAMES], form, str(pipe))
        thread.join(10)
        export([FRAMES], form, str(tmp_path / "file"))
        assert len(found[0]) == (tmp_path / "file").stat().st_size
        assert pipe.is_fifo()
    (tmp_path / "out.blf").write_bytes(found[0])
    with can.BLFReader(tmp_path / "out.blf") as reader:
        assert [message.arbitration_id for message in reader] == [0x1DB, 0x7]


def test_export_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.log").write_text("old")
    (tmp_path / "link.log").symlink_to("real.log")
    export([FRAMES], "candump", str(tmp_path / "link.log"))
    assert (tmp_path / "link.log").is_symlink()
    assert (tmp_path / "real.log").read_text().startswith("(0.000000) can0 1DB#0102")


def test_export_without_standard_output_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    for refused in (lambda: check_export("candump", None), lambda: export([], "candump", None)):
        with pytest.raises(ContactorError, match="standard output is closed: give --output FILE"):
            refused()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a log of 2 MB."""
    lines = [f"(17000000{n // 1000:02d}.{n % 1000:03d}000) can0 1DB#0102\n" for n in range(60_000)]
    (tmp_path / "drive.log").write_text("".join(lines))
    return tmp_path


@pytest.mark.processes
def test_decode_with_closed_output_is_refused(desk: Path) -> None:
    for form in ("candump", "blf"):
        ended = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *CONTACTOR, "decode", "drive.log", "--to", form],
            cwd=desk,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 1
        assert ended.stderr == "contactor: standard output is closed: give --output FILE\n"


@pytest.mark.processes
@pytest.mark.parametrize("form", ["candump", "blf"])
def test_decode_to_a_full_disk_says_which_file_and_leaves_nothing(desk: Path, form: str) -> None:
    ended = command(
        f"decode drive.log --to {form} --output new.log", cwd=desk, largest_file_bytes=20_000
    )
    ended.check_refused(1, "cannot write new.log: File too large")
    assert [path.name for path in desk.iterdir()] == ["drive.log"]
    with Path("/dev/full").open("w") as full:
        ended = command(f"decode drive.log --to {form}", cwd=desk, stdout=full)
    ended.check_refused(1, "No space left on device: standard output")
    device = full_device(desk)
    if device is not None:
        ended = command(f"decode drive.log --to {form} --output {device}", cwd=desk)
        ended.check_refused(1, f"cannot write {device}: No space left on device")


@pytest.mark.processes
def test_decode_into_a_pipe_that_closes_is_quiet(desk: Path) -> None:
    """As `contactor decode ... | head -1`."""
    for form in ("candump", "blf"):
        process = subprocess.Popen(
            [*CONTACTOR, "decode", "drive.log", "--to", form],
            cwd=desk,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()


@pytest.mark.processes
def test_decode_told_to_end_says_which_file_and_leaves_nothing(desk: Path) -> None:
    """It reads from a pipe that stays open, so that it surely still writes."""
    process = subprocess.Popen(
        [*CONTACTOR, "decode", "-", "--to", "candump", "--output", "new.log"],
        cwd=desk,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write((desk / "drive.log").read_text())
    process.stdin.flush()
    wait_for((desk / ".new.log.part").exists, timeout_s=60, why="it writes")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (
        1,
        "contactor: ended by SIGTERM while writing new.log\n",
    )
    assert [path.name for path in desk.iterdir()] == ["drive.log"]
