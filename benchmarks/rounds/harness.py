"""Interleaved rounds of ours and theirs on the same input; tables, and a file of results.

A contender is a command. It prints one number, higher is better:

    report("sim", "frames/s", run_rounds({"ours": [...], "theirs": [...]}), ours="ours")

or, where several things are measured, one line of JSON with a number for each:

    facts = run_facts({"ours": [...], "theirs": [...]}, rounds=5)
    facts["ours"][0]["seconds"]
"""

import json
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

ROUNDS = 5
RESULTS = Path(__file__).parents[1] / "results"

Reading = TypeVar("Reading")


def run_rounds(contenders: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Run every contender once a round; each prints one number, higher is better."""
    return _interleaved(contenders, lambda printed: float(printed.split()[-1]), ROUNDS)


def run_facts(
    contenders: Mapping[str, Sequence[str]], *, rounds: int = ROUNDS
) -> dict[str, list[dict[str, Any]]]:
    """The same of contenders whose last line is a JSON object."""
    return _interleaved(contenders, facts_of, rounds)


def facts_of(printed: str) -> dict[str, Any]:
    """The JSON object on the last line of what a contender printed."""
    facts: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return facts


def _interleaved(
    contenders: Mapping[str, Sequence[str]],
    read: Callable[[str], Reading],
    rounds: int,
) -> dict[str, list[Reading]]:
    readings: dict[str, list[Reading]] = {name: [] for name in contenders}
    for round_number in range(1, rounds + 1):
        for name, command in contenders.items():
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stderr}")
            readings[name].append(read(done.stdout))
        print(f"round {round_number} of {rounds}", flush=True)
    return readings


def report(area: str, unit: str, figures: Mapping[str, Sequence[float]], *, ours: str) -> None:
    """Print the table and write `results/AREA.json`; ratios are ours over theirs."""
    _write(area, rows_of(unit, figures, ours))


def report_all(area: str, tables: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """The same for what has several units: a table a unit, ours first in each."""
    parts = [rows_of(unit, figures, next(iter(figures))) for unit, figures in tables.items()]
    _write(area, [row for part in parts for row in part])


def rows_of(unit: str, figures: Mapping[str, Sequence[float]], ours: str) -> list[dict[str, Any]]:
    """A row of results for each contender: median, least and greatest, and ours over it."""
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return [
        {
            "name": name,
            "value": medians[name],
            "unit": unit,
            "low": min(values),
            "high": max(values),
            "ratio": medians[ours] / medians[name] if medians[name] else 0.0,
        }
        for name, values in figures.items()
    ]


def save(area: str, rows: Sequence[Mapping[str, Any]], *, rounds: int = ROUNDS) -> None:
    """Write `results/AREA.json`."""
    RESULTS.mkdir(exist_ok=True)
    document = {"machine": platform.platform(), "rounds": rounds, "rows": rows}
    (RESULTS / f"{area}.json").write_text(json.dumps(document, indent=2) + "\n")


def figure(value: float) -> str:
    """A number as the tables show it."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _write(area: str, rows: Sequence[Mapping[str, Any]]) -> None:
    save(area, rows)
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        value, low, high = (figure(row[key]) for key in ("value", "low", "high"))
        print(
            f"{row['name']:<{width}}  {value:>12} {row['unit']}"
            f"  ({low} to {high})  ours is {row['ratio']:.1f} times that"
        )
