"""Trips, charges and energies of a fleet: ours and other ways, on the same rows.

    make bench AREA=history                                          # 100 cars, 30 days
    make bench AREA=history ARGS="--cars 20 --rounds 3"

18.9 M rows of 8 signals in a compacted lake. Ours finds trips, charges, stands, states and energies
out and in with a check by another source; the peers, on the same Parquet files, trips and charges
alone, by windows. On two cores ours is two processes, theirs two threads.

Predicted: 100 M rows/s a core in memory, 20 M rows/s from Parquet on two cores, six times DuckDB
and 1.5 times Polars. Measured: see docs/benchmarks.md.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEER = ROOT / ".bench/history/bin/python"
MEMORY, ONE, TWO = (
    "contactor, in memory",
    "contactor, Parquet, 1 core",
    "contactor, Parquet, 2 cores",
)
DUCKDB, POLARS, PANDAS = "DuckDB, 2 cores", "Polars streaming, 2 cores", "pandas"
RATES = {MEMORY: 100e6, TWO: 20e6}
RATIOS = {DUCKDB: 6.0, POLARS: 1.5}


def contenders(folder: str) -> dict[str, Sequence[str]]:
    """Each a process that prints one line of JSON."""
    ours = [sys.executable, str(ROOT / "benchmarks/rounds/history_ours.py")]
    peers = [str(PEER), str(ROOT / "benchmarks/peers/history_facts.py")]
    return {
        MEMORY: [*ours, "memory", folder, "1"],
        ONE: [*ours, "parquet", folder, "1"],
        TWO: [*ours, "parquet", folder, "2"],
        DUCKDB: [*peers, "duckdb", folder, "2"],
        POLARS: [*peers, "polars", folder, "2"],
        PANDAS: [*peers, "pandas", folder, "1"],
    }


def check(facts: Mapping[str, Sequence[Mapping[str, Any]]], cars: int, days: int) -> None:
    """See that everybody found every trip and charge."""
    for name, some in facts.items():
        for one in some:
            if (one["trips"], one["charges"]) != (2 * cars * days, cars * days):
                raise SystemExit(f"{name} found {one['trips']} trips, {one['charges']} charges")


def goals(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what is met."""
    values = {row["name"]: row["value"] for row in rows}
    for name, least in RATES.items():
        verdict = "met   " if values[name] >= least else "MISSED"
        print(f"  {verdict} {name}: {values[name]:,.0f} rows/s, at least {least:,.0f}")
    for name, least in RATIOS.items():
        ratio = values[TWO] / values[name]
        verdict = "met   " if ratio >= least else "MISSED"
        print(f"  {verdict} {TWO} over {name}: {ratio:.1f}, at least {least:g}")


def main() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks/rounds"))
    from harness import ROUNDS, rows_of, run_facts, save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cars", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        maker = [sys.executable, str(ROOT / "benchmarks/rounds/history_input.py"), folder]
        subprocess.run([*maker, str(args.cars), str(args.days)], check=True)
        facts = run_facts(contenders(folder), rounds=args.rounds)
    check(facts, args.cars, args.days)
    rates = {name: [one["rows_per_s"] for one in some] for name, some in facts.items()}
    rows = rows_of("rows/s", rates, TWO)
    for row in rows:
        low, high = row["low"] / 1e6, row["high"] / 1e6
        print(
            f"{row['name']:<28} {row['value'] / 1e6:>8.2f} M rows/s"
            f"  ({low:.2f} to {high:.2f})  ours on two cores is {row['ratio']:.1f} times that"
        )
    goals(rows)
    save("history", rows, rounds=args.rounds)


if __name__ == "__main__":
    main()
