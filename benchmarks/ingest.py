"""From the broker to committed, fsynced history: ours and other ways, on the same samples.

    make bench AREA=ingest                                   # five rounds
    make bench AREA=ingest ARGS="--rounds 1"

500 cars with 40 signals at 1 Hz: 72 M values in records of five minutes, as a car sends its past,
or of one; 6 M in messages of one sample. Ours takes every message from a real broker, decodes,
checks and de-duplicates it; so does the subscriber of JSON over MQTT. The stores beside them are
given columns in memory and do nothing but store. One core each; broker and publisher have the
other.

Predicted: 20 M signals/s in records of a minute, 30 ns of 50 for Parquet; 1 M in records of a
second, for a message costs 40 us; 1.5 M for JSON. Measured: see docs/benchmarks.md.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEER = ROOT / ".bench/ingest/bin/python"
BACKLOG = "contactor, records of 300 s"
MINUTES, SECONDS = "contactor, records of 60 s", "contactor, records of 1 s"
ARRAYS, TEXTS = "contactor, JSON, 60 samples a message", "contactor, JSON, 1 sample a message"
MQTT, COPY = "JSON over MQTT into SQLite", "PostgreSQL, binary COPY"
INSERTS, DUCKDB, DELTA = "PostgreSQL, rows inserted", "DuckDB", "Delta, plain append"

# What is to be met: over whom, at least how many times; and signals/s on their own.
RATIOS = {MQTT: 60.0, COPY: 1.3}
RATES = {BACKLOG: 20e6, ARRAYS: 1.5e6}


def contenders(folder: str) -> dict[str, Sequence[str]]:
    """Each a process that prints one line of JSON."""
    ours = [sys.executable, str(ROOT / "benchmarks/rounds/ingest_ours.py")]
    stores = [str(PEER), str(ROOT / "benchmarks/peers/ingest_stores.py")]
    found: dict[str, Sequence[str]] = {
        BACKLOG: [*ours, "backlog", folder],
        MINUTES: [*ours, "minutes", folder],
        SECONDS: [*ours, "seconds", folder],
        ARRAYS: [*ours, "json-minutes", folder],
        TEXTS: [*ours, "json", folder],
        MQTT: [str(PEER), str(ROOT / "benchmarks/peers/ingest_mqtt_sqlite.py"), folder],
        DUCKDB: [*stores, "duckdb", folder],
        DELTA: [*stores, "delta", folder],
    }
    if has_postgres():
        found |= {
            COPY: [*stores, "postgres-copy", folder],
            INSERTS: [*stores, "postgres-rows", folder],
        }
    else:
        print("PostgreSQL is not installed: left out")
    return found


def has_postgres() -> bool:
    """Whether a server can be started."""
    which = subprocess.run(["which", "initdb", "pg_ctl"], capture_output=True, check=False)
    return which.returncode == 0 or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def table(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Print a row per contender; the rows as they are saved."""
    rates = {name: [one["signals_per_s"] for one in some] for name, some in facts.items()}
    ours, rows = statistics.median(rates[BACKLOG]), []
    print(
        f"{'':<40} {'signals/s':>12}  {'(low to high)':^24} {'disk':>5} {'wire':>5} {'MB':>6}  ours"
    )
    for name, some in facts.items():
        value, low, high = statistics.median(rates[name]), min(rates[name]), max(rates[name])
        disk, wire = (_median(some, key) for key in ("bytes_on_disk", "bytes_on_the_wire"))
        print(
            f"{name:<40} {value:>12,.0f}  ({low:>10,.0f} to {high:>10,.0f}) {disk:>5} {wire:>5}"
            f" {statistics.median(one['peak_mb'] for one in some):>6,.0f}  {ours / value:.1f} x"
        )
        rows.append(
            {
                "name": name,
                "value": value,
                "unit": "signals/s",
                "low": low,
                "high": high,
                "ratio": ours / value,
            }
        )
    return rows


def _median(some: Sequence[Mapping[str, Any]], key: str) -> str:
    """Bytes a value, where they were told."""
    found = [one[key] for one in some if one.get(key)]
    return f"{statistics.median(found):.2f}" if found else "-"


def goals(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what is met."""
    values = {row["name"]: row["value"] for row in rows}
    for name, least in RATES.items():
        verdict = "met   " if values[name] >= least else "MISSED"
        print(f"  {verdict} {name}: {values[name]:,.0f} signals/s, at least {least:,.0f}")
    for name, least in RATIOS.items():
        if name in values:
            ratio = values[BACKLOG] / values[name]
            verdict = "met   " if ratio >= least else "MISSED"
            print(f"  {verdict} {BACKLOG} over {name}: {ratio:.1f}, at least {least:g}")


def main() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks/rounds"))
    from harness import ROUNDS, run_facts, save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        rows = table(run_facts(contenders(folder), rounds=rounds))
    goals(rows)
    save("ingest", rows, rounds=rounds)


if __name__ == "__main__":
    main()
