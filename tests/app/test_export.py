from pathlib import Path

import can
import pytest

from contactor.app.export import check_export, export
from contactor.can.frames import FrameTable
from contactor.errors import ContactorError, UsageError

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
