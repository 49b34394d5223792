"""CAN logs to physical values: the engine against the usual ways, and against what limits it.

    make bench AREA=can                                      5 M frames, five rounds
    make bench AREA=can ARGS="--frames 500000 --rounds 3"    shorter
    make bench AREA=can ARGS="--nightly 10"                  10 GB in bounded memory, instead

The input is made once (rounds/can_input.py) and lies under .bench/can. Contenders are processes on
one core, unless they say otherwise, and time themselves after a warming pass: neither the start of
Python nor compiling counts. Before the rounds each reads the same small log, and what every signal
adds up to is compared with cantools: equal work is compared, and where it is not, that is shown.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench/can"
PYTHON = FOLDER / "bin/python"
ROUNDS, PEERS = ROOT / "benchmarks/rounds", ROOT / "benchmarks/peers"
FRAMES, WARM_FRAMES = 5_000_000, 30_000
SOME, FEW = 200_000, 50_000  # what slow peers are given of the frames
ONE_CORE = ("taskset", "-c", "0", "env", "NUMBA_NUM_THREADS=1", "POLARS_MAX_THREADS=1")
BOTH_CORES = ("env",)
COMPILED, PLAIN = "CONTACTOR_KERNELS=1", "CONTACTOR_KERNELS=0"

Tables = dict[str, dict[str, list[str]]]


def contenders(folder: Path, warm: Path, some: int, few: int) -> Tables:
    """Title of a table → contender → command, ours first."""
    from can_input import Logs

    logs = Logs(folder)
    text, blf, mf4, frames, database = logs.text, logs.blf, logs.mf4, logs.frames, logs.database

    def ours(part: str, cores: Sequence[str] = ONE_CORE, kernels: str = COMPILED) -> list[str]:
        script = str(ROUNDS / "can_ours.py")
        return [*cores, kernels, sys.executable, script, part, str(folder), str(warm)]

    def theirs(script: str, *arguments: object) -> list[str]:
        return [*ONE_CORE, str(PYTHON), str(PEERS / script), *map(str, arguments)]

    return {
        "text to columns": {
            "contactor": ours("columns-text"),
            "contactor, both cores": ours("columns-text", BOTH_CORES),
            "contactor, NumPy": ours("columns-text", kernels=PLAIN),
            "python-can + cantools": theirs("python_can.py", text, few, database),
            "hilspy": theirs("hilspy_candump.py", text, database, some),
            "limit: copying text and columns": ours("limit-copy"),
        },
        "text to frames": {
            "contactor": ours("read-text"),
            "contactor, NumPy": ours("read-text", kernels=PLAIN),
            "python-can": theirs("python_can.py", text, some),
        },
        "frames to columns": {
            "contactor": ours("decode"),
            "contactor, NumPy": ours("decode", kernels=PLAIN),
            "cantools": theirs("cantools_decode.py", frames, database, few),
            "opendbc": theirs("opendbc_parser.py", frames, database, few),
            "can-decoder": theirs("can_decoder_frames.py", frames, database, some),
        },
        "text to Parquet": {
            "contactor": ours("parquet"),
            "contactor, both cores": ours("parquet", BOTH_CORES),
            "limit: columns by pyarrow": ours("limit-parquet"),
        },
        "BLF to frames": {
            "contactor": ours("read-blf"),
            "python-can": theirs("python_can.py", blf, some),
            "limit: inflating": ours("limit-inflate"),
        },
        "BLF to columns": {
            "contactor": ours("columns-blf"),
            "python-can + cantools": theirs("python_can.py", blf, few, database),
        },
        "MF4 to frames": {
            "contactor": ours("read-mf4"),
            "asammdf": theirs("asammdf_mf4.py", mf4),
        },
        "MF4 to columns": {
            "contactor": ours("columns-mf4"),
            "asammdf": theirs("asammdf_mf4.py", mf4, database),
        },
    }


def main() -> None:
    """Make the input, compare the work, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(prog="make bench AREA=can ARGS=...")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nightly", type=float, metavar="GB", help="bounded memory, instead")
    parser.add_argument("--database", type=Path, metavar="DBC", help="another car's database")
    arguments = parser.parse_args()
    sys.path.remove(str(Path(__file__).parent))  # else cantools takes this file for python-can
    sys.path.insert(0, str(ROUNDS))
    from can_input import Logs, make_logs

    def made(name: str, count: int) -> Logs:
        return make_logs(FOLDER / name, count, python=PYTHON, database=arguments.database)

    if arguments.nightly:
        from can_nightly import run_nightly

        logs = made("warm", WARM_FRAMES)
        run_nightly(logs, gigabytes=arguments.nightly)
        return
    from can_tables import compare_work, report_tables

    logs = made("drive", arguments.frames)
    warm = made("warm", WARM_FRAMES)
    print(f"{arguments.frames:,} frames of {logs.contents}")
    small = contenders(warm.folder, warm.folder, WARM_FRAMES, WARM_FRAMES)
    failed = compare_work(small, oracle=("frames to columns", "cantools"))
    tables = contenders(logs.folder, warm.folder, SOME, FEW)
    report_tables(tables, without=failed, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
