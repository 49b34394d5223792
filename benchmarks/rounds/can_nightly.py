"""A log far larger than memory, decoded by the command itself in bounded memory.

    run_nightly(logs, gigabytes=10)

The small log is written again and again, its stamps moved on, then read by the command itself with
`--json`, and with `--output` into a folder. A process that ever holds more than MAX_MB is a fault.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from can_input import Logs, text_blocks
from harness import save

CONTACTOR = str(Path(sys.executable).with_name("contactor"))
MAX_MB = 400
GB = 10**9
POLL_S = 0.05
# As one drive after another: a second between them.
PAUSE_NS = 10**9


def run_nightly(logs: Logs, *, gigabytes: float) -> None:
    """Write the log, run both commands, print and keep what they took.

    Raises:
        SystemExit: a command failed, lost frames, or held too much.
    """
    with tempfile.TemporaryDirectory(dir=logs.folder) as folder:
        log = Path(folder) / "long.log"
        frames = write_long(logs, log, int(gigabytes * GB))
        size = log.stat().st_size
        print(f"{frames:,} frames, {size / GB:.1f} GB of text, at most {MAX_MB} MB", flush=True)
        decode = [CONTACTOR, "decode", str(log), "--dbc", str(logs.database)]
        rows, faults = [], []
        for name, arguments in (
            ("--json", ["--json"]),
            ("--output FOLDER/", ["--json", "--output", f"{folder}/out/"]),
        ):
            seconds, peak_mb, printed = watched([*decode, *arguments])
            read = json.loads(printed)["frames_decoded"]
            print(
                f"  decode {name:<17} {frames / seconds:>12,.0f} frames/s"
                f"  {size / seconds / 1e6:>6,.0f} MB/s  {peak_mb:>5.0f} MB peak",
                flush=True,
            )
            for unit, value in (("frames/s", frames / seconds), ("MB peak", peak_mb)):
                rows.append(
                    {
                        "name": f"{gigabytes:g} GB, decode {name}",
                        "value": value,
                        "unit": unit,
                        "low": value,
                        "high": value,
                        "ratio": 1.0,
                    }
                )
            if read != frames:
                faults.append(f"decode {name} decoded {read} frames of {frames}")
            if peak_mb > MAX_MB:
                faults.append(f"decode {name} held {peak_mb:.0f} MB, more than {MAX_MB}")
    save("can_nightly", rows, rounds=1)
    if faults:
        sys.exit("; ".join(faults))


def write_long(logs: Logs, path: Path, size: int) -> int:
    """Write the frames of the logs as text until there are `size` bytes; how many there are."""
    frames = dict(np.load(logs.frames))
    span_ns = int(frames["ts"][-1] - frames["ts"][0]) + PAUSE_NS
    count, written = 0, 0
    with path.open("wb") as file:
        for ts in stamps(frames["ts"], span_ns):
            for block in text_blocks(frames | {"ts": ts}):
                written += file.write(block)
            count += len(ts)
            if written >= size:
                return count
    raise AssertionError("stamps never end")


def stamps(first: np.ndarray, span_ns: int) -> Iterator[np.ndarray]:
    """The stamps of each repetition."""
    ts = first
    while True:
        yield ts
        ts = ts + span_ns


def watched(command: list[str]) -> tuple[float, float, str]:
    """Run a command: its seconds, its greatest resident memory (MB), and what it printed."""
    began, peak_mb = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed)
        while process.poll() is None:
            peak_mb = max(peak_mb, resident_peak_mb(process.pid))
            time.sleep(POLL_S)
        seconds = time.perf_counter() - began
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed with {process.returncode}")
        printed.seek(0)
        return seconds, peak_mb, printed.read()


def resident_peak_mb(pid: int) -> float:
    """The high-water mark of a process, 0 where it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
