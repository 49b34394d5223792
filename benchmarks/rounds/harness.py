"""Five interleaved rounds of ours and theirs on the same input; a table, and a file of results."""

import json
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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
    medians = {name: statistics.median(values) for name, values in figures.items()}
    rows = [
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
    RESULTS.mkdir(exist_ok=True)
    document = {"machine": platform.platform(), "rounds": ROUNDS, "rows": rows}
    (RESULTS / f"{area}.json").write_text(json.dumps(document, indent=2) + "\n")
    width = max(len(name) for name in figures)
    for row in rows:
        print(
            f"{row['name']:<{width}}  {row['value']:>12,.0f} {unit}"
            f"  ({row['low']:,.0f} to {row['high']:,.0f})  ours is {row['ratio']:.1f} times that"
        )
