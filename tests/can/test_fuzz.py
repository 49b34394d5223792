"""Some thousand of the inputs of `make fuzz`, and proof that it finds what it looks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contactor.can.log import open_logs
from contactor.can.readers.table import BINARY_READERS, READERS
from contactor.errors import LogError
from tools.fuzzing.cases import Cases
from tools.fuzzing.samples import Kind, load_samples

ROOT = Path(__file__).parents[2]
INPUTS = 2_500


def fuzz(*arguments: str, found: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.fuzz", "--found", str(found), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.processes
def test_fuzz_finds_nothing_in_some_thousand_inputs(tmp_path: Path) -> None:
    done = fuzz("-n", str(INPUTS), "--jobs", "2", "--no-data", found=tmp_path)
    kept = "\n".join(path.read_text() for path in tmp_path.glob("*/trace.txt"))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{kept}"
    assert f"{INPUTS:,} of {INPUTS:,}" in done.stdout


@pytest.mark.processes
def test_fuzz_finds_every_kind_of_fault(tmp_path: Path) -> None:
    done = fuzz("-n", "13", "--jobs", "1", "--seconds", "1", "--reader", "faulty", found=tmp_path)
    facts = [json.loads(path.read_text()) for path in tmp_path.glob("*/facts.json")]
    assert {fact["number"]: fact["fault"] for fact in facts} == {
        1: "died, code -11",
        3: "silent for 1 s, code -9",
        5: "MemoryError",
        7: "KeyError",
        9: "RuntimeWarning",
        11: "LogError",
    }
    assert done.returncode == 1


def test_an_input_depends_on_seed_and_number_alone() -> None:
    samples = load_samples(None)
    one, other = (Cases(load_samples(None), seed=3).make(17) for _ in range(2))
    assert one == other
    assert one.content != Cases(samples, seed=4).make(17).content


def test_every_reader_has_a_sample(tmp_path: Path) -> None:
    read = set()
    for sample in load_samples(None):
        if sample.kind is Kind.LOG:
            path = tmp_path / sample.name
            path.write_bytes(sample.content)
            try:
                logs = open_logs([path])
            except LogError:
                continue
            read |= {log.format for log in logs if sum(map(len, log.chunks()))}
    assert {reader.name for reader in (*READERS, *BINARY_READERS)} <= read
