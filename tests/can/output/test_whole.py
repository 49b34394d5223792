"""Files that are there whole or not at all, and what is there already and is no file."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from contactor.can.output.long import LongFile
from contactor.can.output.whole import whole_file
from contactor.errors import ContactorError
from tests.app.processes import full_device

ENDED_WHILE_WRITING = """\
import os, signal, sys
from pathlib import Path
from contactor.can.output.whole import whole_file
from contactor.errors import ContactorError

try:
    with whole_file(Path("out.log")) as part:
        part.write_text("half")
        os.kill(os.getpid(), signal.SIG{name})
        part.write_text("never")
except ContactorError as error:
    sys.exit(f"{{error}}; {{signal.getsignal(signal.SIG{name}) is signal.SIG_DFL}}")
"""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read_in_background(pipe: Path) -> tuple[threading.Thread, list[bytes]]:
    """Everything that comes out of a named pipe, once the thread has ended."""
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    thread.start()
    return thread, found


def test_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.log"
    target.write_text("old")
    with whole_file(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert names_in(tmp_path) == ["out.log"]


def test_file_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out.log"
    target.write_text("old")
    with pytest.raises(RuntimeError), whole_file(target) as part:  # noqa: PT012
        part.write_text("new")
        raise RuntimeError("given up")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_named_pipe_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "out.log"
    os.mkfifo(pipe)
    thread, found = read_in_background(pipe)
    with whole_file(pipe) as place:
        place.write_text("through")
    thread.join(10)
    assert found == [b"through"]
    assert pipe.is_fifo()


def test_named_pipe_that_nobody_reads_any_more_breaks(tmp_path: Path) -> None:
    pipe = tmp_path / "out.log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BrokenPipeError), whole_file(pipe) as place, place.open("wb", 0) as file:  # noqa: PT012
        os.close(reader)
        file.write(b"nobody")


def test_symbolic_link_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.log").write_text("old")
    (tmp_path / "link.log").symlink_to("again.log")
    (tmp_path / "again.log").symlink_to("there/real.log")
    with whole_file(tmp_path / "link.log") as part:
        part.write_text("new")
    assert (tmp_path / "link.log").is_symlink()
    assert (tmp_path / "again.log").is_symlink()
    assert (tmp_path / "there" / "real.log").read_text() == "new"
    assert names_in(tmp_path / "there") == ["real.log"]


def test_symbolic_link_to_nothing_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "link.log").symlink_to("real.log")
    with whole_file(tmp_path / "link.log") as part:
        part.write_text("new")
    assert (tmp_path / "link.log").is_symlink()
    assert (tmp_path / "real.log").read_text() == "new"


def test_symbolic_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with (
        pytest.raises(ContactorError, match=r"cannot write .*a: Too many levels"),
        whole_file(tmp_path / "a"),
    ):
        pass


def test_full_device_is_named_with_its_reason(tmp_path: Path) -> None:
    full = full_device(tmp_path)
    if full is None:
        pytest.skip("no device can be made here")
    with (
        pytest.raises(ContactorError, match=r"cannot write .*/full: No space left on device"),
        whole_file(full) as place,
    ):
        place.write_text("more")
    assert full.is_char_device()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_failure_of_polars_is_told_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / f".{name}.part").mkdir()
    with (
        pytest.raises(ContactorError, match=rf"cannot write .*/{name}: "),
        LongFile(tmp_path / name) as output,
    ):
        output.finish()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(("name", "read"), [("o.csv", pl.read_csv), ("o.parquet", pl.read_parquet)])
def test_readings_go_through_a_pipe(tmp_path: Path, name: str, read) -> None:  # type: ignore[no-untyped-def]
    os.mkfifo(tmp_path / name)
    thread, found = read_in_background(tmp_path / name)
    with LongFile(tmp_path / name) as output:
        output.finish()
    thread.join(10)
    assert read(found[0]).columns == ["ts", "bus", "message", "signal", "value", "label"]
    assert (tmp_path / name).is_fifo()


@pytest.mark.processes
@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_process_told_to_end_leaves_no_part(tmp_path: Path, name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDED_WHILE_WRITING.format(name=name)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stderr == f"ended by SIG{name} while writing out.log; True\n"
    assert names_in(tmp_path) == []


@pytest.mark.processes
def test_polars_is_not_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from contactor.can.output.whole import whole_file\n"
        "try:\n"
        "    with whole_file(Path('none/out.log')) as part: part.write_text('')\n"
        "finally: print('polars' in sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == "False\n"
    assert "cannot write none/out.log: No such file or directory" in ended.stderr


def test_other_threads_write_as_well(tmp_path: Path) -> None:
    def write() -> None:
        with whole_file(tmp_path / "out.log") as part:
            part.write_text("new")

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(10)
    assert (tmp_path / "out.log").read_text() == "new"
