"""candump text to physical columns: the engine's NumPy path against python-can with cantools.

make bench AREA=can
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATABASE = ROOT / "src/contactor/car/profiles/nissan_leaf_ze1/car.dbc"
LOG = ROOT / ".bench/can/drive.log"
REPEATS = 60
PEER_FRAMES = 30_000


def make_log() -> None:
    """The sample drive, again and again: about 280,000 frames."""
    lines = (ROOT / "examples/drives/leaf.log").read_text().splitlines()
    with LOG.open("w") as log:
        for repeat in range(REPEATS):
            for line in lines:
                stamp, _, rest = line[1:].partition(")")
                log.write(f"({1_700_000_000 + 200 * repeat + float(stamp):.6f}){rest}\n")


def ours() -> None:
    """Frames per second from text to columns, without the start of Python."""
    sys.path.remove(str(Path(__file__).parent))  # else cantools takes this file for python-can
    from contactor.can.database import load_database
    from contactor.can.decode import decode_columns
    from contactor.can.log import open_log
    from contactor.can.plan import compile_plan

    plan = compile_plan(load_database([DATABASE]))
    began, frames = time.perf_counter(), 0
    for table in open_log(LOG).chunks():
        decode_columns(table, plan)
        frames += len(table)
    print(frames / (time.perf_counter() - began))


def main() -> None:
    """Make the input, run the rounds, print the table."""
    sys.path.insert(0, str(Path(__file__).parent / "rounds"))
    from harness import report, run_rounds

    make_log()
    peer = [str(ROOT / ".bench/can/bin/python"), str(ROOT / "benchmarks/peers/python_can.py")]
    figures = run_rounds(
        {
            "contactor (NumPy)": [sys.executable, __file__, "ours"],
            "python-can + cantools": [*peer, str(LOG), str(DATABASE), str(PEER_FRAMES)],
        }
    )
    report("can", "frames/s", figures, ours="contactor (NumPy)")


if __name__ == "__main__":
    ours() if sys.argv[1:] == ["ours"] else main()
