"""Files of decoded recordings, read by others and in bounded memory."""

import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from contactor.can.job import open_job
from contactor.can.output import messages, spool
from contactor.can.output.long import LongFile
from contactor.can.output.messages import MessageFolder
from contactor.can.recording import decode
from contactor.errors import ContactorError

DBC = """\
VERSION ""

BU_: X

BO_ 475 HVBAT: 8 X
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" X
 SG_ Page M : 16|4@1+ (1,0) [0|0] "" X
 SG_ Cell m1 : 24|12@1- (0.001,2) [0|0] "V" X
 SG_ ts : 40|8@1+ (1,0) [0|0] "" X

BO_ 476 Other: 2 X
 SG_ State : 0|4@1+ (1,0) [0|0] "" X

VAL_ 476 State 1 "On" 15 "Not available" ;
"""
MEMORY_BYTES = 480 * 1024 * 1024  # 405 to 435 by how the allocator keeps what was freed
BIG_BYTES = 500 * 1024 * 1024
MEASURED = """\
import sys
from contactor.app.main import main
code = main(sys.argv[1:])
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output")
    random = np.random.default_rng(5)
    lines = []
    for number in range(4000):
        stamp = f"({1_700_000_000 + number // 100}.{number % 100:02d}0000)"
        lines.append(f"{stamp} can0 1DB#{random.bytes(8).hex().upper()}")
        if number % 3 == 0:
            lines.append(f"{stamp} can1 1DC#{random.integers(16):02X}00")
    (folder / "drive.log").write_text("\n".join(lines) + "\n")
    (folder / "car.dbc").write_text(DBC)
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_messages(files: Path, folder: Path, signals: Collection[str] | None = None) -> list[Path]:
    job = open_job(files / "drive.log", files / "car.dbc", signals)
    assert job.plan is not None
    with MessageFolder(folder, job.plan) as output:
        for chunk in job.chunks():
            output.add(chunk)
        return output.finish(lambda columns: None)


def write_long(files: Path, path: Path) -> None:
    job = open_job(files / "drive.log", files / "car.dbc")
    with LongFile(path) as output:
        for chunk in job.chunks():
            output.add(chunk, chunk.columns())
        output.finish()


@pytest.mark.parametrize("values", [1_000_000, 1500])
def test_folder_has_the_tables_that_python_gives(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: int
) -> None:
    monkeypatch.setattr(messages, "TABLE_VALUES", values)
    monkeypatch.setattr(spool, "MEMORY_BYTES", 1000)
    expected = decode(files / "drive.log", files / "car.dbc").messages
    paths = write_messages(files, tmp_path / "new" / "signals")
    assert sorted(path.name for path in paths) == ["HVBAT.parquet", "Other.parquet"]
    assert sorted(path.name for path in paths) == names_in(tmp_path / "new/signals")
    for path in paths:
        assert pl.read_parquet(path).equals(expected[path.stem])
        theirs = pq.read_table(path)
        assert theirs.column_names == expected[path.stem].columns
        assert theirs.num_rows == len(expected[path.stem])


def test_folder_has_no_file_of_a_message_without_a_chosen_signal(
    files: Path, tmp_path: Path
) -> None:
    (path,) = write_messages(files, tmp_path / "signals", ["HVBAT.Voltage"])
    assert names_in(tmp_path / "signals") == ["HVBAT.parquet"]
    assert pl.read_parquet(path).columns == ["ts", "bus", "Voltage"]


def test_folder_has_no_file_of_a_message_whose_chosen_signal_no_frame_carries(
    files: Path, tmp_path: Path
) -> None:
    log = tmp_path / "drive.log"
    log.write_text("(1700000000.000000) can0 1DB#0000000000000000\n")
    job = open_job(log, files / "car.dbc", ["HVBAT.Cell"])
    assert job.plan is not None
    with MessageFolder(tmp_path / "signals", job.plan) as output:
        for chunk in job.chunks():
            output.add(chunk)
        assert output.finish(lambda columns: None) == []
    assert names_in(tmp_path / "signals") == []
    assert decode(log, files / "car.dbc", ["HVBAT.Cell"]).messages == {}


def test_strangers_read_physical_values(files: Path, tmp_path: Path) -> None:
    write_messages(files, tmp_path / "signals")
    expected = decode(files / "drive.log", files / "car.dbc").messages["HVBAT"]
    count, total, cells = duckdb.sql(
        f"select count(*), sum(Voltage), count(Cell) from '{tmp_path}/signals/HVBAT.parquet'"
    ).fetchall()[0]
    assert (count, cells) == (4000, expected["Cell"].count())
    assert total == pytest.approx(expected["Voltage"].sum())


@pytest.mark.parametrize(("name", "read"), [("o.csv", pl.read_csv), ("o.parquet", pl.read_parquet)])
def test_long_file_has_every_reading_in_order(
    files: Path, tmp_path: Path, name: str, read: Callable[[Path], pl.DataFrame]
) -> None:
    write_long(files, tmp_path / name)
    expected = decode(files / "drive.log", files / "car.dbc").long()
    found = read(tmp_path / name)
    assert found["ts"].is_sorted()
    assert found["label"].drop_nulls().unique().sort().to_list() == ["Not available", "On"]
    assert found.cast(dict(expected.schema)).equals(expected)


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_long_file_of_nothing_has_its_columns(files: Path, tmp_path: Path, name: str) -> None:
    with LongFile(tmp_path / name) as output:
        output.finish()
    found = (
        pl.read_csv(tmp_path / name) if name.endswith("csv") else pl.read_parquet(tmp_path / name)
    )
    assert found.columns == ["ts", "bus", "message", "signal", "value", "label"]
    assert found.is_empty()


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_long_file_that_is_given_up_leaves_nothing(files: Path, tmp_path: Path, name: str) -> None:
    job = open_job(files / "drive.log", files / "car.dbc")
    chunk = next(job.chunks())
    output = LongFile(tmp_path / name)
    with pytest.raises(RuntimeError, match="given up"), output:  # noqa: PT012
        output.add(chunk, chunk.columns())
        raise RuntimeError("given up")
    assert names_in(tmp_path) == []


def test_folder_that_cannot_be_made_is_told(files: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ContactorError, match="cannot make"):
        write_messages(files, tmp_path / "file" / "signals")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 500 MB: a minute of driving again and again, each time later."""
    folder = tmp_path_factory.mktemp("big")
    (folder / "car.dbc").write_text(DBC)
    payloads = np.random.default_rng(5).bytes(8 * 100_000).hex().upper()
    text = "".join(
        f"(17000000{n // 2000:02d}.{n % 2000 * 500:06d}) can0 {0x1DB + n % 2:03X}#{payload}\n"
        for n in range(100_000)
        if (payload := payloads[16 * n : 16 * n + 16])
    )
    lines = np.frombuffer(text.encode(), np.uint8).reshape(100_000, -1).copy()
    with (folder / "drive.log").open("wb") as log:
        for minute in range(BIG_BYTES // lines.size + 1):
            lines[:, 5:9] = np.frombuffer(b"%04d" % minute, np.uint8)
            log.write(lines.data)
    assert (folder / "drive.log").stat().st_size >= BIG_BYTES
    return folder


@pytest.mark.processes
@pytest.mark.parametrize(
    "options", [["--json"], ["--output", "signals"], ["--output", "o.parquet"]]
)
def test_big_log_needs_little_memory(big: Path, tmp_path: Path, options: list[str]) -> None:
    arguments = [str(tmp_path / one) if one in ("signals", "o.parquet") else one for one in options]
    signals = ["--signal", "HVBAT.Voltage"] if "o.parquet" in options else []
    log, dbc = str(big / "drive.log"), str(big / "car.dbc")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "decode", log, "--dbc", dbc, *arguments, *signals],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) * 1024 <= MEMORY_BYTES
