"""What `contactor run` with one live car costs: processor time and memory of its processes.

    .venv/bin/python tools/cost.py              # make cost

Memory is the proportional set size: what processes share is counted once. The car lives its first
minutes (history stored, a drive under way) before anything is measured.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

CLOCK_TICKS = 100
"""Of /proc/PID/stat, per second: USER_HZ of Linux on every usual machine."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle-s", type=float, default=45.0)
    parser.add_argument("--measure-s", type=float, default=60.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        command = [sys.executable, "-m", "contactor.app.main", "run", "--data", str(data)]
        began = time.monotonic()
        process = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            while line := process.stdout.readline():
                print(f"{time.monotonic() - began:6.1f} s  {line.strip()}")
                if line.startswith("ready "):
                    break
            time.sleep(args.settle_s)
            pids = {"supervisor": process.pid, **_roles(data)}
            before = {role: _cpu_s(pid) for role, pid in pids.items()}
            time.sleep(args.measure_s)
            _show(pids, before, args.measure_s)
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()
    return 0


def _roles(data: Path) -> dict[str, int]:
    document = msgspec.json.decode((data / "run.json").read_bytes())
    return {item["role"]: item["pid"] for item in document["processes"]}


def _show(pids: dict[str, int], before: dict[str, float], span_s: float) -> None:
    print(f"{'process':<12}{'core %':>8}{'MB':>8}")
    total_cpu = total_mb = 0.0
    for role, pid in pids.items():
        cpu = 100 * (_cpu_s(pid) - before[role]) / span_s
        megabytes = _pss_mb(pid)
        total_cpu, total_mb = total_cpu + cpu, total_mb + megabytes
        print(f"{role:<12}{cpu:>8.1f}{megabytes:>8.0f}")
    print(f"{'all':<12}{total_cpu:>8.1f}{total_mb:>8.0f}")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    sys.exit(main())
