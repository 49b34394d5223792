"""Five interleaved rounds of ours and theirs on the same input; a table, and a file of results."""

import json
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROUNDS = 5
RESULTS = Path(__file__).parents[1] / "results"


def run_rounds(contenders: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Run every contender once a round; each prints one number, higher is better."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for round_number in range(1, ROUNDS + 1):
        for name, command in contenders.items():
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            figures[name].append(float(done.stdout.split()[-1]))
        print(f"round {round_number} of {ROUNDS}", flush=True)
    return figures


def report(area: str, unit: str, figures: Mapping[str, Sequence[float]], *, ours: str) -> None:
    """Print the table and write `results/AREA.json`; ratios are ours over theirs."""
    _write(area, _rows(unit, figures, ours))


def report_all(area: str, tables: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """The same for what has several units: a table a unit, ours first in each."""
    parts = [_rows(unit, figures, next(iter(figures))) for unit, figures in tables.items()]
    _write(area, [row for part in parts for row in part])


def _rows(unit: str, figures: Mapping[str, Sequence[float]], ours: str) -> list[dict[str, Any]]:
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return [
        {
            "name": name,
            "value": medians[name],
            "unit": unit,
            "low": min(values),
            "high": max(values),
            "ratio": medians[ours] / medians[name],
        }
        for name, values in figures.items()
    ]


def _write(area: str, rows: Sequence[Mapping[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    document = {"machine": platform.platform(), "rounds": ROUNDS, "rows": rows}
    (RESULTS / f"{area}.json").write_text(json.dumps(document, indent=2) + "\n")
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        value, low, high = (_figure(row[key]) for key in ("value", "low", "high"))
        print(
            f"{row['name']:<{width}}  {value:>12} {row['unit']}"
            f"  ({low} to {high})  ours is {row['ratio']:.1f} times that"
        )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
