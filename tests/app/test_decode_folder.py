"""`contactor decode --output FOLDER` ended from outside, while a message's file is written."""

import signal
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.app.processes import CONTACTOR, wait_for

pytestmark = pytest.mark.processes

FRAMES = 60_000
SIGNALS = 512
DECODE = [*CONTACTOR, "decode", "drive.log", "--dbc", "car.dbc", "--output", "signals"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A message of one frame, and one of so many values that its file takes a second or more."""
    folder = tmp_path_factory.mktemp("recorded")
    bits = "".join(f' SG_ Bit{n} : {n}|1@1+ (1,0) [0|0] "" X\n' for n in range(SIGNALS))
    small = 'BO_ 1 Small: 1 X\n SG_ Value : 0|8@1+ (1,0) [0|0] "" X\n'
    (folder / "car.dbc").write_text(f'VERSION ""\n\nBU_: X\n\n{small}\nBO_ 2 Wide: 64 X\n{bits}')
    payload = bytes(range(64)).hex()
    lines = [
        f"(1700000{n // 1000:03d}.{n % 1000:03d}000) can0 002##0{payload}\n" for n in range(FRAMES)
    ]
    (folder / "drive.log").write_text("(1700000000.000000) can0 001#07\n" + "".join(lines))
    return folder


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGTERM, "ended by SIGTERM while writing signals/Wide.parquet"),
        (signal.SIGHUP, "ended by SIGHUP while writing signals/Wide.parquet"),
        (signal.SIGINT, "interrupted"),
    ],
)
def test_decode_ended_while_it_writes_a_message_leaves_only_whole_files(
    recorded: Path, tmp_path: Path, number: signal.Signals, said: str
) -> None:
    for name in ("drive.log", "car.dbc"):
        (tmp_path / name).symlink_to(recorded / name)
    folder = tmp_path / "signals"
    with subprocess.Popen(
        DECODE,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in its background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        try:
            wait_for((folder / ".Wide.parquet.part").exists, timeout_s=60, why="it writes")
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (1, "", f"contactor: {said}\n")
    assert [path.name for path in folder.iterdir()] == ["Small.parquet"]
    assert pl.read_parquet(folder / "Small.parquet")["Value"].to_list() == [7]
