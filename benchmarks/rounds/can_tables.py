"""The tables of the CAN benchmark: is the work equal, how fast is it, are the goals met.

failed = compare_work(small, oracle=("frames to columns", "cantools"))
report_tables(tables, without=failed, rounds=5)
"""

import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "peers"))

from harness import facts_of, figure, rows_of, run_facts, save
from measured import SUMS

Tables = Mapping[str, Mapping[str, list[str]]]
Key = tuple[str, str]
# Frames per second of every contender.
Rates = Mapping[Key, float]

TEXT, PARQUET, BLF = "text to columns", "text to Parquet", "BLF to frames"
US = "contactor"


@dataclass(frozen=True, slots=True)
class Goal:
    """What was set out to be reached: a number to reach, or not to exceed."""

    name: str
    value: float
    is_least: bool
    measure: Callable[[Rates], float]


def _parquet(rates: Rates) -> float:
    limit = 1 / rates[PARQUET, "limit: columns by pyarrow"] + 1 / rates[TEXT, US]
    return 1 / rates[PARQUET, US] / limit


GOALS = (
    Goal(
        "text to columns over python-can + cantools",
        200,
        True,
        lambda rates: rates[TEXT, US] / rates[TEXT, "python-can + cantools"],
    ),
    Goal(
        "text to columns over asammdf's MF4 to columns",
        20,
        True,
        lambda rates: rates[TEXT, US] / rates["MF4 to columns", "asammdf"],
    ),
    Goal("time of text to Parquet over that of text to columns and pyarrow", 1.5, False, _parquet),
    Goal(
        "time of BLF to frames over that of inflating alone",
        1.5,
        False,
        lambda rates: rates[BLF, "limit: inflating"] / rates[BLF, US],
    ),
    Goal(
        "text to columns on both cores over one",
        1.6,
        True,
        lambda rates: rates[TEXT, "contactor, both cores"] / rates[TEXT, US],
    ),
)


def compare_work(tables: Tables, *, oracle: Key) -> dict[Key, str]:
    """Run every contender once and compare what its signals add up to with the oracle's.

    Returns:
        The contenders that cannot run, and why.
    """
    facts: dict[Key, dict[str, Any]] = {}
    failed: dict[Key, str] = {}
    for title, commands in tables.items():
        for name, command in commands.items():
            environment = {**os.environ, SUMS: "1"}
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, env=environment
            )
            if done.returncode:
                failed[title, name] = (done.stderr.splitlines() or ["no word"])[-1]
            else:
                facts[title, name] = facts_of(done.stdout)
    frames, true = facts[oracle]["frames"], facts[oracle]["sums"]
    for key, fact in facts.items():
        if fact["frames"] != frames:
            print(f"unequal: {': '.join(key)} reads {fact['frames']} frames of {frames}")
        sums = fact.get("sums", true)
        equal = sum(name in sums and _is_equal(sums[name], true[name]) for name in true)
        if equal < len(true):
            print(f"unequal: {': '.join(key)} agrees in {equal} of {len(true)} signals")
    for key, why in failed.items():
        print(f"not measured: {': '.join(key)}: {why}")
    print(f"{len(facts)} contenders compared in {len(true)} signals of {frames} frames", flush=True)
    return failed


def _is_equal(one: list[float], other: list[float]) -> bool:
    """The same count, and a sum that differs by no more than the order of its additions."""
    return one[0] == other[0] and math.isclose(one[1], other[1], rel_tol=1e-9, abs_tol=1e-6)


def report_tables(tables: Tables, *, without: Collection[Key], rounds: int) -> None:
    """Run the rounds, print a table for each title and the goals, write results/can.json."""
    commands = {
        (title, name): command
        for title, some in tables.items()
        for name, command in some.items()
        if (title, name) not in without
    }
    named = run_facts({": ".join(key): commands[key] for key in commands}, rounds=rounds)
    facts = {key: named[": ".join(key)] for key in commands}
    rows: list[dict[str, Any]] = []
    for title in tables:
        here = {name: facts[at, name] for at, name in facts if at == title}
        if not here:
            continue
        ours = US if US in here else next(iter(here))
        parts = [
            rows_of(unit, {name: list(map(measure, some)) for name, some in here.items()}, ours)
            for unit, measure in MEASURES.items()
        ]
        _show(title, *parts, is_ours_known=ours == US)
        for part in parts:
            rows += [row | {"name": f"{title}: {row['name']}"} for row in part if row["value"]]
    rows += _goals(facts, rounds)
    save("can", rows, rounds=rounds)


MEASURES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "frames/s": lambda fact: fact["frames"] / fact["seconds"],
    "signals/s": lambda fact: fact.get("signals", 0) / fact["seconds"],
    "MB peak": lambda fact: fact["peak_mb"],
}


def _show(title: str, *parts: list[dict[str, Any]], is_ours_known: bool) -> None:
    """A line a contender: frames/s, signals/s, memory, and how many times faster ours is."""
    spread = "(low to high)"
    print(f"\n{title:<32} {'frames/s':>11} {spread:>26} {'signals/s':>12} {'MB':>6} {'ours':>8}")
    for rate, signal, peak in zip(*parts, strict=True):
        spread = f"({figure(rate['low'])} to {figure(rate['high'])})"
        shown = figure(signal["value"]) if signal["value"] else "-"
        ratio = f"{rate['ratio']:.2f} x" if is_ours_known else "-"
        print(
            f"  {rate['name']:<30} {figure(rate['value']):>11} {spread:>26} {shown:>12}"
            f" {peak['value']:>6.0f} {ratio:>8}"
        )


def _goals(facts: Mapping[Key, list[dict[str, Any]]], rounds: int) -> list[dict[str, Any]]:
    """A row for each goal: what was reached, and how much more than was set out."""
    rates = {key: [MEASURES["frames/s"](one) for one in some] for key, some in facts.items()}
    medians = {key: statistics.median(some) for key, some in rates.items()}
    rows = []
    print("\ngoals")
    for goal in GOALS:
        try:
            reached = goal.measure(medians)
            each = [
                goal.measure({key: some[place] for key, some in rates.items()})
                for place in range(rounds)
            ]
        except KeyError as missing:
            print(f"  not measured: {goal.name}: without {': '.join(missing.args[0])}")
            continue
        ratio = reached / goal.value if goal.is_least else goal.value / reached
        rows.append(
            {
                "name": f"goal: {goal.name}",
                "value": reached,
                "unit": "times",
                "low": min(each),
                "high": max(each),
                "ratio": ratio,
            }
        )
        print(
            f"  {'met   ' if ratio >= 1 else 'MISSED'} {goal.name}: {reached:.2f}"
            f" ({min(each):.2f} to {max(each):.2f}),"
            f" {'at least' if goal.is_least else 'at most'} {goal.value:g}"
        )
    return rows
