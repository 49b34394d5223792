"""Inputs that are wrong in every way, until one breaks something: `make fuzz`.

    make fuzz                                    a million inputs, on all cores
    make fuzz ARGS="-n 20000 --seed 7"
    python -m tools.fuzz --again FOLDER          read one that was found, in this very process

Samples of every log format, packing and database (fuzzing/samples.py) are made wrong
(fuzzing/mutations.py) and read in processes under watch. What is looked for: a process that dies,
an input that takes longer than 10 s or too much memory, an exception or warning that is none of
ours, a message of more than a line, frames that break their promises, compiled code and NumPy that
disagree.

Each fault is kept in a folder of its own under .bench/fuzz: the input, and how to read it again; of
one fault no more than three. The exit code is 1 where there is one. An input depends on the seed,
its number and the samples alone, whose digest is printed.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from tools.fuzzing.cases import Case, Cases
from tools.fuzzing.samples import Kind, Sample, digest, load_samples
from tools.fuzzing.watch import MAX_INPUT_S, Result, watched

ROOT = Path(__file__).parents[1]
COUNT = 1_000_000
FOUND = ROOT / ".bench/fuzz"
DATA = Path(os.environ.get("CONTACTOR_TEST_DATA") or ROOT.parent / "shared/data")
KEPT_OF_ONE = 3
TOO_MANY = 1_000  # faults: nothing is to be learnt from more
TELL_S = 10.0
READERS = ("contactor", "faulty")


def main() -> int:
    """Fuzz, or be a worker of another that does."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=...")
    parser.add_argument("-n", type=int, default=COUNT, metavar="N", help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seconds", type=float, default=MAX_INPUT_S, help="for one input")
    parser.add_argument("--only", choices=list(Kind), action="append", help="only this kind")
    parser.add_argument("--no-data", action="store_true", help="without the shared recordings")
    parser.add_argument("--found", type=Path, default=FOUND, help="where faults are kept")
    parser.add_argument("--again", type=Path, help="read the input of a fault that was found")
    parser.add_argument("--reader", choices=READERS, default=READERS[0], help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.again:
        return read_again(arguments.again)
    samples = load_samples(None if arguments.no_data else DATA)
    if arguments.only:
        samples = [sample for sample in samples if sample.kind in arguments.only]
    cases = Cases(samples, seed=arguments.seed)
    if arguments.worker:
        first, step = arguments.worker
        be_worker(cases, arguments.reader, first=first, step=step, count=arguments.n)
        return 0
    return fuzz(cases, samples, arguments)


def be_worker(cases: Cases, reader: str, *, first: int, step: int, count: int) -> None:
    from tools.fuzzing.worker import work

    if reader == "faulty":
        from tools.fuzzing.faulty import read_case
    else:
        from tools.fuzzing.targets import read_case, warm

        warm()
    work(cases, read_case, first=first, step=step, count=count)


def fuzz(cases: Cases, samples: list[Sample], arguments: argparse.Namespace) -> int:
    print(
        f"{arguments.n:,} inputs from {len(samples)} samples ({digest(samples)}),"
        f" seed {arguments.seed}, {arguments.jobs} processes",
        flush=True,
    )
    own = [sys.executable, "-m", "tools.fuzz", *sys.argv[1:]]
    outcomes: Counter[tuple[str, str]] = Counter()
    faults: Counter[tuple[str, str]] = Counter()
    began = told = time.monotonic()
    for result in watched(
        lambda first, step: [*own, "--worker", str(first), str(step)],
        jobs=arguments.jobs,
        count=arguments.n,
        input_s=arguments.seconds,
    ):
        case = cases.make(result.number) if result.outcome == "fault" else None
        name = result.name or (case.sample.name if case else "")
        outcomes[name, result.outcome] += 1
        if case:
            faults[result.kind, result.where] += 1
            if faults[result.kind, result.where] <= KEPT_OF_ONE:
                keep(case, result, arguments)
            if faults.total() >= TOO_MANY:
                break
        now = time.monotonic()
        if now - told >= TELL_S:
            told = now
            tell_progress(outcomes, arguments.n, now - began)
    tell_progress(outcomes, arguments.n, time.monotonic() - began)
    show(outcomes, samples)
    for (kind, where), count in faults.most_common():
        print(f"fault: {count} x {kind}: {where}")
    return 1 if faults else 0


def tell_progress(outcomes: Counter[tuple[str, str]], count: int, seconds: float) -> None:
    done = outcomes.total()
    faults = sum(number for (_, outcome), number in outcomes.items() if outcome == "fault")
    print(
        f"{done:,} of {count:,}, {done / max(seconds, 1e-9):,.0f} inputs/s, {faults} faults",
        flush=True,
    )


def show(outcomes: Counter[tuple[str, str]], samples: list[Sample]) -> None:
    """What became of the inputs of each kind: too few read, and the mutations are too wild."""
    kinds = {sample.name: sample.kind for sample in samples}
    by_kind: Counter[tuple[Kind, str]] = Counter()
    for (name, outcome), count in outcomes.items():
        by_kind[kinds[name], outcome] += count
    for kind in Kind:
        words = [f"{by_kind[kind, one]:,} {one}" for one in ("read", "refused", "fault")]
        if any(by_kind[kind, one] for one in ("read", "refused", "fault")):
            print(f"  {kind:<11} {', '.join(words)}")


def keep(case: Case, result: Result, arguments: argparse.Namespace) -> None:
    """The input in a folder of its own, with all that is known of it."""
    folder = arguments.found / f"{arguments.seed}-{case.number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"input{case.suffix}").write_bytes(case.content)
    facts = {
        "seed": arguments.seed,
        "number": case.number,
        "sample": case.sample.name,
        "kind": case.sample.kind,
        "suffix": case.suffix,
        "has_kernels": case.has_kernels,
        "fault": result.kind,
        "where": result.where,
    }
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    (folder / "trace.txt").write_text(result.trace)
    print(f"fault: {result.kind} at {result.where or '?'}, kept in {folder}", flush=True)


def read_again(folder: Path) -> int:
    """Read the input of a fault in this process: whatever it raises is seen."""
    from tools.fuzzing.targets import read_case

    facts = json.loads((folder / "facts.json").read_text())
    path = folder / f"input{facts['suffix']}"
    sample = Sample(Kind(facts["kind"]), facts["sample"], b"")
    content = path.read_bytes()
    case = Case(0, sample, content, facts["suffix"], has_kernels=facts["has_kernels"])
    print(read_case(case, path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
